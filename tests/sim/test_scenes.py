"""Scenes: what a sensor is shown."""

from typing import Any

import numpy as np
import pytest

from thermo_core.errors import UsageError
from thermo_sim.scene_table import SCENES, make_scene
from thermo_sim.scenes import (
    STRAIGHT,
    Hand,
    Lesion,
    Still,
    View,
    blackbody,
    breast_patch,
    skin,
    smooth_field,
)


@pytest.mark.parametrize("name", sorted(SCENES))
def test_every_scene_is_a_finite_map_that_depends_on_its_seed_alone(name: str) -> None:
    options = {"celsius": 37.0, "nonuniformity_k": 0.1} if name == "blackbody" else {}
    scene = make_scene(name, 3, options).celsius(1.5)
    assert scene.shape == (24, 32)
    assert np.isfinite(scene).all()
    assert np.array_equal(scene, make_scene(name, 3, options).celsius(1.5))
    assert not np.array_equal(scene, make_scene(name, 4, options).celsius(1.5))


def test_unknown_scenes_and_options_are_refused_by_name() -> None:
    with pytest.raises(UsageError, match="moon"):
        make_scene("moon", 0)
    with pytest.raises(UsageError, match="colour"):
        make_scene("skin", 0, {"colour": 1})
    with pytest.raises(UsageError, match="size"):
        make_scene("breast-patch", 0, {"lesion": {"size": 1}})
    with pytest.raises(UsageError, match=r"worn-patch.*depth_mm"):
        make_scene("worn-patch", 0, {"lump": {"tumour": {"depth_mm": -1.0}}})
    with pytest.raises(UsageError, match="There is no skin 'bark'"):
        make_scene("worn-patch", 0, {"skin": "bark"})


@pytest.mark.parametrize("picture", [np.zeros((24, 31)), np.full((24, 32), np.nan)])
def test_a_still_must_be_a_whole_picture(picture: Any) -> None:
    with pytest.raises(UsageError):
        Still(picture)


def test_a_blackbody_is_uniform_or_as_uneven_as_asked() -> None:
    assert (blackbody(37.0).celsius(0) == 37.0).all()
    uneven = blackbody(37.0, nonuniformity_k=0.05, seed=2).celsius(0)
    assert uneven.mean() == pytest.approx(37.0, abs=1e-6)
    assert uneven.std() == pytest.approx(0.05, rel=1e-6)


@pytest.mark.parametrize("seed", range(12))
def test_skin_is_as_warm_as_skin_and_vessels_only_warm_it(seed: int) -> None:
    bare = skin(seed, vessels=0)
    vessels = skin(seed, vessels=4)
    assert 31.5 < bare.min() < bare.max() < 36
    assert 32 < np.median(vessels) < 35
    rise = vessels - bare
    assert rise.min() >= 0
    assert 0.2 < rise.max() < 3
    assert (rise > 0.1).mean() < 0.7


def test_a_lesion_adds_its_contrast_where_it_is_and_nothing_far_away() -> None:
    lesion = Lesion(row=8, column=20, radius=2.5, contrast_k=1.5)
    rise = breast_patch(5, lesion).celsius(0) - breast_patch(5).celsius(0)
    assert np.unravel_index(rise.argmax(), rise.shape) == (8, 20)
    assert rise.max() == pytest.approx(1.5)
    # A Gaussian: exp(-1/2) of the contrast one radius away, exp(-8) four radii away.
    assert rise[8, 20 - 5] == pytest.approx(1.5 * np.exp(-2))
    assert rise[18, 20] == pytest.approx(1.5 * np.exp(-8))


def test_a_smooth_field_is_correlated_over_its_length() -> None:
    fields = np.stack([smooth_field(np.random.default_rng(seed), 6.0) for seed in range(40)])

    def correlation(columns: int) -> float:
        return float((fields[:, :, :-columns] * fields[:, :, columns:]).mean() / (fields**2).mean())

    assert correlation(1) > 0.95
    assert correlation(16) < 0.3


def test_a_hand_moves_and_comes_back() -> None:
    hand = Hand(1, celsius=33.5, wall_celsius=24.0, period_s=8.0)
    start, later = hand.celsius(0.0), hand.celsius(2.0)
    assert np.abs(later - start).max() > 5
    assert np.allclose(hand.celsius(8.0), start)
    assert start.max() == pytest.approx(33.5, abs=0.8)
    assert np.median(start[:, [0, 31]]) == pytest.approx(24.0, abs=0.8)


@pytest.mark.parametrize("name", sorted(SCENES))
def test_a_view_moves_turns_and_scales_what_is_seen(name: str) -> None:
    options = {"celsius": 37.0, "nonuniformity_k": 0.1} if name == "blackbody" else {}
    scene = make_scene(name, 3, options)
    straight = scene.celsius(1.5)
    assert np.array_equal(scene.celsius(1.5, View()), straight) and View() == STRAIGHT
    moved = scene.celsius(1.5, View(row=5.0, column=-3.0))
    assert np.allclose(moved[:19, 3:], straight[5:, :29], atol=1e-9)
    assert np.allclose(scene.celsius(1.5, View(turn_deg=180.0))[::-1, ::-1], straight, atol=1e-9)
    near = scene.celsius(1.5, View(row=0.5, column=0.5, scale=1 / 31))
    assert np.ptp(near) < np.ptp(straight)
    assert near[12, 16] == pytest.approx(straight[12, 16], abs=0.1)


def test_a_quarter_turn_is_clockwise() -> None:
    """Whoever turns a camera clockwise sees the scene turn the other way."""
    warm = breast_patch(5, Lesion(row=11.5, column=25.5, radius=1.5, contrast_k=9.0))
    seen = warm.celsius(0.0, View(turn_deg=90.0))
    row, column = np.unravel_index(seen.argmax(), seen.shape)
    assert row < 6 and abs(column - 15.5) < 1.1


def test_a_picture_is_as_its_edge_beyond_it() -> None:
    picture = np.linspace(20, 40, 24 * 32).reshape(24, 32)
    seen = Still(picture).celsius(0.0, View(row=24.0))
    assert np.array_equal(seen, np.tile(picture[-1], (24, 1)))
