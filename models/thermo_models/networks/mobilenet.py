"""MobileNet v1 for 24 x 32 thermal pictures (Howard et al. 2017, arXiv:1704.04861).

Depthwise-separable blocks: a 3 x 3 depthwise convolution, then a 1 x 1 convolution, each followed by batch normalisation and
ReLU6. Every operator has an int8 kernel on microcontrollers.
"""

from typing import Any

BLOCKS = ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1))
"""(output channels at width 1, stride) of each depthwise-separable block."""


def mobilenet_v1(input_shape: tuple[int, int, int], classes: int, width: float = 1.0, dropout: float = 0.2) -> Any:
    """Build the network as a Keras model ending in softmax.

    Args:
        input_shape: (rows, columns, channels).
        classes: number of outputs.
        width: multiplier of all channel counts.
        dropout: share of pooled features dropped in training.
    """
    import keras

    def channels(at_width_one: int) -> int:
        return max(4, round(at_width_one * width))

    def normalised(x: Any) -> Any:
        return keras.layers.ReLU(6.0)(keras.layers.BatchNormalization(momentum=0.9)(x))

    inputs = keras.Input(input_shape)
    x = normalised(keras.layers.Conv2D(channels(8), 3, strides=2, padding="same", use_bias=False)(inputs))
    for output, stride in BLOCKS:
        x = normalised(keras.layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(x))
        x = normalised(keras.layers.Conv2D(channels(output), 1, use_bias=False)(x))
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dropout(dropout)(x)
    return keras.Model(inputs, keras.layers.Dense(classes, activation="softmax")(x), name="mobilenet_v1")
