"""Stages on pictures against scipy.ndimage, scikit-image and OpenCV, on what is comparable."""

from typing import Any

import cv2
import numpy as np
import pytest
import scipy.ndimage
import scipy.stats
import skimage.feature
import skimage.filters
import skimage.measure
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from stage_runs import one as run_one
from stage_runs import run, samples, sensor, wearable

from thermo_core.errors import ProfileError
from thermo_core.quality import Quality
from thermo_core.schema import from_plain
from thermo_core.signals import Signal
from thermo_core.stages import OPS, AnyStage
from thermo_core.stages.stage import Elementwise

Floats = NDArray[np.float32]
seeds = st.integers(0, 2**32 - 1)
shapes = st.tuples(st.integers(2, 14), st.integers(2, 17))


def one(stage: dict[str, Any], picture: NDArray[Any], unit: str = "degC") -> Floats:
    """What a stage makes of one picture."""
    made: Any = from_plain({"of": "x", "gives": "y"} | stage, AnyStage, "stage")
    signals = (Signal("x", picture.shape, unit, 8.0, "x"),)
    op = OPS[made.op]
    assert isinstance(op, Elementwise)
    found = op.apply(made, signals, [np.asarray(picture, np.float32)[np.newaxis]])
    assert found.shape == (1, *op.result(made, signals).shape) and found.dtype == np.float32
    return found[0]


def noise(seed: int, shape: tuple[int, int]) -> Floats:
    return np.random.default_rng(seed).normal(33, 2, shape).astype(np.float32)


def whole(seed: int, shape: tuple[int, int], high: int = 256) -> Floats:
    """Whole numbers, which all libraries compute with exactly."""
    return np.random.default_rng(seed).integers(0, high, shape).astype(np.float32)


def body(seed: int = 1) -> Floats:
    """A warm body with a hot spot before a cool wall."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:24, :32]
    within = ((x - 15) / 9.0) ** 2 + ((y - 11.5) / 9.0) ** 2 < 1
    picture = 23 + 9.5 * within + 1.5 * np.exp(-((x - 18) ** 2 + (y - 12) ** 2) / 4)
    return np.asarray(picture + rng.normal(0, 0.1, within.shape), np.float32)


@given(seeds, shapes, st.sampled_from([3, 5]), st.floats(0.3, 4))
def test_gaussian_is_that_of_scipy_and_opencv_where_edges_are_repeated(
    seed: int, shape: tuple[int, int], size: int, sigma: float
) -> None:
    x = noise(seed, shape)
    found = one({"op": "gaussian", "size": size, "sigma": sigma}, x)
    wide = x.astype(np.float64)
    expected = scipy.ndimage.gaussian_filter(wide, sigma, mode="nearest", radius=size // 2)
    np.testing.assert_allclose(found, expected, rtol=2e-6)
    blurred = cv2.GaussianBlur(wide, (size, size), sigma, borderType=cv2.BORDER_REPLICATE)
    np.testing.assert_allclose(found, blurred, rtol=2e-6)


@given(seeds, st.sampled_from([3, 5]))
def test_gaussian_is_the_weighed_mean_of_those_with_a_value(seed: int, size: int) -> None:
    x = noise(seed, (9, 8))
    x[np.random.default_rng(seed + 1).random(x.shape) < 0.2] = np.nan
    known = ~np.isnan(x)
    blur: Any = {"sigma": 1.0, "mode": "nearest", "radius": size // 2}
    weights = scipy.ndimage.gaussian_filter(known.astype(np.float64), **blur)
    expected = scipy.ndimage.gaussian_filter(np.where(known, x, 0).astype(np.float64), **blur) / weights
    found = one({"op": "gaussian", "size": size, "sigma": 1.0}, x)
    np.testing.assert_allclose(found, np.where(known, expected, np.nan), rtol=3e-6)


@given(seeds, shapes)
def test_median3_is_that_of_scipy_in_steps(seed: int, shape: tuple[int, int]) -> None:
    x = whole(seed, shape)
    expected = scipy.ndimage.median_filter(x, 3, mode="nearest")
    np.testing.assert_array_equal(one({"op": "median3", "step": 0.25}, x), expected)
    fine = noise(seed, shape)
    found = one({"op": "median3"}, fine)
    np.testing.assert_allclose(found, scipy.ndimage.median_filter(fine, 3, mode="nearest"), rtol=0, atol=0.0040)


def test_median3_fills_a_missing_pixel_and_flags_it() -> None:
    x = np.arange(25, dtype=np.float32).reshape(5, 5)
    x[2, 2] = np.nan
    made = wearable(sensor(shape=(5, 5)), {"op": "median3", "of": "x", "gives": "y", "step": 0.5})
    found = run(made, x=samples(np.stack([x, np.zeros((5, 5)), np.full((5, 5), np.nan)])))["y"]
    assert found.values[0, 2, 2] == np.nanmedian(x[1:4, 1:4]) == 12.0
    assert found.flags.tolist() == [Quality.FILLED, 0, 0]
    assert np.isnan(found.values[2]).all()


@given(seeds, shapes)
def test_sobel_is_an_eighth_of_scipys(seed: int, shape: tuple[int, int]) -> None:
    x = noise(seed, shape)
    wide = x.astype(np.float64)
    along, down = (scipy.ndimage.sobel(wide, axis, mode="nearest") / 8 for axis in (1, 0))
    for give, expected in (("x", along), ("y", down), ("magnitude", np.hypot(along, down))):
        np.testing.assert_allclose(one({"op": "sobel", "give": give}, x), expected, rtol=1e-5, atol=1e-5)


def test_a_slope_of_one_kelvin_a_pixel_is_one() -> None:
    x = np.tile(np.arange(8.0), (5, 1))
    made = wearable(sensor(shape=(5, 8), unit="degC"), {"op": "sobel", "of": "x", "gives": "y"})
    assert made.signals["y"].unit == "K/px"
    assert one({"op": "sobel"}, x)[2, 3] == 1.0
    x[2, 3] = np.nan
    missing = np.isnan(one({"op": "sobel"}, x))
    assert missing[1:4, 2:5].sum() == 8 and not missing[2, 3] and missing.sum() == 8


@given(seeds, shapes)
def test_canny_is_that_of_opencv_on_its_gradients(seed: int, shape: tuple[int, int]) -> None:
    """OpenCV has the tangent of 22.5 degrees to 15 bits, so that slopes on that border may differ; whole slopes are none."""
    x = whole(seed, shape, 32)
    along, down = (cv2.Sobel(x, cv2.CV_16S, *of, borderType=cv2.BORDER_REPLICATE) for of in ((1, 0), (0, 1)))
    expected = cv2.Canny(along, down, 40, 80, L2gradient=True) > 0
    # OpenCV compares squared whole slopes with squared thresholds.
    found = one({"op": "canny", "high": 10.0, "low": 5.0}, x)
    np.testing.assert_array_equal(found > 0, expected)


def test_a_body_before_a_wall_has_one_closed_edge() -> None:
    smooth = one({"op": "gaussian"}, body())
    edges = one({"op": "canny", "high": 2.0, "low": 0.8}, smooth)
    assert scipy.ndimage.label(edges, np.ones((3, 3)))[1] == 1
    holes = scipy.ndimage.binary_fill_holes(edges)
    assert 200 < holes.sum() < 330


@given(seeds)
def test_otsu_is_that_of_scikit_image(seed: int) -> None:
    """scikit-image computes in float64 and gives the middle of a bin: pixels within the bin are on either side, as ours are above it."""
    rng = np.random.default_rng(seed)
    x = np.where(rng.random((24, 32)) < rng.uniform(0.2, 0.8), rng.normal(34, 0.5), rng.normal(24, 0.5))
    x = (x + rng.normal(0, 0.8, x.shape)).astype(np.float32)
    found = one({"op": "segment", "largest": False}, x) > 0
    level = skimage.filters.threshold_otsu(x, nbins=256)
    step = (x.max() - x.min()) / 256
    certain = np.abs(x - level) > step
    np.testing.assert_array_equal(found[certain], (x > level)[certain])


@given(seeds, st.booleans(), st.integers(0, 2), st.booleans())
def test_largest_part_and_opening_are_those_of_scipy(seed: int, diagonal: bool, opening: int, largest: bool) -> None:
    x = scipy.ndimage.gaussian_filter(noise(seed, (15, 18)), 0.7)
    stage = {"op": "segment", "threshold": 33.2, "opening": opening, "diagonal": diagonal, "largest": largest}
    mask = x > np.float32(33.2)
    square = np.ones((3, 3), np.bool_)
    if opening:
        mask = scipy.ndimage.binary_erosion(mask, square, opening, border_value=1)
        mask = scipy.ndimage.binary_dilation(mask, square, opening)
    if largest and mask.any():
        labels, _ = scipy.ndimage.label(mask, square if diagonal else None)
        areas = np.bincount(labels.ravel())[1:]
        mask = labels == areas.argmax() + 1  # labels come row by row, too
    np.testing.assert_array_equal(one(stage, x) > 0, mask)
    cut = one(stage | {"give": "picture"}, x)
    np.testing.assert_array_equal(cut, np.where(mask, x, np.nan))


def test_a_picture_of_one_value_or_none_has_nothing_within() -> None:
    x = np.full((3, 4, 5), 30.0, np.float32)
    x[1] = np.nan
    x[2, 0] = [np.inf, -np.inf, np.nan, 20, 40]
    made = run_one({"op": "segment", "largest": False}, x)
    assert not made[:2].any()
    assert made[2, 0].tolist() == [0, 0, 0, 0, 1]


@given(seeds, st.sampled_from([0.5, 1.5]))
def test_hot_spots_are_the_parts_above_the_median(seed: int, least_k: float) -> None:
    x = scipy.ndimage.gaussian_filter(noise(seed, (12, 16)), 0.8)
    found = one({"op": "hot_spots", "least_k": least_k, "most": 8}, x)
    contrast = x - np.median(x)
    labels, count = scipy.ndimage.label(contrast >= np.float32(least_k), np.ones((3, 3)))
    spots = []
    for number in range(1, count + 1):
        inside = np.where(labels == number, contrast, -np.inf)
        row, column = np.unravel_index(inside.argmax(), x.shape)
        spots.append((float(inside.max()), int((labels == number).sum()), int(row), int(column)))
    spots = sorted(spots, key=lambda spot: -spot[0])[:8]
    np.testing.assert_allclose(found[: len(spots)], np.reshape(spots, (-1, 4)), rtol=1e-6)
    assert np.isnan(found[len(spots) :]).all()


@given(seeds)
def test_equalise_is_the_share_of_pixels_not_above_a_level(seed: int) -> None:
    x = whole(seed, (9, 12), 64)
    found = one({"op": "equalise", "low": 0.0, "high": 63.0, "levels": 64}, x)
    expected = scipy.stats.rankdata(x, "max").reshape(x.shape) / x.size
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@given(seeds, st.sampled_from([(2, 2), (2, 4), (4, 4)]), st.sampled_from([1.0, 2.0, 8.0]))
def test_clahe_is_that_of_opencv(seed: int, tiles: tuple[int, int], clip: float) -> None:
    """Where tiles divide the picture. OpenCV rounds each table to whole levels, and the result: within 1.5 of them."""
    x = np.clip(np.random.default_rng(seed).normal(120, 30, (24, 32)), 0, 255).astype(np.uint8)
    expected = cv2.createCLAHE(clip, (tiles[1], tiles[0])).apply(x)
    stage = {"op": "equalise", "low": 0.0, "high": 255.0, "levels": 256, "clip": clip}
    found = one(stage | {"tile_rows": tiles[0], "tile_columns": tiles[1]}, x)
    np.testing.assert_allclose(found * 255, expected, rtol=0, atol=1.5)


def test_what_is_equalised_has_no_unit_and_nothing_needs_kelvin_of_it() -> None:
    equal = {"op": "equalise", "of": "x", "gives": "y", "low": 20.0, "high": 40.0}
    camera = sensor(shape=(4, 5), unit="degC")
    assert wearable(camera, equal).signals["y"].unit == ""
    with pytest.raises(ProfileError, match="needs kelvin"):
        wearable(camera, equal, {"op": "hot_spots", "of": "y", "gives": "z"})


@given(seeds, st.sampled_from([2, 8, 16]), st.integers(1, 3))
def test_glcm_is_that_of_scikit_image(seed: int, levels: int, distance: int) -> None:
    x = whole(seed, (10, 13), levels)
    stage = {"op": "glcm", "low": 0.0, "high": levels - 1.0, "levels": levels, "distance": distance}
    found = one(stage, x)
    # With whole offsets, as ours are: scikit-image's own diagonals are of the length 1.
    for row, (down, along) in zip(found, [(0, 1), (1, 1), (1, 0), (1, -1)], strict=True):
        length, angle = distance * np.hypot(down, along), np.arctan2(down, along)
        counts = skimage.feature.graycomatrix(
            x.astype(np.uint8), [length], [angle], levels, symmetric=True, normed=True
        )
        expected = [
            skimage.feature.graycoprops(counts, name)[0, 0]
            for name in ("contrast", "homogeneity", "energy", "correlation")
        ]
        np.testing.assert_allclose(row, expected, rtol=2e-5, atol=1e-6)


def test_pairs_without_a_value_do_not_count_in_a_texture() -> None:
    x = whole(3, (6, 8), 8)
    stage = {"op": "glcm", "low": 0.0, "high": 7.0, "angles": [0]}
    holes = x.copy()
    holes[:, 4:] = np.nan
    np.testing.assert_array_equal(one(stage, holes), one(stage, x[:, :4]))
    assert np.isnan(one(stage, np.full((4, 4), np.nan))).all()


@given(seeds, st.integers(1, 20), st.integers(1, 24))
def test_bilinear_is_that_of_opencv(seed: int, rows: int, columns: int) -> None:
    x = noise(seed, (9, 12))
    found = one({"op": "resize", "rows": rows, "columns": columns}, x)
    expected = cv2.resize(x, (columns, rows), interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


@given(seeds, st.integers(1, 9), st.integers(1, 12))
def test_area_is_that_of_opencv(seed: int, rows: int, columns: int) -> None:
    x = noise(seed, (9, 12))
    found = one({"op": "resize", "rows": rows, "columns": columns, "by": "area"}, x)
    expected = cv2.resize(x, (columns, rows), interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_new_pixel_is_the_mean_of_those_with_a_value() -> None:
    x = np.array([[1, np.nan, 5, 5], [3, np.nan, np.nan, 7], [np.nan] * 4, [np.nan] * 4], np.float32)
    found = one({"op": "resize", "rows": 2, "columns": 2, "by": "area"}, x)
    np.testing.assert_allclose(found, [[2, 17 / 3], [np.nan, np.nan]], rtol=1e-6)


@given(seeds)
def test_crop_and_difference(seed: int) -> None:
    x = noise(seed, (6, 9))
    x[1, 1] = np.nan
    np.testing.assert_array_equal(one({"op": "crop", "row": 1, "column": 2, "rows": 4, "columns": 5}, x), x[1:5, 2:7])
    np.testing.assert_array_equal(one({"op": "difference"}, x), x[:, :4] - x[:, :4:-1])
    pairs = one({"op": "difference", "first": [0, 5], "second": [53, 10]}, x)
    np.testing.assert_array_equal(pairs, x.ravel()[[0, 5]] - x.ravel()[[53, 10]])


@pytest.mark.parametrize(
    ("stage", "problem"),
    [
        ({"op": "crop", "row": 9, "rows": 5, "columns": 3}, "rows 9 to 13"),
        ({"op": "difference", "first": [1], "second": []}, "as many of both"),
        ({"op": "difference", "first": [192], "second": [0]}, "place 192"),
        ({"op": "resize", "rows": 13, "columns": 2, "by": "area"}, "larger"),
        ({"op": "canny", "high": 1.0, "low": 2.0}, "exchange them"),
        ({"op": "equalise", "low": 30.0, "high": 30.0}, "high above low"),
        ({"op": "equalise", "low": 30.0, "high": 31.0, "tile_rows": 16, "tile_columns": 16, "of": "few"}, "fewer"),
        ({"op": "glcm", "low": 30.0, "high": 31.0, "distance": 12}, "shorten it"),
        ({"op": "sobel", "of": "line"}, "takes a picture"),
    ],
)
def test_what_cannot_be_is_refused(stage: dict[str, Any], problem: str) -> None:
    sensors = [
        sensor("x", (12, 16), unit="degC"), sensor("few", (4, 4), unit="degC"), sensor("line", (8,), unit="degC")
    ]  # fmt: skip
    with pytest.raises(ProfileError, match=problem):
        wearable(sensors, {"of": "x", "gives": "y"} | stage)
