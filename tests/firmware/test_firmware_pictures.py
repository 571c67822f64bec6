"""Right values of pictures that are hard on stages, in Python and in C: zeros of both signs, and what is equally warm."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from firmware_graph import Case, first_difference, run
from numpy.typing import NDArray
from stage_runs import sensor, wearable

from thermo_core.signals import Sample

Floats = NDArray[np.float32]
Scene = tuple[Mapping[str, dict[str, Any]], Sequence[Floats]]
"""Stages by the names of what they give, and pictures that they are given."""

ZEROS, WARM = ((0.0, -0.0), (-0.0, 0.0), (-0.0, -0.0)), (1.0, 1e-42, 3e38)
WITHIN = np.zeros((6, 8), np.bool_)
WITHIN[2:4, 3:6] = True
NONE: list[float] = [np.nan] * 4


def among_zeros(zeros: tuple[float, float], warm: float, corner: float) -> Floats:
    picture = np.full((6, 8), zeros[0], np.float32)
    picture[::2, 1::3] = zeros[1]
    picture[WITHIN] = warm
    picture[5, 7] = picture[5, 7] if corner == 0 else corner
    return picture


def after(value: float, towards: float) -> np.float32:
    return np.nextafter(np.float32(value), np.float32(towards))


def peaks() -> list[Floats]:
    plain = np.full((5, 9), 20.0, np.float32)
    plain[1, 2:4] = plain[2, 1] = 30.0
    far = np.full((5, 9), -1000.0, np.float32)
    far[2, 3], far[2, 4], far[3, 3] = 30.0, after(30, 31), after(30, 31)
    return [plain, far]


def spots() -> Floats:
    picture = np.full((7, 9), 20.0, np.float32)
    picture[0, 8] = picture[6, 0] = 30.0
    picture[5, 0] = picture[4, 1] = 25.0  # where the spot of row 6 begins
    picture[2, 2:4] = 30.0
    picture[3, 6] = after(30, 0)
    return picture


def parts() -> Floats:
    picture = np.full((6, 9), 20.0, np.float32)
    for row, column in ((4, 0), (1, 6), (0, 3)):
        picture[row : row + 2, column : column + 2] = 30.0
    picture[3, 8] = 30.0
    return picture


SCENES: Mapping[str, Scene] = {
    "zeros": (
        {"mask": {"op": "segment"}, "cut": {"op": "segment", "give": "picture"}},
        [
            sign * among_zeros(zeros, warm, corner)
            for zeros, warm, corner in itertools.product(ZEROS, WARM, (0.0, np.nan, np.inf))
            for sign in (np.float32(1), np.float32(-1))
        ],
    ),
    "peaks": ({"spots": {"op": "hot_spots", "most": 2}}, peaks()),
    "spots": ({"two": {"op": "hot_spots", "most": 2}, "all": {"op": "hot_spots", "most": 6}}, [spots()]),
    "parts": ({"touching": {"op": "segment"}, "beside": {"op": "segment", "diagonal": False}}, [parts()]),
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mapping[str, Floats]]:
    """By scene and stage, (pictures, *shape) of what C makes, which are Python's bytes."""
    cases = []
    for stages, pictures in SCENES.values():
        placed = ({"of": "x", "gives": name} | stage for name, stage in stages.items())
        made = wearable(sensor("x", pictures[0].shape, 1.0, "degC"), *placed)
        blocks = [[{"x": Sample(1_000_000 * number, picture)}] for number, picture in enumerate(pictures)]
        cases.append(Case(made, blocks, {}))
    given: dict[str, dict[str, Floats]] = {}
    passes = run(cases, tmp_path_factory.mktemp("pictures"))
    for (scene, (stages, _)), case, told in zip(SCENES.items(), cases, passes, strict=True):
        assert not first_difference(case, told)
        given[scene] = {
            name: np.array([np.frombuffer(one[name][3], "<f4") for one in told]).reshape(
                -1, *case.plan.signals[name].shape
            )
            for name in stages
        }
    return given


def test_a_zero_of_either_sign_is_the_coldest_pixel_and_not_within(found: Mapping[str, Mapping[str, Floats]]) -> None:
    pictures, made = SCENES["zeros"][1], found["zeros"]
    for number, picture in enumerate(pictures):
        warm = number % 2 == 0
        # Steps of 256 in so little are too many for float32, so that nothing is within.
        usable = abs(picture[2, 3]) > 1e-30
        wanted = (WITHIN if warm else ~WITHIN) & usable & np.isfinite(picture)
        np.testing.assert_array_equal(made["mask"][number], wanted)
        np.testing.assert_array_equal(made["cut"][number], np.where(wanted, picture, np.nan))


def test_of_equally_warm_pixels_the_first_is_the_peak(found: Mapping[str, Mapping[str, Floats]]) -> None:
    """By contrast: less a middle that is far away, two values may be alike."""
    np.testing.assert_array_equal(found["peaks"]["spots"], np.array([[[10, 3, 1, 2], NONE], [[1030, 3, 2, 3], NONE]]))


def test_of_equally_warm_spots_the_one_that_begins_first_comes_first(
    found: Mapping[str, Mapping[str, Floats]],
) -> None:
    near = after(30, 0) - np.float32(20)
    wanted = [[10, 1, 0, 8], [10, 2, 2, 2], [10, 3, 6, 0], [near, 1, 3, 6], NONE, NONE]
    np.testing.assert_array_equal(found["spots"]["all"][0], np.array(wanted, np.float32))
    np.testing.assert_array_equal(found["spots"]["two"][0], found["spots"]["all"][0, :2])


def test_of_equally_large_parts_the_first_is_kept(found: Mapping[str, Mapping[str, Floats]]) -> None:
    beside, touching = np.zeros((6, 9)), np.zeros((6, 9))
    beside[0:2, 3:5] = 1
    touching[1:3, 6:8] = touching[3, 8] = 1
    np.testing.assert_array_equal(found["parts"]["beside"][0], beside)
    np.testing.assert_array_equal(found["parts"]["touching"][0], touching)
