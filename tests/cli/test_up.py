"""``refinery up`` as a user runs it, with small real processes in the place of the nodes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from domain_coordinator import domain_id

from refinery.cli.up import parse_overrides
from refinery.errors import ConfigError
from refinery.paths import config_file
from refinery.task import load_task
from refinery.testing.bundles import tiny_bundle
from refinery_ros.testing.graph import own_domain, spinning_node

PATIENCE_S = 240.0
"""For a process that ends by itself, on a busy machine."""
NODES = (
    ("refinery_twin", "twin_node"),
    ("refinery_twin", "move_group_node"),
    ("refinery_sampler_node", "sampler_node"),
    ("refinery_policy_node", "policy_node"),
)
NODE = """#!{python}
import os, sys, time
parameters = open(sys.argv[-1]).read().replace("\\n", " ")
print("pid", os.getpid(), "domain", os.environ.get("ROS_DOMAIN_ID"), parameters, flush=True)
print("words", *(word for word in sys.argv if word.startswith("__ns")), flush=True)
try:
    time.sleep(600)
except KeyboardInterrupt:
    print("bye", flush=True)
"""


@pytest.fixture
def up(tmp_path):
    """Start ``refinery up --robot twin`` and end what is left of it afterwards."""
    index = tmp_path / "share/ament_index/resource_index/packages"
    index.mkdir(parents=True)
    for package, executable in NODES:
        (index / package).touch()
        path = tmp_path / "lib" / package / executable
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(NODE.format(python=sys.executable))
        path.chmod(0o755)
    bundle = tiny_bundle(tmp_path / "tiny", load_task(config_file("tasks", "peg_rect")))
    env = {
        "AMENT_PREFIX_PATH": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    started = []

    def start(*words):
        command = [sys.executable, "-m", "refinery.cli.main", "up", "--robot", "twin", "--bundle", str(bundle)]
        command += ["--log-dir", str(tmp_path / "logs"), *words]
        process = subprocess.Popen(
            command,
            env={**os.environ, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    start.logs = tmp_path / "logs"
    # It looks what else runs on its domain.
    with own_domain():
        yield start
        for process in started:
            process.kill()
            process.wait()
            process.stdout.close()


def pids(logs: Path) -> dict[str, int]:
    """Wait until all nodes run and return their process ids by name."""
    names = ("refinery_twin", "move_group", "refinery_sampler", "refinery_policy")
    end = time.monotonic() + 60.0
    while time.monotonic() < end:
        said = {name: (logs / f"{name}.log").read_text() if (logs / f"{name}.log").exists() else "" for name in names}
        if all(text.startswith("pid") and text.endswith("\n") for text in said.values()):
            return {name: int(text.split()[1]) for name, text in said.items()}
        time.sleep(0.05)
    raise AssertionError(f"not all nodes started: {said}")


@pytest.mark.ros
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_told_to_end_it_stops_all_and_says_so(up, number):
    with domain_id() as other:
        process = up("--domain", str(other))
        nodes = pids(up.logs)
        process.send_signal(number)
        out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, out
    assert "stopped by a signal; all nodes were stopped" in out
    assert "[refinery_policy ] bye" in out
    assert f"domain {other}" in out
    assert not any(os.path.exists(f"/proc/{pid}") for pid in nodes.values())


@pytest.mark.ros
@pytest.mark.parametrize("victim", ["refinery_twin", "move_group", "refinery_sampler", "refinery_policy"])
def test_a_node_that_dies_takes_the_others_along_and_is_named(up, victim):
    process = up()
    nodes = pids(up.logs)
    os.kill(nodes[victim], signal.SIGKILL)
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1, out
    assert f"{victim} was ended by SIGKILL" in out.splitlines()[-1]
    assert "everything else was stopped" in out.splitlines()[-1]
    assert not any(os.path.exists(f"/proc/{pid}") for pid in nodes.values())


@pytest.mark.ros
def test_parameters_from_the_command_line_reach_the_nodes(up):
    sets = (
        "refinery_policy.command_rate_hz=500",
        "refinery_policy.record_dir=20261126",
        "refinery_twin.realtime_factor=2",
    )
    process = up("--seed", "5", *(word for value in sets for word in ("--set", value)))
    pids(up.logs)
    policy, twin = ((up.logs / f"refinery_{name}.log").read_text() for name in ("policy", "twin"))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE_S)
    assert "command_rate_hz: 500.0" in policy
    assert "record_dir: '20261126'" in policy
    assert "realtime_factor: 2.0" in twin
    assert "seed: 5" in twin


@pytest.mark.ros
def test_a_namespace_reaches_every_node(up):
    process = up("--namespace", "/left")
    pids(up.logs)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert "under /left" in out
    for name in ("refinery_twin", "move_group", "refinery_sampler", "refinery_policy"):
        assert "words __ns:=/left" in (up.logs / f"{name}.log").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--domain", "300"), "domain: expected an id in 0 to 101, got 300"),
        (("--set", "refinery_policy.x"), "node.parameter=value"),
        (("--set", "nobody.x=1"), "node.parameter with a node of"),
        (("--set", "refinery_policy.stop_age=0.2"), "did you mean stop_age_s?"),
        (("--set", "refinery_policy.command_rate_hz=5000"), "a number in 0 to 1000"),
        (("--set", "refinery_sampler.max_count=few"), "a whole number in 1 to 100000"),
        (("--namespace", "left"), "leading slash"),
        (("--task", "no_such_task"), "peg_rect"),
        (("--bundle", "/nowhere"), "a bundle directory"),
    ],
)
def test_bad_words_start_nothing(up, words, message):
    process = up(*words)
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2
    assert message in out
    assert "Traceback" not in out
    assert not up.logs.exists()


@pytest.mark.ros
def test_a_second_time_on_one_domain_it_starts_nothing(up):
    with spinning_node("refinery_policy"):
        process = up()
        out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 2
    assert f"/refinery_policy runs already on domain {os.environ['ROS_DOMAIN_ID']}" in out
    # Neither parameters nor output of any node: only the look itself may have logged.
    assert not list(up.logs.glob("refinery_*"))
    with spinning_node("refinery_policy"), domain_id() as other:
        process = up("--domain", str(other))
        pids(up.logs)


def test_overrides_stay_as_typed_until_their_parameter_is_known():
    assert parse_overrides(["a.b=1", "a.c=x", "a.f=k=v", "a.g="]) == {"a.b": "1", "a.c": "x", "a.f": "k=v", "a.g": ""}
    for word in ("a.b", "a=1"):
        with pytest.raises(ConfigError):
            parse_overrides([word])
