"""Policies that are not what they should be are refused with a reason; good ones run and keep their state."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper

from refinery.bundle import OnnxPolicy, load_bundle, policy_metadata, with_metadata
from refinery.bundle.metadata import check_metadata
from refinery.errors import BundleError
from refinery.observation import OBSERVATION_SIZE
from refinery.task import Task
from refinery.testing.bundles import constant_policy, linear_policy, recurrent_policy, servo_policy, tiny_bundle


def test_a_linear_policy_computes_what_it_says() -> None:
    rng = np.random.default_rng(0)
    weight, bias = rng.normal(size=(5, 6)) * 0.1, rng.normal(size=6) * 0.1
    policy = OnnxPolicy(linear_policy(weight, bias))
    assert (policy.observation_size, policy.action_size, policy.recurrent, policy.metadata) == (5, 6, False, {})
    obs = rng.normal(size=(1, 5)).astype(np.float32)
    action = policy(obs)
    assert action.dtype == np.float64
    np.testing.assert_allclose(action, np.clip(obs @ weight + bias, -1, 1), atol=1e-6)


def test_a_recurrent_policy_keeps_its_state_and_forgets_it_on_reset() -> None:
    policy = OnnxPolicy(recurrent_policy(4))
    assert policy.recurrent
    obs = np.zeros((1, 4), dtype=np.float32)
    assert [round(float(policy(obs)[0, 0]), 3) for _ in range(3)] == [0.1, 0.2, 0.3]
    policy.reset()
    assert policy(obs)[0, 0] == pytest.approx(0.1)


@pytest.mark.parametrize("shape", [(1, 3), (2, 4), (4,), (1, 0)])
def test_a_wrong_observation_names_both_widths(shape: tuple[int, ...]) -> None:
    policy = OnnxPolicy(constant_policy(np.zeros(6), 4))
    with pytest.raises(BundleError, match=r"expected observations of shape \(1, 4\), got"):
        policy(np.zeros(shape, dtype=np.float32))


@pytest.mark.parametrize("width", [1, OBSERVATION_SIZE - 1, OBSERVATION_SIZE + 1])
def test_a_bundle_with_another_input_width_is_refused(task: Task, tmp_path: Path, width: int) -> None:
    with pytest.raises(BundleError, match=f"obs: expected width {OBSERVATION_SIZE}, got {width}"):
        tiny_bundle(tmp_path / "wide", task, constant_policy(np.zeros(6), width))
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_with_another_output_width_is_refused(task: Task, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="action: expected width 6, got 7"):
        tiny_bundle(tmp_path / "wide", task, constant_policy(np.zeros(7)))


def test_a_recurrent_bundle_loads(task: Task, tmp_path: Path) -> None:
    assert load_bundle(tiny_bundle(tmp_path / "lstm", task, recurrent_policy())).open_policy().recurrent


def test_a_policy_file_may_have_any_name(tmp_path: Path) -> None:
    (tmp_path / "mine.onnx").write_bytes(servo_policy())
    assert OnnxPolicy(tmp_path / "mine.onnx").action_size == 6


@pytest.mark.parametrize("frames", [{"base": 1}, {"base": ""}, {"flange": "x"}, ["base"], "base"])
def test_frames_that_are_no_names_are_refused(task: Task, frames: object) -> None:
    with pytest.raises(BundleError, match="frames"):
        check_metadata({**policy_metadata(task), "frames": frames}, task, "policy.onnx")


def test_metadata_is_replaced_not_doubled(task: Task) -> None:
    model = onnx.ModelProto()
    model.ParseFromString(with_metadata(with_metadata(servo_policy(), task), task))
    assert [prop.key for prop in model.metadata_props] == ["refinery"]
    metadata = OnnxPolicy(model.SerializeToString()).metadata
    assert metadata["task_hash"] == task.hash()
    assert metadata["action"]["scale"] == list(task.control.action_scale)
    assert sum(term["size"] for term in metadata["observation"]) == OBSERVATION_SIZE


def test_a_policy_that_gives_nan_is_refused() -> None:
    weight = np.zeros((4, 6))
    with pytest.raises(BundleError, match="finite actions"):
        OnnxPolicy(linear_policy(weight, np.full(6, np.nan)))


def test_weights_outside_the_file_are_refused(tmp_path: Path) -> None:
    model = onnx.ModelProto()
    model.ParseFromString(servo_policy())
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../etc/passwd"
    with pytest.raises(BundleError, match="stored outside"):
        OnnxPolicy(model.SerializeToString())


def test_weights_outside_the_file_in_a_subgraph_are_refused() -> None:
    hidden = TensorProto(name="hidden", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    constant = helper.make_node("Constant", [], ["y"], value=hidden)
    out = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    branch = helper.make_graph([constant], "branch", [], [out])
    node = helper.make_node("If", ["cond"], ["action"], then_branch=branch, else_branch=branch)
    model = onnx.ModelProto()
    model.ParseFromString(servo_policy())
    model.graph.node.append(node)
    with pytest.raises(BundleError, match="operators of a plain network, got 'If'"):
        OnnxPolicy(model.SerializeToString())


@pytest.mark.parametrize("content", [b"", b"not onnx", b"\x80\x04pickle", b"\x00" * 64])
def test_bytes_that_are_no_model_are_refused(content: bytes, task: Task) -> None:
    with pytest.raises(BundleError):
        OnnxPolicy(content)
    with pytest.raises(BundleError):
        with_metadata(content, task)


def test_other_names_are_refused() -> None:
    model = onnx.ModelProto()
    model.ParseFromString(servo_policy())
    model.graph.input[0].name = "observation"
    model.graph.node[0].input[0] = "observation"
    with pytest.raises(BundleError, match=r"expected the inputs \['obs'\], got \['observation'\]"):
        OnnxPolicy(model.SerializeToString())


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_damaged_model_gives_a_policy_or_a_bundle_error(data: st.DataObject) -> None:
    """Reached only by somebody who also forges the hashes; still no other exception may come out."""
    content = bytearray(data.draw(st.sampled_from([servo_policy(), recurrent_policy()]), label="model"))
    for _ in range(data.draw(st.integers(1, 8), label="flips")):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        policy = OnnxPolicy(bytes(content))
        policy(np.zeros((1, policy.observation_size), dtype=np.float32))
    except BundleError:
        pass


def test_bound_arrays_give_what_a_bare_session_gives() -> None:
    content = recurrent_policy(4)
    policy, session = OnnxPolicy(content), ort.InferenceSession(content, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(1)
    for _episode in range(3):
        policy.reset()
        state = [np.zeros((1, 1, 6), np.float32)] * 2
        # An odd number of steps: the next episode begins in the other of the two places of the state.
        for _ in range(5):
            obs = rng.normal(size=(1, 4)).astype(np.float32)
            expected, *state = session.run(["action", "h_out", "c_out"], {"obs": obs, "h": state[0], "c": state[1]})
            np.testing.assert_array_equal(policy(obs), expected)


def test_an_action_is_not_overwritten_by_the_next() -> None:
    policy = OnnxPolicy(recurrent_policy(4))
    obs = np.zeros((1, 4), dtype=np.float32)
    first = policy(obs)
    second = policy(obs)
    assert first[0, 0] == pytest.approx(0.1) and second[0, 0] == pytest.approx(0.2)


def test_an_observation_of_another_type_is_converted() -> None:
    policy = OnnxPolicy(linear_policy(np.eye(4, 6), np.zeros(6)))
    np.testing.assert_allclose(policy(np.full((1, 4), 0.1))[0, :4], 0.1, atol=1e-7)  # type: ignore[arg-type]
