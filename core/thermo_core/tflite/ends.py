"""The int8 ends of a network: affine quantisation of what goes in and what comes out, the same on both ends of the line and in C."""

import math
from dataclasses import dataclass

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
        with np.errstate(over="ignore"):
            steps = np.rint(np.asarray(values, np.float32) / np.float32(self.scale))
        low, high = np.float32(INT8_MIN - self.zero_point), np.float32(INT8_MAX - self.zero_point)
        return np.asarray(np.clip(steps, low, high).astype(np.int32) + self.zero_point, np.int8)

    def dequantize(self, output: NDArray[np.int8]) -> NDArray[np.float32]:
        """Real numbers: (q - zero_point) scale, float32, same shape."""
        steps = output.astype(np.int32) - self.zero_point
        return np.asarray(steps.astype(np.float32) * np.float32(self.scale), np.float32)


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
