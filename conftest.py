"""Settings for all tests: no deadlines, one thread for BLAS, files shared out whole, a second chance on a ROS graph."""

import os
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

settings.register_profile("refinery", deadline=None)
settings.load_profile("refinery")

# Before numpy is imported, and for all that tests start. Tests run beside each other; threads of BLAS that wait for a
# core that others use took four times as long for the same matrices.
for _library in ("OPENBLAS", "OMP", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

# Before ROS is entered: see the file.
os.environ.setdefault("FASTRTPS_DEFAULT_PROFILES_FILE", str(Path(__file__).parent / "tests" / "fastdds.xml"))

_REFINE = "src/refinery_sim_train/test/refine"
_TOGETHER = (f"{_REFINE}/test_damage.py", f"{_REFINE}/test_loop.py")
"""Files that share a fixture of the session that takes long: a whole refinement."""


class _ByFile(LoadFileScheduling):
    """Hands a process whole files, and those that belong together to the same one."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return _TOGETHER[0] if file in _TOGETHER else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """Choose how tests are spread over processes."""
    return _ByFile(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run a test on a real ROS graph once more where it fails, and no other test (docs/decisions.md says why)."""
    for item in items:
        if item.get_closest_marker("ros") is not None:
            item.add_marker(pytest.mark.flaky(reruns=1))
