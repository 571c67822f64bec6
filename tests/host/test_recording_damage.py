"""Recordings that are damaged or made to harm: a flipped bit is noticed or changes nothing, and memory has bounds."""

import hashlib
import io
import itertools
import json
import struct
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import zstandard
from examples import few
from host_sessions import corrected, with_hello
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from mcap.data_stream import RecordBuilder
from mcap.records import Attachment, Channel, Chunk, DataEnd, Footer, Header, McapRecord, Message, Metadata

from thermo_core.errors import RecordingError, ThermoError
from thermo_core.recording.container import MAGIC, Container
from thermo_core.recording.container import Message as Read
from thermo_core.recording.content import read_head
from thermo_core.recording.layout import CHANNELS, SESSION, sealed
from thermo_core.recording.session import Session, to_metadata
from thermo_core.sensors.correction import Stamp
from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.sensors.mlx90640.frames import Words
from thermo_core.sensors.mlx90640.identity import device_id
from thermo_core.wire.records import ClockRecord, EventRecord, FindingRecord, encode
from thermo_core.wire.table import OutputKind, Severity
from thermo_host.link.items import Telemetry
from thermo_host.sinks import recorder as recording_module
from thermo_host.sinks.monitor import Monitor
from thermo_host.sinks.recorder import Recorder
from thermo_host.sinks.summary import Summary
from thermo_host.stream.playback import Recording

Take = Callable[[int], list[Telemetry]]


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, session: Session, telemetry: Take, eeprom_words: Words
) -> tuple[bytes, Session]:
    """A recording with constants, a correction and a profile, and its session."""
    made = corrected(session, 0, PixelCorrection.identity(Stamp(device_id(eeprom_words))))
    path = tmp_path_factory.mktemp("whole") / "r.mcap"
    with Recorder(path, made) as recorder:
        for item in telemetry(60):
            recorder.add(item)
    return path.read_bytes(), made


def head_end(data: bytes) -> int:
    """Where the first chunk begins."""
    at = len(MAGIC)
    while data[at] != 0x06:
        at += 9 + struct.unpack_from("<Q", data, at + 1)[0]
    return at


def test_every_flipped_bit_of_metadata_and_attachments_is_noticed_or_changes_nothing(
    whole: tuple[bytes, Session],
) -> None:
    data, _ = whole
    end = head_end(data)
    expected = read_head(Container(io.BytesIO(data), len(data)), "r")
    assert set(expected.attachments) == {"constants-0.bin", "correction-0.bin", "profile.cbor"}
    noticed = unchanged = 0
    flipped = bytearray(data[:end])
    # Within what is attached one check sum covers all bits alike: there a bit of each byte, in turn, stands for its eight.
    attached = {
        place
        for blob in expected.attachments.values()
        for at in [data.index(blob)]
        for place in range(at + 8, at + len(blob) - 8)
    }
    bits = [(place, bit) for place, bit in itertools.product(range(len(MAGIC), end), range(8))
            if place not in attached or bit == place % 8]  # fmt: skip
    for place, bit in bits:
        flipped[place] ^= 1 << bit
        try:
            assert read_head(Container(io.BytesIO(flipped), len(data)), "r") == expected, (place, bit)
            unchanged += 1
        except RecordingError as error:
            assert "\n" not in str(error)
            noticed += 1
        flipped[place] ^= 1 << bit
    assert noticed > 10_000
    assert unchanged < 1000  # names and times that nobody reads


def test_a_flipped_bit_anywhere_costs_its_own_chunk_and_is_noticed(
    whole: tuple[bytes, Session], tmp_path: Path
) -> None:
    data, session = whole
    path = tmp_path / "r.mcap"
    path.write_bytes(data)
    items = list(Recording(path))
    rng = np.random.default_rng(2)
    for place in rng.integers(len(MAGIC), len(data), 400).tolist():
        flipped = bytearray(data)
        flipped[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(flipped)
        try:
            recording = Recording(path)
        except RecordingError:
            continue
        found = list(recording)
        assert all(item in items for item in found)
        same = recording.session.hello == session.hello and found == items
        assert same or recording.damaged or not recording.complete


@few(100, of=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_damage_is_a_bug(whole: tuple[bytes, Session], tmp_path: Path, data: st.DataObject) -> None:
    damaged = bytearray(whole[0])
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        kind = data.draw(st.sampled_from(["byte", "number", "cut", "insert"]))
        if kind == "byte":
            damaged[at] = data.draw(st.integers(0, 255))
        elif kind == "number":
            damaged[at : at + 8] = data.draw(st.integers(0, 2**64 - 1)).to_bytes(8, "little")
        elif kind == "cut":
            del damaged[at : at + data.draw(st.integers(0, 300))]
        else:
            damaged[at:at] = data.draw(st.binary(max_size=30))
        damaged = damaged or bytearray(b"x")
    path = tmp_path / "damaged.mcap"
    path.write_bytes(damaged)
    try:
        recording = Recording(path)
        monitor, summary = Monitor(recording.session), Summary(recording.session)
        for item in recording:
            summary.take(item, monitor.push(item))
        summary.words()
        summary.to_map()
    except ThermoError as error:
        assert "\n" not in str(error)


def bytes_of(record: McapRecord) -> bytes:
    builder = RecordBuilder()
    record.write(builder)
    return bytes(builder.end())


def mcap(session: Session, *records: McapRecord | bytes, metadata: dict[str, str] | None = None) -> bytes:
    """A file of format 3 with profile and constants, any records, and an end."""
    plain, attachments = to_metadata(session, "+00:00")
    announced = {name: hashlib.sha256(data).hexdigest() for name, data in attachments.items()}
    content = {**plain, "attachments": json.dumps(announced), **(metadata or {})}
    parts: list[McapRecord | bytes] = [
        Header("thermo-edge", "test"),
        Metadata(SESSION, sealed(SESSION, content)),
        *(Attachment(1, 1, name, "", data) for name, data in attachments.items()),
        *records,
        DataEnd(0),
        Footer(0, 0, 0),
    ]
    return MAGIC + b"".join(part if isinstance(part, bytes) else bytes_of(part) for part in parts) + MAGIC


def chunk_of(*records: McapRecord, announce: int | None = None) -> Chunk:
    plain = b"".join(map(bytes_of, records))
    size = len(plain) if announce is None else announce
    return Chunk("zstd", zstandard.compress(plain), 2, 1, 0, size)


def message(topic: str, content: object, log_ns: int = 5, publish_ns: int = 5) -> Message:
    number = next(number for number, name in CHANNELS.items() if name == topic)
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Message(number, log_ns, data, publish_ns, 0)


CLOCK = encode(ClockRecord(5, 0, 1, 0, 1, 0), 1)
EVENT = encode(EventRecord(5, 2, Severity.WARNING, 0, 1, "x"), 1)
FINDING = encode(FindingRecord(5, 0, 0, 0, 1, 1, ((0, 1),), OutputKind.SCORES, (0.25, 0.75)), 1)


def other(record: bytes, at: int, value: int, size: int = 1) -> bytes:
    """A record with other bytes in one place."""
    return record[:at] + value.to_bytes(size, "little") + record[at + size :]


@pytest.mark.parametrize(
    ("topic", "content"),
    [
        ("/clock", other(CLOCK, 4, 2**62, 8)),
        ("/clock", other(CLOCK, 4, 2**64 - 1, 8)),
        ("/clock", other(CLOCK, 0, 1)),
        ("/clock", other(CLOCK, 0, 3)),
        ("/clock", other(CLOCK, 1, 9)),
        ("/clock", CLOCK[:-1]),
        ("/clock", CLOCK + b"x"),
        ("/clock", b""),
        ("/clock", EVENT),
        ("/event", b"\xff\xfe"),
        ("/event", other(EVENT, 14, 7)),
        ("/event", EVENT[:-1] + b"\xff"),
        ("/event", EVENT + b"x" * 600),
        ("/finding", FINDING[:-1]),
        ("/finding", other(FINDING, len(FINDING) - 5, 64)),
        ("/finding", other(FINDING, 27, 200)),
        ("/block", encode(Block(5, 0, 0, 1, b"x"), 1)[:-1]),
        ("/gap", {"from_ns": 2**63, "to_ns": 2**63, "reason": "far away"}),
        ("/gap", {"from_ns": -5, "to_ns": 2, "reason": "long ago"}),
        ("/gap", [1, 2]),
        ("/gap", b"[" * 100_000),
        ("/gap", {"from_ns": 1, "to_ns": 10**30, "reason": "long"}),
        ("/marker", {"at_ns": -1, "text": "x"}),
        ("/marker", {"at_ns": 2**63, "text": "x"}),
        ("/marker", {"at_ns": 5, "text": "x" * 600}),
        ("/marker", {"at_ns": "5"}),
    ],
)
def test_a_message_that_no_wearable_sends_is_left_out_and_counted(
    tmp_path: Path, session: Session, topic: str, content: Any
) -> None:
    path = tmp_path / "r.mcap"
    path.write_bytes(mcap(session, chunk_of(message(topic, content), message("/clock", CLOCK))))
    recording = Recording(path)
    monitor, summary = Monitor(recording.session), Summary(recording.session)
    for item in recording:
        summary.take(item, monitor.push(item))
    assert recording.damaged == 1
    assert monitor.clock is not None
    summary.words()


@pytest.mark.parametrize("ns", [2**63, 2**64 - 1])
def test_a_date_beyond_all_dates_is_left_out(tmp_path: Path, session: Session, ns: int) -> None:
    path = tmp_path / "r.mcap"
    path.write_bytes(mcap(session, chunk_of(message("/clock", CLOCK, ns), message("/clock", CLOCK, 5, ns))))
    recording = Recording(path)
    assert list(recording) == []
    assert recording.damaged == 2


@pytest.mark.parametrize(
    "metadata",
    [
        {"started_ns": str(2**63)},
        {"started_ns": "-1"},
        {"started_ns": "1" * 5000},
        {"hello": "[" * 100_000},
        {"hello": "null"},
        {"attachments": "[" * 100_000},
        {"attachments": "[1, 2]"},
        {"attachments": json.dumps({"constants-0.bin": "00"})},
        {"attachments": json.dumps({"constants-1.bin": "00"})},
        {"person": "[1]"},
        {"constants": "[" * 100_000},
    ],
)
def test_a_head_that_makes_no_sense_is_one_sentence(tmp_path: Path, session: Session, metadata: dict[str, str]) -> None:
    path = tmp_path / "r.mcap"
    path.write_bytes(mcap(session, metadata=metadata))
    with pytest.raises(RecordingError) as caught:
        Recording(path)
    assert "\n" not in str(caught.value)


def test_an_impossible_hello_is_refused(tmp_path: Path, session: Session) -> None:
    for change in ({"time_us": 2**62}, {"lease_max_ms": -1}, {"sensors": ()}, {"sensors": session.hello.sensors[::-1]}):
        hello = msgspec.json.encode(with_hello(session, **change).hello).decode()
        path = tmp_path / "r.mcap"
        path.write_bytes(mcap(session, metadata={"hello": hello}))
        with pytest.raises(RecordingError, match=r"whose|other sensors"):
            Recording(path)


def test_another_compression_is_named(tmp_path: Path, session: Session) -> None:
    path = tmp_path / "r.mcap"
    path.write_bytes(MAGIC + bytes_of(Header("", "")) + bytes_of(Chunk("lz4", b"x", 0, 0, 0, 5)))
    with pytest.raises(RecordingError, match=r"'lz4'.*mcap compress"):
        Recording(path)


def test_other_peoples_metadata_attachments_and_topics_do_no_harm(tmp_path: Path, session: Session) -> None:
    path = tmp_path / "r.mcap"
    own = Channel(77, "/camera", "raw", {}, 0)
    path.write_bytes(
        mcap(
            session,
            Metadata("note", {"by": "somebody"}),
            Attachment(1, 1, "plan.pdf", "", b"x" * 100),
            chunk_of(own, Message(77, 5, b"\x00", 5, 0), message("/clock", CLOCK)),
        )
    )
    recording = Recording(path)
    assert len(list(recording)) == 1
    assert recording.damaged == 0


BOMBS = {
    "a chunk that says so": Chunk("zstd", zstandard.compress(b"\0" * (1 << 28)), 2, 1, 0, 1 << 28),
    "a chunk that says otherwise": Chunk("zstd", zstandard.compress(b"\0" * (1 << 28)), 2, 1, 0, 1000),
    "a frame without its size": Chunk(
        "zstd", zstandard.ZstdCompressor(write_content_size=False).compress(b"\0" * (1 << 28)), 2, 1, 0, 1000
    ),
    "a length beyond the file": b"\x06" + (1 << 62).to_bytes(8, "little"),
    "an attachment beyond the file": b"\x09" + (1 << 40).to_bytes(8, "little"),
}


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS.keys())
def test_a_small_file_takes_little_memory(tmp_path: Path, session: Session, bomb: McapRecord | bytes) -> None:
    path = tmp_path / "r.mcap"
    path.write_bytes(mcap(session, *[bomb] * 4))
    tracemalloc.start()
    try:
        recording = Recording(path)
        assert list(recording) == []
        assert tracemalloc.get_traced_memory()[1] < 100 << 20
    finally:
        tracemalloc.stop()
    assert recording.damaged == 4 or not recording.complete


def test_a_chunk_of_many_small_messages_is_not_held_at_once(session: Session) -> None:
    plain = bytes_of(Message(1, 5, b"", 5, 0)) * 100_000
    data = mcap(session, Chunk("zstd", zstandard.compress(plain), 2, 1, 0, len(plain)))
    tracemalloc.start()
    try:
        count = sum(isinstance(record, Read) for record in Container(io.BytesIO(data), len(data)))
        assert tracemalloc.get_traced_memory()[1] < 3 * len(plain)
    finally:
        tracemalloc.stop()
    assert count == 100_000


def test_a_window_gives_what_lies_in_it_and_its_lead(
    tmp_path: Path, session: Session, telemetry: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording_module, "FLUSH_S", 0.0)
    monkeypatch.setattr("thermo_host.stream.playback.LEAD_NS", 500_000_000)
    items = telemetry(150)
    path = tmp_path / "r.mcap"
    with Recorder(path, session) as recorder:
        for item in items:
            recorder.add(item)
    recording = Recording(path)
    from_ns, to_ns = items[60].received_ns, items[90].received_ns
    expected = [item for item in items if from_ns - 500_000_000 <= item.received_ns <= to_ns]
    seen: list[int] = []
    assert list(recording.items(from_ns, to_ns, lambda done, total: seen.append(done))) == expected
    assert recording.complete
    assert recording.damaged == 0
    assert seen == sorted(seen)
    assert list(recording) == items


@pytest.mark.parametrize("number", ["1", "2"])
def test_formats_that_were_never_released_are_said_to_be_so(tmp_path: Path, session: Session, number: str) -> None:
    path = tmp_path / "r.mcap"
    path.write_bytes(mcap(session, metadata={"format": number}))
    with pytest.raises(RecordingError, match=f"format {number}, which was never released; record it again"):
        Recording(path)


def test_a_correction_that_is_none_is_said(tmp_path: Path, session: Session) -> None:
    path = tmp_path / "r.mcap"
    path.write_bytes(mcap(replace(session, corrections={0: b"nothing"})))
    with pytest.raises(RecordingError, match="a correction that is none"):
        Recording(path)
