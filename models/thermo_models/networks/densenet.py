"""Layers that see all layers before them (Huang et al. 2017, arXiv:1608.06993).

`densenet_small` is for pictures, `densenet_1d` for time series.

A layer is a convolution of few new channels, which are put beside those there are; between blocks a 1 x 1 convolution halves the
channels and a pool the size. Normalisation follows each convolution, so that it folds into it.
densenet_small takes (rows, columns, channels) of any size from 8 x 8, densenet_1d (1, steps, signals); output (classes).
densenet_small at (24, 32, 1) -> 2, width 1: 9,594 parameters, 1,024,592 MACs.
densenet_1d at (1, 60, 5) -> 3, width 1: 5,923 parameters, 244,440 MACs.
"""

from typing import Any

from thermo_models.networks.layers import attend, channels, convolution, network

LAYERS = (3, 3)
"""Layers of each block."""
GROWTH = 8
"""New channels of a layer at width 1."""


@network()
def densenet_small(x: Any, width: float, attention: str) -> Any:
    """Features; see `networks.build` for the arguments."""
    return _blocks(convolution(x, channels(8, width), 3, strides=2), width, attention, (3, 3), (2, 2))


@network(dropout=0.3)
def densenet_1d(x: Any, width: float, attention: str) -> Any:
    """Features; see `networks.build` for the arguments."""
    return _blocks(convolution(x, channels(8, width), (1, 5)), width, attention, (1, 5), (1, 2))


def _blocks(x: Any, width: float, attention: str, kernel: tuple[int, int], pool: tuple[int, int]) -> Any:
    import keras

    for block, layers in enumerate(LAYERS):
        if block:
            x = keras.layers.AveragePooling2D(pool)(convolution(x, int(x.shape[-1]) // 2, 1))
        for _ in range(layers):
            x = keras.layers.Concatenate()([x, convolution(x, channels(GROWTH, width), kernel)])
    return keras.layers.GlobalAveragePooling2D()(attend(x, attention))
