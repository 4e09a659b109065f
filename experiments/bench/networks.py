"""Networks of the sizes that are deployed, with random weights: what a step costs does not depend on what it says."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from refinery.action import ACTION_NAMES
from refinery.observation import OBSERVATION_SIZE

HIDDEN = (256, 128, 64)
"""Hidden layers of the shipped policies."""
LSTM_UNITS = 256
"""Units of the LSTM in front of them, where a policy has one."""
_LAST_LAYER = 1e-3
"""What the random network adds to the action: next to nothing, so that no measurement runs into a bound."""

Weights = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class Network:
    """Weights of one policy, for ONNX and for torch."""

    layers: tuple[tuple[NDArray[np.float32], NDArray[np.float32]], ...]
    """Weight (out, in) and bias (out,) of every layer of the MLP, the last one gives the action."""
    lstm: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]] | None
    """Input weight (4 H, N), recurrent weight (4 H, H) and bias (8 H,), gates in ONNX's order i o f c; None without."""


def random_network(*, lstm_units: int = 0, seed: int = 0) -> Network:
    """Draw a network.

    Args:
        lstm_units: Units H of the LSTM, 0 for none.
        seed: Of the weights.
    """
    rng = np.random.default_rng(seed)

    def draw(*shape: int) -> NDArray[np.float32]:
        return (rng.normal(size=shape) / np.sqrt(shape[-1])).astype(np.float32)

    sizes = (lstm_units or OBSERVATION_SIZE, *HIDDEN, len(ACTION_NAMES))
    layers = [(draw(after, before), draw(after)) for before, after in itertools.pairwise(sizes)]
    layers[-1] = (layers[-1][0] * np.float32(_LAST_LAYER), layers[-1][1] * np.float32(_LAST_LAYER))
    gates = 4 * lstm_units
    memory = (draw(gates, OBSERVATION_SIZE), draw(gates, lstm_units), draw(2 * gates)) if lstm_units else None
    return Network(layers=tuple(layers), lstm=memory)


def onnx_policy(network: Network, *, servo_gain: float = 0.0) -> bytes:
    """Return the ONNX policy: normaliser, LSTM if there is one, MLP with ELUs, clipped to [-1, 1].

    Args:
        network: The weights.
        servo_gain: Share of full action per 10 mm (0.1 rad) of error that is added, so that the arm inserts the plug;
            0 leaves it where it is.
    """
    width = (1, OBSERVATION_SIZE)
    inputs: dict[str, tuple[int, ...]] = {"obs": width}
    outputs: dict[str, tuple[int, ...]] = {"action": (1, len(ACTION_NAMES))}
    weights: Weights = {"mean": np.zeros(width, np.float32), "std": np.ones(width, np.float32)}
    nodes = [helper.make_node("Sub", ["obs", "mean"], ["centred"]), helper.make_node("Div", ["centred", "std"], ["x"])]
    last = "x"
    if network.lstm is not None:
        w, r, b = network.lstm
        state = (1, 1, r.shape[1])
        inputs |= {"h": state, "c": state}
        outputs |= {"h_out": state, "c_out": state}
        weights |= {"W": w[None], "R": r[None], "B": b[None]}
        nodes += [
            helper.make_node("Unsqueeze", ["x", "first"], ["sequence"]),
            helper.make_node(
                "LSTM", ["sequence", "W", "R", "B", "", "h", "c"], ["", "h_out", "c_out"], hidden_size=r.shape[1]
            ),
            helper.make_node("Squeeze", ["h_out", "first"], ["latent"]),
        ]
        last = "latent"
    for index, (weight, bias) in enumerate(network.layers):
        weights |= {f"w{index}": weight, f"b{index}": bias}
        nodes.append(helper.make_node("Gemm", [last, f"w{index}", f"b{index}"], [f"y{index}"], transB=1))
        last = f"y{index}"
        if index + 1 < len(network.layers):
            nodes.append(helper.make_node("Elu", [last], [f"a{index}"]))
            last = f"a{index}"
    if servo_gain:
        weights["servo"] = _servo(servo_gain)
        nodes.append(helper.make_node("MatMul", ["obs", "servo"], ["home"]))
        nodes.append(helper.make_node("Add", [last, "home"], ["sum"]))
        last = "sum"
    nodes.append(helper.make_node("Clip", [last, "low", "high"], ["action"]))
    constants = {name: numpy_helper.from_array(value, name) for name, value in weights.items()}
    for name, limit in (("low", -1.0), ("high", 1.0)):
        constants[name] = numpy_helper.from_array(np.asarray(limit, np.float32), name)
    if network.lstm is not None:
        constants["first"] = numpy_helper.from_array(np.array([0], np.int64), "first")
    graph = helper.make_graph(
        nodes,
        "policy",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        list(constants.values()),
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 9
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def _servo(gain: float) -> NDArray[np.float32]:
    """Weights (N, 6) that move the plug straight to the seat: the first terms are its position and its turn."""
    weight = np.zeros((OBSERVATION_SIZE, len(ACTION_NAMES)), np.float32)
    for axis in range(3):
        weight[axis, axis] = weight[6 + axis, 3 + axis] = -gain
    return weight
