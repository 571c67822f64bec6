"""Keras model -> fully int8 .tflite, with the input and output contracts read back from the result."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray


def to_int8(model: Any, calibration: NDArray[np.float32]) -> bytes:
    """Quantise weights per channel and activations per tensor to int8, input and output included.

    Args:
        model: a built Keras model with one input and one output.
        calibration: (N, rows, columns, channels) float32 inputs that set the activation ranges.

    Returns:
        The .tflite file.
    """
    import tensorflow as tf

    def representative() -> Iterator[list[NDArray[np.float32]]]:
        for sample in calibration:
            yield [sample[np.newaxis].astype(np.float32)]

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    return bytes(converter.convert())
