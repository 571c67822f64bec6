"""Int8 models of random shapes, scales and weights."""

from typing import Any

import numpy as np
import operator_models
from numpy.typing import NDArray
from tflite_writer import ModelBuilder


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
