import io
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from refinery.bringup.output import OutputEcho
from refinery.bringup.supervisor import Supervisor
from refinery.bringup.watchdog import STEPS
from refinery.errors import NotReadyError


def supervise(space, *specs, **more):
    return Supervisor(specs, env=space.env, log_dir=space.log_dir, quiet=True, **more)


def groups(supervisor):
    return [node.group for node in supervisor._nodes]


def test_nodes_are_stopped_in_reverse_order_and_asked_kindly(space):
    specs = [space.spec("polite", name) for name in ("cell", "sampler", "policy")]
    with supervise(space, *specs) as supervisor:
        for spec in specs:
            space.wait_for(spec.name, "here")
        assert supervisor.poll() == []
        pids = groups(supervisor)
    assert space.story.read_text().splitlines() == ["policy SIGINT", "sampler SIGINT", "cell SIGINT"]
    assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)


def test_a_node_that_ends_by_itself_is_named_with_its_code_and_last_words(space):
    with supervise(space, space.spec("polite"), space.spec("quitter")) as supervisor:
        began = time.monotonic()
        (dead,) = supervisor.wait(timeout_s=120.0)
        assert time.monotonic() - began < 120.0
    assert (dead.name, dead.code, dead.last_line) == ("quitter", 3, "the last word")
    sentence = f"quitter ended with exit code 3, saying: the last word (log: {space.log_dir / 'quitter.log'})"
    assert str(dead) == sentence


def test_a_killed_node_is_named_with_its_signal(space):
    with supervise(space, space.spec("polite")) as supervisor:
        os.kill(groups(supervisor)[0], signal.SIGKILL)
        (dead,) = supervisor.wait(timeout_s=10.0)
    assert "was ended by SIGKILL" in str(dead)


def test_an_optional_node_may_end(space, until, running):
    with supervise(space, space.spec("quitter", required=False)) as supervisor:
        (pid,) = groups(supervisor)
        until(lambda: not running(pid))
        assert supervisor.wait(timeout_s=0.2) == []


def test_wait_ends_when_the_time_is_up_or_the_caller_says_so(space):
    with supervise(space, space.spec("polite")) as supervisor:
        began = time.monotonic()
        assert supervisor.wait(timeout_s=0.3) == []
        assert time.monotonic() - began > 0.25
        assert supervisor.wait(until=lambda: True) == []


@pytest.mark.parametrize("executable", ["no_interrupt", "stubborn"])
def test_a_node_that_ignores_signals_is_ended_in_the_end(space, executable, running):
    supervisor = supervise(space, space.spec(executable))
    supervisor.start()
    space.wait_for(executable, "here")
    (pid,) = groups(supervisor)
    supervisor.stop()
    assert not running(pid)


@pytest.mark.parametrize("executable", ["parent", "orphaner"])
def test_what_a_node_started_ends_with_it(space, executable, running, until):
    with supervise(space, space.spec(executable)):
        child = int(space.wait_for(executable, "\n").split()[1])
    until(lambda: not running(child))


def test_an_interrupted_stop_kills_what_is_left(space, running):
    supervisor = supervise(space, space.spec("polite"), space.spec("stubborn"))
    supervisor.start()
    space.wait_for("stubborn", "here")
    pids = groups(supervisor)

    def interrupt(number, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.5)
    began = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            supervisor.stop()
    finally:
        signal.signal(signal.SIGALRM, before)
    # As long as signals that it ignores would be waited for.
    assert time.monotonic() - began < sum(patience_s for _, patience_s in STEPS)
    assert not any(running(pid) for pid in pids)


def test_a_missing_executable_starts_nothing(space):
    supervisor = supervise(space, space.spec("polite"), space.spec("nothing_like_it"))
    with pytest.raises(NotReadyError, match=r"fake_nodes has no executable 'nothing_like_it'; it has: .*polite"):
        supervisor.start()
    assert groups(supervisor) == []
    assert not (space.log_dir / "polite.log").exists()


def test_it_can_be_started_again_but_not_twice(space):
    supervisor = supervise(space, space.spec("polite"))
    for _ in range(2):
        supervisor.start()
        with pytest.raises(RuntimeError, match="stop it first"):
            supervisor.start()
        supervisor.stop()
        supervisor.stop()


def test_name_namespace_arguments_remappings_and_parameters_reach_the_node(space):
    spec = space.spec(
        "echo_arguments",
        "mine",
        arguments=("controller", "--inactive"),
        namespace="/cell",
        remappings=[("a", "b")],
        parameters={"x": 1.5, "tiny": 1e-9, "flag": True, "words": "a: b #c", "path": space.story},
    )
    with supervise(space, spec):
        said = space.wait_for("mine", "words")
    assert "'controller', '--inactive', '--ros-args', '-r', '__node:=mine'" in said
    assert "'__node:=mine', '-r', '__ns:=/cell', '-r', 'a:=b', '--params-file'" in said
    assert "words: 'a: b #c'" in said
    assert "tiny: 1.0e-09" in said
    assert f"path: {space.story}" in said


def test_if_the_supervisor_is_killed_its_nodes_end_all_the_same(space, until, running):
    program = textwrap.dedent(f"""
        import sys, time
        from pathlib import Path
        from refinery.bringup.node_spec import NodeSpec
        from refinery.bringup.supervisor import Supervisor
        specs = [NodeSpec(package="fake_nodes", executable=name, name=name) for name in ("polite", "parent")]
        supervisor = Supervisor(specs, log_dir=Path({str(space.log_dir)!r}), quiet=True)
        supervisor.start()
        print(*[node.group for node in supervisor._nodes], supervisor._watchdog.pid, flush=True)
        time.sleep(600)
    """)
    env = {**space.env, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen([sys.executable, "-c", program], env=env, stdout=subprocess.PIPE, text=True)
    pids = [int(word) for word in process.stdout.readline().split()]
    child = int(space.wait_for("parent", "child").split()[1])
    space.wait_for("polite", "here")
    process.kill()
    process.wait()
    process.stdout.close()
    until(lambda: not any(running(pid) for pid in [*pids, child]))
    assert space.story.read_text() == "polite SIGINT\n"


def test_output_is_repeated_line_by_line_with_the_node_s_name(space):
    supervisor = supervise(space, space.spec("quitter", "short"), space.spec("polite", "a_longer_name"))
    with supervisor:
        stream = io.StringIO()
        echo = OutputEcho({name: space.log_dir / f"{name}.log" for name in ("short", "a_longer_name")}, stream)
        supervisor.wait(timeout_s=20.0)
        echo.close()
    lines = stream.getvalue().splitlines()
    assert "[short        ] first line" in lines
    assert "[short        ] the last word" in lines
    assert "[a_longer_name] here" in lines
