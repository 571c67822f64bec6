"""What every operator's lowering asks for: checked inputs, scales, constants and new values."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import ModelError
from thermo_core.tflite.reader import Model, Operator, Tensor
from thermo_core.tflite.schema import Activation, TensorType
from thermo_core.tflite.verify import LARGEST_SCALE, SMALLEST_SCALE
from thermo_quantize.compiler.fixed_point import activation_limits, quantize_multiplier
from thermo_quantize.compiler.ir import Requant, Value
from thermo_quantize.compiler.lower.constant_channels import settle

_ZERO_POINTS = {TensorType.INT8: (-128, 127), TensorType.UINT8: (0, 255), TensorType.INT16: (0, 0)}
_NUMPY = {
    TensorType.INT8: "<i1",
    TensorType.INT16: "<i2",
    TensorType.UINT8: "<u1",
    TensorType.INT32: "<i4",
    TensorType.INT64: "<i8",
    TensorType.FLOAT32: "<f4",
}


@dataclass
class Context:
    """The model, and the value each of its tensors became; `kind` is the type that an operator's activations must have."""

    model: Model
    singles: dict[int, tuple[Value, NDArray[np.float32]]] = field(default_factory=dict)
    """By tensor in single precision: the int8 value it is a function of, and that function for -128 to 127."""
    notes: list[str] = field(default_factory=list)
    """Sentences for the user."""
    _values: dict[int, Value] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    kind: TensorType = TensorType.INT8

    def of(self, kind: TensorType) -> "Context":
        """The same for an operator on activations of another type; both know the same values."""
        return replace(self, kind=kind)

    def refuse(self, operator: Operator, tensor: Tensor, problem: str, supported: str) -> ModelError:
        """The error of an operator that cannot be compiled."""
        return ModelError(f"Cannot compile {operator.label}: {tensor.label} {problem}; supported are {supported}.")

    def contradicts(self, operator: Operator, problem: str) -> ModelError:
        """The error of an operator as no converter writes it."""
        return ModelError(
            f"Cannot compile {operator.label}: it {problem}, as no converter writes it; convert the float model anew."
        )

    def value(self, tensor: Tensor) -> Value:
        """The value of a tensor."""
        if tensor.index not in self._values:
            self._values[tensor.index] = Value(tensor.index, tensor.name, tensor.shape, tensor.type, tensor.data)
        return self._values[tensor.index]

    def fresh(self, name: str, shape: tuple[int, ...]) -> Value:
        """A new value that is none of the model's tensors."""
        return Value(len(self.model.tensors) + next(self._numbers), name, shape, self.kind)

    def computed(self, tensor: Tensor) -> None:
        """Check that an end of the network is computed by a layer.

        Raises:
            ModelError: it is a number in single precision on its way to a table.
        """
        if tensor.index in self.singles and tensor.index not in self._values:
            raise ModelError(
                f"Cannot compile {tensor.label} as an end of the network: it is computed in single precision; "
                "supported are ends that QUANTIZE or DEQUANTIZE make."
            )

    def alias(self, tensor: Tensor, value: Value) -> None:
        """Let a tensor share the bytes of a value."""
        self._values[tensor.index] = value

    def input(self, operator: Operator, number: int) -> Tensor:
        """Input `number`.

        Raises:
            ModelError: the operator lacks it.
        """
        tensor = operator.inputs[number] if number < len(operator.inputs) else None
        if tensor is None:
            raise self.contradicts(operator, f"lacks input {number}")
        return tensor

    def output(self, operator: Operator) -> Tensor:
        """The only output.

        Raises:
            ModelError: the operator has none, or several.
        """
        if len(operator.outputs) != 1:
            raise self.contradicts(operator, f"has {len(operator.outputs)} outputs instead of one")
        return operator.outputs[0]

    def int8(self, operator: Operator, tensor: Tensor) -> Tensor:
        """The tensor, which must be int8, or of this context's type."""
        if tensor.type is not self.kind:
            supported = f"{self.kind.name.lower()} tensors"
            if self.kind is TensorType.INT8:
                supported += ", which thermo-quantize quantize makes of a float model"
            raise self.refuse(operator, tensor, f"is {tensor.type.name.lower()}", supported)
        return tensor

    def scale(self, operator: Operator, tensor: Tensor) -> tuple[float, int]:
        """(scale, zero point) of an activation that has one of each; float32 counts in ones."""
        self.int8(operator, tensor)
        return (1.0, 0) if self.kind is TensorType.FLOAT32 else self.own_scale(operator, tensor)

    def own_scale(self, operator: Operator, tensor: Tensor) -> tuple[float, int]:
        """(scale, zero point) of an int8, uint8 or int16 tensor that has one of each."""
        low, high = _ZERO_POINTS[tensor.type]
        found = tensor.quantization
        if found is None or len(found.scales) != 1:
            raise self.refuse(operator, tensor, "has not one scale", "activations quantised per tensor")
        if not low <= found.zero_points[0] <= high:
            kind = tensor.type.name.lower()
            raise self.refuse(operator, tensor, f"has a zero point beyond {kind}", f"zero points from {low} to {high}")
        self._plausible(operator, tensor, found.scales)
        return found.scales[0], found.zero_points[0]

    def _plausible(self, operator: Operator, tensor: Tensor, scales: tuple[float, ...]) -> None:
        if not all(SMALLEST_SCALE <= scale <= LARGEST_SCALE for scale in scales):
            bounds = f"scales from {SMALLEST_SCALE:g} to {LARGEST_SCALE:g}"
            raise self.refuse(operator, tensor, "has a scale out of all proportion", bounds)

    def constant(self, operator: Operator, tensor: Tensor, type_: TensorType) -> NDArray[Any]:
        """Data of a constant tensor."""
        if tensor.type is not type_:
            raise self.refuse(operator, tensor, f"is {tensor.type.name.lower()}", f"{type_.name.lower()} there")
        if tensor.data is None and tensor.elements:
            raise self.refuse(operator, tensor, "is computed while the network runs", "constants there")
        return np.frombuffer(tensor.data or b"", dtype=_NUMPY[type_]).reshape(tensor.shape)

    def integers(self, operator: Operator, number: int) -> list[int]:
        """An int32 constant input as a flat list."""
        array = self.constant(operator, self.input(operator, number), TensorType.INT32)
        return [int(value) for value in array.ravel()]

    def image(self, operator: Operator, tensor: Tensor) -> tuple[int, int, int]:
        """(rows, columns, channels) of an int8 image of batch 1."""
        self.int8(operator, tensor)
        if len(tensor.shape) != 4 or tensor.shape[0] != 1 or 0 in tensor.shape:
            raise self.refuse(
                operator, tensor, f"has shape {list(tensor.shape)}", "shapes (1, rows, columns, channels)"
            )
        return tensor.shape[1], tensor.shape[2], tensor.shape[3]

    def shape(self, operator: Operator, tensor: Tensor, expected: tuple[int, ...]) -> None:
        """Check a tensor's shape."""
        if tensor.shape != expected:
            raise self.refuse(operator, tensor, f"has shape {list(tensor.shape)}", f"only {list(expected)} here")

    def activation(self, operator: Operator) -> Activation:
        """The fused activation."""
        number = int(operator.options.get("activation", 0))
        if number not in (0, 1, 2, 3):
            raise ModelError(
                f"Cannot compile {operator.label}: supported fused activations are RELU, RELU6, RELU_N1_TO_1."
            )
        return Activation(number)

    def limits(self, operator: Operator, output: Tensor) -> tuple[int, int]:
        """Lowest and highest output."""
        return activation_limits(self.activation(operator), *self.scale(operator, output), self.kind)

    def weights(
        self, operator: Operator, number: int, channels: int, axis: int
    ) -> tuple[NDArray[np.int8], tuple[float, ...]]:
        """Constant int8 weights, and one scale for each of `channels` outputs along `axis`."""
        tensor = self.input(operator, number)
        data = self.constant(operator, tensor, TensorType.INT8)
        found = tensor.quantization
        if found is None or any(found.zero_points):
            raise self.refuse(operator, tensor, "is not quantised symmetrically", "weights with zero point 0")
        if len(found.scales) not in (1, channels) or (len(found.scales) > 1 and found.axis != axis):
            raise self.refuse(operator, tensor, "has scales along another axis", "one scale, or one an output channel")
        self._plausible(operator, tensor, found.scales)
        return data, found.scales * (channels // len(found.scales))

    def bias(self, operator: Operator, number: int, channels: int) -> NDArray[Any]:
        """Constant int32 bias, or int64 with int16 activations; zeros of 32 bits where the operator has none."""
        tensor = operator.inputs[number] if number < len(operator.inputs) else None
        if tensor is None:
            return np.zeros(channels, np.int32)
        wide = self.kind is TensorType.INT16 and tensor.type is not TensorType.INT32
        data = self.constant(operator, tensor, TensorType.INT64 if wide else TensorType.INT32)
        if data.size != channels:
            raise self.refuse(operator, tensor, f"has {data.size} values", f"{channels}, one an output channel")
        return data.ravel().astype(np.int64 if wide else np.int32)

    def products(
        self,
        operator: Operator,
        source: Tensor,
        weights: NDArray[np.int8],
        scales: tuple[float, ...],
        bias: NDArray[Any],
        output: Tensor,
        dense: bool = False,
    ) -> tuple[NDArray[np.int8], NDArray[Any], Requant]:
        """(weights, bias, how their sums become outputs) of a layer that multiplies `source` by weights.

        Args:
            operator: the operator.
            source: its input.
            weights: int8, output channel first.
            scales: one an output channel.
            bias: int32, or int64 with int16 activations, one an output channel.
            output: its output.
            dense: the operator is a FULLY_CONNECTED, whose kernel rounds the product of the scales to single precision where
                all channels share one.

        Raises:
            ModelError: a sum may leave 32 bits, or with int16 activations the 48 that the reference is made for.
        """
        input_scale, input_zero_point = self.scale(operator, source)
        output_scale, output_zero_point = self.scale(operator, output)
        reals = [input_scale * scale for scale in scales]
        if dense and self._shares_scale(operator):
            reals = [float(np.float32(real)) for real in reals]
        pairs = [quantize_multiplier(real / output_scale) for real in reals]
        multipliers, exponents = tuple(m for m, _ in pairs), tuple(e for _, e in pairs)
        requant = Requant(multipliers, exponents, output_zero_point, *self.limits(operator, output))
        if self.kind is TensorType.INT16:
            self._check_wide(operator, weights, bias)
            return weights, bias, requant
        settled = settle(weights, bias, requant, input_zero_point)
        sums = np.abs(settled[0].reshape(weights.shape[0], -1).astype(np.int64)).sum(axis=1)
        if int((sums * 256 + np.abs(settled[1].astype(np.int64))).max(initial=0)) >= 1 << 31:
            raise self.refuse(operator, self.output(operator), "sums beyond 32 bits", "smaller layers or biases")
        return settled

    def _check_wide(self, operator: Operator, weights: NDArray[np.int8], bias: NDArray[Any]) -> None:
        sums = np.abs(weights.reshape(weights.shape[0], -1).astype(np.int64)).sum(axis=1)
        reach = [32768 * int(total) + abs(int(start)) for total, start in zip(sums, bias, strict=True)]
        if max(reach, default=0) >= 1 << 47:
            raise self.refuse(operator, self.output(operator), "sums beyond 48 bits", "smaller biases")

    def _shares_scale(self, operator: Operator) -> bool:
        found = self.input(operator, 1).quantization
        return found is not None and len(found.scales) == 1
