"""Networks in which training killed filters or layers, and layers that are called twice: every scheme keeps what they compute."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thermo_core.errors import ModelError
from thermo_quantize.choices import Calibrator, Scheme
from thermo_quantize.compiler.compile import compile_model
from thermo_quantize.convert import convert
from thermo_quantize.describe import describe
from thermo_quantize.pipeline import Settings, quantize
from thermo_quantize.ranges import choose, observe
from thermo_quantize.runtimes import Kernels, Runner
from thermo_quantize.samples import Samples
from thermo_quantize.source import Source, from_keras, from_tflite

keras = pytest.importorskip("keras", reason="needs TensorFlow, which the train extra brings")
layers = keras.layers
Network = Callable[[], Any]


def constant(value: float) -> Any:
    return keras.initializers.Constant(value)


DEAD = {"activation": "relu", "bias_initializer": constant(-1e4)}
"""Of a layer whose ReLU is never active."""


def never_active_beside_others() -> Any:
    picture = keras.Input((6, 8, 2))
    joined = layers.Concatenate()([layers.Conv2D(3, 3, **DEAD)(picture), layers.Conv2D(4, 3)(picture)])
    pooled = layers.Concatenate()([layers.MaxPooling2D(2)(joined), layers.AveragePooling2D(2)(joined)])
    return keras.Model(picture, layers.Dense(2, activation="softmax")(layers.Flatten()(pooled)))


def never_active_in_between() -> Any:
    curve = keras.Input((12, 2))
    dead = layers.Conv1D(4, 3, padding="same", **DEAD)(curve)
    dead = layers.Conv1D(4, 3, padding="same", bias_initializer=constant(0.5))(dead)
    alive = layers.Conv1D(4, 3, padding="same")(curve)
    return keras.Model(curve, layers.Dense(2)(layers.GlobalAveragePooling1D()(layers.Add()([dead, alive]))))


def zeros_at_the_end() -> Any:
    numbers = keras.Input((6,))
    return keras.Model(numbers, layers.Dense(3, **DEAD)(layers.Dense(4)(numbers)))


def the_same_at_the_end() -> Any:
    numbers = keras.Input((6,))
    same = layers.Dense(3, kernel_initializer="zeros", bias_initializer=constant(3.0))
    return keras.Model(numbers, same(layers.Dense(4)(numbers)))


def killed_filters() -> Any:
    """Filters of nothing and of next to nothing, as weight decay leaves them, with a bias that the next layer needs."""
    picture = keras.Input((6, 8, 2))
    first, deep = layers.Conv2D(5, 3, activation="relu"), layers.DepthwiseConv2D(3, padding="same")
    last = layers.Conv2DTranspose(3, 2, bias_initializer=constant(0.25))
    model = keras.Model(picture, layers.Dense(2)(layers.Flatten()(last(deep(first(picture))))))
    for layer, channel in ((first, 1), (deep, 0), (last, 2)):
        kernel, bias = layer.get_weights()
        of_channel = np.moveaxis(kernel, 2 if layer is not first else 3, 0)
        of_channel[channel] = 0.0
        of_channel[(channel + 1) % len(of_channel)] *= 1e-30
        bias[:] = np.linspace(0.5, 1.5, len(bias))
        layer.set_weights([kernel, bias])
    return model


def normalised_away() -> Any:
    """A residual branch that starts from nothing, and never learns."""
    picture = keras.Input((6, 8, 2))
    x = layers.Conv2D(4, 3, activation="relu")(picture)
    branch = layers.BatchNormalization(gamma_initializer="zeros")(x)
    return keras.Model(picture, layers.Dense(2)(layers.Flatten()(layers.Add()([x, branch]))))


def called_twice() -> Any:
    """What it takes has another scale in each call, and so has its bias."""
    numbers = keras.Input((6,))
    layer = layers.Dense(6, kernel_initializer=constant(0.2), bias_initializer=constant(2.0))
    return keras.Model(numbers, layer(layers.ReLU()(layer(layer(numbers)))))


def equal_biases() -> Any:
    """Converters keep equal constants once."""
    picture = keras.Input((6, 8, 2))
    first = layers.Conv2D(4, 3, padding="same", bias_initializer=constant(2.0))
    small = layers.Conv2D(4, 3, kernel_initializer=constant(0.001), bias_initializer=constant(2.0))
    return keras.Model(picture, layers.Dense(2)(layers.Flatten()(layers.ReLU()(small(first(picture))))))


NETWORKS: list[Network] = [
    never_active_beside_others,
    never_active_in_between,
    zeros_at_the_end,
    the_same_at_the_end,
    killed_filters,
    normalised_away,
    called_twice,
    equal_biases,
]
WHOLE = (Scheme.INT8, Scheme.INT8_PER_TENSOR, Scheme.INT16X8)


def made(network: Network, name: str = "") -> tuple[Source, np.ndarray[Any, np.dtype[np.float32]]]:
    keras.utils.set_random_seed(1)
    model = network()
    generator = np.random.default_rng(1)
    inputs = generator.normal(size=(24, *model.inputs[0].shape[1:])).astype(np.float32)
    return from_keras(model), {"": inputs, "zeros": 0 * inputs, "constant": 0 * inputs + 5}[name]


def quantised(source: Source, scheme: Scheme, inputs: np.ndarray[Any, np.dtype[np.float32]]) -> bytes:
    ranges = choose(observe(source.float_model, [inputs]), Calibrator.MINMAX)
    return convert(source, scheme, ranges, [ranges[-1].index] if scheme is Scheme.MIXED else ())


def check(source: Source, data: bytes, inputs: np.ndarray[Any, np.dtype[np.float32]]) -> None:
    """The outputs are the float model's but for 4 % of their size, and for 2 % where no activation has 8 bits."""
    exact = Runner(source.float_model, Kernels.REFERENCE).predict([inputs])[0]
    runner = Runner(data, Kernels.REFERENCE, "tflite_runtime")
    off = runner.predict([inputs])[0] - exact
    share = 0.04 if "INT8" in {operator.type for operator in describe(data).operators} else 0.02
    assert np.sqrt(np.mean(off**2)) <= share * np.sqrt(np.mean(exact**2))


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("scheme", [scheme for scheme in Scheme if scheme is not Scheme.QAT])
def test_every_scheme_keeps_what_they_compute(
    reference: Any, host_run: Any, tmp_path: Path, scheme: Scheme, network: Network
) -> None:
    source, inputs = made(network)
    data = quantised(source, scheme, inputs)
    check(source, data, inputs)
    if scheme in (Scheme.INT8, Scheme.INT16X8):
        compiled_is_the_reference(data, inputs, reference, host_run, tmp_path)


@pytest.mark.parametrize("name", ["zeros", "constant"])
@pytest.mark.parametrize("scheme", WHOLE)
def test_an_input_that_is_always_the_same(
    reference: Any, host_run: Any, tmp_path: Path, scheme: Scheme, name: str
) -> None:
    source, inputs = made(never_active_beside_others, name)
    data = quantised(source, scheme, inputs)
    check(source, data, inputs)
    compiled_is_the_reference(data, inputs, reference, host_run, tmp_path)


def compiled_is_the_reference(data: bytes, inputs: Any, reference: Any, host_run: Any, folder: Path) -> None:
    """On what the network was quantised with, and on noise over the whole range of its input."""
    (end,) = Runner(data).inputs
    limits = np.iinfo(end.dtype)
    noise = np.random.default_rng(2).integers(limits.min, limits.max + 1, inputs.shape).astype(end.dtype)
    given = np.concatenate([end.encode(inputs), noise])
    got = host_run(compile_model(data, "net").files, "net", given, folder)
    assert np.array_equal(got, reference(data, given)[0])


@pytest.mark.parametrize("network", [never_active_beside_others, killed_filters])
def test_sixteen_bits_on_an_emulated_m4(
    reference: Any, emulate: Any, emulated: Any, tmp_path: Path, network: Network
) -> None:
    source, inputs = made(network)
    data = quantised(source, Scheme.INT16X8, inputs)
    given = np.random.default_rng(3).integers(-32768, 32768, (3, *inputs.shape[1:])).astype(np.int16)
    [got] = emulate([emulated(compile_model(data, "net", "m4").files, "net", given)], "m4", tmp_path)
    assert np.array_equal(got, reference(data, given)[0])


def test_sixteen_bits_of_a_tflite_file_by_the_pipeline() -> None:
    """No Keras model is needed; the calibrator, which weighs 256 steps, is passed over."""
    source, inputs = made(killed_filters)
    of_file = from_tflite(source.float_model, "net.tflite")
    settings = Settings(scheme=Scheme.INT16X8, calibrator=Calibrator.MSE, count=24)
    result = quantize(of_file, Samples({"x": inputs}), settings)
    check(source, result.model, inputs)
    assert all(one.clipped == 0 for one in result.ranges) and result.to_dict()["calibrator"] == "minmax"


def test_pictures_are_made_larger_by_the_pinned_runtime() -> None:
    """The converter asks for a version of the operator that the runtime has the kernel of, and does not know by its number."""
    picture = keras.Input((6, 8, 2))
    model = keras.Model(picture, layers.Conv2D(2, 3)(layers.UpSampling2D(2)(layers.Conv2D(3, 3)(picture))))
    inputs = np.random.default_rng(1).normal(size=(24, 6, 8, 2)).astype(np.float32)
    source = from_keras(model)
    for scheme in (Scheme.INT8, Scheme.INT8_PER_TENSOR, Scheme.MIXED):
        check(source, quantised(source, scheme, inputs), inputs)


def test_weights_out_of_all_proportion_are_refused_with_what_helps() -> None:
    numbers = keras.Input((6,))
    source = from_keras(
        keras.Model(numbers, layers.Dense(2, kernel_initializer=constant(1e16))(layers.Dense(4)(numbers)))
    )
    inputs = np.random.default_rng(1).normal(size=(24, 6)).astype(np.float32)
    for scheme in WHOLE:
        with pytest.raises(ModelError, match=r"has a scale beyond .*; try another scheme"):
            quantised(source, scheme, inputs)
    check(source, quantised(source, Scheme.DYNAMIC, inputs), inputs)
