"""MobileNet v1: depthwise-separable blocks (Howard et al. 2017, arXiv:1704.04861).

A block is a 3 x 3 depthwise convolution, then a 1 x 1 convolution, each followed by batch normalisation and ReLU6. Every
operator has an int8 kernel on microcontrollers. Input (rows, columns, channels) of any size from 8 x 8, output (classes).
At (24, 32, 1) -> 2, width 1: 10,850 parameters, 230,912 MACs.
"""

from typing import Any

from thermo_models.networks.layers import attend, channels, convolution, head, separable

BLOCKS = ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1))
"""(output channels at width 1, stride) of each depthwise-separable block."""


def mobilenet_v1(
    input_shape: tuple[int, ...],
    outputs: int,
    *,
    width: float = 1.0,
    dropout: float = 0.2,
    attention: str = "none",
    head_kind: str = "softmax",
) -> Any:
    """Build the network as a Keras model; see `networks.build` for the arguments."""
    import keras

    inputs = keras.Input(input_shape)
    x = convolution(inputs, channels(8, width), 3, strides=2)
    for at_width_one, stride in BLOCKS:
        x = separable(x, channels(at_width_one, width), strides=stride)
    x = keras.layers.GlobalAveragePooling2D()(attend(x, attention))
    return keras.Model(inputs, head(x, outputs, head_kind, dropout), name="mobilenet_v1")
