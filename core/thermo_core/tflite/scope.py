"""One operator under inspection: what its rule asks of tensors, shapes, options and scales, and how it says no."""

from collections.abc import Sequence
from typing import NoReturn

import numpy as np

from thermo_core.errors import ModelError
from thermo_core.tflite.reader import Operator, Tensor
from thermo_core.tflite.schema import Activation, TensorType

FLOAT32, INT8, INT16 = TensorType.FLOAT32, TensorType.INT8, TensorType.INT16
UINT8 = TensorType.UINT8
INT32, INT64 = TensorType.INT32, TensorType.INT64
MAX_WINDOW = 1 << 12
REPLACE = "replace that layer"
REQUANTISE = "quantise its float model anew, as thermo-quantize quantize does"
_ANY = (FLOAT32, INT8, INT16)
_MAX_MULTIPLIER = 65536.0
_SAME_SCALE = 1e-6
_FUSED = (Activation.NONE, Activation.RELU, Activation.RELU_N1_TO_1, Activation.RELU6)


class Scope:
    """One operator under inspection.

    Args:
        operator: as read.
    """

    def __init__(self, operator: Operator) -> None:
        self.operator = operator

    def fail(self, what: str, cure: str = REPLACE) -> NoReturn:
        """Raise the error of this operator; `what` follows its name, and `cure` says what to do."""
        raise ModelError(f"The model's {self.operator.label} {what}, which no engine of a wearable runs; {cure}.")

    def check(self, holds: bool, what: str, cure: str = REPLACE) -> None:
        """Fail with `what` unless it holds."""
        if not holds:
            self.fail(what, cure)

    def tensors(self, least: int, most: int | None = None) -> tuple[list[Tensor], Tensor]:
        """(inputs, the only output); trailing inputs that are left out are dropped."""
        operator = self.operator
        inputs = list(operator.inputs)
        while inputs and inputs[-1] is None:
            inputs.pop()
        present = [tensor for tensor in inputs if tensor is not None]
        most = least if most is None else most
        self.check(least <= len(present) == len(inputs) <= most, f"has {len(present)} inputs instead of {least}")
        self.check(len(operator.outputs) == 1, f"has {len(operator.outputs)} outputs instead of one")
        return present, operator.outputs[0]

    def option(self, name: str) -> int:
        """A whole-number option."""
        return int(self.operator.options[name])

    def computed(self, tensor: Tensor, types: Sequence[TensorType] = _ANY) -> Tensor:
        """An activation of one of `types`."""
        self.check(tensor.type in types, f"takes no {tensor.label} of type {tensor.type.name}", REQUANTISE)
        return tensor

    def same_type(self, *tensors: Tensor) -> None:
        """All tensors have one type, an activation's."""
        for tensor in tensors:
            self.computed(tensor)
        self.check(len({tensor.type for tensor in tensors}) == 1, "mixes types", REQUANTISE)

    def same_scale(self, first: Tensor, second: Tensor) -> None:
        """Both tensors mean the same by the same integer."""
        if first.type is FLOAT32:
            return
        (a, a_zero), (b, b_zero) = scale(first), scale(second)
        self.check(
            abs(a - b) <= _SAME_SCALE * max(a, b) and a_zero == b_zero, "changes the scale of its input", REQUANTISE
        )

    def shape(self, tensor: Tensor, expected: Sequence[int]) -> None:
        """The tensor's shape is `expected`."""
        self.check(
            tensor.shape == tuple(expected), f"gives {list(tensor.shape)} where its inputs make {list(expected)}"
        )

    def rank(self, tensor: Tensor, rank: int) -> None:
        """The tensor has so many dimensions."""
        self.check(len(tensor.shape) == rank, f"takes no {tensor.label} of shape {list(tensor.shape)}")

    def integers(self, tensor: Tensor) -> list[int]:
        """The values of a constant int32 tensor."""
        self.check(
            tensor.data is not None and tensor.type is INT32, f"needs {tensor.label} to be constant whole numbers"
        )
        return [int(value) for value in np.frombuffer(tensor.data or b"", "<i4")]

    def activation(self, allowed: Sequence[Activation] = _FUSED) -> None:
        """The fused activation is one the kernels know."""
        self.check(self.option("activation") in allowed, f"has the unknown activation {self.option('activation')}")

    def multiplier(self, value: float) -> None:
        """A factor between scales is one that fixed-point arithmetic can hold."""
        self.check(
            0 < value <= _MAX_MULTIPLIER, f"has scales that do not fit each other (factor {value:.3g})", REQUANTISE
        )


def scale(tensor: Tensor) -> tuple[float, int]:
    """(scale, zero point) of a tensor that has one pair."""
    quantization = tensor.quantization
    if quantization is None or len(quantization.scales) != 1:
        raise ModelError(f"The model's {tensor.label} must have one scale; {REQUANTISE}.")
    return quantization.scales[0], quantization.zero_points[0]
