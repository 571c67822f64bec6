"""docs/wire.md cannot rot: its test vectors are taken from the page and checked against the code, both ways.

The packing is also checked against a reader that follows the page bit by bit and shares nothing with the code.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cbor2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from thermo_core.sensors.mlx90640.counts import CountsDecoder, CountsEncoder, PackedSubpage
from thermo_core.sensors.mlx90640.frames import CONTROL, FRAME_WORDS, SUBPAGE, Subpage
from thermo_core.wire import management, records
from thermo_core.wire.framing import Demultiplexer, ManagementFrame, TelemetryFrame, encode_frame, encode_packet
from thermo_core.wire.management import Command, StreamAnswer, StreamOp, StreamRequest
from thermo_core.wire.records import (
    ChannelReading,
    ClockRecord,
    EventRecord,
    Record,
    Severity,
    SubpageRecord,
    ThermistorRecord,
    VerdictRecord,
)
from thermo_core.wire.smp import Group, Op, SmpHeader, SmpMessage

PAGE = Path(__file__).resolve().parents[2] / "docs" / "wire.md"
CONTROL_WORD = 0x1901
OWN = [32 * row + column for row in range(24) for column in range(32) if (row + column) % 2 == 0]


@pytest.fixture(scope="module")
def vectors() -> dict[str, bytes]:
    """Hex blocks of the page by name."""
    blocks = re.findall(r"^```hex ([a-z-]+)\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len({name for name, _ in blocks}) == len(blocks)
    return {name: bytes.fromhex(block) for name, block in blocks}


def words_of(pixels: NDArray[np.int64], auxiliary: NDArray[np.int64]) -> NDArray[np.uint16]:
    words = np.zeros(FRAME_WORDS, np.uint16)
    words[OWN] = pixels.astype(np.uint16)
    words[768:832] = auxiliary.astype(np.uint16)
    words[CONTROL], words[SUBPAGE] = CONTROL_WORD, 0
    return words


def examples() -> dict[str, NDArray[np.uint16]]:
    """The subpages of the worked examples, as the page tells them."""
    key_pixels = np.full(384, -40)
    auxiliary = np.array([20000] * 32 + [1680] * 32)
    pixels = key_pixels + 5
    pixels[[0, 1, 383]] = -40 + np.array([8, 3, 6])
    changed = auxiliary.copy()
    changed[[0, 32]] = 20001, 1674
    return {
        "counts-key": words_of(key_pixels, auxiliary),
        "counts-difference": words_of(pixels, changed),
        "counts-planes": words_of(key_pixels + np.arange(384) % 8 - 3, auxiliary),
    }


def test_worked_examples_of_the_packing(vectors: dict[str, bytes]) -> None:
    encoder, decoder = CountsEncoder(), CountsDecoder()
    for index, (name, words) in enumerate(examples().items()):
        packed = encoder.encode(Subpage(words, index, 0))
        assert packed.data == vectors[name], name
        np.testing.assert_array_equal(decoder.decode(packed), words)


RECORDS: dict[str, tuple[int, Record]] = {
    "record-thermistors": (
        4,
        ThermistorRecord(1_260_000, 1, (ChannelReading(13250, 0, 33.5), ChannelReading(32767, 1, None))),
    ),
    "record-verdict": (
        5,
        VerdictRecord(
            1_520_000, 12, 8, True, False, False, True, 1, (0.25, 0.75), 18_500, 9_200, model_version=(1, 2, 3, 4)
        ),
    ),
    "record-event": (6, EventRecord(1_530_000, 13, Severity.WARNING, 2, "A page was lost.")),
    "record-clock": (7, ClockRecord(2_000_000, 1_700_000_000_000_000, 2750, 0, 16, 1)),
}


@pytest.mark.parametrize("name", ["record-subpage", *RECORDS])
def test_records_on_the_page(vectors: dict[str, bytes], name: str) -> None:
    if name == "record-subpage":
        packed = PackedSubpage(0, CONTROL_WORD, False, 10, vectors["counts-difference"])
        sequence, record = 3, SubpageRecord(1_500_000, 0, 12, packed, generation=2)
    else:
        sequence, record = RECORDS[name]
    assert records.encode(record, sequence) == vectors[name]
    header, decoded = records.decode(vectors[name])
    assert header.sequence == sequence
    if isinstance(decoded, VerdictRecord):
        decoded = replace(decoded, scores=tuple(round(score, 4) for score in decoded.scores))
    assert decoded == record


def test_frames_and_packets_on_the_page(vectors: dict[str, bytes]) -> None:
    assert encode_frame(vectors["record-clock"]) == vectors["frame-clock"]
    assert encode_packet(vectors["smp-hello-request"]) == vectors["packet-hello-request"]
    assert encode_packet(bytes(range(60)), 64) == vectors["packet-two-lines"]
    line = vectors["packet-hello-request"] + vectors["frame-clock"] + vectors["packet-two-lines"]
    assert Demultiplexer().feed(line) == [
        ManagementFrame(vectors["smp-hello-request"]),
        TelemetryFrame(vectors["record-clock"]),
        ManagementFrame(bytes(range(60))),
    ]


def test_messages_on_the_page(vectors: dict[str, bytes]) -> None:
    start = SmpMessage(
        SmpHeader(Op.WRITE, Group.THERMO, Command.STREAM, 8), StreamRequest(StreamOp.START, 3000, 64).to_map()
    )
    rollback = SmpMessage(SmpHeader(Op.WRITE, Group.THERMO, Command.ROLLBACK, 9), {})
    messages = {
        "smp-hello-request": SmpMessage(SmpHeader(Op.READ, Group.THERMO, Command.HELLO, 7), {}),
        "smp-stream-start": start,
        "smp-stream-answer": start.respond(StreamAnswer(3000, 1_000_000).to_map()),
        "smp-refusal": rollback.refuse(management.GroupError.NO_CALIBRATION, Group.THERMO),
    }
    for name, message in messages.items():
        assert message.encode() == vectors[name], name
        assert SmpMessage.decode(vectors[name]) == message, name
        assert vectors[name][2:4] == len(vectors[name][8:]).to_bytes(2, "big")
        assert cbor2.loads(vectors[name][8:]) == dict(message.body)


def test_every_vector_is_checked_here(vectors: dict[str, bytes]) -> None:
    source = Path(__file__).read_text(encoding="utf-8")
    assert len(vectors) >= 15
    assert [name for name in vectors if f'"{name}"' not in source] == []


def test_commands_and_codes_on_the_page_are_those_of_the_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    commands = set(re.findall(r"^\| (\d+) ([a-z-]+) \| (?:read|write) \|", page, re.MULTILINE))
    assert commands == {(str(int(command)), command.name.lower().replace("_", "-")) for command in Command}
    codes = re.search(r"\| code of group 65 .*?\n\n", page, re.DOTALL)
    assert codes is not None
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", codes[0], re.MULTILINE)}
    assert listed == set(management.GroupError) - {management.GroupError.OK}
    hello = page[page.index("**Hello** answers with") : page.index("### The lease")]
    keys = {key.strip() for row in re.findall(r"^\| ([a-z_, ]+) \|", hello, re.MULTILINE) for key in row.split(",")}
    assert keys - {"key"} == set(management.Hello("", "", "", "", "", "", 0, (), False, False, False, 0, "").to_map())
    for key in management.SensorInfo("", 0, 0, b"", 0.0, 0).to_map():
        assert key in hello


def test_record_tables_end_where_records_end(vectors: dict[str, bytes]) -> None:
    """The offset and type of the last fixed field of each table give the length of the example."""
    assert len(vectors["record-clock"]) == 32 + 4
    assert len(vectors["record-event"]) == 19 + len("A page was lost.")
    assert len(vectors["record-verdict"]) == 28 + 2 * 2 + 8
    assert len(vectors["record-thermistors"]) == 17 + 5 * 1 + 2
    assert len(vectors["record-subpage"]) == 28 + len(vectors["counts-difference"])


def bits_of(data: bytes) -> Iterator[int]:
    for byte in data:
        for place in range(7, -1, -1):
            yield byte >> place & 1


def plain_codes(data: bytes, at: int, count: int, k: int) -> tuple[list[int], int]:
    """`count` Rice codes from byte `at`, as the page describes them, and the byte after them."""
    low_bytes = (count * k + 7) // 8
    low, unary = bits_of(data[at : at + low_bytes]), bits_of(data[at + low_bytes :])
    values, used = [], 0
    for _ in range(count):
        zeros = 0
        while next(unary) == 0:
            zeros += 1
        used += zeros + 1
        value = zeros
        for _ in range(k):
            value = value << 1 | next(low)
        values.append(value)
    return values, at + low_bytes + (used + 7) // 8


def plain_unfold(value: int) -> int:
    return value // 2 if value % 2 == 0 else -(value + 1) // 2


def plain_words(data: bytes, at: int, count: int) -> tuple[list[int], int]:
    return [int.from_bytes(data[at + 2 * i : at + 2 * i + 2], "little") for i in range(count)], at + 2 * count


def plain_decode(data: bytes, key: tuple[list[int], list[int]] | None) -> tuple[list[int], list[int]]:
    """Own pixels and auxiliary words of packed counts, one at a time; `key` those of the key frame, None in one."""
    offset, at = int.from_bytes(data[1:2], "little", signed=True), 2
    if data[0] >> 4 == 15:
        pixels, at = plain_words(data, at, 384)
    else:
        codes, at = plain_codes(data, at, 384, data[0] >> 4)
        pixels = []
        for place, code in enumerate(codes):
            if key is not None:
                prediction = key[0][place]
            else:
                prediction = 0 if place == 0 else pixels[place - 1 if place < 32 else place - 32]
            pixels.append((prediction + offset + plain_unfold(code)) % 65536)
    if data[0] & 15 == 15:
        auxiliary, at = plain_words(data, at, 64)
    else:
        changed = list(bits_of(data[at : at + 8]))
        codes, at = plain_codes(data, at + 8, sum(changed), data[0] & 15)
        auxiliary = []
        for place in range(64):
            prediction = key[1][place] if key is not None else (auxiliary[-1] if auxiliary else 0)
            residual = plain_unfold(codes.pop(0) + 1) if changed[place] else 0
            auxiliary.append((prediction + residual) % 65536)
    assert at == len(data)
    return pixels, auxiliary


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 16), st.floats(0, 16), st.integers(-300, 300))
def test_a_reader_written_from_the_page_agrees(seed: int, spread: float, change: float, shift: int) -> None:
    rng = np.random.default_rng(seed)
    base = rng.normal(0, 2**spread, FRAME_WORDS)
    encoder = CountsEncoder()
    key = None
    for index in range(2):
        words = (base + index * (shift + rng.normal(0, 2**change, FRAME_WORDS))).astype(np.int64).astype(np.uint16)
        words[768:832][rng.random(64) < 0.7] = 0x7FFF
        words[CONTROL], words[SUBPAGE] = CONTROL_WORD, 0
        pixels, auxiliary = plain_decode(encoder.encode(Subpage(words, index, 0)).data, key)
        assert pixels == words[OWN].tolist()
        assert auxiliary == words[768:832].tolist()
        key = (pixels, auxiliary)
