"""The int8 ends of a network: affine quantisation of what goes in and what comes out, the same on both ends of the line and in C."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import ModelError
from thermo_core.tflite.reader import Model, Tensor
from thermo_core.tflite.schema import TensorType

INT8_MIN, INT8_MAX = -128, 127


@dataclass(frozen=True, slots=True)
class End:
    """An input or output.

    Attributes:
        shape: without the batch dimension.
        scale: real value of one step, as float32.
        zero_point: int8 value that stands for 0.0.
    """

    shape: tuple[int, ...]
    scale: float
    zero_point: int

    @property
    def elements(self) -> int:
        """Numbers."""
        return math.prod(self.shape)

    @property
    def range(self) -> tuple[float, float]:
        """Least and greatest real value it can hold."""
        return (INT8_MIN - self.zero_point) * self.scale, (INT8_MAX - self.zero_point) * self.scale

    def quantize(self, values: NDArray[np.float32]) -> NDArray[np.int8]:
        """Real numbers as the int8 the network takes; what is beyond its range saturates, infinities too.

        q = saturate(round_half_even(x / scale) + zero_point), the affine scheme of the TensorFlow Lite 8-bit quantisation
        specification; quotient and rounding in float32, as C's ``lrintf(x / scale)`` gives them.

        Args:
            values: without NaN, of any shape.
        """
        return np.asarray(quantized(values, self.scale, self.zero_point, INT8_MIN, INT8_MAX), np.int8)

    def dequantize(self, output: NDArray[np.int8]) -> NDArray[np.float32]:
        """Real numbers: (q - zero_point) scale, float32, same shape."""
        return dequantized(output, self.scale, self.zero_point)


def quantized(values: NDArray[np.float32], scale: float, zero_point: int, low: int, high: int) -> NDArray[np.int32]:
    """Real numbers in steps of `scale` from `zero_point`, half to even, held within `low` and `high`; see `End.quantize`."""
    with np.errstate(over="ignore"):
        steps = np.rint(np.asarray(values, np.float32) / np.float32(scale))
    held = np.clip(steps, np.float32(low - zero_point), np.float32(high - zero_point))
    return np.asarray(held.astype(np.int32) + zero_point, np.int32)


def dequantized(steps: NDArray[np.integer[Any]], scale: float, zero_point: int) -> NDArray[np.float32]:
    """The inverse: (steps - zero_point) scale in float32."""
    return np.asarray((steps.astype(np.int32) - zero_point).astype(np.float32) * np.float32(scale), np.float32)


def ends_of(model: Model) -> tuple[tuple[End, ...], End]:
    """Inputs and the output of a network that a wearable can run.

    Raises:
        ModelError: it has not one output, or an end that is not int8 with one scale and a batch of one.
    """
    if len(model.outputs) != 1:
        raise ModelError(f"The network has {len(model.outputs)} outputs and a wearable reads one; join them in one.")
    return tuple(_end(tensor, "input") for tensor in model.inputs), _end(model.outputs[0], "output")


def _end(tensor: Tensor, name: str) -> End:
    quantization = tensor.quantization
    if tensor.type is not TensorType.INT8 or quantization is None or len(quantization.scales) != 1:
        raise ModelError(f"The network's {name} is not int8 with one scale; quantise it fully to int8.")
    if not tensor.shape or tensor.shape[0] != 1:
        raise ModelError(f"The network's {name} has the shape {tensor.shape}; give it a batch of one.")
    return End(tensor.shape[1:], float(np.float32(quantization.scales[0])), quantization.zero_points[0])
