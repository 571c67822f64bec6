"""Training with simulated rounding, and numbers said several times: both make int8 finer, as the reference kernels see it."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from thermo_core.tflite.interpreter import Int8Network
from thermo_models import networks, rounding
from thermo_models.tasks import time_constants
from thermo_quantize.convert import to_int8

keras = pytest.importorskip("keras")


def _inputs(count: int, seed: int) -> NDArray[Any]:
    return np.random.default_rng(seed).uniform(-1, 1, (count, 1, 1, 6)).astype(np.float32)


def _int8_error(network: object, truth: NDArray[Any], inputs: NDArray[Any]) -> float:
    said = Int8Network(to_int8(network, _inputs(256, 1))).predict([inputs])
    return float(np.abs(said - truth).mean())


def _right(inputs: NDArray[Any]) -> NDArray[Any]:
    x = inputs[:, 0, 0]
    return np.stack([x[:, 0] - x[:, 1], np.abs(x[:, 2]), x[:, 3] * x[:, 4]], axis=1)


def test_tuning_teaches_the_int8_network() -> None:
    keras.utils.set_random_seed(0)
    network = networks.build("time_constant_cnn", (1, 1, 6), 3, width=0.1)
    rng = np.random.default_rng(2)

    def batch() -> rounding.Batch:
        inputs = rng.uniform(-1, 1, (128, 1, 1, 6)).astype(np.float32)
        return inputs, _right(inputs)

    unseen = _inputs(300, 3)
    before = _int8_error(network, _right(unseen), unseen)
    rounding.tune(network, lambda y, said: keras.ops.abs(y - said), batch, _inputs(256, 1), 500, 3e-3)
    assert _int8_error(network, _right(unseen), unseen) < 0.25 * before


def test_only_chains_of_dense_layers_over_one_place_are_tuned() -> None:
    assert rounding.is_chain(networks.build("time_constant_cnn", (1, 1, 6), 3, width=0.1))
    assert not rounding.is_chain(networks.build("time_constant_cnn", (1, 32, 3), 3, width=0.25))
    assert not rounding.is_chain(networks.build("dense_residual", (1, 1, 6), 3))


def test_a_number_said_eight_times_is_finer_than_a_step_of_eight_bits() -> None:
    rng = np.random.default_rng(4)
    start = keras.Input((1, 1, 6))
    network = keras.Model(start, keras.layers.Flatten()(keras.layers.Conv2D(time_constants.OUTPUTS, 1)(start)))
    # Weights and inputs that eight bits hold exactly, so that the output's rounding alone is left.
    kernel = rng.integers(-127, 128, (1, 1, 6, time_constants.OUTPUTS)) / 127
    kernel[:, :, 0] = 1.0
    network.set_weights([kernel, np.zeros(time_constants.OUTPUTS)])
    model = to_int8(network, _inputs(256, 1))
    exact = Int8Network(model).inputs[0]
    inputs = ((exact.quantize(_inputs(256, 1)).astype(np.float32) - exact.zero_point) * exact.scale).astype(np.float32)
    truth = network.predict(inputs, verbose=0)[:, : time_constants.SHARES]
    plain = Int8Network(model).predict([inputs])[:, : time_constants.SHARES]
    said = Int8Network(to_int8(time_constants._dithered(network, inputs), inputs)).predict([inputs])
    assert said.shape[1] == time_constants.OUTPUTS + time_constants.SHARES * (time_constants.COPIES - 1)
    fine = time_constants.undithered(said)
    assert fine.shape == (256, time_constants.OUTPUTS)
    assert np.abs(fine[:, : time_constants.SHARES] - truth).mean() < 0.25 * np.abs(plain - truth).mean()
