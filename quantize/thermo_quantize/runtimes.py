"""Runs .tflite models with the kernels of either runtime; nothing unverified is opened."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import ModelError
from thermo_core.tflite.ends import dequantized, quantized
from thermo_core.tflite.interpreter import RUNTIMES, installed, open_interpreter
from thermo_core.tflite.scope import REQUANTISE
from thermo_core.tflite.verify import verify_model
from thermo_quantize.flatfile import with_all_outputs
from thermo_quantize.quiet import quiet

Array = NDArray[Any]


class Kernels(StrEnum):
    """Which kernels of a runtime compute."""

    REFERENCE = "reference"
    OPTIMISED = "optimised"
    DEFAULT = "default with XNNPACK"


_RESOLVERS = {
    Kernels.REFERENCE: "BUILTIN_REF",
    Kernels.OPTIMISED: "BUILTIN_WITHOUT_DEFAULT_DELEGATES",
    Kernels.DEFAULT: "AUTO",
}
LIMITS: dict[Any, tuple[int, int]] = {np.int8: (-128, 127), np.int16: (-32768, 32767)}


@dataclass(frozen=True, slots=True)
class End:
    """An input or output: its name, shape with the batch dimension, type, scale and zero point (0, 0 for float32)."""

    index: int
    name: str
    shape: tuple[int, ...]
    dtype: Any
    scale: float
    zero_point: int

    def encode(self, values: NDArray[np.float32]) -> Array:
        """Real numbers as the network takes them: half to even, saturated (`thermo_core.tflite.ends`)."""
        if self.dtype not in LIMITS:
            return values.astype(self.dtype)
        return quantized(values, self.scale, self.zero_point, *LIMITS[self.dtype]).astype(self.dtype)

    def decode(self, values: Array) -> NDArray[np.float32]:
        """What the network gave as real numbers."""
        if self.dtype not in LIMITS:
            return values.astype(np.float32)
        return dequantized(values, self.scale, self.zero_point)


class Runner:
    """A model in a runtime; each run of a network with a state starts from the cleared one.

    Args:
        model: a .tflite file.
        kernels: which kernels.
        runtime: "tflite_runtime" or "ai_edge_litert"; None takes the first that is installed.
        keep: keep every computed tensor, for `tensor`.

    Raises:
        ModelError: the model is malformed, or the runtime refuses it.
        UsageError: the runtime is not installed.
    """

    def __init__(
        self, model: bytes, kernels: Kernels = Kernels.REFERENCE, runtime: str | None = None, keep: bool = False
    ) -> None:
        verified = verify_model(model, stateful=True)
        ends, self._has_state = len(verified.model.outputs), bool(verified.states)
        if keep:
            model = with_all_outputs(model)
        self.runtime = runtime or next((name for name in RUNTIMES if installed(name)), RUNTIMES[0])
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        with quiet():
            self._interpreter = open_interpreter(model, _RESOLVERS[kernels], self.runtime)
        self.inputs = [_end(details) for details in self._interpreter.get_input_details()]
        self.outputs = [_end(details) for details in self._interpreter.get_output_details()[:ends]]

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        """One sample as the network takes it, without the batch dimension, to its outputs without it.

        Raises:
            ModelError: the runtime fails.
        """
        self.invoke(arrays)
        return [np.array(self._interpreter.get_tensor(end.index)[0]) for end in self.outputs]

    def invoke(self, arrays: Sequence[Array]) -> None:
        """As `run`, leaving the results in their tensors."""
        try:
            for end, array in zip(self.inputs, arrays, strict=True):
                self._interpreter.set_tensor(end.index, np.ascontiguousarray(array, dtype=end.dtype).reshape(end.shape))
            if self._has_state:
                self._interpreter.reset_all_variables()
            self._interpreter.invoke()
        except (ValueError, RuntimeError) as error:
            raise ModelError(f"The runtime {self.runtime} failed to run the model ({error}); {REQUANTISE}.") from error

    def tensor(self, index: int) -> Array:
        """A tensor after `invoke` of a runner that keeps all of them."""
        return np.array(self._interpreter.get_tensor(index))

    def predict(self, inputs: Sequence[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Real inputs (n, ...) in the model's order to real outputs (n, ...)."""
        rows: list[list[NDArray[np.float32]]] = [[] for _ in self.outputs]
        encoded = [end.encode(array) for end, array in zip(self.inputs, inputs, strict=True)]
        for sample in zip(*encoded, strict=True):
            for found, end, values in zip(rows, self.outputs, self.run(sample), strict=True):
                found.append(end.decode(values))
        return [np.stack(found) for found in rows]


def limits(end: End) -> tuple[int, int]:
    """Least and greatest value of an integer input or output."""
    return LIMITS[end.dtype]


def version(runtime: str) -> str:
    """The installed version of a runtime, as its package says."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as package_version

    try:
        return package_version(runtime.replace("_", "-"))
    except PackageNotFoundError:
        return "absent"


def _end(details: Any) -> End:
    scale, zero_point = details["quantization"]
    shape = tuple(int(n) for n in details["shape"])
    name = str(details["name"]).removeprefix("serving_default_").removesuffix(":0")
    return End(int(details["index"]), name, shape, details["dtype"], float(scale), int(zero_point))
