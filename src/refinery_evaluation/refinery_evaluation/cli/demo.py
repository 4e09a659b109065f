"""``demo``: the whole pipeline in about ten minutes: refine, export, nodes up on the twin, 20 + 20 trials, report."""

from __future__ import annotations

import json
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import rclpy
from rclpy.signals import SignalHandlerOptions

from refinery.bringup.description import describe_bringup
from refinery.bringup.ros_start import init_ros
from refinery.bringup.running import check_not_running
from refinery.bringup.supervisor import Supervisor
from refinery.errors import NotReadyError
from refinery.initial_state import GRASP, tool_pose
from refinery.robot_profile import load_robot_profile
from refinery.rotations import Poses
from refinery.storage import check_writable, read_lines, write_whole
from refinery.task import Task
from refinery_evaluation.report import data as report_data
from refinery_evaluation.report.html import write_page
from refinery_evaluation.report.plots import success_map
from refinery_evaluation.report.results import demo_json
from refinery_evaluation.report.summary import one_screen
from refinery_evaluation.trials.bringup import guard_times
from refinery_evaluation.trials.client import TrialClient
from refinery_evaluation.trials.run import run_trials
from refinery_sim_train.cli.refine import Args as RefineArgs
from refinery_sim_train.cli.refine import refine
from refinery_sim_train.command import run
from refinery_sim_train.console import console, stage
from refinery_sim_train.provenance import provenance
from refinery_sim_train.refine.fine_tune import LEARNING
from refinery_sim_train.refine.loop import RefineResult
from refinery_sim_train.weights import WeightsArgs
from refinery_twin.render import render_cell, write_png


@dataclass(frozen=True, kw_only=True)
class Args(WeightsArgs):
    """Refine one task, run it through the ROS nodes on the twin, and write a report."""

    task: str = "peg_rect"
    """Name in config/tasks or path of a task file."""
    preset: str = "quick"
    """Name in config/refine or path."""
    trials: int = 20
    """Trials of each kind of start, 1 to 1000."""
    seed: int = 0
    """Seed of everything, 0 to 9999."""
    realtime_factor: float = 2.0
    """Speed of the twin; 1 is real time. More needs more processor."""
    out: Path = Path("demo")
    """Folder for the report; an earlier demo there is replaced."""


def demo(args: Args) -> None:
    """Run the demonstration."""
    began = time.monotonic()
    _clear(args.out)
    console.print("1. refine", style="bold")
    result = refine(
        RefineArgs(
            task=args.task,
            preset=args.preset,
            seed=args.seed,
            out=args.out / "run",
            accept_other_gains=args.accept_other_gains,
            trained_with=args.trained_with,
        )
    )
    refined_at = time.monotonic()
    console.print("2. sample, place and insert through the ROS nodes on the twin", style="bold")
    trials = _trials(args, result)
    tried_at = time.monotonic()
    console.print("3. report", style="bold")
    data = _collect(args, result, trials, {"refine": refined_at - began, "trials": tried_at - refined_at})
    page, figures = args.out / "report.html", args.out / "demo.json"
    write_page(page, data)
    drawn = success_map(data)
    if drawn is not None:
        write_whole(args.out / "success_map.png", drawn)
    write_whole(figures, json.dumps(demo_json(data), indent=2) + "\n")
    console.print(one_screen(data), markup=False)
    console.print(f"report: {page}   figures: {figures}   total {time.monotonic() - began:.0f} s")


def _clear(out: Path) -> None:
    """Remove what an earlier demo left, and nothing else."""
    for name in ("run", "logs"):
        shutil.rmtree(out / name, ignore_errors=True)
    for name in ("report.html", "demo.json", "cell.png", "success_map.png"):
        (out / name).unlink(missing_ok=True)
    check_writable(out)


def _trials(args: Args, result: RefineResult) -> list[report_data.TrialRecord]:
    """Bring the nodes up, run the trials, take the nodes down whatever happens."""
    # A domain of its own, so that a demo never talks to a robot or another demo on this machine.
    os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))
    specs = describe_bringup(
        robot="twin",
        bundle=result.bundle.resolve(),
        task=args.task,
        realtime_factor=args.realtime_factor,
        overrides=guard_times(args.realtime_factor),
    )
    check_not_running([], "", nodes=specs)
    with Supervisor(specs, log_dir=args.out / "logs", quiet=True) as nodes:
        # Without handlers of its own, which would shut the context down under a call before Ctrl-C gets through.
        init_ros(signal_handler_options=SignalHandlerOptions.NO)
        try:
            node = rclpy.create_node("refinery_demo")

            def watch() -> None:
                dead = nodes.poll()
                if dead:
                    raise NotReadyError(f"{'; '.join(str(item) for item in dead)}; see {args.out / 'logs'}")

            client = TrialClient(node, watch)
            with stage("bring up twin, sampler and policy nodes"):
                client.wait_until_ready()
            with stage(f"{args.trials} + {args.trials} trials") as update:
                return run_trials(client, args.trials, args.seed, update)
        finally:
            rclpy.try_shutdown()


def _collect(
    args: Args, result: RefineResult, trials: list[report_data.TrialRecord], seconds: dict[str, float]
) -> report_data.DemoData:
    """Put everything the report shows together."""
    picture, note = _picture(result.task, args.out)
    rows, _ = read_lines(args.out / "run" / "fine_tuning" / LEARNING)
    return report_data.DemoData(
        task=result.task,
        base_theta=result.base.theta,
        base_strict=result.base.strict,
        refined_theta=result.refined.theta,
        refined_strict=result.refined.strict,
        base_model=result.base_model,
        final_model=result.final_model,
        mixture=result.mixture,
        structure_bits=result.structure_bits,
        env_steps=result.env_steps,
        p_value=result.p_value,
        learning=rows,
        trials=tuple(trials),
        cell_picture_png=picture,
        cell_picture_note=note,
        seconds=seconds,
        provenance=provenance(seed=args.seed, env_steps=result.env_steps),
        seed=args.seed,
        start_strict=None if result.start is result.base else result.start.strict,
        clipped=None if result.clipped is None else result.clipped.rate,
        started=result.started.rate,
    )


def _picture(task: Task, out: Path) -> tuple[bytes | None, str]:
    """Render the cell, or return the reason why not; a report without a picture is still a report."""
    profile = load_robot_profile("twin")
    socket = Poses.single(task.socket.nominal_xyz_m, [0.0, 0.0, 0.0, 1.0])
    middle = (task.initial_state.trained.low + task.initial_state.trained.high)[None] / 2
    start = tool_pose(socket, middle, task.plug.tool_from_plug)
    joints, _ = profile.arm_kinematics().inverse(start, profile.home_rad)
    try:
        with stage("picture of the cell"):
            pixels = render_cell(task, joints[0], socket, width=960, height=640, grasp=middle[0, GRASP])
    except NotReadyError as error:
        console.print(f"  {error}")
        return None, str(error)
    return write_png(out / "cell.png", pixels).read_bytes(), "The twin's cell, rendered by MuJoCo."


def main() -> None:
    """Entry point."""
    run(Args, demo)
