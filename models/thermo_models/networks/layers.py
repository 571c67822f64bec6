"""Pieces every network is put together from: its frame, normalised convolutions, attention, and the heads."""

import functools
from collections.abc import Callable
from typing import Any

from thermo_core.errors import UsageError

ATTENTION = ("none", "channel", "spatial", "both")
HEADS = ("softmax", "sigmoid", "linear")


def network(*, dropout: float = 0.2, head_kind: str = "softmax") -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Frame of a network of one input: what it decorates makes features (batch, n) of it, a head follows.

    The result takes the arguments of `networks.build`; those that the frame does not know go to the decorated function, which is
    called with the input, `width` and `attention` before them.

    Args:
        dropout: share of features dropped in training, unless told.
        head_kind: as `head` has them, unless told.
    """
    usual_dropout, usual_head = dropout, head_kind

    def frame(features: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(features)
        def build(
            input_shape: tuple[int, ...],
            outputs: int,
            *,
            width: float = 1.0,
            dropout: float = usual_dropout,
            attention: str = "none",
            head_kind: str = usual_head,
            **own: Any,
        ) -> Any:
            import keras

            inputs = keras.Input(input_shape)
            x = features(inputs, width, attention, **own)
            return keras.Model(inputs, head(x, outputs, head_kind, dropout), name=features.__name__)

        return build

    return frame


def channels(at_width_one: int, width: float) -> int:
    """Channels of a layer under a width multiplier, at least 4.

    Raises:
        UsageError: the multiplier is not positive.
    """
    if not 0 < width <= 8:
        raise UsageError(f"A width multiplier of {width} is out of range, so give one above 0 and up to 8.")
    return max(4, round(at_width_one * width))


def normalised(x: Any, relu: bool = True) -> Any:
    """Batch normalisation, then ReLU6 unless `relu` is off: both fold into the convolution before them."""
    import keras

    x = keras.layers.BatchNormalization(momentum=0.9)(x)
    return keras.layers.ReLU(6.0)(x) if relu else x


def convolution(x: Any, filters: int, kernel: int | tuple[int, int], strides: int | tuple[int, int] = 1) -> Any:
    """A convolution without bias, normalised, ReLU6."""
    import keras

    return normalised(keras.layers.Conv2D(filters, kernel, strides=strides, padding="same", use_bias=False)(x))


def separable(x: Any, filters: int, kernel: int | tuple[int, int] = 3, strides: int = 1) -> Any:
    """A depthwise convolution and a 1 x 1 convolution, each normalised, ReLU6."""
    import keras

    x = normalised(keras.layers.DepthwiseConv2D(kernel, strides=strides, padding="same", use_bias=False)(x))
    return convolution(x, filters, 1)


def attend(x: Any, kind: str) -> Any:
    """Weigh channels, places or both by what the features themselves say.

    Channel attention is squeeze-and-excitation (Hu et al. 2018, arXiv:1709.01507) with a bottleneck of a quarter. Spatial
    attention follows CBAM (Woo et al. 2018, arXiv:1807.06521), with a 1 x 1 convolution in place of its mean and maximum
    over channels, for which microcontroller engines have no kernel.

    Args:
        x: features (batch, rows, columns, channels).
        kind: "none", "channel", "spatial" or "both".

    Raises:
        UsageError: no such attention.
    """
    import keras

    if kind not in ATTENTION:
        raise UsageError(f"There is no attention {kind!r}, so choose one of {', '.join(ATTENTION)}.")
    if kind in ("channel", "both"):
        count = int(x.shape[-1])
        weights = keras.layers.GlobalAveragePooling2D(keepdims=True)(x)
        weights = keras.layers.Conv2D(max(2, count // 4), 1, activation="relu")(weights)
        weights = keras.layers.Conv2D(count, 1, activation="sigmoid")(weights)
        x = keras.layers.Multiply()([x, weights])
    if kind in ("spatial", "both"):
        kernel = tuple(min(3, int(n)) for n in x.shape[1:3])
        weights = keras.layers.Conv2D(2, 1, activation="relu")(x)
        weights = keras.layers.Conv2D(1, kernel, padding="same", activation="sigmoid")(weights)
        x = keras.layers.Multiply()([x, weights])
    return x


def head(x: Any, outputs: int, kind: str, dropout: float) -> Any:
    """Dropout and the last dense layer.

    Args:
        x: features (batch, features).
        outputs: numbers the network gives.
        kind: "softmax" for classes, "sigmoid" for one probability each, "linear" for quantities.
        dropout: share of features dropped in training.

    Raises:
        UsageError: no such head.
    """
    import keras

    if kind not in HEADS:
        raise UsageError(f"There is no head {kind!r}, so choose one of {', '.join(HEADS)}.")
    x = keras.layers.Dropout(dropout)(x)
    return keras.layers.Dense(outputs, activation=kind)(x)
