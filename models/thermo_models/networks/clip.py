"""`clip_cnn`: a clip's pictures as channels through depthwise-separable blocks (after Howard et al. 2017, arXiv:1704.04861).

Input (rows, columns, pictures) of any size from 8 x 8, output (classes).
At (16, 16, 16) -> 8, width 1: 29,872 parameters, 659,072 MACs.
"""

from typing import Any

from thermo_models.networks.layers import attend, channels, convolution, network, separable

STEM = 24
BLOCKS = ((48, 1), (64, 2), (96, 1), (112, 1))
"""(output channels at width 1, stride) of each depthwise-separable block."""


@network()
def clip_cnn(x: Any, width: float, attention: str) -> Any:
    """Features; see `networks.build` for the arguments."""
    import keras

    x = convolution(x, channels(STEM, width), 3, strides=2)
    for at_width_one, stride in BLOCKS:
        x = separable(x, channels(at_width_one, width), strides=stride)
    return keras.layers.GlobalAveragePooling2D()(attend(x, attention))
