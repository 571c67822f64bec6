"""Transfer: weights really move, parts are drawn by class, and the pretext task says what it did."""

import numpy as np
import pytest

from thermo_core.errors import UsageError
from thermo_models import networks
from thermo_models.settings import Settings
from thermo_models.transfer import _by_class, carry_over, compare, turned

pytest.importorskip("tensorflow")


def test_all_layers_but_the_last_are_carried_over_between_picture_sizes() -> None:
    source, target = (
        networks.build("custom_cnn", (24, 32, 1), 4, width=0.5),
        networks.build("custom_cnn", (16, 16, 1), 3, width=0.5),
    )
    last = target.layers[-1].get_weights()[0].copy()
    assert carry_over(source, target) == len([layer for layer in target.layers if layer.get_weights()]) - 1
    assert np.array_equal(source.layers[1].get_weights()[0], target.layers[1].get_weights()[0])
    assert np.array_equal(target.layers[-1].get_weights()[0], last)
    with pytest.raises(UsageError, match="width"):
        carry_over(source, networks.build("custom_cnn", (16, 16, 1), 3, width=1.0))


def test_parts_are_drawn_by_class_and_nested() -> None:
    classes = np.array([0] * 90 + [1] * 20 + [2] * 10)
    small, large = (set(_by_class(classes, size, 3).tolist()) for size in (6, 24))
    assert small < large
    assert np.bincount(classes[list(large)]).tolist() == [8, 8, 8]
    with pytest.raises(UsageError):
        _by_class(classes, 121, 3)


def test_turned_pictures_turn_back() -> None:
    pictures = np.random.default_rng(0).random((40, 6, 8, 1)).astype(np.float32)
    changed, which = turned(pictures, 1)
    assert set(which.tolist()) == {0, 1, 2, 3}
    for one, picture, way in zip(changed, pictures, which, strict=True):
        back = one[::-1] if way % 2 else one
        assert np.array_equal(back[:, ::-1] if way >= 2 else back, picture)


def test_comparing_gives_a_point_for_each_size_and_seed() -> None:
    rng = np.random.default_rng(2)
    classes = np.arange(60) % 2
    pictures = rng.normal(0, 0.3, (60, 8, 8, 1)).astype(np.float32)
    pictures[classes == 1, 2:6, 2:6] += 1
    settings = Settings("cnn2d_shallow", epochs=20, batch=16, seeds=1)
    points = compare(
        lambda shape, outputs: networks.build("cnn2d_shallow", shape, outputs, width=0.5),
        (pictures, classes),
        (pictures[:40], classes[:40]),
        (pictures[40:], classes[40:]),
        (40,),
        settings,
    )
    assert [point.samples for point in points] == [40]
    assert all(len(point.scratch) == len(point.transferred) == 1 for point in points)
    assert points[-1].transferred[0] > 0.8
