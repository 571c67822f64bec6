"""A small residual network (He et al. 2016, arXiv:1512.03385), three stages of one basic block.

Input (rows, columns, channels) of any size from 8 x 8, output (classes).
At (24, 32, 1) -> 2, width 1: 19,882 parameters, 579,136 MACs.
"""

from typing import Any

from thermo_models.networks.layers import attend, channels, convolution, network, normalised

STAGES = ((8, 1), (16, 2), (32, 2))
"""(channels at width 1, stride of the stage's block)."""


@network()
def resnet_small(x: Any, width: float, attention: str) -> Any:
    """Features; see `networks.build` for the arguments."""
    import keras

    x = convolution(x, channels(8, width), 3, strides=2)
    for at_width_one, stride in STAGES:
        count = channels(at_width_one, width)
        block = convolution(x, count, 3, strides=stride)
        block = normalised(keras.layers.Conv2D(count, 3, padding="same", use_bias=False)(block), relu=False)
        if stride != 1 or x.shape[-1] != count:
            x = normalised(keras.layers.Conv2D(count, 1, strides=stride, use_bias=False)(x), relu=False)
        x = keras.layers.ReLU(6.0)(keras.layers.Add()([x, attend(block, attention)]))
    return keras.layers.GlobalAveragePooling2D()(x)
