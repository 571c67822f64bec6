"""Random models on int16 activations (16x8): those of int8 with other types, and what int16 computes otherwise."""

from typing import Any

import numpy as np

LAYERS = (
    "convolution", "depthwise", "dense", "transpose_convolution", "pool", "mean", "binary", "pointwise", "softmax",
    "movement", "resize", "parts", "requantize", "extremes", "reshaping", "packing", "batches", "matrices",
    "grouped_convolution",
)  # fmt: skip


def random_wide(base: type[Any]) -> type[Any]:
    """A class that makes models of int16.

    Args:
        base: the class that makes those of int8 (`RandomModels` of tests/quantize/conftest.py).
    """

    class RandomWide(base):  # type: ignore[misc]
        """Int16 models of random shapes, scales and weights, an operator at a time."""

        def activation(self, shape: tuple[int, ...], like: int | None = None, scale: float | None = None) -> int:
            pair = self.scales[like] if like is not None else (scale or self.real(0.00002, 0.0004), 0)
            index = self.builder.tensor(shape, pair[0], 0, dtype="int16")
            self.scales[index], self.shapes[index] = pair, shape
            return index

        def _weights(
            self, source: int, shape: tuple[int, ...], channels: int, axis: int, depth: int, per_channel: bool
        ) -> Any:
            scales = [self.real(0.001, 0.03) for _ in range(channels if per_channel else 1)]
            # Weights that reach their limits together make the sums that 32 bits do not hold.
            full = self.rng.random() < 0.2
            data = self.rng.choice([-127, 127], shape) if full else self.rng.integers(-127, 128, shape)
            weights = self.builder.tensor(shape, scales, 0, data.astype(np.int8), axis=axis)
            # The depthwise and the transposed kernel know 64-bit biases alone.
            narrow = axis == 0 and depth < 400 and self.rng.random() < 0.15
            reach = 1 << (28 if narrow else int(self.rng.choice([20, 30, 38])))
            biases = self.rng.integers(-reach, reach + 1, channels)
            kind = "int32" if narrow else "int64"
            factor = self.scales[source][0]
            bias = self.builder.tensor((channels,), [factor * s for s in scales], 0, biases.astype(kind), kind)
            spread = factor * float(np.mean(scales)) * 18900 * 74 * depth**0.5 / 16000
            return weights, bias, float(np.float32(spread * self.rng.choice([0.03, 0.5, 1.0, 1.0, 4.0])))

        def binary(self, source: int) -> int:
            """ADD, SUB or MUL of the source with a constant or itself, with and without broadcasting; scales may be powers of two."""
            shape, powers = self.shapes[source], self.rng.random() < 0.3
            name = str(self.rng.choice(["ADD", "SUB", "MUL"]))
            if powers:
                source = self._to_power_of_two(source)
            first = self.scales[source][0]
            if self.rng.random() < 0.3:
                other = source
            else:
                small = tuple(1 if self.rng.random() < 0.4 else n for n in shape)[self.pick(0, len(shape) - 1) :]
                if powers and name != "MUL":
                    small = shape
                second = first * 2.0 ** self.pick(-3, 0) if powers else self.real(0.00002, 0.0004)
                data = self.rng.integers(-32768, 32768, small).astype(np.int16)
                other = self.builder.tensor(small, second, 0, data, "int16")
                self.scales[other] = second, 0
            second = self.scales[other][0]
            if powers and name != "MUL":
                scale = first
            else:
                scale = first * second * 23000 if name == "MUL" else (first + second) * self.real(0.4, 1.1)
            output = self.activation(shape, scale=float(np.float32(scale)))
            inputs = [source, other] if self.rng.random() < 0.5 else [other, source]
            activation = int(self.rng.choice([0, 1, 3]))
            options = {} if name == "MUL" else {"pot_scale_int16": int(powers)}
            self.builder.operator(name, inputs, [output], activation=activation, **options)
            return output

        def _to_power_of_two(self, source: int) -> int:
            output = self.activation(self.shapes[source], scale=2.0 ** self.pick(-15, -12))
            self.builder.operator("QUANTIZE", [source], [output])
            return output

        def pointwise(self, source: int) -> int:
            """An activation function; LOGISTIC and TANH of general scales and of powers of two."""
            name = str(self.rng.choice(["RELU", "RELU6", "LEAKY_RELU", "LOGISTIC", "TANH"]))
            shape = self.shapes[source]
            if name in ("LOGISTIC", "TANH"):
                if self.rng.random() < 0.4:
                    source = self._to_power_of_two(source)
                output = self.activation(shape, scale=1 / 32768)
            else:
                output = self.activation(shape, scale=float(np.float32(self.scales[source][0] * self.real(0.5, 2.0))))
            options = {"alpha": self.real(0.01, 0.4)} if name == "LEAKY_RELU" else {}
            self.builder.operator(name, [source], [output], **options)
            return output

        def softmax(self, source: int) -> int:
            """SOFTMAX."""
            output = self.activation(self.shapes[source], scale=1 / 32768)
            self.builder.operator("SOFTMAX", [source], [output], beta=float(self.rng.choice([1.0, 0.5, 3.0])))
            return output

        def parts(self, source: int) -> int:
            """SPLIT_V, and CONCATENATION in another order."""
            shape = self.shapes[source]
            axis = self.pick(1, len(shape) - 1)
            cuts = sorted({self.pick(1, shape[axis]) for _ in range(3)} | {shape[axis]})
            sizes = [b - a for a, b in zip([0, *cuts], cuts, strict=False)]
            given = [-1 if n == 0 and self.rng.random() < 0.5 else size for n, size in enumerate(sizes)]
            pieces = [self.activation((*shape[:axis], n, *shape[axis + 1 :]), like=source) for n in sizes]
            inputs = [source, self.integers(given), self.integers([axis])]
            self.builder.operator("SPLIT_V", inputs, pieces, num_splits=len(sizes))
            output = self.activation(shape, like=source)
            self.builder.operator("CONCATENATION", pieces[::-1], [output], axis=axis)
            return output

        def extremes(self, source: int) -> int:
            """MAXIMUM or MINIMUM with a constant, then REDUCE_MAX or REDUCE_MIN."""
            shape = self.shapes[source]
            small = tuple(1 if self.rng.random() < 0.4 else n for n in shape)[self.pick(0, len(shape) - 1) :]
            data = self.rng.integers(-32768, 32768, small).astype(np.int16)
            inputs = [source, self.builder.tensor(small, *self.scales[source], data, "int16")]
            middle = self.activation(shape, like=source)
            self.builder.operator(str(self.rng.choice(["MAXIMUM", "MINIMUM"])), inputs, [middle])
            axis = self.pick(1, len(shape) - 1)
            output = self.activation(tuple(1 if n == axis else size for n, size in enumerate(shape)), like=source)
            name = str(self.rng.choice(["REDUCE_MAX", "REDUCE_MIN"]))
            self.builder.operator(name, [middle, self.integers([axis])], [output], keep_dims=1)
            return output

        def requantize(self, source: int) -> int:
            """QUANTIZE to another scale, finer or coarser."""
            output = self.activation(self.shapes[source])
            self.builder.operator("QUANTIZE", [source], [output])
            return output

        def inputs(self, shape: tuple[int, ...], count: int) -> Any:
            """Inputs of every value, some of extremes alone."""
            values = self.rng.integers(-32768, 32768, (count, *shape[1:])).astype(np.int16)
            values[0] = np.where(values[0] > 0, 32767, -32768)
            return values

    return RandomWide
