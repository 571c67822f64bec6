"""Features against plain float64 arithmetic, and against what they are for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from thermo_core.errors import UsageError
from thermo_core.features import FeatureExtractor
from thermo_core.profile import Preprocessing


def pictures(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(33, 2, (count, 24, 32)).astype(np.float32)


@given(st.integers(1, 9), st.sampled_from(["median", "none"]), st.floats(0.01, 100))
def test_features_are_the_scaled_centred_running_mean(average: int, centre: str, scale: float) -> None:
    extractor = FeatureExtractor(Preprocessing(average, centre, scale))
    shown = pictures(average + 3)
    for n, picture in enumerate(shown, start=1):
        features = extractor.push(picture)
        if n < average:
            assert features is None
            continue
        mean = shown[n - average : n].astype(np.float64).mean(axis=0)
        expected = (mean - np.median(mean) if centre == "median" else mean) * scale
        assert features is not None
        assert features.shape == (24, 32, 1)
        assert features.dtype == np.float32
        np.testing.assert_allclose(features[..., 0], expected, atol=2e-4 * scale, rtol=1e-5)


def test_what_all_pixels_share_vanishes_and_a_lesion_stays() -> None:
    extractor = FeatureExtractor(Preprocessing(1, "median", 1.0))
    skin = np.full((24, 32), 33.0, dtype=np.float32)
    skin[10:13, 10:13] += np.float32(0.5)
    cool, warm = extractor.push(skin), extractor.push(skin + np.float32(4))
    assert cool is not None
    assert warm is not None
    np.testing.assert_array_equal(cool, warm)
    assert cool[11, 11, 0] == 0.5
    assert cool[0, 0, 0] == 0.0


def test_noise_falls_with_the_square_root_of_the_number_of_pictures() -> None:
    extractor = FeatureExtractor(Preprocessing(16, "none", 1.0))
    noise = np.random.default_rng(3).normal(0, 0.1, (16, 24, 32)).astype(np.float32)
    features = [extractor.push(picture) for picture in noise][-1]
    assert features is not None
    assert float(features.std()) == pytest.approx(0.1 / 4, rel=0.1)


def test_given_picture_may_be_reused_by_the_caller() -> None:
    extractor = FeatureExtractor(Preprocessing(2, "none", 1.0))
    buffer = np.full((24, 32), 10.0, dtype=np.float32)
    extractor.push(buffer)
    buffer[:] = 20.0
    features = extractor.push(buffer)
    assert features is not None
    assert features.min() == features.max() == 15.0


def test_reset_starts_the_mean_anew() -> None:
    extractor = FeatureExtractor(Preprocessing(2, "none", 1.0))
    first, second, third = pictures(3)
    extractor.push(first)
    extractor.reset()
    assert extractor.pictures == 0
    assert extractor.push(second) is None
    features = extractor.push(third)
    np.testing.assert_allclose(features[..., 0], (second + third) / 2, rtol=1e-6)


def test_bad_picture_is_refused_and_not_taken() -> None:
    extractor = FeatureExtractor(Preprocessing(1))
    broken = pictures(1)[0]
    broken[3, 4] = np.nan
    for bad in (broken, np.zeros((32, 24), dtype=np.float32)):
        with pytest.raises(UsageError, match="24 x 32"):
            extractor.push(bad)
    assert extractor.pictures == 0
