"""Running a policy: ONNX Runtime on one thread, without spinning, warmed up, its recurrent state kept between calls.

The network reads and writes arrays that are bound to it once; nothing is looked up, made or freed from call to call. A
tick writes its observation straight into the bound array (:attr:`OnnxPolicy.observation`) and calls
:meth:`OnnxPolicy.infer`.
The recurrent state has two places: a call reads it in one and writes it in the other, the next call the other way.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray

from refinery.bundle import strict_json
from refinery.bundle.files import MAX_BYTES, POLICY, read_file
from refinery.bundle.metadata import read_metadata
from refinery.bundle.onnx_file import check_plain, parse_model
from refinery.bundle.onnx_work import check_work, fix_free_axes
from refinery.bundle.provider import CPU, PROVIDERS, session_providers
from refinery.errors import BundleError

WARM_UP_RUNS = 100
"""Runs at load time, so that the first tick is as fast as the thousandth."""
MAX_WARM_UP_S = 30.0
"""Longest accepted time for them, [s]: thousands of times what a policy takes, however busy the machine is. Numbers
just above zero slow a processor down a hundredfold, and no shape tells."""
_MAX_STATE = 1 << 20
"""Largest accepted recurrent state, [values]."""


class OnnxPolicy:
    """A policy network.

    Attributes:
        observation_size: Width N of the input ``obs``.
        action_size: Width M of the output ``action``.
        recurrent: Whether the network carries a state ``h``, ``c`` from call to call.
        metadata: The parsed ``refinery`` metadata property; empty if there is none.
        observation: The array (1, N) that :meth:`infer` reads, float32, to be written in place.

    Args:
        model: Path of an ONNX file, or its contents.
        source: Named in errors; the path if not given.
        provider: Where it runs, a key of :data:`refinery.bundle.provider.PROVIDERS`.

    Raises:
        BundleError: Not an ONNX model, the provider does not start, inputs or outputs are not those of a policy, or it
            does not run.
    """

    observation_size: int
    action_size: int
    recurrent: bool
    metadata: dict[str, Any]
    observation: NDArray[np.float32]

    def __init__(self, model: Path | str | bytes, *, source: object = "", provider: str = CPU) -> None:
        self._source = source or ("policy" if isinstance(model, bytes) else model)
        content = model if isinstance(model, bytes) else read_file(Path(model), MAX_BYTES[POLICY])
        proto = parse_model(content, self._source)
        check_plain(proto, self._source)
        self.metadata = read_metadata(proto, self._source)
        self._session = self._open(proto, provider)
        self._inspect()
        self._bind()
        self._warm_up()
        self.reset()

    def _open(self, proto: onnx.ModelProto, provider: str) -> ort.InferenceSession:
        """Check what the network would cost, then make a session of what was checked (not of the file's bytes)."""
        self._check(proto)
        fix_free_axes(proto)
        check_work(proto, self._source)
        del proto.metadata_props[:]
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        # Idle workers that spin would take the core away from the executor between ticks.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.add_session_config_entry("session.inter_op.allow_spinning", "0")
        # Without this, bytes that look like its own format are read as that, past every check of the ONNX model.
        options.add_session_config_entry("session.load_model_format", "ONNX")
        options.log_severity_level = 4
        try:
            session = ort.InferenceSession(proto.SerializeToString(), options, providers=session_providers(provider))
        # ONNX Runtime's exceptions share no base class, and a damaged graph may raise any of them.
        except Exception as error:
            raise BundleError(f"{self._source}: expected an ONNX model that loads, got {_first_line(error)}") from None
        # Without its driver or libraries ONNX Runtime leaves a provider out and goes on with the next.
        if (started := session.get_providers()[0]) != PROVIDERS[provider]:
            raise BundleError(
                f"{self._source}: expected the provider {PROVIDERS[provider]} to start, got {started}; are the GPU's "
                "driver and libraries installed? (requirements/gpu.txt)"
            )
        return session

    def _check(self, proto: onnx.ModelProto) -> None:
        try:
            onnx.checker.check_model(proto)
        # See _open: no common base class here either.
        except Exception as error:
            raise BundleError(f"{self._source}: expected a valid ONNX model, got {_first_line(error)}") from None

    def _warm_up(self) -> None:
        blank = np.zeros((1, self.observation_size), dtype=np.float32)
        end_s = time.monotonic() + MAX_WARM_UP_S
        for _ in range(WARM_UP_RUNS):
            action = self(blank)
            if time.monotonic() > end_s:
                raise BundleError(
                    f"{self._source}: expected {WARM_UP_RUNS} runs within {MAX_WARM_UP_S:.0f} s, got fewer; "
                    "use a smaller network, without weights that are almost zero"
                )
        if not np.all(np.isfinite(action)):
            raise BundleError(f"{self._source}: expected finite actions for a zero observation, got {action[0]}")

    def _inspect(self) -> None:
        """Check names, types and shapes of inputs and outputs."""
        inputs = {item.name: item for item in self._session.get_inputs()}
        outputs = {item.name: item for item in self._session.get_outputs()}
        self.recurrent = "h" in inputs
        want_in = ["obs", "h", "c"] if self.recurrent else ["obs"]
        want_out = ["action", "h_out", "c_out"] if self.recurrent else ["action"]
        for what, want, got in (("inputs", want_in, inputs), ("outputs", want_out, outputs)):
            if sorted(want) != sorted(got):
                raise BundleError(f"{self._source}: expected the {what} {want}, got {sorted(got)}; export it again")
        for item in (*inputs.values(), *outputs.values()):
            if item.type != "tensor(float)":
                raise BundleError(f"{self._source}: {item.name}: expected tensor(float), got {item.type}")
        self.observation_size = self._width(inputs["obs"].shape, "obs")
        self.action_size = self._width(outputs["action"].shape, "action")
        self._shapes = {name: self._state_shape(inputs[name].shape, name) for name in want_in[1:]}
        self._outputs = want_out

    def _width(self, shape: list[Any], name: str) -> int:
        batch_ok = len(shape) == 2 and (shape[0] == 1 or not isinstance(shape[0], int))
        if not batch_ok or not isinstance(shape[1], int) or not 0 < shape[1] <= 100_000:
            raise BundleError(f"{self._source}: {name}: expected the shape [1, width], got {shape}; export it again")
        return shape[1]

    def _state_shape(self, shape: list[Any], name: str) -> tuple[int, ...]:
        # A free batch axis of the state is 1 here; layers and width must be known.
        sizes = tuple(size if isinstance(size, int) else 1 for size in shape)
        if len(sizes) not in (2, 3) or any(size < 1 for size in sizes) or np.prod(sizes, dtype=float) > _MAX_STATE:
            raise BundleError(f"{self._source}: {name}: expected a state [layers, 1, width], got {shape}")
        return sizes

    def _bind(self) -> None:
        """Run once without bound arrays, which tells what shapes really come out, then bind arrays of these shapes."""
        self.observation = np.zeros((1, self.observation_size), dtype=np.float32)
        self._action = np.zeros((1, self.action_size), dtype=np.float32)
        self._action_numbers: memoryview[float] = self._action.data.cast("B").cast("f")
        self._states = [
            {name: np.zeros(shape, dtype=np.float32) for name, shape in self._shapes.items()} for _ in range(2)
        ]
        try:
            action, *state = self._session.run(self._outputs, {"obs": self.observation, **self._states[0]})
            self._check_outputs(action, state)
            self._bindings = [self._binding(*self._states), self._binding(*reversed(self._states))]
        except BundleError:
            raise
        # See _open: no common base class.
        except Exception as error:
            raise BundleError(f"{self._source}: expected the policy to run, got {_first_line(error)}") from None
        self._turn = 0

    def _check_outputs(self, action: NDArray[np.float32], state: list[NDArray[np.float32]]) -> None:
        if action.shape != (1, self.action_size):
            raise BundleError(f"{self._source}: expected an action (1, {self.action_size}), got {action.shape}")
        for (name, shape), new in zip(self._shapes.items(), state, strict=True):
            if new.shape != shape:
                raise BundleError(f"{self._source}: {name}_out: expected the shape {shape}, got {new.shape}")

    def _binding(self, before: dict[str, NDArray[np.float32]], after: dict[str, NDArray[np.float32]]) -> ort.IOBinding:
        """Bind observation and one place of the state to the inputs, action and the other place to the outputs."""
        binding = self._session.io_binding()
        for name, array in {"obs": self.observation, **before}.items():
            binding.bind_input(name, "cpu", 0, np.float32, array.shape, array.ctypes.data)
        for name, array in {"action": self._action, **{f"{name}_out": array for name, array in after.items()}}.items():
            binding.bind_output(name, "cpu", 0, np.float32, array.shape, array.ctypes.data)
        return binding

    def reset(self) -> None:
        """Forget the recurrent state, as at the start of an episode."""
        for state in self._states:
            for array in state.values():
                array.fill(0.0)

    def __call__(self, observation: NDArray[np.float32]) -> NDArray[np.float64]:
        """Evaluate the policy once.

        Args:
            observation: Shape (1, N), float32.

        Returns:
            The action, shape (1, M), float64.

        Raises:
            BundleError: The observation has another width than the network, or the network fails.
        """
        if observation.shape != self.observation.shape:
            raise BundleError(
                f"{self._source}: expected observations of shape {self.observation.shape}, got {observation.shape}; "
                "the policy was trained for another observation"
            )
        self.observation[:] = observation
        self.infer()
        return self._action.astype(np.float64)

    def infer(self) -> list[float]:
        """Evaluate the policy once on what is in :attr:`observation`.

        Returns:
            The action, M numbers.

        Raises:
            BundleError: The network fails.
        """
        try:
            self._session.run_with_iobinding(self._bindings[self._turn])
        # See _open: no common base class. An output of another shape than at loading is among what it raises.
        except Exception as error:
            raise BundleError(f"{self._source}: expected the policy to run, got {_first_line(error)}") from None
        self._turn = 1 - self._turn
        return list(self._action_numbers)


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return strict_json.one_line(lines[0])
