"""`dense_residual`: a straight line beside one hidden layer, for tables of a few dozen numbers (after He et al. 2016).

Input (1, 1, features), output (quantities).
At (1, 1, 60) -> 1, width 1: 15,933 parameters, 15,676 MACs.
"""

from typing import Any

from thermo_models.networks.layers import attend, channels

UNITS = 256
"""Hidden units at width 1."""


def dense_residual(
    input_shape: tuple[int, ...],
    outputs: int,
    *,
    width: float = 1.0,
    dropout: float = 0.2,
    attention: str = "none",
    head_kind: str = "linear",
) -> Any:
    """Build the network as a Keras model; see `networks.build` for the arguments."""
    import keras

    inputs = keras.Input(input_shape)
    x = keras.layers.Flatten()(attend(inputs, attention))
    hidden = keras.layers.Dense(channels(UNITS, width), activation="relu")(x)
    hidden = keras.layers.Dropout(dropout)(hidden)
    both = keras.layers.Concatenate()([x, hidden])
    outputs_layer = keras.layers.Dense(outputs, activation=head_kind)(both)
    return keras.Model(inputs, outputs_layer, name="dense_residual")
