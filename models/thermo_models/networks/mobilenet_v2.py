"""MobileNet v2: inverted residuals with linear bottlenecks (Sandler et al. 2018, arXiv:1801.04381).

Input (rows, columns, channels) of any size from 8 x 8, output (classes).
At (24, 32, 1) -> 2, width 1: 28,826 parameters, 881,024 MACs.
"""

from typing import Any

from thermo_models.networks.layers import attend, channels, convolution, network, normalised

BLOCKS = ((3, 16, 1), (3, 24, 2), (3, 24, 1), (4, 32, 2), (4, 32, 1))
"""(expansion, output channels at width 1, stride) of each inverted residual."""


@network()
def mobilenet_v2(x: Any, width: float, attention: str) -> Any:
    """Features; see `networks.build` for the arguments."""
    import keras

    x = convolution(x, channels(8, width), 3, strides=2)
    for expansion, at_width_one, stride in BLOCKS:
        block = convolution(x, int(x.shape[-1]) * expansion, 1)
        block = normalised(keras.layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(block))
        block = keras.layers.Conv2D(channels(at_width_one, width), 1, use_bias=False)(block)
        block = normalised(block, relu=False)
        x = keras.layers.Add()([x, block]) if stride == 1 and x.shape[-1] == block.shape[-1] else block
    x = attend(convolution(x, channels(64, width), 1), attention)
    return keras.layers.GlobalAveragePooling2D()(x)
