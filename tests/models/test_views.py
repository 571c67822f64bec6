"""Looking around: one graph gives what averaging over turned and mirrored copies of the input gives."""

from typing import Any

import numpy as np
import pytest

from thermo_core.errors import UsageError
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.tflite.reader import read_model
from thermo_models import networks
from thermo_models.features import network_inputs
from thermo_models.networks.views import ORIENTATIONS, looking_around, turn
from thermo_models.samples import Samples
from thermo_models.study import train_one
from thermo_models.tasks.nagoya_actions import NagoyaActions
from thermo_quantize.convert import to_int8

pytestmark = pytest.mark.lengthy

pytest.importorskip("tensorflow")


def _network(shape: tuple[int, ...]) -> Any:
    """With weights and statistics that no two channels share, and signals that reach the end."""
    network = networks.build("clip_cnn", shape, 5, width=0.25, head_kind="linear")
    rng = np.random.default_rng(7)
    weights = [
        rng.normal(0, 1.5 / np.sqrt(np.prod(w.shape[:2]) * min(w.shape[2:])), w.shape)
        if w.ndim == 4
        else w * np.exp(rng.normal(0, 0.3, w.shape)) + rng.normal(0, 0.1, w.shape) * (not w.any())
        for w in network.get_weights()
    ]
    network.set_weights(weights)
    return network


@pytest.mark.parametrize(("shape", "views"), [((16, 16, 3), 8), ((16, 16, 3), 4), ((15, 21, 3), 2), ((9, 9, 1), 8)])
def test_one_graph_averages_over_orientations(shape: tuple[int, ...], views: int) -> None:
    network = _network(shape)
    pictures = np.random.default_rng(1).normal(0, 1, (20, *shape)).astype(np.float32)
    one_by_one = [network.predict(turn(pictures, view), verbose=0) for view in ORIENTATIONS[:views]]
    assert np.std(one_by_one, axis=0).mean() > 1e-3, "the orientations do not differ, so nothing is shown"
    around = looking_around(network, views)
    assert np.allclose(around.predict(pictures, verbose=0), np.mean(one_by_one, axis=0), rtol=0, atol=1e-5)
    assert network.count_params() < around.count_params() < views * network.count_params()


def test_each_view_is_a_different_one() -> None:
    picture = np.arange(9, dtype=np.float32).reshape(1, 3, 3, 1)
    assert len({np.ascontiguousarray(turn(picture, way)).tobytes() for way in ORIENTATIONS}) == 8


def test_it_quantises_with_operators_of_a_microcontroller() -> None:
    rng = np.random.default_rng(2)
    network = networks.build("clip_cnn", (16, 16, 4), 3, width=0.25)
    inputs = rng.standard_normal((24, 16, 16, 4)).astype(np.float32)
    around = looking_around(network, 8)
    model = to_int8(around, inputs)
    names = {operator.name for operator in read_model(model).operators}
    assert names <= {
        "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "MEAN", "PAD", "RESHAPE", "CONCATENATION", "SOFTMAX"
    }  # fmt: skip
    assert np.abs(Int8Network(model).predict([inputs]) - around.predict(inputs, verbose=0)).mean() < 0.06


def test_the_network_that_is_quantised_has_the_views_of_the_settings() -> None:
    task = NagoyaActions()
    rng = np.random.default_rng(5)
    features, targets = rng.normal(0, 1, (16, 16, 16, 24)).astype(np.float32), np.arange(16) % 8
    samples = Samples(features, targets, targets, targets)
    settings = task.settings.changed({"epochs": 1, "width": 0.25, "views": 2})
    trained = train_one(task, samples, None, settings, 0)
    single = networks.build("clip_cnn", (16, 16, 16), 8, width=0.25)
    assert networks.macs(trained.network) > 1.8 * networks.macs(single)
    inputs = network_inputs(trained.plan.stages, task.prepare(features))
    turned = np.ascontiguousarray(turn(inputs, 3))
    assert np.allclose(
        trained.network.predict(inputs, verbose=0), trained.network.predict(turned, verbose=0), atol=1e-5
    )
    assert Int8Network(trained.model).predict([inputs]).shape == (16, 8)


def test_what_cannot_look_around_gets_a_sentence() -> None:
    with pytest.raises(UsageError, match="3 ways"):
        looking_around(networks.build("clip_cnn", (16, 16, 4), 3, width=0.25), 3)
    with pytest.raises(UsageError, match="quarter"):
        looking_around(networks.build("mobilenet_v1", (15, 21, 1), 3, width=0.25), 4)
    for name in ("resnet_small", "custom_cnn"):
        network = networks.build(name, (16, 16, 1), 3, width=0.25, attention="channel")
        with pytest.raises(UsageError, match="chain"):
            looking_around(network, 4)
