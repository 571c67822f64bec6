"""Ordinary Keras 3 layers by TensorFlow's own conversion to int8, as tutorials have it: accepted, compiled, exact."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thermo_core.tflite.reader import read_model
from thermo_core.tflite.verify import verify_model
from thermo_quantize.choices import Calibrator, Scheme
from thermo_quantize.compiler.compile import compile_model
from thermo_quantize.convert import convert
from thermo_quantize.layers import measure
from thermo_quantize.quiet import quiet
from thermo_quantize.ranges import choose, observe
from thermo_quantize.source import from_tflite, import_tensorflow

Layers = Any


def sequence(shape: tuple[int, ...], build: Callable[[Layers], list[Any]]) -> Callable[[Any], Any]:
    def model(keras: Any) -> Any:
        inputs = x = keras.Input(shape)
        for layer in build(keras.layers):
            x = layer(x)
        return keras.Model(inputs, x)

    return model


def attention(keras: Any) -> Any:
    layers = keras.layers
    inputs = keras.Input((10, 8))
    query, key, value = (layers.Dense(8)(inputs) for _ in range(3))
    return keras.Model(
        inputs, layers.Dense(2)(layers.GlobalAveragePooling1D()(layers.Attention()([query, value, key])))
    )


def pairs(keras: Any) -> Any:
    layers = keras.layers
    inputs = keras.Input((8, 8, 4))
    first, second, third = (layers.Conv2D(4, 1)(inputs) for _ in range(3))
    x = layers.Average()([layers.Maximum()([first, second]), layers.Minimum()([second, third])])
    return keras.Model(inputs, layers.Conv2D(2, 1)(x))


MODELS: dict[str, Callable[[Any], Any]] = {
    "flatten": sequence((12, 16, 2), lambda L: [L.Conv2D(4, 3), L.Flatten(), L.Dense(5)]),
    "reshape": sequence((24,), lambda L: [L.Dense(24), L.Reshape((4, 6)), L.Conv1D(3, 3), L.Flatten(), L.Dense(2)]),
    "conv1d": sequence(
        (40, 3),
        lambda L: [
            L.Conv1D(8, 5, activation="relu"), L.BatchNormalization(), L.MaxPooling1D(2), L.Conv1D(8, 3, dilation_rate=2),
            L.GlobalMaxPooling1D(), L.Dense(3, activation="softmax"),
        ],
    ),
    "separable": sequence(
        (40, 4),
        lambda L: [L.DepthwiseConv1D(3, padding="same"), L.SeparableConv1D(6, 3), L.AveragePooling1D(2), L.Flatten(), L.Dense(2)],
    ),
    "transposed1d": sequence((20, 4), lambda L: [L.Conv1DTranspose(5, 4, strides=2, padding="same"), L.Conv1D(3, 3)]),
    "transposed": sequence((8, 8, 4), lambda L: [L.Conv2DTranspose(5, 3, strides=2, padding="same"), L.Conv2D(3, 1)]),
    "rows": sequence((10, 8), lambda L: [L.Dense(6, activation="relu"), L.Dense(3)]),
    "groups": sequence((8, 8, 4), lambda L: [L.Conv2D(8, 3, groups=2, padding="same"), L.Flatten(), L.Dense(3)]),
    "largest": sequence((8, 8, 4), lambda L: [L.Conv2D(4, 3), L.GlobalMaxPooling2D(), L.Dense(3)]),
    "slopes": sequence((8, 8, 4), lambda L: [L.Conv2D(4, 3), L.PReLU(), L.Conv2D(4, 1), L.PReLU(shared_axes=[1, 2])]),
    "gelu": sequence((8, 8, 4), lambda L: [L.Conv2D(4, 3), L.Activation("gelu"), L.Conv2D(2, 1)]),
    "normalised": sequence((10, 8), lambda L: [L.Dense(8), L.LayerNormalization(), L.Dense(2)]),
    "unit": sequence((8,), lambda L: [L.Dense(8), L.UnitNormalization(), L.Dense(2)]),
    "recurrent": sequence((6, 4), lambda L: [L.LSTM(5, unroll=True), L.Dense(2)]),
    "gated": sequence((6, 4), lambda L: [L.GRU(5, unroll=True), L.Dense(2)]),
    "each": sequence(
        (5, 8, 8, 2),
        lambda L: [L.TimeDistributed(L.Conv2D(3, 3)), L.TimeDistributed(L.Flatten()), L.GlobalAveragePooling1D()],
    ),
    "attention": attention,
    "pairs": pairs,
}  # fmt: skip


def converted(build: Callable[[Any], Any]) -> bytes:
    tf = import_tensorflow()
    import keras

    keras.utils.set_random_seed(1)
    model, generator = build(keras), np.random.default_rng(0)
    shape = model.inputs[0].shape[1:]
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [generator.normal(size=(1, *shape)).astype(np.float32)] for _ in range(8)
    )
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    with warnings.catch_warnings(), quiet():
        warnings.simplefilter("ignore")
        return bytes(converter.convert())


def test_a_float_file_with_an_open_number_of_samples_goes_all_the_way(
    reference: Any, host_run: Any, tmp_path: Path
) -> None:
    """Its shapes are not quantised, and no layer's noise is asked of them."""
    pytest.importorskip("tensorflow", reason="needs TensorFlow, which the train extra brings")
    tf = import_tensorflow()
    import keras

    build = sequence(
        (12, 8), lambda L: [L.Conv1D(4, 3), L.Flatten(), L.Dense(8), L.Reshape((2, 4)), L.Dense(3, name="last")]
    )
    with quiet():
        data = bytes(tf.lite.TFLiteConverter.from_keras_model(build(keras)).convert())
    assert "SHAPE" in [operator.name for operator in read_model(data).operators]
    samples = [np.random.default_rng(1).normal(size=(16, 12, 8)).astype(np.float32)]
    source = from_tflite(data, "net.tflite")
    int8 = convert(source, Scheme.INT8, choose(observe(data, samples), Calibrator.MINMAX))
    found = {layer.kind: layer.own_db for layer in measure(data, int8, samples) if layer.own_db is not None}
    assert min(found.values()) > 25 and {"CONV_2D", "FULLY_CONNECTED"} <= set(found) and "SHAPE" not in found
    inputs = np.random.default_rng(3).integers(-128, 128, (6, 12, 8)).astype(np.int8)
    got = host_run(compile_model(int8, "net").files, "net", inputs, tmp_path)
    assert np.array_equal(got, reference(int8, inputs)[0])


@pytest.mark.parametrize("name", MODELS)
def test_compiled_as_the_runtime_computes_them(reference: Any, host_run: Any, tmp_path: Path, name: str) -> None:
    pytest.importorskip("tensorflow", reason="needs TensorFlow, which the train extra brings")
    model = converted(MODELS[name])
    verify_model(model)
    shape = read_model(model).inputs[0].shape
    inputs = np.random.default_rng(3).integers(-128, 128, (6, *shape[1:])).astype(np.int8)
    got = host_run(compile_model(model, "net").files, "net", inputs, tmp_path)
    assert np.array_equal(got, reference(model, inputs)[0])
