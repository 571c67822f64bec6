"""Hand-made features of clips: they measure what they name, and the baseline tells what differs in them."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from thermo_models.by_hand import describe, tell
from thermo_models.networks.views import ORIENTATIONS, turn


def _clips(count: int, tall: bool, rng: np.random.Generator) -> NDArray[Any]:
    """Warm upright or flat blocks of about 12 pixels that move a little."""
    clips = rng.normal(0, 0.02, (count, 16, 16, 8)).astype(np.float32)
    height, width = (6, 2) if tall else (3, 4)
    for clip in clips:
        top, left = rng.integers(1, 8, 2)
        for picture in range(8):
            row = top + picture // 4
            clip[row : row + height, left : left + width, picture] += 1
    return clips


def test_features_measure_size_shape_and_motion_by_hand() -> None:
    found = describe(_clips(1, tall=True, rng=np.random.default_rng(0)))[0].reshape(-1)
    warmth, area, peak, _, longer, shorter = found[:6]
    assert (warmth, area, peak) == pytest.approx((12 * 0.8, 12, 1), rel=0.1)
    assert (longer, shorter) == pytest.approx((np.sqrt((36 - 1) / 12), np.sqrt((4 - 1) / 12)), rel=0.05)
    speed = found[24:32].reshape(4, 2)[:, 0]
    assert speed.argmax() in (1, 2) and speed.sum() == pytest.approx(1 / 2, rel=0.2)


def test_features_know_no_orientation() -> None:
    clips = _clips(12, tall=True, rng=np.random.default_rng(1))
    for orientation in ORIENTATIONS:
        assert np.allclose(describe(turn(clips, orientation)), describe(clips), atol=1e-5)


def test_the_baseline_tells_shapes_apart() -> None:
    rng = np.random.default_rng(2)
    clips = np.concatenate([_clips(60, tall, rng) for tall in (False, True)])
    targets = np.repeat([0, 1], 60)
    learnt = np.arange(120) % 2 == 0
    said = tell(clips[learnt], targets[learnt], clips[~learnt], 2)
    assert said.shape == (60, 2)
    assert (said.argmax(1) == targets[~learnt]).mean() > 0.95


def test_an_empty_room_gives_numbers() -> None:
    assert np.isfinite(describe(np.zeros((2, 16, 16, 16), np.float32))).all()
