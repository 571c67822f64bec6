"""`spot_cnn`: a few plain convolutions, then for each feature the strongest place and the mean, for a small spot anywhere.

A matched filter that does not know where to look takes the largest of its answers over all places; the maximum lets the network
do the same with features it has learnt (max pooling over a map of answers: Oquab et al. 2015, "Is object localization for
free?", CVPR). The mean tells it how uneven the rest is. Plain convolutions of few channels cost a microcontroller fewer
instructions than depthwise-separable ones of more. Input (rows, columns, channels) of any size from 8 x 8, output (classes).
At (24, 32, 1) -> 2, width 1: 15,658 parameters, 923,264 MACs.
"""

from typing import Any

from thermo_models.networks.layers import attend, channels, convolution, head

BLOCKS = ((8, 5, 2), (16, 3, 1), (32, 3, 2), (32, 3, 1))
"""(output channels at width 1, kernel, stride) of each convolution."""


def spot_cnn(
    input_shape: tuple[int, ...],
    outputs: int,
    *,
    width: float = 1.0,
    dropout: float = 0.1,
    attention: str = "none",
    head_kind: str = "softmax",
) -> Any:
    """Build the network as a Keras model; see `networks.build` for the arguments."""
    import keras

    inputs = keras.Input(input_shape)
    x = inputs
    for at_width_one, kernel, stride in BLOCKS:
        x = convolution(x, channels(at_width_one, width), kernel, strides=stride)
    x = attend(x, attention)
    # A pool as large as the map, because microcontroller engines have no maximum over axes.
    strongest = keras.layers.Flatten()(keras.layers.MaxPooling2D(tuple(x.shape[1:3]))(x))
    both = keras.layers.Concatenate()([strongest, keras.layers.GlobalAveragePooling2D()(x)])
    return keras.Model(inputs, head(both, outputs, head_kind, dropout), name="spot_cnn")
