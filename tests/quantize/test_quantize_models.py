"""Models of all makes through the pipeline: trained with quantisation, of several inputs, and those that are refused by name."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from spotted import spots

from thermo_core.errors import ModelError
from thermo_core.tflite.verify import verify_model
from thermo_quantize import qat
from thermo_quantize.choices import Scheme
from thermo_quantize.convert import convert
from thermo_quantize.describe import describe
from thermo_quantize.layers import measure
from thermo_quantize.pipeline import Settings, quantize
from thermo_quantize.runtimes import Runner
from thermo_quantize.samples import Samples
from thermo_quantize.source import from_keras, load_source

keras = pytest.importorskip("keras", reason="needs TensorFlow, which the train extra brings")


def test_the_dynamic_scheme_runs_with_a_single_output_too() -> None:
    """The converter asks for a kernel that the oracle has not where a large layer has one output."""
    inputs = keras.Input((96,))
    model = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Dense(1200, activation="relu")(inputs)))
    x = np.random.default_rng(0).normal(size=(16, 96)).astype(np.float32)
    source = from_keras(model)
    data = convert(source, Scheme.DYNAMIC)
    assert len(data) < len(source.float_model) / 3
    exact = Runner(source.float_model).predict([x])[0]
    assert np.max(np.abs(Runner(data).predict([x])[0] - exact)) < 0.05 * np.std(exact)


def test_training_with_quantisation_follows_the_float_model() -> None:
    """Two branches with the layers of all our networks: residual, attention, batch normalisation, one dimension, and a layer
    that is called twice, whose weights stay shared.
    """
    layers = keras.layers
    keras.utils.set_random_seed(3)
    picture, curve = keras.Input((12, 16, 1), name="picture"), keras.Input((40, 1), name="curve")
    a = layers.ReLU(6.0)(layers.BatchNormalization()(layers.Conv2D(8, 3, strides=2, padding="same")(picture)))
    a = layers.Add()([a, layers.DepthwiseConv2D(3, padding="same", activation="relu")(a)])
    gate = layers.Dense(8, activation="sigmoid")(layers.GlobalAveragePooling2D(keepdims=True)(a))
    a = layers.GlobalAveragePooling2D()(layers.Multiply()([a, gate]))
    b = layers.MaxPooling1D(2)(layers.Conv1D(6, 5, activation="relu")(curve))
    twice = layers.Dense(5, name="twice")
    b = layers.GlobalAveragePooling1D()(b)
    both = layers.Concatenate()([a, twice(b), twice(layers.ReLU()(b))])
    source = from_keras(keras.Model([picture, curve], layers.Dense(2, activation="softmax")(both)))
    generator = np.random.default_rng(0)
    x = [spots(48, 6)[0], generator.normal(size=(48, 40, 1)).astype(np.float32)]
    exact = Runner(source.float_model).predict(x)
    data = qat.train(source, x, exact, qat.Tuning(epochs=1, learning_rate=1e-4, batch=16))
    found = Runner(data).predict(x)
    assert float(np.sqrt(np.mean((found[0] - exact[0]) ** 2))) < 0.05
    dense = [op.inputs[1] for op in verify_model(data).model.operators if op.name == "FULLY_CONNECTED"]
    assert len({weights.data for weights in dense if weights is not None and weights.shape == (5, 6)}) == 1
    assert sum(weights is not None and weights.shape == (5, 6) for weights in dense) == 2
    assert {operator.type for operator in describe(data).operators} == {"INT8"}


def test_training_takes_a_sequential_model_as_users_have_it(tmp_path: Path) -> None:
    """Trained and saved, its layers were called in several graphs; its normalisation folds into no weights; its values are
    small, so that tfmot's ranges, which begin at -6 to 6, would leave them two of 256 steps after a short training.
    """
    layers = keras.layers
    keras.utils.set_random_seed(5)
    first = [layers.Conv2D(4, 3, activation="relu"), layers.BatchNormalization(), layers.GlobalAveragePooling2D()]
    model = keras.Sequential([keras.Input((12, 16, 1)), *first, layers.Dropout(0.5), layers.Dense(2)])
    model.compile("sgd", "mse")
    x, y = spots(64, 6)
    x *= 0.02
    model.fit(x, np.eye(2)[y], epochs=1, verbose=0)
    model.save(tmp_path / "net.keras")
    source = load_source(tmp_path / "net.keras")
    exact = Runner(source.float_model).predict([x])
    data = qat.train(source, [x], exact, qat.Tuning(epochs=1))
    assert Runner(data).inputs[0].scale == pytest.approx(np.ptp(x) / 255, rel=0.02)
    noise = measure(source.float_model, data, [x])
    assert {one.kind for one in noise} >= {"CONV_2D", "MEAN", "FULLY_CONNECTED"}
    assert min(one.own_db for one in noise if one.own_db is not None) > 25
    error = Runner(data).predict([x])[0] - exact[0]
    assert float(np.sqrt(np.mean(error**2))) < 0.1 * float(np.std(exact[0]))


def test_training_names_a_layer_it_cannot_do() -> None:
    inputs = keras.Input((12, 4))
    source = from_keras(keras.Model(inputs, keras.layers.DepthwiseConv1D(3, name="odd_one")(inputs)))
    x = np.random.default_rng(0).normal(size=(8, 12, 4)).astype(np.float32)
    with pytest.raises(ModelError, match=r"odd_one.* cannot be trained with quantisation"):
        qat.train(source, [x], Runner(source.float_model).predict([x]), qat.Tuning(epochs=1))


def test_models_that_cannot_run_are_refused_by_name(tmp_path: Path) -> None:
    inputs = keras.Input((8,))
    layers = keras.layers
    wavy = layers.Dense(2)(layers.Activation(keras.ops.sin, name="wavy")(layers.Dense(4)(inputs)))
    with pytest.raises(ModelError, match=r"net has the operator SIN in layer 'wavy'"):
        from_keras(keras.Model(inputs, wavy), "net")
    series = keras.Input((6, 2))
    with pytest.raises(ModelError, match=r"graphs for WHILE, as loops and recurrent layers have"):
        from_keras(keras.Model(series, layers.LSTM(3)(series)))
    unrolled = from_keras(keras.Model(series, layers.LSTM(3, unroll=True)(series)))  # as the sentence says
    assert verify_model(unrolled.float_model).model.operators
    pictures = keras.Input((None, None, 1), name="any_size")
    with pytest.raises(ModelError, match=r"has the dynamic shape .* at its input 'any_size'"):
        from_keras(keras.Model(pictures, keras.layers.Conv2D(2, 3)(pictures)))
    for name in ("cut.keras", "cut.h5"):
        (tmp_path / name).write_bytes(b"PK\x03\x04 not all of it")
        with pytest.raises(ModelError, match=rf"{name} is not a Keras model or is damaged"):
            load_source(tmp_path / name)
    (tmp_path / "net.onnx").write_bytes(b"no model of ours")
    with pytest.raises(ModelError, match=r"net\.onnx is no model"):
        load_source(tmp_path / "net.onnx")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"without saved_model\.pb"):
        load_source(tmp_path / "empty")


def test_models_whose_code_is_not_in_the_file_are_sent_to_export(tmp_path: Path) -> None:
    """A subclassed model cannot be loaded without its class; its exported SavedModel can."""

    class Own(keras.Model):  # type: ignore[misc,name-defined]
        def __init__(self, **others: Any) -> None:
            super().__init__(**others)
            self.conv = keras.layers.Conv2D(4, 3, activation="relu", name="first")
            self.last = keras.layers.Dense(2)

        def call(self, x: Any) -> Any:
            return self.last(keras.ops.mean(self.conv(x), axis=(1, 2)))

    own = Own()
    x, _ = spots(6, 1)
    expected = own(x).numpy()
    own.save(tmp_path / "own.keras")
    with pytest.raises(ModelError, match=r"needs the class 'Own'.*model\.export"):
        load_source(tmp_path / "own.keras")
    own.export(tmp_path / "saved", verbose=False)
    source = load_source(tmp_path / "saved")
    assert np.allclose(Runner(source.float_model).predict([x])[0], expected, atol=1e-5)
    result = quantize(source, Samples({"x": spots(40, 2)[0]}), Settings(count=16))
    assert any(one.layer.startswith("first") for one in result.noise)


def test_a_model_that_takes_and_gives_maps_is_quantised_by_its_input_names() -> None:
    layers = keras.layers
    picture, more = keras.Input((12, 16, 1), name="picture"), keras.Input((4,), name="more")
    joined = layers.Concatenate()([layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(picture)), more])
    model = keras.Model({"z": picture, "a": more}, {"verdict": layers.Dense(2)(joined)})
    samples = {"picture": spots(24, 1)[0], "more": np.random.default_rng(0).normal(size=(24, 4)).astype(np.float32)}
    expected = model({"z": samples["picture"], "a": samples["more"]})["verdict"].numpy()
    source = from_keras(model)
    runner = Runner(source.float_model)
    arrays = Samples(samples).ordered([end.name for end in runner.inputs], [end.shape for end in runner.inputs])
    assert np.allclose(runner.predict(arrays)[0], expected, atol=1e-5)
    result = quantize(source, Samples(samples), Settings(count=24))
    assert result.contract is not None
    assert set(result.contract["inputs"]) == {"picture", "more"}


def test_a_layer_that_gives_zeros_alone_does_not_stop_it() -> None:
    inputs = keras.Input((12, 16, 1))
    dead = keras.layers.Conv2D(4, 3, activation="relu", kernel_initializer="zeros")(inputs)
    alive = keras.layers.Conv2D(4, 3, activation="relu")(inputs)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Add()([dead, alive]))
    result = quantize(
        from_keras(keras.Model(inputs, keras.layers.Dense(2)(x))), Samples({"x": spots(24, 1)[0]}), Settings()
    )
    assert result.noise[-1].accumulated_db > 20


def test_half_precision_is_refused_by_its_layer() -> None:
    inputs = keras.Input((8,), dtype="float16")
    half = keras.layers.Dense(2, dtype="mixed_float16", name="halved")
    with pytest.raises(ModelError, match=r"computes in float16 in layer 'halved'"):
        from_keras(keras.Model(inputs, half(inputs)))


def test_an_open_number_of_samples_is_taken_for_one(tmp_path: Path) -> None:
    import tensorflow as tf

    inputs = keras.Input((4, 4, 1))
    model = keras.Model(inputs, keras.layers.Dense(2)(keras.layers.Flatten()(inputs)))
    (tmp_path / "open.tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())
    x = np.random.default_rng(1).normal(size=(6, 4, 4, 1)).astype(np.float32)
    got = Runner(load_source(tmp_path / "open.tflite").float_model).predict([x])[0]
    assert np.allclose(got, model.predict(x, verbose=0), atol=1e-5)
