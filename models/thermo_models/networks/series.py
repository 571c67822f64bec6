"""`series_cnn`: a few slow signals side by side, by 1-D separable convolutions of height 1.

After Bai et al. 2018 (arXiv:1803.01271), without dilation: the series is short.
Input (1, steps, signals), output (classes).
At (1, 24, 6) -> 1, width 1: 1,193 parameters, 11,352 MACs.
"""

from typing import Any

from thermo_models.networks.layers import attend, channels, convolution, network, separable


@network(dropout=0.3, head_kind="sigmoid")
def series_cnn(x: Any, width: float, attention: str) -> Any:
    """Features; see `networks.build` for the arguments."""
    import keras

    x = convolution(x, channels(16, width), (1, 5), strides=(1, 2))
    x = separable(x, channels(24, width), (1, 5))
    return keras.layers.GlobalAveragePooling2D()(attend(x, attention))
