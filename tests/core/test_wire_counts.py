"""Packing of counts: lossless on anything, small on still scenes, never much above raw, and safe on arbitrary bytes."""

from pathlib import Path

import numpy as np
import pytest
from examples import few
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from thermo_core.errors import CountsError, MissingKeyFrameError, UsageError
from thermo_core.sensors.mlx90640.counts import CountsDecoder, CountsEncoder, PackedSubpage
from thermo_core.sensors.mlx90640.counts_codes import MAX_BYTES, OWN_PIXELS, RAW_BYTES
from thermo_core.sensors.mlx90640.frames import CONTROL, FRAME_WORDS, PIXELS, SUBPAGE, Subpage

CHESS = 0x1901
INTERLEAVED = 0x0901
NOISE_COUNTS = 1.85
"""Noise of a pixel at 8 Hz: 0.1 K RMS at 1 Hz grows with the root of the rate to 0.28 K, at about 6 counts/K."""


def own_words(number: int, control: int) -> NDArray[np.intp]:
    """Places that a subpage carries, worked out pixel by pixel."""
    pixels = [
        32 * row + column
        for row in range(24)
        for column in range(32)
        if ((row + column) if control & 0x1000 else row) % 2 == number
    ]
    return np.array([*pixels, *range(PIXELS, FRAME_WORDS)])


def subpage(words: NDArray[np.uint16], index: int) -> Subpage:
    return Subpage(words, index, 1000 * index)


def still_scene(golden_dir: Path, count: int, seed: int) -> list[Subpage]:
    """Real frames with Gaussian noise of 8 Hz on every pixel and on the auxiliary words that measure something."""
    frames = np.load(golden_dir / "s1_melexis_example.npz")["frames"]
    rng = np.random.default_rng(seed)
    subpages = []
    for index in range(count):
        words = frames[index % 2].copy()
        words[:PIXELS] += np.rint(rng.normal(0, NOISE_COUNTS, PIXELS)).astype(np.int16).view(np.uint16)
        live = PIXELS + np.array([0, 8, 10, 32, 40, 42])
        words[live] += np.rint(rng.normal(0, 1.5, live.size)).astype(np.int16).view(np.uint16)
        subpages.append(subpage(words, index))
    return subpages


ONES = b"\x0e\x00" + b"\xff" * 48
"""A head with parameters 0 and 14, and 384 pixels without any difference."""

WORDS = hnp.arrays(
    np.uint16,
    FRAME_WORDS,
    elements=st.one_of(st.integers(0, 0xFFFF), st.integers(0, 3), st.sampled_from([0x7FFF, 0x8000, 0xFFFF])),
    fill=st.integers(0, 0xFFFF),
)


@few(50, of=150)
@given(
    st.lists(st.tuples(WORDS, st.integers(0, 1), st.sampled_from([CHESS, INTERLEAVED])), min_size=1, max_size=5),
    st.integers(1, 3),
)
def test_any_words_come_back_and_never_exceed_raw_by_two_percent(
    steps: list[tuple[NDArray[np.uint16], int, int]], key_interval: int
) -> None:
    encoder, decoder = CountsEncoder(key_interval), CountsDecoder()
    for index, (words, number, control) in enumerate(steps):
        words[CONTROL], words[SUBPAGE] = control, number
        packed = encoder.encode(subpage(words, index))
        assert len(packed.data) <= min(MAX_BYTES, 1.02 * RAW_BYTES)
        own = own_words(number, control)
        np.testing.assert_array_equal(decoder.decode(packed)[own], words[own])


@few(50, of=150)
@given(st.integers(0, 2**32 - 1), st.floats(0, 15), st.integers(-40_000, 40_000))
def test_noise_of_any_size_and_any_common_shift_come_back(seed: int, log_sigma: float, shift: int) -> None:
    rng = np.random.default_rng(seed)
    encoder, decoder = CountsEncoder(), CountsDecoder()
    for index in range(3):
        words = rng.normal(shift * index, 2**log_sigma, FRAME_WORDS).astype(np.int64).astype(np.uint16)
        words[CONTROL], words[SUBPAGE] = CHESS, 1
        packed = encoder.encode(subpage(words, index))
        assert len(packed.data) <= MAX_BYTES
        own = own_words(1, CHESS)
        np.testing.assert_array_equal(decoder.decode(packed)[own], words[own])


def test_pixels_of_the_other_subpage_are_the_last_ones_unpacked(golden_dir: Path) -> None:
    first, second = still_scene(golden_dir, 2, seed=3)
    encoder, decoder = CountsEncoder(), CountsDecoder()
    words = decoder.decode(encoder.encode(first))
    other = np.setdiff1d(np.arange(PIXELS), own_words(0, CHESS))
    assert not words[other].any()
    words = decoder.decode(encoder.encode(second))
    kept = own_words(0, CHESS)[:OWN_PIXELS]
    np.testing.assert_array_equal(words[kept], first.words[kept])
    np.testing.assert_array_equal(words[own_words(1, CHESS)], second.words[own_words(1, CHESS)])


def test_a_still_scene_takes_a_quarter_of_raw_and_little_more_than_its_entropy(golden_dir: Path) -> None:
    subpages = still_scene(golden_dir, 640, seed=1)
    encoder = CountsEncoder(64)
    packed = [encoder.encode(page) for page in subpages]
    assert sum(len(page.data) for page in packed) <= 0.25 * RAW_BYTES * len(packed)
    # Entropy of one pixel's residual against its key frame, from the histogram of all residuals of this run.
    keys: dict[int, NDArray[np.uint16]] = {}
    residuals, data_bytes = [], 0
    for page, out in zip(subpages, packed, strict=True):
        own = own_words(page.number, CHESS)[:OWN_PIXELS]
        if out.key:
            keys[page.number] = page.words[own]
            continue
        residuals.append((page.words[own] - keys[page.number]).view(np.int16))
        data_bytes += len(out.data)
    _, counts = np.unique(np.concatenate(residuals), return_counts=True)
    share = counts / counts.sum()
    entropy_bits = -(share * np.log2(share)).sum() * OWN_PIXELS
    auxiliary_bits = 8 * auxiliary_bytes(packed[2])
    pixel_bits = 8 * data_bytes / len(residuals) - auxiliary_bits
    assert pixel_bits <= 1.08 * entropy_bits
    assert auxiliary_bits / 8 <= 20


def auxiliary_bytes(packed: PackedSubpage) -> int:
    """Size of the auxiliary block, found by walking the pixels' code bit by bit as docs/wire.md describes it."""
    k = packed.data[0] >> 4
    at = 2 + OWN_PIXELS * k // 8
    bits = np.unpackbits(np.frombuffer(packed.data[at:], np.uint8))
    ones = np.flatnonzero(bits)[OWN_PIXELS - 1]
    return len(packed.data) - at - int(ones) // 8 - 1


def test_moving_scenes_never_exceed_raw_by_two_percent() -> None:
    rng = np.random.default_rng(4)
    encoder, decoder = CountsEncoder(), CountsDecoder()
    for index in range(200):
        words = rng.integers(0, 1 << 16, FRAME_WORDS, dtype=np.uint16)
        words[CONTROL], words[SUBPAGE] = CHESS, index % 2
        packed = encoder.encode(subpage(words, index))
        assert len(packed.data) <= 1.02 * RAW_BYTES
        own = own_words(index % 2, CHESS)
        np.testing.assert_array_equal(decoder.decode(packed)[own], words[own])


@pytest.mark.parametrize("key_interval", [1, 2, 5])
def test_keys_come_at_the_interval_of_each_number(golden_dir: Path, key_interval: int) -> None:
    encoder = CountsEncoder(key_interval)
    packed = [encoder.encode(page) for page in still_scene(golden_dir, 30, seed=2)]
    for number in (0, 1):
        keys = [out.key for out in packed if out.number == number]
        assert keys == [place % key_interval == 0 for place in range(15)]


def test_a_lost_subpage_costs_itself_and_a_lost_key_no_more_than_its_interval(golden_dir: Path) -> None:
    subpages = still_scene(golden_dir, 64, seed=5)
    encoder = CountsEncoder(8)
    packed = [encoder.encode(page) for page in subpages]
    assert packed[16].key
    for lost, missing in ((10, {10}), (16, set(range(16, 32, 2)))):
        decoder = CountsDecoder()
        for place, (page, out) in enumerate(zip(subpages, packed, strict=True)):
            if place == lost:
                continue
            if place in missing:
                with pytest.raises(MissingKeyFrameError, match="key frame 16"):
                    decoder.decode(out)
                continue
            own = own_words(page.number, CHESS)
            np.testing.assert_array_equal(decoder.decode(out)[own], page.words[own])


def test_restart_and_a_new_control_word_make_keys(golden_dir: Path) -> None:
    subpages = still_scene(golden_dir, 8, seed=6)
    encoder = CountsEncoder()
    assert [encoder.encode(page).key for page in subpages[:4]] == [True, True, False, False]
    encoder.restart()
    assert [encoder.encode(page).key for page in subpages[4:7]] == [True, True, False]
    subpages[7].words[CONTROL] = 0x1981
    assert encoder.encode(subpages[7]).key


def test_restart_may_change_the_interval(golden_dir: Path) -> None:
    encoder = CountsEncoder(1)
    subpages = still_scene(golden_dir, 8, seed=6)
    assert [encoder.encode(page).key for page in subpages[:2]] == [True, True]
    encoder.restart(2)
    assert [encoder.encode(page).key for page in subpages[2:]] == [True, True, False, False, True, True]
    encoder.restart()
    assert encoder.key_interval == 2


def test_an_error_leaves_the_decoder_as_it_was(golden_dir: Path) -> None:
    subpages = still_scene(golden_dir, 3, seed=7)
    encoder, decoder = CountsEncoder(), CountsDecoder()
    packed = [encoder.encode(page) for page in subpages]
    for out in packed[:2]:
        decoder.decode(out)
    for data in (packed[0].data[:-1], packed[0].data + b"\x00", b"", packed[0].data[:2]):
        with pytest.raises(CountsError):
            decoder.decode(PackedSubpage(0, CHESS, True, 99, data))
    own = own_words(0, CHESS)
    np.testing.assert_array_equal(decoder.decode(packed[2])[own], subpages[2].words[own])


def test_the_decoder_keeps_nothing_of_the_callers(golden_dir: Path) -> None:
    subpages = still_scene(golden_dir, 4, seed=8)
    encoder, decoder = CountsEncoder(), CountsDecoder()
    expected = [page.words.copy() for page in subpages]
    for page, words in zip(subpages, expected, strict=True):
        out = encoder.encode(page)
        page.words[:] = 0
        decoded = decoder.decode(out)
        own = own_words(out.number, CHESS)
        np.testing.assert_array_equal(decoded[own], words[own])
        decoded[:] = 0


@pytest.mark.parametrize(
    ("packed", "error"),
    [
        (PackedSubpage(2, CHESS, True, 0, b"\x00\x00"), "subpage 2"),
        (PackedSubpage(0, 0x10000, True, 0, b"\x00\x00"), "control word 65536"),
        (PackedSubpage(0, CHESS, True, 0, bytes(MAX_BYTES + 1)), "impossible"),
        (PackedSubpage(0, CHESS, True, 0, b"\xff\x00" + bytes(MAX_BYTES - 3)), "end where"),
        (PackedSubpage(0, CHESS, True, 0, b"\x00\x00" + b"\xff" * 47), "of 384 codes"),
        (PackedSubpage(0, CHESS, True, 0, b"\x00\x00" + b"\x7f" + b"\xff" * 48 + bytes(8)), "bits set between"),
        (PackedSubpage(0, CHESS, True, 0, b"\xe0\x00" + bytes(672) + b"\x01" + b"\xff" * 47 + b"\xfe"), "beyond 16"),
        (PackedSubpage(0, CHESS, True, 0, ONES + b"\x80" + bytes(7) + b"\xff\xfc\x10"), "auxiliary difference"),
        (
            PackedSubpage(0, CHESS, True, 0, b"\x03\x00" + ONES[2:] + b"\x80" + bytes(7) + b"\x01\x80"),
            "bits set between",
        ),
        (PackedSubpage(0, CHESS, True, 0, b"\x00\x00" + b"\xff" * 48 + bytes(9)), "1 bytes after"),
    ],
)
def test_malformed_data_is_refused(packed: PackedSubpage, error: str) -> None:
    with pytest.raises(CountsError, match=error):
        CountsDecoder().decode(packed)
    sound = PackedSubpage(1, CHESS, True, 0, ONES + bytes(8))
    words, errors = CountsDecoder().decode_many([sound, packed, sound])
    assert [*errors] == [1] and error in str(errors[1])
    assert words[0].tobytes() == words[2].tobytes() == CountsDecoder().decode(sound).tobytes()


def test_a_difference_to_a_key_of_another_mode_is_refused(golden_dir: Path) -> None:
    subpages = still_scene(golden_dir, 3, seed=9)
    encoder, decoder = CountsEncoder(), CountsDecoder()
    packed = [encoder.encode(page) for page in subpages]
    decoder.decode(packed[0])
    with pytest.raises(CountsError, match="0x0901"):
        decoder.decode(PackedSubpage(0, INTERLEAVED, False, 0, packed[2].data))


@few(300, of=1_500)
@given(st.integers(0, 255), st.integers(0, 255), st.binary(max_size=200), st.integers(0, 60), st.booleans())
def test_arbitrary_bytes_give_834_words_or_a_typed_error(
    head: int, offset: int, tail: bytes, ones: int, key: bool
) -> None:
    decoder = CountsDecoder()
    decoder.decode(PackedSubpage(0, CHESS, True, 5, b"\x00\x00" + b"\xff" * 48 + bytes(8)))
    data = bytes((head, offset)) + b"\xff" * ones + tail
    try:
        words = decoder.decode(PackedSubpage(0, CHESS, key, 5, data))
    except CountsError:
        return
    assert words.shape == (FRAME_WORDS,)
    assert words.dtype == np.uint16
    assert (words[CONTROL], words[SUBPAGE]) == (CHESS, 0)


@pytest.mark.parametrize("key_interval", [0, 65536])
def test_an_impossible_key_interval_is_refused(key_interval: int) -> None:
    with pytest.raises(UsageError, match=str(key_interval)):
        CountsEncoder(key_interval)


def test_what_is_no_subpage_is_refused() -> None:
    encoder = CountsEncoder()
    with pytest.raises(UsageError, match="834 words"):
        encoder.encode(Subpage(np.zeros(768, np.uint16), 0, 0))
    words = np.zeros(FRAME_WORDS, np.uint16)
    words[SUBPAGE] = 2
    with pytest.raises(UsageError, match="not 2"):
        encoder.encode(Subpage(words, 0, 0))


def told(decoder: CountsDecoder, packed: list[PackedSubpage], cuts: list[int]) -> list[bytes | tuple[type, str]]:
    """What each subpage gave, read in stretches of these lengths and then the rest; one at a time where there are none."""
    found: list[bytes | tuple[type, str]] = []
    if not cuts:
        for one in packed:
            try:
                found.append(decoder.decode(one).tobytes())
            except CountsError as error:
                found.append((type(error), str(error)))
        return found
    start = 0
    for cut in (*cuts, len(packed)):
        words, errors = decoder.decode_many(packed[start : start + cut])
        found += [
            (type(errors[row]), str(errors[row])) if row in errors else words[row].tobytes()
            for row in range(len(words))
        ]
        start += cut
    return found


@few(80, of=300)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 80),
    cuts=st.lists(st.integers(1, 40), min_size=1, max_size=5),
    sigmas=st.lists(st.floats(0, 15), min_size=1, max_size=3),
    harm=st.integers(0, 12),
)
def test_many_at_once_give_the_words_and_the_refusals_of_one_at_a_time(
    seed: int, count: int, cuts: list[int], sigmas: list[float], harm: int
) -> None:
    """Any noise, patterns that change, and blocks that are cut, lengthened, flipped, made up or refer to what never came."""
    rng = np.random.default_rng(seed)
    encoder, packed = CountsEncoder(int(rng.integers(1, 9))), []
    for index in range(count):
        words = rng.normal(0, 2 ** sigmas[index * len(sigmas) // count], FRAME_WORDS).astype(np.int64).astype(np.uint16)
        words[CONTROL] = INTERLEAVED if rng.random() < 0.1 else CHESS
        words[SUBPAGE] = index % 2 if rng.random() < 0.9 else 1
        packed.append(encoder.encode(subpage(words, index)))
    for _ in range(harm):
        at = int(rng.integers(count))
        packed[at] = harmed(packed[at], rng)
    alone, together = CountsDecoder(), CountsDecoder()
    assert told(together, packed, cuts) == told(alone, packed, [])
    assert told(together, packed, []) == told(alone, packed, [])


def harmed(one: PackedSubpage, rng: np.random.Generator) -> PackedSubpage:
    data = bytearray(one.data)
    kind = rng.integers(8)
    if kind == 0:
        data = data[: rng.integers(len(data) + 1)]
    elif kind == 1:
        data += rng.bytes(int(rng.integers(1, 9)))
    elif kind == 2 and data:
        data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
    elif kind == 3 and data:
        data[0] = int(rng.integers(256))
    elif kind == 4:
        data = bytearray(rng.bytes(int(rng.integers(0, MAX_BYTES + 9))))
    elif kind == 5:
        data = bytearray(bytes((int(rng.integers(256)), 0)) + b"\xff" * int(rng.integers(40, 70)) + rng.bytes(30))
    elif kind == 6:
        return PackedSubpage(one.number, one.control, one.key, one.key_index + int(rng.integers(1, 5)), one.data)
    else:
        return PackedSubpage(
            int(rng.integers(3)), int(rng.integers(0x10001)), bool(rng.integers(2)), one.key_index, one.data
        )
    return PackedSubpage(one.number, one.control, one.key, one.key_index, bytes(data))


@few(200, of=1_000)
@given(st.lists(st.tuples(st.integers(0, 255), st.integers(0, 60), st.binary(max_size=60)), min_size=1, max_size=8))
def test_arbitrary_bytes_side_by_side_are_read_and_refused_as_alone(blocks: list[tuple[int, int, bytes]]) -> None:
    packed = [
        PackedSubpage(index % 2, CHESS, True, index, bytes((head, 0)) + b"\xff" * ones + tail)
        for index, (head, ones, tail) in enumerate(blocks)
    ]
    assert told(CountsDecoder(), packed, [len(packed)]) == told(CountsDecoder(), packed, [])
