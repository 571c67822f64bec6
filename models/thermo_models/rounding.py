"""Fine-tunes a chain of dense layers while eight-bit rounding is simulated, with the ranges post-training conversion will choose.

Straight-through gradients (Jacob et al. 2018, arXiv:1712.05877). `thermo_quantize.qat` does this for any Keras model but learns
from fixed inputs; this one takes new ones at each step, for tasks whose data are made.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Batch = tuple[NDArray[np.float32], NDArray[np.float32]]
RANGES_EVERY = 100
"""Steps after which activation ranges are observed anew."""


def is_chain(network: Any) -> bool:
    """Whether `tune` knows all layers: 1 x 1 convolutions over one place, with bias, linear or ReLU."""
    return tuple(network.input_shape[1:3]) == (1, 1) and all(
        type(layer).__name__ in ("InputLayer", "Flatten", "Dropout")
        or (type(layer).__name__ == "Conv2D" and layer.use_bias and layer.activation.__name__ in ("linear", "relu"))
        for layer in network.layers
    )


def tune(
    network: Any,
    loss: Callable[[Any, Any], Any],
    batch: Callable[[], Batch],
    calibration: NDArray[np.float32],
    steps: int,
    rate: float,
) -> None:
    """Train in place.

    Args:
        network: for which `is_chain` holds.
        loss: as Keras takes it.
        batch: new scaled inputs (n, 1, 1, channels) and targets.
        calibration: (n, 1, 1, channels) inputs that will set the activation ranges.
        steps: of training.
        rate: first learning rate; it falls to zero by a cosine.
    """
    import keras
    import tensorflow as tf

    layers = [layer for layer in network.layers if type(layer).__name__ == "Conv2D"]
    relu = [layer.activation.__name__ == "relu" for layer in layers]
    weights = [tf.Variable(layer.get_weights()[0][0, 0]) for layer in layers]
    biases = [tf.Variable(layer.get_weights()[1]) for layer in layers]
    tops = [tf.Variable(1.0, trainable=False) for _ in layers]
    bottoms = [tf.Variable(0.0, trainable=False) for _ in layers]
    rounded = tf.quantization.fake_quant_with_min_max_vars
    by_channel = tf.quantization.fake_quant_with_min_max_vars_per_channel

    def outputs(x: Any, observed: list[Any] | None = None) -> Any:
        x = rounded(x, -1.0, 1.0)
        for n, (kernel, bias) in enumerate(zip(weights, biases, strict=True)):
            most = tf.stop_gradient(tf.reduce_max(tf.abs(kernel), 0))
            x = x @ by_channel(kernel, -most, most, 8, narrow_range=True) + bias
            x = tf.nn.relu(x) if relu[n] else x
            if observed is not None:
                observed.append((tf.minimum(tf.reduce_min(x), 0.0), tf.maximum(tf.reduce_max(x), 1e-6)))
            # The last layer's rounding is left to the copies a task makes of it.
            if n < len(layers) - 1:
                x = rounded(x, bottoms[n], tops[n])
        return x

    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, steps))
    optimizer.build(weights + biases)

    @tf.function  # type: ignore[untyped-decorator, unused-ignore]
    def step(x: Any, y: Any) -> None:
        with tf.GradientTape() as tape:
            value = tf.reduce_mean(loss(y, outputs(x)))
        gradients, _ = tf.clip_by_global_norm(tape.gradient(value, weights + biases), 1.0)
        optimizer.apply_gradients(zip(gradients, weights + biases, strict=True))

    seen = tf.constant(calibration.reshape(len(calibration), -1))
    for number in range(steps):
        if number % RANGES_EVERY == 0:
            # Twice: a layer's range depends on the rounding of those before it.
            for _ in range(2):
                found: list[Any] = []
                outputs(seen, found)
                for n, (low, high) in enumerate(found):
                    bottoms[n].assign(low)
                    tops[n].assign(high)
        inputs, targets = batch()
        step(tf.constant(inputs.reshape(len(inputs), -1)), tf.constant(targets))
    for layer, kernel, bias in zip(layers, weights, biases, strict=True):
        layer.set_weights([kernel.numpy()[np.newaxis, np.newaxis], bias.numpy()])
