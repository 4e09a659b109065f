"""Whatever target comes in: what comes out is near the measured pose and inside the workspace."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from refinery.initial_state import tool_pose
from refinery.rotations import Poses, angle_between_rad
from refinery.task import Task
from refinery.testing.bound_checks import check_bounds
from refinery.tick.guard import Reason, TargetBounds
from refinery.tick.guard.bounds import Bounded
from refinery.tick.pose import Pose

ANY = st.floats(allow_nan=True, allow_infinity=True, width=64)
NEAR = st.floats(-0.3, 0.3)
SETTINGS = settings(max_examples=200, deadline=None)


def pose(draw: st.DrawFn, spread: st.SearchStrategy[float], center: np.ndarray) -> Poses:
    xyz = center + draw(arrays(float, 3, elements=spread))
    rpy = draw(arrays(float, 3, elements=st.floats(-3.2, 3.2)))
    return Poses.from_xyz_rpy(xyz, rpy)


@st.composite
def situations(draw: st.DrawFn) -> tuple[Poses, Poses, Poses, Poses]:
    """Socket, measured pose near or far from it, last target, and any new target."""
    socket = Poses.from_xyz_rpy(
        np.array([0.5, 0.0, 0.1]) + draw(arrays(float, 3, elements=st.floats(-0.1, 0.1))),
        draw(arrays(float, 3, elements=st.floats(-0.5, 0.5))),
    )
    theta = draw(arrays(float, (1, 6), elements=st.floats(-0.15, 0.15)))
    theta[:, 3:] *= draw(st.sampled_from([0.0, 1.0, 7.0]))
    measured = Poses(pos_m=socket.pos_m + theta[:, :3], quat_xyzw=socket.quat_xyzw)
    turned = Poses.from_xyz_rpy(np.zeros(3), theta[0, 3:])
    measured = Poses(pos_m=measured.pos_m, quat_xyzw=np.atleast_2d((socket @ turned).rotation.as_quat()))
    # The tool points down: half a turn about x.
    measured = measured @ Poses.from_xyz_rpy(np.zeros(3), [np.pi, 0, 0])
    last = Poses(pos_m=measured.pos_m + draw(arrays(float, 3, elements=NEAR)), quat_xyzw=measured.quat_xyzw)
    kind = draw(st.sampled_from(["near", "far", "garbage"]))
    if kind == "garbage":
        target = Poses(
            pos_m=draw(arrays(float, (1, 3), elements=ANY)), quat_xyzw=draw(arrays(float, (1, 4), elements=ANY))
        )
    else:
        spread = st.floats(-0.02, 0.02) if kind == "near" else st.floats(-1e6, 1e6)
        target = pose(draw, spread, measured.pos_m[0])
    return socket, measured, last, target


def _clip(bounds: TargetBounds, target: Poses, measured: Poses, socket: Poses, last: Poses) -> Bounded:
    """Clip batches of one; the target as it is, not normalised."""
    aim = Pose(tuple(target.pos_m[0].tolist()), tuple(target.quat_xyzw[0].tolist()))
    return bounds.clip(aim, Pose.of(measured), Pose.of(socket), Pose.of(last))


@SETTINGS
@given(situation=situations(), grasp=arrays(float, (1, 3), elements=st.floats(-0.02, 0.02)))
def test_a_bounded_target_keeps_every_bound(
    task: Task, situation: tuple[Poses, Poses, Poses, Poses], grasp: np.ndarray
) -> None:
    socket, measured, last, target = situation
    tool_from_plug = task.plug.tool_from_plug_at(grasp)
    with np.errstate(all="ignore"):
        bounded = _clip(TargetBounds(task, Pose.of(tool_from_plug)), target, measured, socket, last)
    assert (bounded.problem == "") == (bounded.reason is Reason.NONE)
    if bounded.target is None:
        assert bounded.problem
        return
    check_bounds(task, bounded.target.batch(), measured, socket, tool_from_plug)


@SETTINGS
@given(theta=arrays(float, (1, 6), elements=st.floats(-0.2, 0.2)), step=arrays(float, 6, elements=st.floats(-1, 1)))
def test_an_allowed_target_passes_bit_by_bit(task: Task, theta: np.ndarray, step: np.ndarray) -> None:
    socket = Poses.from_xyz_rpy(task.socket.nominal_xyz_m, [0, 0, 0.1])
    theta = np.clip(theta, [[-0.03, -0.03, 0, -0.3, -0.3, -0.3]], [[0.03, 0.03, 0.09, 0.3, 0.3, 0.3]])
    measured = socket @ Poses.from_xyz_rpy(theta[:, :3], theta[:, 3:]) @ task.plug.tool_from_plug.inverse()
    step = step * task.control.max_error * 0.99
    axes = socket.rotation
    turn = Poses(pos_m=np.zeros((1, 3)), quat_xyzw=np.atleast_2d(axes.from_rotvec(axes.apply(step[3:])).as_quat()))
    moved = Poses(pos_m=measured.pos_m + axes.apply(step[:3]), quat_xyzw=(turn @ measured).quat_xyzw)
    plug = (socket.inverse() @ (moved @ task.plug.tool_from_plug)).pos_m[0]
    low, high = task.limits.workspace_low_m, task.limits.workspace_high_m
    target = Pose.of(moved)
    bounded = TargetBounds(task).clip(target, Pose.of(measured), Pose.of(socket), Pose.of(measured))
    if np.all(plug > low) and np.all(plug < high) and np.linalg.norm(step[:3]) < 0.25 / 15:
        assert bounded.target is target
        assert bounded.problem == ""


def test_each_bound_has_its_reason(task: Task) -> None:
    socket = Poses.from_xyz_rpy(task.socket.nominal_xyz_m, [0, 0, 0])
    bounds = TargetBounds(task)

    def clip(theta: list[float], shift: list[float], turn: list[float] | None = None) -> tuple[Reason, Pose | None]:
        measured = tool_pose(socket, np.array([[*theta, 0.0, 0.0, 0.0]]), task.plug.tool_from_plug)
        turned = Poses.from_xyz_rpy(np.zeros(3), turn or [0.0, 0.0, 0.0])
        quat = np.atleast_2d((turned.rotation * measured.rotation).as_quat())
        target = Poses(pos_m=measured.pos_m + shift, quat_xyzw=quat)
        bounded = _clip(bounds, target, measured, socket, Poses(pos_m=target.pos_m - 0.001, quat_xyzw=quat))
        return bounded.reason, bounded.target

    start = [0.0, 0.0, 0.035, 0.0, 0.0, 0.0]
    assert clip(start, [0.001, 0.0, 0.0])[0] is Reason.NONE
    assert clip(start, [0.5, 0.0, 0.0])[0] is Reason.TARGET_STEP
    assert clip(start, [0.0, 0.0, 0.0], [0.0, 0.0, 0.5])[0] is Reason.TARGET_STEP
    assert clip([0.049, 0.0, 0.035, 0.0, 0.0, 0.0], [0.01, 0.0, 0.0])[0] is Reason.WORKSPACE
    assert (
        clip([0.0, 0.0, 0.035, 0.0, 0.0, task.limits.max_tilt_rad - 0.05], [0.0, 0.0, 0.0], [0.0, 0.0, 0.1])[0]
        is Reason.WORKSPACE
    )
    assert clip([0.2, 0.0, 0.035, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0]) == (Reason.WORKSPACE, None)
    measured = tool_pose(socket, np.array([[*start, 0.0, 0.0, 0.0]]), task.plug.tool_from_plug)
    far_last = Poses(pos_m=measured.pos_m + np.array([0.04, 0.0, 0.0]), quat_xyzw=measured.quat_xyzw)
    fast = _clip(bounds, measured, measured, socket, far_last)
    assert fast.reason is Reason.TARGET_SPEED
    assert fast.target is not None
    assert angle_between_rad(fast.target.batch().quat_xyzw, measured.quat_xyzw)[0] < 1e-7
