"""The firmware's packing: byte for byte thermo_core's, on anything."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from thermo_core.sensors.mlx90640.counts import CountsDecoder, CountsEncoder, PackedSubpage
from thermo_core.sensors.mlx90640.frames import CONTROL, FRAME_WORDS, PIXELS, SUBPAGE, Subpage

CHESS, INTERLEAVED, CHESS_16_BIT = 0x1901, 0x0901, 0x1101
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "wire.md"

WORDS = hnp.arrays(
    np.uint16,
    FRAME_WORDS,
    elements=st.one_of(st.integers(0, 0xFFFF), st.integers(0, 3), st.sampled_from([0x7FFF, 0x8000, 0xFFFF])),
    fill=st.integers(0, 0xFFFF),
)


class Both:
    """The same subpages through both encoders."""

    def __init__(self, numerics: Any, key_interval: int = 64) -> None:
        self.numerics, self.core, self.decoder = numerics, CountsEncoder(key_interval), CountsDecoder()
        numerics.c.shim_counts_restart(key_interval)

    def check(self, words: NDArray[np.uint16], index: int) -> bytes:
        """Encode with both, compare, and unpack what the firmware made."""
        wanted = self.core.encode(Subpage(words, index, 0))
        data, key, key_index = self.numerics.encode(words, index)
        assert data == wanted.data
        assert (key, key_index) == (wanted.key, wanted.key_index)
        packed = PackedSubpage(int(words[SUBPAGE]), int(words[CONTROL]), key, key_index, data)
        np.testing.assert_array_equal(self.decoder.decode(packed)[PIXELS:], words[PIXELS:])
        return data


@settings(max_examples=200, deadline=None)
@given(
    steps=st.lists(
        st.tuples(WORDS, st.integers(0, 1), st.sampled_from([CHESS, INTERLEAVED, CHESS_16_BIT])),
        min_size=1,
        max_size=6,
    ),
    key_interval=st.integers(1, 3),
    restart=st.integers(0, 5),
)
def test_any_words_pack_to_the_same_bytes(
    numerics: Any, steps: list[tuple[NDArray[np.uint16], int, int]], key_interval: int, restart: int
) -> None:
    both = Both(numerics, key_interval)
    for index, (words, number, control) in enumerate(steps):
        words[CONTROL], words[SUBPAGE] = control, number
        if index == restart:
            both.core.restart()
            numerics.c.shim_counts_restart(0)
        both.check(words, index)


@settings(max_examples=200, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    log_sigma=st.floats(-2, 16),
    shift=st.integers(-40_000, 40_000),
    outliers=st.integers(0, 40),
    control=st.sampled_from([CHESS, INTERLEAVED]),
)
def test_noise_of_any_size_with_and_without_outliers(
    numerics: Any, seed: int, log_sigma: float, shift: int, outliers: int, control: int
) -> None:
    rng = np.random.default_rng(seed)
    both = Both(numerics)
    for index in range(4):
        words = rng.normal(shift * index, 2**log_sigma, FRAME_WORDS).astype(np.int64).astype(np.uint16)
        words[rng.integers(0, FRAME_WORDS - 2, outliers)] = rng.integers(0, 0x10000, outliers)
        words[CONTROL], words[SUBPAGE] = control, index % 2
        both.check(words, index)


def test_a_still_scene_packs_as_on_the_pi(numerics: Any, golden_dir: Path) -> None:
    frames = np.load(golden_dir / "s1_melexis_example.npz")["frames"]
    rng = np.random.default_rng(1)
    both = Both(numerics)
    sizes = []
    for index in range(200):
        words = frames[index % 2].copy()
        words[:PIXELS] += np.rint(rng.normal(0, 1.85, PIXELS)).astype(np.int16).view(np.uint16)
        sizes.append(len(both.check(words, index)))
    assert np.mean(sizes) < 0.25 * 900


def test_key_frames_come_when_asked_for(numerics: Any) -> None:
    words = np.zeros(FRAME_WORDS, np.uint16)
    words[CONTROL] = CHESS
    numerics.c.shim_counts_restart(3)
    assert [numerics.encode(words, index)[1:] for index in range(5)] == [
        (True, 0),
        (False, 0),
        (False, 0),
        (True, 3),
        (False, 3),
    ]
    numerics.c.shim_counts_restart(0)
    assert [numerics.encode(words, index)[1] for index in range(5, 9)] == [True, False, False, True]
    words[CONTROL] = INTERLEAVED
    assert numerics.encode(words, 9)[1:] == (True, 9)


def test_there_is_no_third_subpage(numerics: Any) -> None:
    words = np.zeros(FRAME_WORDS, np.uint16)
    words[SUBPAGE] = 2
    assert numerics.encode(words, 0)[0] == b""


def test_the_documents_worked_examples(numerics: Any) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    examples = {
        name: bytes.fromhex(block) for name, block in re.findall(r"```hex (counts-[a-z]+)\n(.*?)```", text, re.DOTALL)
    }
    own = [32 * row + column for row in range(24) for column in range(32) if (row + column) % 2 == 0]
    words = np.zeros(FRAME_WORDS, np.uint16)
    words[:PIXELS], words[PIXELS : PIXELS + 32], words[PIXELS + 32 : PIXELS + 64] = 0xFFD8, 20000, 1680
    words[CONTROL] = CHESS
    numerics.c.shim_counts_restart(64)
    assert numerics.encode(words, 0)[0] == examples["counts-key"]
    changed = words.copy()
    changed[own] += 5
    changed[own[0]] += 3
    changed[own[1]] -= 2
    changed[own[383]] += 1
    changed[PIXELS] += 1
    changed[PIXELS + 32] -= 6
    assert numerics.encode(changed, 1)[0] == examples["counts-difference"]
    planes = words.copy()
    planes[own] += (np.arange(384) % 8 - 3).astype(np.int16).view(np.uint16)
    assert numerics.encode(planes, 2)[0] == examples["counts-planes"]


@pytest.mark.parametrize("value", [0, 1, 0x7FFF, 0x8000, 0xFFFF])
def test_uniform_words(numerics: Any, value: int) -> None:
    both = Both(numerics)
    for index in range(4):
        words = np.full(FRAME_WORDS, value, np.uint16)
        words[CONTROL], words[SUBPAGE] = CHESS, index % 2
        both.check(words, index)
