"""A policy runs where it was asked to, if that is installed and says the same as the processor."""

from __future__ import annotations

import numpy as np
import pytest

from refinery.bundle import Bundle, choose_provider, load_bundle
from refinery.bundle.provider import installed
from refinery.bundle.provider_choice import PARITY, check_parity
from refinery.errors import BundleError, ConfigError
from refinery.task import Task
from refinery.testing.bundles import recurrent_policy, tiny_bundle


@pytest.fixture(scope="module")
def recurrent(task: Task, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return load_bundle(tiny_bundle(tmp_path_factory.mktemp("bundles") / "lstm", task, recurrent_policy()))


@pytest.mark.parametrize("name", ["cpu", "auto", *(name for name in installed() if name != "cpu")])
def test_every_installed_provider_runs_the_policy(recurrent: Bundle, name: str) -> None:
    choice = choose_provider(recurrent, name)
    assert choice.bundle.provider in installed() and (name == "auto" or choice.bundle.provider == name)
    assert choice.message.startswith(f"provider {choice.bundle.provider}")
    assert choice.bundle.open_policy().recurrent


@pytest.mark.parametrize("name", ["cuda", "tensorrt", "CPU", "rocm", ""])
def test_a_provider_that_is_not_installed_is_refused_by_naming_what_is(recurrent: Bundle, name: str) -> None:
    if name in installed():
        name = f"no {name}"
    with pytest.raises(ConfigError) as caught:
        choose_provider(recurrent, name)
    assert (caught.value.key, caught.value.got) == ("provider", name)
    assert ", ".join(["auto", *installed()]) in caught.value.expected and "gpu.txt" in caught.value.hint


@pytest.mark.parametrize("off", [2 * PARITY, np.nan])
def test_a_provider_that_says_something_else_is_refused(off: float) -> None:
    reference = np.zeros((3, 6))
    actions = reference.copy()
    actions[1, 2] = 0.5 * PARITY
    assert check_parity(actions, reference, "cuda") == pytest.approx(0.5 * PARITY)
    actions[1, 2] = off
    with pytest.raises(BundleError, match="provider cuda: expected actions within"):
        check_parity(actions, reference, "cuda")
