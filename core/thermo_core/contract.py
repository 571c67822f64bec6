"""What a model's input and output numbers mean: the affine int8 quantisation both ends must apply alike."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import ModelError, UsageError
from thermo_core.fields import Fields

ROUNDING = "half-even"
INT8_MIN, INT8_MAX = -128, 127
MAX_DIMENSION = 4096
SMALLEST_SCALE, LARGEST_SCALE = 1e-12, 1e12


def _check(scale: float, zero_point: int, dtype: str) -> None:
    if not (math.isfinite(scale) and SMALLEST_SCALE <= scale <= LARGEST_SCALE):
        raise UsageError(f"A quantisation scale of {scale} is impossible, so give the positive one of the model.")
    if not INT8_MIN <= zero_point <= INT8_MAX:
        raise UsageError(f"A zero point of {zero_point} does not fit int8, so give the one of the model (-128 to 127).")
    if dtype != "int8":
        raise UsageError(f"A tensor of type {dtype!r} is not supported, so quantise the model to int8.")


@dataclass(frozen=True, slots=True)
class InputContract:
    """What the network expects at its input.

    Attributes:
        shape: of one input without the batch dimension, (24, 32, 1) for a picture.
        scale: real value of one step, taken as float32.
        zero_point: int8 value that stands for 0.0.
        unit: unit of the features, in words.
        orientation: what the first row and column are, in words.
        dtype: always "int8".
        rounding: always "half-even".

    Raises:
        UsageError: a value is out of range.
    """

    shape: tuple[int, ...]
    scale: float
    zero_point: int
    unit: str = "K above the picture's median"
    orientation: str = "row 0 at the top as the sensor reports it"
    dtype: str = "int8"
    rounding: str = ROUNDING

    def __post_init__(self) -> None:
        _check(self.scale, self.zero_point, self.dtype)
        if self.rounding != ROUNDING:
            raise UsageError(f"Rounding {self.rounding!r} is not supported, so use {ROUNDING!r}.")
        if not self.shape or not all(1 <= n <= MAX_DIMENSION for n in self.shape):
            raise UsageError(f"An input of shape {self.shape} is impossible, so give each dimension from 1 to 4096.")

    def quantize(self, features: NDArray[np.float32]) -> NDArray[np.int8]:
        """Real features as the int8 the network takes.

        q = saturate(round_half_even(x / scale) + zero_point), the affine scheme of the TensorFlow Lite 8-bit
        quantisation specification. Quotient and rounding are float32, as C's ``lrintf(x / scale)`` gives them. The
        firmware has its features in steps of 1/128 K, so where a quotient lies near a half its input is one step off.

        Args:
            features: array of `shape`, or (n, *shape), float32, in `unit`.

        Returns:
            Array of the same shape, int8.

        Raises:
            ModelError: the shape is wrong or a feature is not finite.
        """
        if features.shape[-len(self.shape) :] != self.shape or features.ndim > len(self.shape) + 1:
            raise ModelError(
                f"Features of shape {features.shape} do not fit an input of {self.shape}, "
                "so use the preprocessing of the model's own profile."
            )
        if not np.isfinite(features).all():
            raise ModelError("Features contain NaN or infinity, so check the picture they were made from.")
        with np.errstate(over="ignore"):  # an overflow to infinity saturates, as it should
            steps = np.rint(features.astype(np.float32) / np.float32(self.scale))
        low, high = np.float32(INT8_MIN - self.zero_point), np.float32(INT8_MAX - self.zero_point)
        quantized: NDArray[np.int8] = (np.clip(steps, low, high).astype(np.int32) + self.zero_point).astype(np.int8)
        return quantized

    def to_dict(self) -> dict[str, object]:
        """Plain map, as it stands in a bundle."""
        return {
            "shape": list(self.shape),
            "dtype": self.dtype,
            "scale": float(self.scale),
            "zero_point": self.zero_point,
            "unit": self.unit,
            "orientation": self.orientation,
            "rounding": self.rounding,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, object] | object, where: str = "input") -> "InputContract":
        """Inverse of `to_dict`.

        Raises:
            BundleError: a field is missing, unknown or out of range; the sentence names it.
        """
        fields = Fields(data, where)
        shape = fields.items("shape", 4)
        dimensions = tuple(n for n in shape if isinstance(n, int) and not isinstance(n, bool))
        if not shape or len(dimensions) != len(shape) or not all(1 <= n <= MAX_DIMENSION for n in dimensions):
            fields.fail("shape", f"must be a list of whole numbers from 1 to {MAX_DIMENSION}")
        contract = cls(
            shape=dimensions,
            dtype=fields.choice("dtype", ("int8",)),
            scale=fields.number("scale", SMALLEST_SCALE, LARGEST_SCALE),
            zero_point=fields.integer("zero_point", INT8_MIN, INT8_MAX),
            unit=fields.text("unit"),
            orientation=fields.text("orientation"),
            rounding=fields.choice("rounding", (ROUNDING,)),
        )
        fields.finish()
        return contract


@dataclass(frozen=True, slots=True)
class OutputContract:
    """What the network's output means.

    Attributes:
        scale: real value of one step, taken as float32.
        zero_point: int8 value that stands for 0.0.
        dtype: always "int8".

    Raises:
        UsageError: a value is out of range.
    """

    scale: float
    zero_point: int
    dtype: str = "int8"

    def __post_init__(self) -> None:
        _check(self.scale, self.zero_point, self.dtype)

    def dequantize(self, output: NDArray[np.int8]) -> NDArray[np.float32]:
        """Scores as real numbers: (q - zero_point) scale, float32, same shape."""
        steps = output.astype(np.int32) - self.zero_point
        scores: NDArray[np.float32] = steps.astype(np.float32) * np.float32(self.scale)
        return scores

    def to_dict(self) -> dict[str, object]:
        """Plain map, as it stands in a bundle."""
        return {"dtype": self.dtype, "scale": float(self.scale), "zero_point": self.zero_point}

    @classmethod
    def from_dict(cls, data: Mapping[str, object] | object, where: str = "output") -> "OutputContract":
        """Inverse of `to_dict`.

        Raises:
            BundleError: a field is missing, unknown or out of range; the sentence names it.
        """
        fields = Fields(data, where)
        contract = cls(
            dtype=fields.choice("dtype", ("int8",)),
            scale=fields.number("scale", SMALLEST_SCALE, LARGEST_SCALE),
            zero_point=fields.integer("zero_point", INT8_MIN, INT8_MAX),
        )
        fields.finish()
        return contract
