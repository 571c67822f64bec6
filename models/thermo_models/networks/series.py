"""`series_cnn`: a few slow signals side by side, by 1-D separable convolutions of height 1.

After Bai et al. 2018 (arXiv:1803.01271), without dilation: the series is short.
Input (1, steps, signals), output (classes).
At (1, 24, 6) -> 1, width 1: 1,193 parameters, 11,352 MACs.
"""

from typing import Any

from thermo_models.networks.layers import attend, channels, convolution, head, separable


def series_cnn(
    input_shape: tuple[int, ...],
    outputs: int,
    *,
    width: float = 1.0,
    dropout: float = 0.3,
    attention: str = "none",
    head_kind: str = "sigmoid",
) -> Any:
    """Build the network as a Keras model; see `networks.build` for the arguments."""
    import keras

    inputs = keras.Input(input_shape)
    x = convolution(inputs, channels(16, width), (1, 5), strides=(1, 2))
    x = separable(x, channels(24, width), (1, 5))
    x = keras.layers.GlobalAveragePooling2D()(attend(x, attention))
    return keras.Model(inputs, head(x, outputs, head_kind, dropout), name="series_cnn")
