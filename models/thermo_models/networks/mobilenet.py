"""MobileNet v1: depthwise-separable blocks (Howard et al. 2017, arXiv:1704.04861).

A block is a 3 x 3 depthwise convolution, then a 1 x 1 convolution, each followed by batch normalisation and ReLU6. Every
operator has an int8 kernel on microcontrollers. Input (rows, columns, channels) of any size from 8 x 8, output (classes).
At (24, 32, 1) -> 2, width 1: 10,850 parameters, 230,912 MACs.
"""

from typing import Any

from thermo_models.networks.layers import attend, channels, convolution, network, separable

BLOCKS = ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1))
"""(output channels at width 1, stride) of each depthwise-separable block."""


@network()
def mobilenet_v1(x: Any, width: float, attention: str) -> Any:
    """Features; see `networks.build` for the arguments."""
    import keras

    x = convolution(x, channels(8, width), 3, strides=2)
    for at_width_one, stride in BLOCKS:
        x = separable(x, channels(at_width_one, width), strides=stride)
    return keras.layers.GlobalAveragePooling2D()(attend(x, attention))
