"""`fusion_cnn`: a branch for pictures and one for time series (thermistors, heart rate, motion), joined late.

Late fusion after Ngiam et al. 2011 (Multimodal Deep Learning). Inputs (rows, columns, channels) and (1, steps, signals),
output (classes).
At (24, 32, 1) and (1, 60, 6) -> 2, width 1: 3,890 parameters, 57,376 MACs.
"""

from typing import Any

from thermo_models.networks.layers import attend, channels, convolution, head, separable

SERIES_SHAPE = (1, 60, 6)
"""A minute at 1 Hz of four thermistors, heart rate and motion."""


def fusion_cnn(
    input_shape: tuple[int, ...],
    outputs: int,
    *,
    series_shape: tuple[int, int, int] = SERIES_SHAPE,
    width: float = 1.0,
    dropout: float = 0.2,
    attention: str = "none",
    head_kind: str = "softmax",
) -> Any:
    """Build the network as a Keras model of two inputs, "picture" and "series".

    See `networks.build` for the arguments; `series_shape` is (1, steps, signals).
    """
    import keras

    picture = keras.Input(input_shape, name="picture")
    x = convolution(picture, channels(8, width), 3, strides=2)
    x = separable(x, channels(16, width), strides=2)
    x = keras.layers.GlobalAveragePooling2D()(attend(separable(x, channels(32, width), strides=2), attention))
    series = keras.Input(series_shape, name="series")
    y = convolution(series, channels(16, width), (1, 5), strides=(1, 2))
    y = keras.layers.GlobalAveragePooling2D()(attend(separable(y, channels(16, width), (1, 5)), attention))
    both = keras.layers.Dense(channels(32, width), activation="relu")(keras.layers.Concatenate()([x, y]))
    return keras.Model([picture, series], head(both, outputs, head_kind, dropout), name="fusion_cnn")
