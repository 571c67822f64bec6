"""`time_constant_cnn`: a temperature-time curve to the constants of a Foster network, by 1-D convolutions of height 1.

After the idea of Strakowska & Strzelecki 2023 (a CNN trained on synthetic curves); their layers are not public, so these are
not theirs. Input (1, samples, channels), output (quantities, linear).
At (1, 64, 3) -> 15, width 1: 106,199 parameters, 228,000 MACs.
"""

from typing import Any

from thermo_models.networks.layers import attend, channels, convolution

FILTERS = (24, 32, 48)
"""Channels at width 1 of the convolutions, each of stride 2 along time."""


def time_constant_cnn(
    input_shape: tuple[int, ...],
    outputs: int,
    *,
    width: float = 1.0,
    dropout: float = 0.0,
    attention: str = "none",
    head_kind: str = "linear",
) -> Any:
    """Build the network as a Keras model; see `networks.build` for the arguments."""
    import keras

    inputs = keras.Input(input_shape)
    x = inputs
    for at_width_one in FILTERS:
        x = convolution(x, channels(at_width_one, width), (1, 5), strides=(1, 2))
    x = keras.layers.Flatten()(attend(x, attention))
    x = keras.layers.Dropout(dropout)(keras.layers.Dense(channels(192, width), activation="relu")(x))
    x = keras.layers.Dense(channels(96, width), activation="relu")(x)
    return keras.Model(inputs, keras.layers.Dense(outputs, activation=head_kind)(x), name="time_constant_cnn")
