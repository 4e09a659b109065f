import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from refinery.action import ActionDecoder
from refinery.paths import config_file
from refinery.rotations import Poses, rotvec_between_rad
from refinery.task import load_task

TASK = load_task(config_file("tasks", "peg_rect"))
SOCKET = Poses.from_xyz_rpy([0.5, 0.0, 0.1], [0.0, 0.0, 0.3])
TOOL = Poses.from_xyz_rpy([0.5, 0.0, 0.2], [np.pi, 0.0, 0.0])


def spring(decoder, measured):
    """Stretch of target from measured along the socket's axes, (1, 6)."""
    axes = SOCKET.rotation
    pos = axes.apply(decoder.target.pos_m - measured.pos_m, inverse=True)
    rot = axes.apply(rotvec_between_rad(measured.quat_xyzw, decoder.target.quat_xyzw), inverse=True)
    return np.hstack([pos, rot])


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_commanded_force_is_bounded_whatever_the_policy_says(seed):
    rng = np.random.default_rng(seed)
    decoder = ActionDecoder(TASK.control)
    decoder.reset(TOOL)
    for _ in range(60):
        decoder.decode(rng.choice([-5.0, 5.0], (1, 6)), TOOL, SOCKET)
        stretch = spring(decoder, TOOL)
        # The rotation is clipped as a rotation vector along the socket's axes: exact for the vector, checked here.
        assert np.all(np.abs(stretch) <= np.asarray(TASK.control.max_error) + 1e-9)


def test_no_action_keeps_the_target():
    decoder = ActionDecoder(TASK.control)
    decoder.reset(TOOL)
    for _ in range(10):
        decoder.decode(np.zeros((1, 6)), TOOL, SOCKET)
    assert np.allclose(spring(decoder, TOOL), 0, atol=1e-12)


def test_a_standing_error_builds_up_force():
    decoder = ActionDecoder(TASK.control)
    decoder.reset(TOOL)
    pushes = []
    for _ in range(4):
        decoder.decode(np.array([[0, 0, -1.0, 0, 0, 0]]), TOOL, SOCKET)
        pushes.append(-spring(decoder, TOOL)[0, 2])
    assert pushes == sorted(pushes) and pushes[-1] > 2 * pushes[0]


def test_actions_move_along_the_socket_axes():
    decoder = ActionDecoder(TASK.control)
    decoder.reset(TOOL)
    decoder.decode(np.array([[1.0, 0, 0, 0, 0, 0]]), TOOL, SOCKET)
    moved = decoder.target.pos_m - TOOL.pos_m
    assert np.allclose(moved / np.linalg.norm(moved), SOCKET.rotation.apply([1.0, 0, 0]), atol=1e-9)


def test_rows_of_a_batch_do_not_touch_each_other():
    rng = np.random.default_rng(0)
    tools = Poses.from_xyz_rpy(rng.uniform(-0.1, 0.1, (3, 3)), rng.uniform(-0.3, 0.3, (3, 3)))
    actions = rng.uniform(-1, 1, (3, 6))
    batch = ActionDecoder(TASK.control, 3)
    batch.reset(tools)
    together = batch.decode(actions, tools, SOCKET)
    for row in range(3):
        alone = ActionDecoder(TASK.control)
        alone.reset(tools[row])
        target = alone.decode(actions[row : row + 1], tools[row], SOCKET)
        assert np.allclose(target.pos_m, together.pos_m[row]) and np.allclose(target.quat_xyzw, together.quat_xyzw[row])
