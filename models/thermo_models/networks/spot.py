"""`spot_cnn`: a few plain convolutions, then for each feature the strongest place and the mean, for a small spot anywhere.

A matched filter that does not know where to look takes the largest of its answers over all places; the maximum lets the network
do the same with features it has learnt (max pooling over a map of answers: Oquab et al. 2015, "Is object localization for
free?", CVPR). The mean tells it how uneven the rest is. Plain convolutions of few channels cost a microcontroller fewer
instructions than depthwise-separable ones of more. Input (rows, columns, channels) of any size from 8 x 8, output (classes).
At (24, 32, 1) -> 2, width 1: 15,658 parameters, 923,264 MACs.
"""

from typing import Any

from thermo_models.networks.layers import attend, channels, convolution, network

BLOCKS = ((8, 5, 2), (16, 3, 1), (32, 3, 2), (32, 3, 1))
"""(output channels at width 1, kernel, stride) of each convolution."""


@network(dropout=0.1)
def spot_cnn(x: Any, width: float, attention: str) -> Any:
    """Features; see `networks.build` for the arguments."""
    import keras

    for at_width_one, kernel, stride in BLOCKS:
        x = convolution(x, channels(at_width_one, width), kernel, strides=stride)
    x = attend(x, attention)
    # A pool as large as the map, because microcontroller engines have no maximum over axes.
    strongest = keras.layers.Flatten()(keras.layers.MaxPooling2D(tuple(x.shape[1:3]))(x))
    return keras.layers.Concatenate()([strongest, keras.layers.GlobalAveragePooling2D()(x)])
