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

from thermo_core import schema
from thermo_core.graph import learned
from thermo_core.graph.alerts import AlertChange, AlertState
from thermo_core.graph.plan import plan
from thermo_core.quality import Quality
from thermo_core.sensors.ads1115_ntc import codec as scan
from thermo_core.sensors.kind import Block
from thermo_core.sensors.kinds import KINDS
from thermo_core.sensors.lis3dh.settings import Lis3dhSettings
from thermo_core.sensors.mlx90640 import codec
from thermo_core.sensors.mlx90640.counts import CountsDecoder, CountsEncoder, PackedSubpage
from thermo_core.sensors.mlx90640.frames import CONTROL, FRAME_WORDS, SUBPAGE, Subpage
from thermo_core.sensors.samples import Samples, pack, unpack
from thermo_core.wearable.profile import Profile
from thermo_core.wire import generate, kept, management, records
from thermo_core.wire.framing import Demultiplexer, ManagementFrame, TelemetryFrame, encode_frame, encode_packet
from thermo_core.wire.management import Feed, OfSensor, StreamAnswer, StreamRequest
from thermo_core.wire.records import AlertRecord, ClockRecord, EventRecord, FindingRecord, Record, SignalRecord
from thermo_core.wire.smp import Group, Op, SmpHeader, SmpMessage
from thermo_core.wire.table import Command, GroupError, OutputKind, RecordType, Severity, StreamOp

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / generate.PAGE
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


IMAGE = 0x04030201
RECORDS: dict[str, tuple[int, Record]] = {
    "record-signal": (
        4,
        SignalRecord(1_510_000, 1, int(Quality.UNCALIBRATED), 0, 2, np.array([33.5, np.nan], np.float32)),
    ),
    "record-finding": (
        5,
        FindingRecord(
            1_520_000,
            0,
            int(Quality.SIMULATED | Quality.UNCALIBRATED),
            IMAGE,
            18_500,
            9_200,
            ((0, 12),),
            OutputKind.SCORES,
            (0.25, 0.75),
        ),
    ),
    "record-quantity": (
        6,
        FindingRecord(1_520_000, 1, 0, IMAGE, 18_500, 9_200, ((0, 12), (2, 3)), OutputKind.QUANTITIES, (37.25,)),
    ),
    "record-alert": (
        7,
        AlertRecord(1_525_000, AlertChange(0, AlertState.RAISED, 1_520_000, 0.75, int(Quality.SIMULATED))),
    ),
    "record-event": (8, EventRecord(1_530_000, 13, Severity.WARNING, 0, 2, "A page was lost.")),
    "record-clock": (9, ClockRecord(2_000_000, 1_700_000_000_000_000, 2750, 0, 16, 1)),
}


@pytest.mark.parametrize("name", ["record-block", *RECORDS])
def test_records_on_the_page(vectors: dict[str, bytes], name: str) -> None:
    record: Record
    if name == "record-block":
        packed = PackedSubpage(0, CONTROL_WORD, False, 10, vectors["counts-difference"])
        sequence, record = 3, Block(1_500_000, 0, 2, 12, codec.encode(packed, 12))
    else:
        sequence, record = RECORDS[name]
    assert records.encode(record, sequence) == vectors[name]
    header, decoded = records.decode(vectors[name])
    assert header.sequence == sequence
    if isinstance(decoded, FindingRecord):
        decoded = replace(decoded, values=tuple(round(value, 4) for value in decoded.values))
    if isinstance(decoded, SignalRecord):
        assert decoded.values.tolist()[:1] == [33.5]
        assert np.isnan(decoded.values[1])
    else:
        assert decoded == record


def test_a_kept_finding_on_the_page(vectors: dict[str, bytes]) -> None:
    finding = FindingRecord(1_520_000, 1, int(Quality.UNCALIBRATED), IMAGE, 0, 0, (), OutputKind.QUANTITIES, (37.25,))
    assert kept.encode(finding) == vectors["kept-entry"]
    assert list(kept.decode(vectors["kept-entry"], IMAGE)) == [finding] and finding.fetched


def test_what_was_learned_is_packed_as_the_page_says(vectors: dict[str, bytes]) -> None:
    entries = {b"12345678": learned.Entry(3, b"abc")}
    assert learned.pack(entries) == vectors["learned"] and learned.unpack(vectors["learned"]) == entries


def test_blocks_on_the_page(vectors: dict[str, bytes]) -> None:
    assert scan.encode([13250, None]) == vectors["block-scan"]
    form = Lis3dhSettings(name="motion", path=(0x18,)).format
    samples = Samples(np.array([[0, 1, 500], [2, 1, 501], [-1, 1, 499]], np.int32), 40_000, lost=2)
    assert pack(samples, form) == vectors["block-samples"]
    assert np.array_equal(unpack(vectors["block-samples"], form).values, samples.values)
    page = PAGE.read_text(encoding="utf-8")
    rows = page[page.index("| kind | data |") : page.index("Two channels of an ads1115-ntc")]
    named = {
        kind.strip() for row in re.findall(r"^\| ([a-z0-9, -]+) \|", rows, re.MULTILINE) for kind in row.split(",")
    }
    assert named - {"kind", "---"} == set(KINDS)


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
        SmpHeader(Op.WRITE, Group.THERMO, Command.STREAM, 8),
        StreamRequest(op=StreamOp.START, lease_ms=3000, key_interval=64).to_map(),
    )
    rollback = SmpMessage(SmpHeader(Op.WRITE, Group.THERMO, Command.ROLLBACK, 9), OfSensor(sensor=0).to_map())
    feed = Feed(sensor=2, values=np.array([72.5], "<f4").tobytes())
    messages = {
        "smp-hello-request": SmpMessage(SmpHeader(Op.READ, Group.THERMO, Command.HELLO, 7), {}),
        "smp-stream-start": start,
        "smp-stream-answer": start.respond(StreamAnswer(lease_ms=3000, time_us=1_000_000).to_map()),
        "smp-refusal": rollback.refuse(GroupError.NO_CORRECTION, Group.THERMO),
        "smp-feed": SmpMessage(SmpHeader(Op.WRITE, Group.THERMO, Command.FEED, 10), feed.to_map()),
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


def test_tables_on_the_page_and_in_c_are_those_of_the_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert generate.page(page) == page
    assert (ROOT / generate.HEADER).read_text(encoding="utf-8") == generate.header()
    assert all(f"<!-- table: {name} -->" in page for name in generate.tables())


def test_types_and_commands_on_the_page_are_those_of_the_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    types = re.findall(r"^### Type (\d+): ([a-z]+)$", page, re.MULTILINE)
    assert types == [(str(int(kind)), kind.name.lower()) for kind in RecordType]
    commands = set(re.findall(r"^\| (\d+) ([a-z-]+) \| (?:read|write) \|", page, re.MULTILINE))
    assert commands == {(str(int(command)), command.name.lower().replace("_", "-")) for command in Command}
    hello = page[page.index("**Hello** answers with") : page.index("What a wearable is (its sensors")]
    keys = {key.strip() for row in re.findall(r"^\| ([a-z0-9_, ]+) \|", hello, re.MULTILINE) for key in row.split(",")}
    assert keys - {"key"} == set(management.Hello.__struct_fields__)
    for key in management.SensorState.__struct_fields__:
        assert key in hello
    for state in AlertState:
        assert f"{int(state)} {state.name.lower()}" in page


def test_record_tables_end_where_records_end(vectors: dict[str, bytes]) -> None:
    """The offset and type of the last fixed field of each table give the length of the example."""
    assert len(vectors["record-clock"]) == 32 + 4
    assert len(vectors["record-event"]) == 20 + len("A page was lost.")
    assert len(vectors["record-alert"]) == 24 + 4
    assert len(vectors["record-finding"]) == 30 + 5 * 1 + 2 * 2
    assert len(vectors["record-quantity"]) == 30 + 5 * 2 + 4 * 1
    assert len(vectors["record-signal"]) == 19 + 4 * 2
    assert len(vectors["record-block"]) == 19 + 5 + len(vectors["counts-difference"])


def test_signals_are_numbered_as_the_page_says() -> None:
    profile = {
        "name": "w",
        "version": "1",
        "sensors": [
            {"kind": "external", "name": "a", "rate_hz": 1.0},
            {"kind": "mlx90632", "name": "b", "path": [0x3A]},
        ],
        "stages": [
            {"op": "scale", "of": "net.raw", "gives": "last"},
            {"op": "scale", "of": "a", "gives": "first"},
            {"op": "scale", "of": "first", "gives": "second"},
        ],
        "models": [{"name": "net", "inputs": ["a"], "quantities": [{"name": "q", "unit": "", "low": 0, "high": 1}]}],
        "person": ["age_years"],
    }
    made = plan(schema.from_plain(profile, Profile, "profile"))
    names = ["a", "b", "b.ta", "person.age_years", "first", "net.raw", "last", "second"]
    assert list(made.signals) == names
    assert [made.number_of(name) for name in names] == list(range(len(names)))


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
