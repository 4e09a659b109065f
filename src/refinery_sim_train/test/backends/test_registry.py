import dataclasses

import pytest

from refinery.errors import ConfigError
from refinery_sim_train.backends import registry


@pytest.mark.parametrize(
    ("backend", "device", "key", "hint"),
    [
        ("physx", "cpu", "--backend", "mujoco, warp"),
        ("mujoco", "cuda:0", "--device", "--backend warp"),
        ("mujoco", "gpu", "--device", "cpu or cuda:<index>"),
        ("warp", "cuda", "--device", "cpu or cuda:<index>"),
    ],
)
def test_a_wrong_name_is_one_line_that_says_what_helps(backend, device, key, hint):
    with pytest.raises(ConfigError) as raised:
        registry.simulator(backend, device)
    assert raised.value.source == key and hint in str(raised.value) and "\n" not in str(raised.value)


def test_a_missing_backend_names_the_command_that_installs_it(monkeypatch):
    missing = dataclasses.replace(registry._BACKENDS["warp"], distributions=("mujoco", "no-such-distribution"))
    monkeypatch.setitem(registry._BACKENDS, "warp", missing)
    with pytest.raises(ConfigError, match=r"no-such-distribution.*make warp"):
        registry.simulator("warp", "cpu")


def test_a_gpu_that_is_not_there_is_named_beside_those_that_are(task):
    pytest.importorskip("mujoco_warp", reason="make warp installs it")
    with pytest.raises(ConfigError, match=r"cuda:99.*cpu.*|cpu.*cuda:99") as raised:
        registry.make_physics(task, 1, backend="warp", device="cuda:99")
    assert raised.value.source == "--device" and "nvidia-smi" in str(raised.value)


def test_a_simulator_says_which_versions_it_is():
    found = registry.simulator("mujoco", "cpu").to_json()
    assert found.keys() == {"backend", "device", "versions"}
    assert found["versions"]["mujoco"].split(".")[0].isdigit()
