"""100,000 telemetry frames and SMP answers through a noisy line: nothing wrong gets through, every loss is counted."""

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from thermo_core.errors import MissingKeyFrameError
from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640 import codec
from thermo_core.sensors.mlx90640.counts import CountsDecoder, CountsEncoder, PackedSubpage
from thermo_core.sensors.mlx90640.frames import CONTROL, FRAME_WORDS, PIXELS, SUBPAGE, Subpage
from thermo_core.wire import records
from thermo_core.wire.framing import Demultiplexer, ManagementFrame, TelemetryFrame, encode_frame, encode_packet
from thermo_core.wire.records import ClockRecord, Record, sequence_gap

pytestmark = pytest.mark.lengthy

FRAMES = 100_000
CLOCK_EVERY = 20
ANSWER_EVERY = 50
KEY_INTERVAL = 32
PERIOD = 8 * 2 * KEY_INTERVAL
"""Subpages packed by the encoder; later ones repeat them under new numbers, as a still scene might."""
BIT_ERROR_RATE = 1e-4
BYTE_LOSS_RATE = 2e-5
CHUNK = 4096
CHESS = 0x1901


@dataclass(frozen=True)
class Sent:
    """A line as the device wrote it."""

    line: bytes
    frame_starts: NDArray[np.int64]
    frame_ends: NDArray[np.int64]
    packed: list[PackedSubpage]
    answers: list[bytes]
    answer_starts: NDArray[np.int64]


def picture_words(rng: np.random.Generator, pattern: NDArray[np.int64], number: int) -> NDArray[np.uint16]:
    words = (pattern + np.rint(rng.normal(0, 1.85, FRAME_WORDS)).astype(np.int64)).astype(np.uint16)
    words[CONTROL], words[SUBPAGE] = CHESS, number
    return words


@pytest.fixture(scope="module")
def pictures() -> list[NDArray[np.uint16]]:
    """What the sensor said, by subpage modulo PERIOD."""
    rng = np.random.default_rng(1)
    pattern = rng.integers(-300, 300, FRAME_WORDS)
    return [picture_words(rng, pattern, index % 2) for index in range(PERIOD)]


@pytest.fixture(scope="module")
def sent(pictures: list[NDArray[np.uint16]]) -> Sent:
    encoder = CountsEncoder(KEY_INTERVAL)
    period = [encoder.encode(Subpage(words, index, 0)) for index, words in enumerate(pictures)]
    packed: list[PackedSubpage] = []
    answers: list[bytes] = []
    pieces: list[bytes] = []
    starts, ends, answer_starts, at = [], [], [], 0
    for sequence in range(FRAMES):
        record: Record
        if sequence % CLOCK_EVERY == CLOCK_EVERY - 1:
            record = ClockRecord(sequence, 0, 0, 0, len(packed), 0)
        else:
            index = len(packed)
            out = period[index % PERIOD]
            packed.append(out._replace(key_index=out.key_index + index // PERIOD * PERIOD))
            record = Block(sequence, 0, 0, index, codec.encode(packed[-1], index))
        pieces.append(encode_frame(records.encode(record, sequence)))
        starts.append(at)
        at += len(pieces[-1])
        ends.append(at)
        if sequence % ANSWER_EVERY == 0:
            answers.append(b"answer %08d " % sequence + bytes(200))
            answer_starts.append(at)
            pieces.append(encode_packet(answers[-1]))
            at += len(pieces[-1])
    return Sent(b"".join(pieces), np.array(starts), np.array(ends), packed, answers, np.array(answer_starts))


def damage(sent: Sent, seed: int) -> tuple[bytes, NDArray[np.bool_], list[bytes]]:
    """The line after bit errors and lost bytes, and the frames and answers nothing happened to.

    The first and the last frame are spared, so that every gap has two ends.
    """
    rng = np.random.default_rng(seed)
    line = np.frombuffer(sent.line, np.uint8).copy()
    first, last = int(sent.frame_ends[0]), int(sent.frame_starts[-1])
    bits = rng.integers(8 * first, 8 * last, rng.binomial(8 * line.size, BIT_ERROR_RATE))
    np.bitwise_xor.at(line, bits // 8, (1 << bits % 8).astype(np.uint8))
    lost = rng.integers(first, last, rng.binomial(line.size, BYTE_LOSS_RATE))
    hit = np.concatenate([bits // 8, lost])
    frame = np.searchsorted(sent.frame_starts, hit, side="right") - 1
    untouched = np.ones(FRAMES, np.bool_)
    untouched[frame[hit < sent.frame_ends[frame]]] = False
    answer = np.searchsorted(sent.answer_starts, hit, side="right") - 1
    damaged = set(answer[hit < sent.answer_starts[answer] + len(encode_packet(sent.answers[0]))])
    return np.delete(line, lost).tobytes(), untouched, [a for n, a in enumerate(sent.answers) if n not in damaged]


@pytest.mark.parametrize("seed", [7])
def test_a_noisy_line_costs_what_it_damages_and_nothing_else(
    sent: Sent, pictures: list[NDArray[np.uint16]], seed: int
) -> None:
    line, untouched, untouched_answers = damage(sent, seed)
    assert FRAMES / 20 < (~untouched).sum() < FRAMES / 2
    demultiplexer, decoder = Demultiplexer(), CountsDecoder()
    received = np.zeros(FRAMES, np.bool_)
    subpage_received = np.zeros(len(sent.packed), np.bool_)
    shown = np.zeros(len(sent.packed), np.bool_)
    answers: list[bytes] = []
    gaps, last, discarded_waiting = 0, -1, 0
    own = [own_words(number) for number in (0, 1)]
    for at in range(0, len(line), CHUNK):
        for frame in demultiplexer.feed(line[at : at + CHUNK]):
            if isinstance(frame, ManagementFrame):
                answers.append(frame.message)
                continue
            assert isinstance(frame, TelemetryFrame)
            header, record = records.decode(frame.record)
            gap = sequence_gap(last, header.sequence)
            gaps += gap
            last += 1 + gap
            assert record.time_us == last
            received[last] = True
            if not isinstance(record, Block):
                continue
            subpage_received[record.index] = True
            try:
                words = decoder.decode(codec.decode(record.data, record.index))
            except MissingKeyFrameError:
                discarded_waiting += 1
                continue
            truth = pictures[record.index % PERIOD]
            places = own[record.index % 2]
            assert np.array_equal(words[places], truth[places])
            shown[record.index] = True
    # Every loss is counted, and nothing that the line left alone is lost.
    assert received.sum() + gaps == FRAMES
    assert not (untouched & ~received).any()
    assert gaps > FRAMES / 20
    # A subpage is shown exactly when it and its key frame came: a lost difference costs itself alone, and after a lost
    # key frame the next one of the same number that comes brings the reader back in step.
    key_of = np.array([out.key_index for out in sent.packed])
    np.testing.assert_array_equal(shown, subpage_received & subpage_received[key_of])
    is_key = np.array([out.key for out in sent.packed])
    lost_keys = np.flatnonzero(is_key & ~subpage_received)
    assert lost_keys.size > 100
    assert (~shown).sum() <= (~subpage_received).sum() + lost_keys.size * (KEY_INTERVAL - 1)
    assert discarded_waiting == (subpage_received & ~shown).sum()
    counters = demultiplexer.counters
    assert counters.frames == received.sum()
    assert len(untouched_answers) > len(sent.answers) / 2
    assert set(untouched_answers) <= set(answers) <= set(sent.answers)
    assert counters.packets == len(answers) == len(set(answers))
    # Two damaged frames that a lost zero joined count once, and one that an extra zero cut counts twice.
    assert 0.9 * gaps < counters.bad_frames < 1.2 * gaps


def own_words(number: int) -> NDArray[np.intp]:
    pixels = [place for place in range(PIXELS) if (place // 32 + place) % 2 == number]
    return np.array([*pixels, *range(PIXELS, FRAME_WORDS)])


def test_a_clean_line_costs_nothing(sent: Sent) -> None:
    demultiplexer = Demultiplexer()
    part = sent.line[: int(sent.frame_ends[5000])]
    found = [frame for at in range(0, len(part), CHUNK) for frame in demultiplexer.feed(part[at : at + CHUNK])]
    sequences = [records.decode(frame.record)[0].sequence for frame in found if isinstance(frame, TelemetryFrame)]
    assert sequences == list(range(5001))
    assert demultiplexer.counters.bad_frames == demultiplexer.counters.discarded == 0
