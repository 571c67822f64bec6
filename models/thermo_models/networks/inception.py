"""Branches of several kernels side by side.

`inception_small` is for pictures (after Szegedy et al. 2015, arXiv:1409.4842), `inception_1d` for time series (after InceptionTime, Fawaz
et al. 2020, arXiv:1909.04939).

A branch is a 1 x 1 convolution to few channels, then a depthwise-separable one of its kernel; another pools instead.
inception_small takes (rows, columns, channels) of any size from 8 x 8, inception_1d (1, steps, signals); output (classes).
inception_small at (24, 32, 1) -> 2, width 1: 4,938 parameters, 75,648 MACs.
inception_1d at (1, 60, 5) -> 3, width 1: 5,513 parameters, 126,000 MACs.
"""

from typing import Any

from thermo_models.networks.layers import attend, channels, convolution, network, normalised, separable

MODULES = ((8, 2), (12, 2), (12, 1))
"""(channels of a branch at width 1, stride) of each module of `inception_small`."""
KERNELS = (3, 5)
SERIES_MODULES = ((8, 2), (8, 1), (12, 1))
SERIES_KERNELS = (5, 11, 23)
"""Steps: InceptionTime's 10, 20 and 40, made odd and about halved after the first stride."""


@network()
def inception_small(x: Any, width: float, attention: str) -> Any:
    """Features; see `networks.build` for the arguments."""
    import keras

    x = convolution(x, channels(8, width), 3, strides=2)
    for at_width_one, stride in MODULES:
        x = _module(x, channels(at_width_one, width), [(size, size) for size in KERNELS], (stride, stride))
    return keras.layers.GlobalAveragePooling2D()(attend(x, attention))


@network(dropout=0.3)
def inception_1d(x: Any, width: float, attention: str) -> Any:
    """Features; a straight way beside the modules, as InceptionTime has it. See `networks.build` for the arguments."""
    import keras

    first = x
    for at_width_one, stride in SERIES_MODULES:
        x = _module(x, channels(at_width_one, width), [(1, size) for size in SERIES_KERNELS], (1, stride))
    straight = keras.layers.Conv2D(int(x.shape[-1]), 1, strides=(1, SERIES_MODULES[0][1]), use_bias=False)(first)
    x = keras.layers.ReLU(6.0)(keras.layers.Add()([x, normalised(straight, relu=False)]))
    return keras.layers.GlobalAveragePooling2D()(attend(x, attention))


def _module(x: Any, count: int, kernels: list[tuple[int, int]], strides: tuple[int, int]) -> Any:
    """Branches of `count` channels: 1 x 1, one of each kernel, one that pools; concatenated."""
    import keras

    if strides != (1, 1):
        x = keras.layers.MaxPooling2D(strides, padding="same")(x)
    branches = [convolution(x, count, 1)]
    branches += [separable(convolution(x, max(4, count // 2), 1), count, kernel) for kernel in kernels]
    around = tuple(min(3, kernels[0][axis]) for axis in (0, 1))
    branches.append(convolution(keras.layers.MaxPooling2D(around, strides=1, padding="same")(x), count, 1))
    return keras.layers.Concatenate()(branches)
