"""Writes small .tflite models with any shapes and quantisation, and runs them with the reference kernels."""

import ctypes
import re
import shutil
import struct
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import operator_models
import pytest
from numpy.typing import NDArray

from thermo_core.tflite import schema
from thermo_core.tflite.schema import TensorType

_DTYPES = {name: TensorType[name.upper()] for name in ("int8", "int16", "int32", "int64", "float32", "uint8")}
_UNIONS = {
    "RESHAPE": 17,
    "PAD": 22,
    "BATCH_TO_SPACE_ND": 24,
    "SPACE_TO_BATCH_ND": 25,
    "TRANSPOSE": 26,
    "EXP": 33,
    "DEQUANTIZE": 38,
    "MAXIMUM": 39,
    "MINIMUM": 39,
    "NEG": 42,
    "SLICE": 48,
    "TILE": 51,
    "EXPAND_DIMS": 52,
    "SQUARE": 66,
    "FILL": 68,
    "SQUARED_DIFFERENCE": 76,
    "ABS": 78,
    "REVERSE_V2": 81,
    "QUANTIZE": 89,
    "HARD_SWISH": 91,
}
_ONLY_FIRST = (
    "DEPTH_TO_SPACE", "ELU", "EXP", "EXPAND_DIMS", "GELU", "NEG", "PRELU", "RSQRT", "SHAPE", "SPACE_TO_DEPTH", "SQUARE", "SQUEEZE", "TILE",
)  # fmt: skip
_VERSIONS = {
    "TRANSPOSE_CONV": 3,
    "RESIZE_BILINEAR": 3,
    "RESIZE_NEAREST_NEIGHBOR": 3,
    "STRIDED_SLICE": 2,
    "FULLY_CONNECTED": 5,
    "HARD_SWISH": 1,
    "RESHAPE": 1,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": 1,
    **dict.fromkeys(_ONLY_FIRST, 1),
}


class _File:
    """A FlatBuffers file written front to back; children follow their parents."""

    def __init__(self, shift_int64: int = 0) -> None:
        self.data = bytearray(b"\0\0\0\0TFL3")
        self.shift_int64 = shift_int64

    def align(self, size: int) -> None:
        self.data += bytes(-len(self.data) % size)

    def point(self, at: int) -> None:
        struct.pack_into("<I", self.data, at, len(self.data) - at)

    def table(self, at: int, fields: dict[int, Any]) -> None:
        """A table referred to from `at`; a field is (format, number), bytes, list of numbers with format, or tables."""
        count = max(fields, default=-1) + 1
        sizes = {i: struct.calcsize(f"<{v[0]}") if isinstance(v, tuple) else 4 for i, v in fields.items()}
        offsets, position = [0] * count, 4
        for index, size in sorted(sizes.items(), key=lambda item: -item[1]):
            position += -position % size
            offsets[index] = position
            position += size
        self.align(2)
        vtable = len(self.data)
        self.data += struct.pack(f"<{2 + count}H", 4 + 2 * count, position, *offsets)
        self.align(8)
        self.point(at)
        start = len(self.data)
        self.data += bytes(position)
        struct.pack_into("<i", self.data, start, start - vtable)
        for index, value in fields.items():
            where = start + offsets[index]
            if isinstance(value, tuple):
                struct.pack_into(f"<{value[0]}", self.data, where, value[1])
            else:
                self.child(where, value)

    def child(self, at: int, value: Any) -> None:
        if isinstance(value, dict):
            self.table(at, value)
        elif isinstance(value, bytes):
            self.align(4)
            self.data += bytes(-(len(self.data) + 4) % 16)
            self.point(at)
            self.data += struct.pack("<I", len(value)) + value + b"\0"
        elif value and isinstance(value[0], dict):
            self.align(4)
            self.point(at)
            start = len(self.data) + 4
            self.data += struct.pack("<I", len(value)) + bytes(4 * len(value))
            for number, table in enumerate(value):
                self.table(start + 4 * number, table)
        else:
            format_, numbers = (value[0], value[1:]) if value else ("i", [])
            self.align(4)
            if struct.calcsize(format_) == 8:
                self.data += bytes((self.shift_int64 - len(self.data) - 4) % 8)
            self.point(at)
            self.data += struct.pack(f"<I{len(numbers)}{format_}", len(numbers), *numbers)


@dataclass
class ModelBuilder:
    """Adds tensors and operators one by one; `build` gives the file."""

    tensors: list[dict[int, Any]] = field(default_factory=list)
    buffers: list[dict[int, Any]] = field(default_factory=lambda: [{}])
    operators: list[tuple[str, list[int], list[int], dict[str, Any]]] = field(default_factory=list)
    intermediates: dict[int, list[int]] = field(default_factory=dict)

    def tensor(
        self,
        shape: tuple[int, ...],
        scale: float | list[float] | None = None,
        zero_point: int = 0,
        data: NDArray[Any] | None = None,
        dtype: str = "int8",
        axis: int = 0,
        state: bool = False,
    ) -> int:
        """Index of a new tensor; constant where `data` is given, and kept from run to run where it is a state."""
        buffer = 0
        if data is not None:
            self.buffers.append({0: np.ascontiguousarray(data).tobytes()})
            buffer = len(self.buffers) - 1
        name = f"t{len(self.tensors)}".encode()
        table: dict[int, Any] = {0: ["i", *shape], 1: ("b", int(_DTYPES[dtype])), 2: ("I", buffer), 3: name}
        if scale is not None:
            scales = [scale] if isinstance(scale, float) else list(scale)
            table[4] = {2: ["f", *scales], 3: ["q", *[zero_point] * len(scales)], 6: ("i", axis)}
        if state:
            table[5] = ("B", 1)
        self.tensors.append(table)
        return len(self.tensors) - 1

    def operator(self, name: str, inputs: list[int], outputs: list[int], **options: Any) -> None:
        """Append an operator."""
        self.operators.append((name, inputs, outputs, options))

    def build(
        self,
        inputs: list[int],
        outputs: list[int],
        signatures: list[dict[int, Any]] | None = None,
        shift_int64: int = 0,
    ) -> bytes:
        """The .tflite file; vectors of int64 begin at `shift_int64` modulo 8."""
        codes = sorted({name for name, *_ in self.operators})
        operators = []
        for number, (name, ins, outs, options) in enumerate(self.operators):
            table: dict[int, Any] = {0: ("I", codes.index(name)), 1: ["i", *ins], 2: ["i", *outs]}
            if number in self.intermediates:
                table[8] = ["i", *self.intermediates[number]]
            union, fields = schema.OPTIONS.get(name, (_UNIONS.get(name, 0), ()))
            if union:
                table[3] = ("B", union)
                table[4] = {
                    f.index: (
                        f.format,
                        options.get(f.name, f.default) if f.format == "f" else int(options.get(f.name, f.default)),
                    )
                    for f in fields
                }
                for word, index in schema.LISTS.get(name, {}).items():
                    table[4][index] = ["i", *options.get(word, [])]
            operators.append(table)
        file = _File(shift_int64)
        code_tables = [
            {
                0: ("b", min(schema.operator_code(name), 127)),
                2: ("i", _VERSIONS.get(name, 2)),
                3: ("i", schema.operator_code(name)),
            }
            for name in codes
        ]
        graph = {0: self.tensors, 1: ["i", *inputs], 2: ["i", *outputs], 3: operators, 4: b"main"}
        beside = {} if signatures is None else {7: signatures}
        file.table(0, {0: ("I", 3), 1: code_tables, 2: [graph], 3: b"test", 4: self.buffers} | beside)
        return bytes(file.data)


def _reference(model: bytes, inputs: NDArray[Any], resets: Sequence[int] = ()) -> list[NDArray[Any]]:
    """Flat outputs of BUILTIN_REF, (n, size) for each output, of inputs (n, ...); states are cleared before runs `resets`."""
    from tflite_runtime.interpreter import Interpreter, OpResolverType

    interpreter = Interpreter(
        model_content=model, experimental_op_resolver_type=OpResolverType.BUILTIN_REF, num_threads=1
    )
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]
    sinks = interpreter.get_output_details()
    results: list[list[NDArray[Any]]] = [[] for _ in sinks]
    for number, sample in enumerate(inputs):
        if number in resets:
            interpreter.reset_all_variables()
        interpreter.set_tensor(source["index"], sample.reshape(source["shape"]))
        interpreter.invoke()
        for collected, sink in zip(results, sinks, strict=True):
            collected.append(interpreter.get_tensor(sink["index"]).ravel().copy())
    return [np.stack(collected) for collected in results]


@pytest.fixture(scope="session")
def model_builder() -> type[ModelBuilder]:
    """Class that writes .tflite files."""
    return ModelBuilder


@pytest.fixture(scope="session")
def reference() -> Callable[..., list[NDArray[Any]]]:
    """Runs a model with tflite-runtime's BUILTIN_REF kernels."""
    return _reference


class RandomModels:
    """Int8 models of random shapes, scales and weights, an operator at a time."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.builder = ModelBuilder()
        self.scales: dict[int, tuple[float, int]] = {}
        self.shapes: dict[int, tuple[int, ...]] = {}

    def pick(self, low: int, high: int) -> int:
        """An integer from low to high, both included."""
        return int(self.rng.integers(low, high + 1))

    def real(self, low: float, high: float) -> float:
        """A single-precision number."""
        return float(np.float32(self.rng.uniform(low, high)))

    def activation(self, shape: tuple[int, ...], like: int | None = None, scale: float | None = None) -> int:
        """A new int8 tensor with random quantisation, or that of another tensor."""
        if like is not None:
            pair = self.scales[like]
        else:
            zero_point = int(self.rng.choice([-128, 127, 0, self.pick(-128, 127)]))
            pair = (scale or self.real(0.005, 0.1), zero_point)
        index = self.builder.tensor(shape, pair[0], pair[1])
        self.scales[index], self.shapes[index] = pair, shape
        return index

    def integers(self, values: list[int]) -> int:
        """A constant int32 vector."""
        return self.builder.tensor((len(values),), data=np.array(values, np.int32), dtype="int32")

    def _weights(
        self, source: int, shape: tuple[int, ...], channels: int, axis: int, depth: int, per_channel: bool
    ) -> Any:
        scales = [self.real(0.001, 0.03) for _ in range(channels if per_channel else 1)]
        data = self.rng.integers(-127, 128, shape).astype(np.int8)
        weights = self.builder.tensor(shape, scales, 0, data, axis=axis)
        biases = self.rng.integers(-(50 * depth), 50 * depth + 1, channels).astype(np.int32)
        factor = self.scales[source][0]
        bias = self.builder.tensor((channels,), [factor * scale for scale in scales], 0, biases, "int32")
        # An output scale that spreads the results over int8, or now and then far too fine or coarse.
        spread = factor * float(np.mean(scales)) * 127 * 74 * depth**0.5 / 60
        output_scale = float(np.float32(spread * self.rng.choice([0.03, 0.5, 1.0, 1.0, 1.0, 4.0])))
        return weights, bias, output_scale

    def _conv_sizes(self, source: int) -> tuple[int, int, int, int, int, int, int]:
        _, rows, columns, _ = self.shapes[source]
        padding = self.pick(0, 1)
        kernel = [self.pick(1, min(5, n)) for n in (rows, columns)]
        if self.rng.random() < 0.4:
            kernel = [1, 1] if self.rng.random() < 0.5 or min(rows, columns) < 3 else [3, 3]
        stride = [self.pick(1, 3), self.pick(1, 3)] if self.rng.random() < 0.5 else [1, 1]
        dilation = [1, 1]
        if stride == [1, 1] and self.rng.random() < 0.3:
            dilation = [self.pick(1, 2), self.pick(1, 2)]
        for axis, size in enumerate((rows, columns)):
            if padding and (kernel[axis] - 1) * dilation[axis] + 1 > size:
                dilation[axis] = 1
        return (padding, kernel[0], kernel[1], stride[0], stride[1], dilation[0], dilation[1])

    @staticmethod
    def _out(size: int, padding: int, kernel: int, stride: int, dilation: int) -> int:
        return (size - (kernel - 1) * dilation - 1) // stride + 1 if padding else -(-size // stride)

    def convolution(self, source: int, depthwise: bool = False) -> int:
        """CONV_2D or DEPTHWISE_CONV_2D."""
        _, rows, columns, channels_in = self.shapes[source]
        padding, kh, kw, sh, sw, dh, dw = self._conv_sizes(source)
        if depthwise:
            multiplier = int(self.rng.choice([1, 1, 2, 3]))
            channels, shape, axis, depth = channels_in * multiplier, (1, kh, kw, channels_in * multiplier), 3, kh * kw
        else:
            channels = self.pick(1, 12)
            shape, axis, depth = (channels, kh, kw, channels_in), 0, kh * kw * channels_in
        # TFLite wants a scale for each channel of a depthwise filter whenever it has a vector of scales.
        weights, bias, scale = self._weights(source, shape, channels, axis, depth, True)
        sizes = self._out(rows, padding, kh, sh, dh), self._out(columns, padding, kw, sw, dw)
        output = self.activation((1, *sizes, channels), scale=scale)
        options = {
            "padding": padding,
            "stride_h": sh,
            "stride_w": sw,
            "dilation_h": dh,
            "dilation_w": dw,
            "activation": int(self.rng.choice([0, 1, 3])),
        }
        name = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
        if depthwise:
            options["depth_multiplier"] = multiplier
        self.builder.operator(name, [source, weights, bias], [output], **options)
        return output

    def dense(self, source: int) -> int:
        """FULLY_CONNECTED, of one row or several."""
        depth = self.shapes[source][-1]
        rows = int(np.prod(self.shapes[source])) // depth
        channels = self.pick(1, 9)
        weights, bias, scale = self._weights(source, (channels, depth), channels, 0, depth, self.rng.random() < 0.5)
        output = self.activation((rows, channels), scale=scale)
        inputs = [source, weights, bias] if self.rng.random() < 0.8 else [source, weights, -1]
        self.builder.operator("FULLY_CONNECTED", inputs, [output], activation=int(self.rng.choice([0, 1, 3])))
        return output

    def transpose_convolution(self, source: int) -> int:
        """TRANSPOSE_CONV."""
        _, rows, columns, channels_in = self.shapes[source]
        channels, padding = self.pick(1, 6), self.pick(0, 1)
        sh, sw, kh, kw = self.pick(1, 3), self.pick(1, 3), self.pick(1, 4), self.pick(1, 4)
        sizes = (
            ((rows - 1) * sh + kh, (columns - 1) * sw + kw)
            if padding
            else (rows * sh - self.pick(0, sh - 1), columns * sw - self.pick(0, sw - 1))
        )
        shape = (channels, kh, kw, channels_in)
        weights, bias, scale = self._weights(source, shape, channels, 0, kh * kw * channels_in, True)
        output = self.activation((1, *sizes, channels), scale=scale)
        wanted = self.integers([1, *sizes, channels])
        self.builder.operator(
            "TRANSPOSE_CONV", [wanted, weights, source, bias], [output], padding=padding, stride_h=sh, stride_w=sw
        )
        return output

    def pool(self, source: int) -> int:
        """AVERAGE_POOL_2D or MAX_POOL_2D."""
        _, rows, columns, channels = self.shapes[source]
        padding, kh, kw = self.pick(0, 1), self.pick(1, min(4, rows)), self.pick(1, min(4, columns))
        sh, sw = self.pick(1, 3), self.pick(1, 3)
        sizes = self._out(rows, padding, kh, sh, 1), self._out(columns, padding, kw, sw, 1)
        output = self.activation((1, *sizes, channels), like=source)
        name = str(self.rng.choice(["AVERAGE_POOL_2D", "MAX_POOL_2D"]))
        self.builder.operator(
            name,
            [source],
            [output],
            padding=padding,
            stride_h=sh,
            stride_w=sw,
            filter_h=kh,
            filter_w=kw,
            activation=int(self.rng.choice([0, 1, 3])),
        )
        return output

    def mean(self, source: int) -> int:
        """MEAN."""
        shape = self.shapes[source]
        axes = sorted(self.rng.choice(len(shape), self.pick(1, min(3, len(shape))), replace=False).tolist())
        if self.rng.random() < 0.5 and len(shape) == 4:
            axes = [1, 2]
        keep = self.rng.random() < 0.5 or len(shape) - len(axes) < 2
        result = tuple(1 if axis in axes else n for axis, n in enumerate(shape) if keep or axis not in axes)
        output = self.activation(result, scale=self.scales[source][0] * float(self.rng.choice([1.0, 0.4])))
        self.builder.operator("MEAN", [source, self.integers(axes)], [output], keep_dims=keep)
        return output

    def binary(self, source: int) -> int:
        """ADD, SUB or MUL of the source with a constant or itself, with and without broadcasting."""
        shape = self.shapes[source]
        name = str(self.rng.choice(["ADD", "SUB", "MUL"]))
        if self.rng.random() < 0.3:
            other = source
        else:
            small = tuple(1 if self.rng.random() < 0.4 else n for n in shape)[self.pick(0, len(shape) - 1) :]
            pair = self.real(0.01, 0.1), self.pick(-20, 20)
            data = self.rng.integers(-128, 128, small).astype(np.int8)
            other = self.builder.tensor(small, pair[0], pair[1], data)
            self.scales[other] = pair
        first, second = self.scales[source][0], self.scales[other][0]
        scale = first * second * 90 if name == "MUL" else (first + second) * self.real(0.4, 1.1)
        output = self.activation(shape, scale=float(np.float32(scale)))
        inputs = [source, other] if self.rng.random() < 0.5 else [other, source]
        self.builder.operator(name, inputs, [output], activation=int(self.rng.choice([0, 1, 3])))
        return output

    def pointwise(self, source: int) -> int:
        """An activation function, or QUANTIZE."""
        names = ["RELU", "RELU6", "LEAKY_RELU", "HARD_SWISH", "LOGISTIC", "TANH", "QUANTIZE"]
        name = str(self.rng.choice(names))
        shape = self.shapes[source]
        if name == "LOGISTIC":
            output = self.builder.tensor(shape, 1 / 256, -128)
            self.scales[output], self.shapes[output] = (1 / 256, -128), shape
        elif name == "TANH":
            output = self.builder.tensor(shape, 1 / 128, 0)
            self.scales[output], self.shapes[output] = (1 / 128, 0), shape
        else:
            output = self.activation(shape, scale=float(np.float32(self.scales[source][0] * self.real(0.5, 2.0))))
        options = {"alpha": self.real(0.01, 0.4)} if name == "LEAKY_RELU" else {}
        self.builder.operator(name, [source], [output], **options)
        return output

    def softmax(self, source: int) -> int:
        """SOFTMAX."""
        shape = self.shapes[source]
        output = self.builder.tensor(shape, 1 / 256, -128)
        self.scales[output], self.shapes[output] = (1 / 256, -128), shape
        self.builder.operator("SOFTMAX", [source], [output], beta=float(self.rng.choice([1.0, 0.5])))
        return output

    def movement(self, source: int) -> int:
        """PAD, RESHAPE, TRANSPOSE, STRIDED_SLICE, CONCATENATION of the source with itself, or SPLIT and CONCATENATION."""
        shape = self.shapes[source]
        kind = self.pick(0, 5)
        rank = len(shape)
        if kind == 0:
            widths = [[0, 0] if axis == 0 else [self.pick(0, 2), self.pick(0, 2)] for axis in range(rank)]
            output = self.activation(tuple(n + a + b for n, (a, b) in zip(shape, widths, strict=True)), like=source)
            pads = self.builder.tensor((rank, 2), data=np.array(widths, np.int32), dtype="int32")
            self.builder.operator("PAD", [source, pads], [output])
        elif kind == 1:
            flat = (1, int(np.prod(shape)))
            output = self.activation(flat, like=source)
            self.builder.operator("RESHAPE", [source, self.integers(list(flat))], [output])
        elif kind == 2:
            order = [0, *(1 + self.rng.permutation(rank - 1)).tolist()]
            output = self.activation(tuple(shape[axis] for axis in order), like=source)
            self.builder.operator("TRANSPOSE", [source, self.integers(order)], [output])
        elif kind == 3:
            begin = [0 if axis == 0 else self.pick(0, n - 1) for axis, n in enumerate(shape)]
            end = [self.pick(b + 1, n) for b, n in zip(begin, shape, strict=True)]
            step = [self.pick(1, 2) for _ in shape]
            sizes = tuple(-(-(e - b) // s) for b, e, s in zip(begin, end, step, strict=True))
            output = self.activation(sizes, like=source)
            inputs = [source, self.integers(begin), self.integers(end), self.integers(step)]
            self.builder.operator("STRIDED_SLICE", inputs, [output])
        elif kind == 4:
            axis = self.pick(1, rank - 1)
            output = self.activation(tuple(n * (2 if a == axis else 1) for a, n in enumerate(shape)), like=source)
            self.builder.operator("CONCATENATION", [source, source], [output], axis=axis)
        else:
            axis = self.pick(1, rank - 1)
            parts = shape[axis]
            if parts > 6:
                return self.movement(source)
            piece = tuple(1 if a == axis else n for a, n in enumerate(shape))
            pieces = [self.activation(piece, like=source) for _ in range(parts)]
            self.builder.operator("SPLIT", [self.integers([axis]), source], pieces, num_splits=parts)
            output = self.activation(shape, like=source)
            self.builder.operator("CONCATENATION", pieces[::-1], [output], axis=axis)
        return output

    def resize(self, source: int) -> int:
        """RESIZE_NEAREST_NEIGHBOR or RESIZE_BILINEAR."""
        _, rows, columns, channels = self.shapes[source]
        sizes = (rows * 2, columns * 2) if self.rng.random() < 0.4 else (self.pick(1, 12), self.pick(1, 12))
        output = self.activation((1, *sizes, channels), like=source)
        name = str(self.rng.choice(["RESIZE_NEAREST_NEIGHBOR", "RESIZE_BILINEAR"]))
        align, half = [(0, 0), (1, 0), (0, 1)][self.pick(0, 2)]
        self.builder.operator(
            name, [source, self.integers(list(sizes))], [output], align_corners=align, half_pixel_centers=half
        )
        return output

    def build(self, layers: list[str]) -> tuple[bytes, tuple[int, ...]]:
        """A model of these layers in a row, and the shape of its input; an image layer needs an image before it."""
        shape = (1, self.pick(1, 9), self.pick(1, 9), self.pick(1, 9))
        first = last = self.activation(shape)
        for layer in layers:
            images = ("convolution", "depthwise", "pool", "resize", "transpose_convolution")
            if layer in images and len(self.shapes[last]) != 4:
                layer = "dense"
            if layer in operator_models.OPERATORS:
                last = operator_models.OPERATORS[layer](self, last)
            else:
                last = self.convolution(last, True) if layer == "depthwise" else getattr(self, layer)(last)
        return self.builder.build([first], [last]), shape

    def inputs(self, shape: tuple[int, ...], count: int) -> NDArray[np.int8]:
        """Inputs of every value."""
        return self.rng.integers(-128, 128, (count, *shape[1:])).astype(np.int8)


LAYERS = (
    "convolution", "depthwise", "dense", "transpose_convolution", "pool", "mean", "binary", "pointwise", "softmax",
    "movement", "resize",
)  # fmt: skip


@pytest.fixture(scope="session")
def random_models() -> type[RandomModels]:
    """Class that makes random models."""
    return RandomModels


@pytest.fixture(scope="session")
def host_run() -> Callable[..., NDArray[Any]]:
    """Compiles C files with the host's compiler, as strictly as it can, and runs them on inputs (n, size)."""
    return _host_run


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, pattern
    return match[1]


def _output_type(header: str, name: str) -> Any:
    """The type of a compiled model's outputs."""
    return np.dtype(_found(rf"const (\w+)_t \*{name}_output\(", header))


def _host_run(
    files: dict[str, str],
    name: str,
    inputs: NDArray[Any],
    folder: Path,
    flags: str = "-O1",
    compiler: str = "gcc",
    resets: Sequence[int] = (),
) -> NDArray[Any]:
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (folder / file).write_text(text)
    library = folder / f"{name}.so"
    strict = "-std=c11 -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror -shared -fPIC"
    command = [compiler, *strict.split(), *flags.split(), "-o", str(library), str(folder / f"{name}.c"), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:3000]
    loaded = ctypes.CDLL(str(library))
    header = files[f"{name}.h"]
    size, kind = int(_found(rf"{name.upper()}_OUTPUT_ELEMENTS (\d+)", header)), _output_type(header, name)
    source, sink = getattr(loaded, f"{name}_input"), getattr(loaded, f"{name}_output")
    source.restype = sink.restype = ctypes.c_void_p
    results = []
    for number, sample in enumerate(inputs.reshape(len(inputs), -1)):
        if number in resets:
            getattr(loaded, f"{name}_reset")()
        ctypes.memmove(source(), np.ascontiguousarray(sample).ctypes.data, sample.nbytes)
        getattr(loaded, f"{name}_invoke")()
        results.append(np.frombuffer(ctypes.string_at(sink(), size * kind.itemsize), kind).copy())
    return np.stack(results)


_BOARDS = {
    "m4": ("-mcpu=cortex-m4 -mfpu=fpv4-sp-d16 -mfloat-abi=hard", "mps2-an386", "0x00000000", "0x20000000", "4M"),
    "m7": ("-mcpu=cortex-m7 -mfpu=fpv5-d16 -mfloat-abi=hard", "mps2-an500", "0x00000000", "0x20000000", "4M"),
    "m33": ("-mcpu=cortex-m33 -mfpu=fpv5-sp-d16 -mfloat-abi=hard", "mps2-an505", "0x10000000", "0x38000000", "4M"),
    "m55": ("-mcpu=cortex-m55 -mfloat-abi=hard", "mps3-an547", "0x10000000", "0x31000000", "512K"),
}


@dataclass(frozen=True)
class Emulated:
    """A model to run on an emulated board: its C files, their name, inputs (n, size), and the runs before which to reset."""

    files: dict[str, str]
    name: str
    inputs: NDArray[Any]
    resets: Sequence[int] = ()


def _emulate(models: list[Emulated], cpu: str, folder: Path, flags: str = "-O2") -> list[NDArray[Any]]:
    folder.mkdir(parents=True, exist_ok=True)
    here = Path(__file__).parent / "emulator"
    core, machine, flash, ram, flash_size = _BOARDS[cpu]
    main = ["#include <stdint.h>", "#include <string.h>", "void say(const char *text);"]
    calls = []
    for model in models:
        for file, text in model.files.items():
            (folder / file).write_text(text)
        count = len(model.inputs)
        rows = ",".join("{" + ",".join(map(str, row)) + "}" for row in model.inputs.reshape(count, -1).tolist())
        size = model.inputs.size // count
        main.append(f'#include "{model.name}.h"')
        width = model.inputs.dtype.itemsize
        main.append(f"static const {model.inputs.dtype}_t {model.name}_data[{count}][{size}] = {{{rows}}};")
        upper = model.name.upper()
        reset = "".join(f"if (i == {run}) {{ {model.name}_reset(); }} " for run in model.resets)
        calls.append(
            f"for (int i = 0; i < {count}; i++) {{ {reset}memcpy({model.name}_input(), {model.name}_data[i], {size * width}); "
            f"{model.name}_invoke(); "
            f"show({model.name}_output(), {upper}_OUTPUT_ELEMENTS * (int)sizeof *{model.name}_output()); }}"
        )
    main.append(
        'static void show(const void *from, int count) { const int8_t *at = from; static const char digits[] = "0123456789abcdef"; char text[3] = {0};'
        " for (int i = 0; i < count; i++) { text[0] = digits[(at[i] >> 4) & 15]; text[1] = digits[at[i] & 15]; say(text); }"
        ' say("\\n"); }'
    )
    main.append("int main(void) { " + " ".join(calls) + " return 0; }")
    (folder / "main.c").write_text("\n".join(main))
    strict = "-std=c11 -mthumb -Wall -Wextra -Wshadow -Werror -ffunction-sections -fdata-sections"
    sources = [str(folder / f"{model.name}.c") for model in models]
    link = f"-nostartfiles --specs=nano.specs -Wl,--gc-sections,--no-warn-rwx-segments -T {folder / 'link.ld'}"
    script = (here / "link.ld").read_text()
    for word, value in (("FLASH_AT", flash), ("RAM_AT", ram), ("FLASH_SIZE", flash_size)):
        script = script.replace(f"= {word}", f"= {value}")
    (folder / "link.ld").write_text(script)
    command = (
        f"arm-none-eabi-gcc {core} {strict} {flags} -I{folder} -o {folder}/test.elf {here}/start.c {folder}/main.c"
    )
    done = subprocess.run(
        [*command.split(), *sources, *link.split(), "-lm"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[:3000]
    run = f"qemu-system-arm -M {machine} -nographic -monitor none -serial none -kernel {folder}/test.elf"
    config = ["-semihosting-config", "enable=on,target=native"]
    done = subprocess.run([*run.split(), *config], capture_output=True, text=True, check=False, timeout=240)
    rows_out = [bytes.fromhex(line) for line in (done.stdout + done.stderr).split()]
    results, at = [], 0
    for model in models:
        taken = rows_out[at : at + len(model.inputs)]
        at += len(taken)
        kind = _output_type(model.files[f"{model.name}.h"], model.name)
        results.append(np.array([np.frombuffer(row, kind) for row in taken]))
    return results


@pytest.fixture(scope="session")
def emulate() -> Callable[..., list[NDArray[Any]]]:
    """Runs compiled models on an emulated Cortex-M, many in one go."""
    if not shutil.which("arm-none-eabi-gcc") or not shutil.which("qemu-system-arm"):
        pytest.skip("hardware absent: no emulator (qemu-system-arm / arm-none-eabi-gcc not installed)")
    return _emulate


@pytest.fixture(scope="session")
def emulated() -> type[Emulated]:
    """Class of a model to emulate."""
    return Emulated
