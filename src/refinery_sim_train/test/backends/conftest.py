"""The backends of this environment, each with a few cells."""

import numpy as np
import pytest

from refinery.errors import ConfigError
from refinery.testing.bundles import with_grasps
from refinery_sim_train.backends.registry import simulator
from refinery_sim_train.env.make_env import make_env

COUNT = 4


@pytest.fixture(scope="package", params=("mujoco", "warp"))
def cells(task, request):
    """An environment with grasps that vary, on every backend that this environment can have."""
    try:
        simulator(request.param, "cpu")
    except ConfigError as error:
        pytest.skip(str(error))
    return make_env(with_grasps(task), COUNT, threads=1, backend=request.param)


@pytest.fixture
def rng():
    return np.random.default_rng(0)
