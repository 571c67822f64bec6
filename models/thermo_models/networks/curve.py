"""`time_constant_cnn`: a temperature-time curve to the constants of a Foster network, by 1-D convolutions of height 1.

After the idea of Strakowska & Strzelecki 2023 (a CNN trained on synthetic curves); their layers are not public, so these are
not theirs. Input (1, steps, channels): a curve in bins, or, with one step, its projections (`projection.py`), which need no
convolution over time. Output (quantities, linear). The layers after those are 1 x 1 convolutions over all that is left: unlike
fully connected layers they have a weight scale for each unit in int8.
At (1, 1, 54) -> 15, width 1: 195,599 parameters, 194,720 MACs.
"""

from typing import Any

from thermo_models.networks.layers import attend, channels, convolution

FILTERS = (24, 32, 48)
"""Channels at width 1 of the convolutions, each of stride 2 along time."""
HIDDEN = (320, 320, 224)
"""Units at width 1 of the layers after those."""


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
    if input_shape[1] > 1:
        for at_width_one in FILTERS:
            x = convolution(x, channels(at_width_one, width), (1, 5), strides=(1, 2))
        x = keras.layers.Reshape((1, 1, -1))(attend(x, attention))
    for at_width_one in HIDDEN:
        x = keras.layers.Conv2D(channels(at_width_one, width), 1, activation="relu", kernel_initializer="he_normal")(x)
    if dropout:
        x = keras.layers.Dropout(dropout)(x)
    x = keras.layers.Conv2D(outputs, 1, activation=head_kind)(x)
    return keras.Model(inputs, keras.layers.Flatten()(x), name="time_constant_cnn")
