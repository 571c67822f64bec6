"""Plain stacks of convolutions.

`custom_cnn` has 5 to 10 of 3 x 3 (after Simonyan & Zisserman 2015, arXiv:1409.1556), `cnn2d_shallow` two (after LeNet-5, LeCun et al. 1998).

Input (rows, columns, channels) of any size from 8 x 8, output (classes).
custom_cnn at (24, 32, 1) -> 2, width 1: 18,442 parameters, 456,256 MACs.
cnn2d_shallow at (24, 32, 1) -> 2, width 1: 5,034 parameters, 769,536 MACs.
"""

from typing import Any

from thermo_core.errors import UsageError
from thermo_models.networks.layers import attend, channels, convolution, network

SMALLEST_PICTURE = 4
"""Rows or columns below which `custom_cnn` halves no further."""


@network()
def custom_cnn(x: Any, width: float, attention: str, depth: int = 6) -> Any:
    """Build a stack of `depth` 3 x 3 convolutions that halves the picture every second one.

    See `networks.build` for the arguments; `depth` is from 5 to 10.

    Raises:
        UsageError: the depth is out of range.
    """
    import keras

    if not 5 <= depth <= 10:
        raise UsageError(f"A custom_cnn of {depth} convolutions is not offered, so give a depth from 5 to 10.")
    for layer in range(depth):
        halve = layer % 2 == 0 and min(x.shape[1:3]) > SMALLEST_PICTURE
        x = convolution(x, channels(8 * 2 ** min(2, layer // 2), width), 3, strides=2 if halve else 1)
    return keras.layers.GlobalAveragePooling2D()(attend(x, attention))


@network()
def cnn2d_shallow(x: Any, width: float, attention: str) -> Any:
    """Build two 5 x 5 convolutions with average pooling; see `networks.build` for the arguments."""
    import keras

    x = keras.layers.AveragePooling2D(2)(convolution(x, channels(8, width), 5))
    x = keras.layers.AveragePooling2D(2)(convolution(x, channels(16, width), 5))
    return keras.layers.Flatten()(attend(x, attention))
