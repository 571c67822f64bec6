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

import cbor2
import numpy as np
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcap.data_stream import RecordBuilder
from mcap.records import Attachment, Channel, Chunk, DataEnd, Footer, Header, McapRecord, Message, Metadata
from thermo_core.correction import Correction
from thermo_core.profile import Profile

from thermo_core.errors import RecordingError, ThermoError
from thermo_core.recording.container import MAGIC, Container
from thermo_core.recording.container import Message as Read
from thermo_core.recording.content import read_head
from thermo_core.recording.layout import CHANNELS, FORMAT, SESSION, eeprom_name, sealed
from thermo_core.recording.plain import to_plain
from thermo_core.sensors.mlx90640.frames import Words
from thermo_core.wire.management import Hello
from thermo_host.sinks import recorder as recording_module
from thermo_host.link.items import Telemetry
from thermo_host.sinks.monitor import Monitor
from thermo_host.stream.playback import Recording
from thermo_host.sinks.recorder import Recorder
from thermo_core.recording.session import Session
from thermo_host.sinks.summary import Summary

Take = Callable[[int], list[Telemetry]]


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, session: Session, telemetry: Take, eeprom_words: Words
) -> tuple[bytes, Session]:
    """A recording with EEPROM, calibration and profile, and its session."""
    profile = cbor2.dumps(Profile.bare().to_dict(), canonical=True)
    identity = eeprom_words[7:10].astype(">u2").tobytes()
    made = replace(session, correction=Correction.identity(identity), profile_cbor=profile)
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
    assert set(expected.attachments) == {"eeprom-0.bin", "calibration.bin", "profile.cbor"}
    noticed = unchanged = 0
    flipped = bytearray(data[:end])
    for place, bit in itertools.product(range(len(MAGIC), end), range(8)):
        flipped[place] ^= 1 << bit
        try:
            assert read_head(Container(io.BytesIO(flipped), len(data)), "r") == expected, (place, bit)
            unchanged += 1
        except RecordingError as error:
            assert "\n" not in str(error)
            noticed += 1
        flipped[place] ^= 1 << bit
    assert noticed > 80_000
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


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
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
            summary.push(item, monitor.push(item))
        summary.words()
        summary.to_map()
    except ThermoError as error:
        assert "\n" not in str(error)


def bytes_of(record: McapRecord) -> bytes:
    builder = RecordBuilder()
    record.write(builder)
    return bytes(builder.end())


def mcap(session: Session, *records: McapRecord | bytes, metadata: dict[str, str] | None = None) -> bytes:
    """A file of format 2 with an EEPROM, any records, and an end."""
    eeprom = session.eeproms[0].astype("<u2").tobytes()
    content = {
        "format": FORMAT,
        "started_ns": str(session.started_ns),
        "hello": json.dumps(to_plain(session.hello)),
        "attachments": json.dumps({eeprom_name(0): hashlib.sha256(eeprom).hexdigest()}),
        **(metadata or {}),
    }
    parts: list[McapRecord | bytes] = [
        Header("thermo-edge", "test"),
        Metadata(SESSION, sealed(SESSION, content)),
        Attachment(1, 1, eeprom_name(0), "", eeprom),
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


CLOCK = {"sequence": 1, "time_us": 5, "unix_us": 0, "lease_left_ms": 1, "dropped": 0, "captured": 1, "lost": 0}
CHANNEL = {"counts": 1, "state": 0, "celsius": 33.0}
SCAN = {"sequence": 1, "time_us": 5, "sensor": 1, "channels": [CHANNEL]}


@pytest.mark.parametrize(
    ("topic", "content"),
    [
        ("/clock", {**CLOCK, "time_us": 2**62}),
        ("/clock", {**CLOCK, "time_us": -1}),
        ("/clock", {**CLOCK, "lost": 2**70}),
        ("/clock", {**CLOCK, "sequence": 10**30}),
        ("/clock", {**CLOCK, "sequence": "1"}),
        ("/clock", [1, 2]),
        ("/clock", b"[" * 100_000),
        ("/clock", b'{"sequence": 1' + b"0" * 6000 + b"}"),
        ("/clock", b"\xff\xfe"),
        ("/thermistors", {**SCAN, "channels": [{**CHANNEL, "state": 9}]}),
        ("/thermistors", {**SCAN, "channels": [{**CHANNEL, "state": -1}]}),
        ("/thermistors", {**SCAN, "channels": [CHANNEL] * 300}),
        (
            "/thermistors",
            b'{"sequence":1,"time_us":5,"sensor":1,"channels":[{"counts":1,"state":0,"celsius":Infinity}]}',
        ),
        ("/thermistors", b'{"sequence":1,"time_us":5,"sensor":1,"channels":[{"counts":1,"state":0,"celsius":1e999}]}'),
        ("/gap", {"from_ns": 2**63, "to_ns": 2**63, "reason": "far away"}),
        ("/gap", {"from_ns": -5, "to_ns": 2, "reason": "long ago"}),
        ("/event", {"sequence": 1, "time_us": 5, "code": 1, "severity": 7, "count": 1, "text": "x"}),
        ("/event", {"sequence": 1, "time_us": 5, "code": 1, "severity": 1, "count": 1, "text": "\ud800"}),
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
        summary.push(item, monitor.push(item))
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
        {"attachments": json.dumps({"eeprom-0.bin": "00"})},
        {"attachments": json.dumps({"eeprom-1.bin": "00"})},
    ],
)
def test_a_head_that_makes_no_sense_is_one_sentence(tmp_path: Path, session: Session, metadata: dict[str, str]) -> None:
    path = tmp_path / "r.mcap"
    path.write_bytes(mcap(session, metadata=metadata))
    with pytest.raises(RecordingError) as caught:
        Recording(path)
    assert "\n" not in str(caught.value)


def test_an_impossible_hello_is_refused(tmp_path: Path, session: Session) -> None:
    for change in ({"time_us": 2**62}, {"lease_max_ms": -1}):
        hello = to_plain(replace(session.hello, **change))
        path = tmp_path / "r.mcap"
        path.write_bytes(mcap(session, metadata={"hello": json.dumps(hello)}))
        with pytest.raises(RecordingError, match="whose recording"):
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


def test_a_hello_of_format_1_is_read(tmp_path: Path, session: Session) -> None:
    hello: Hello = session.hello
    eeprom = session.eeproms[0].astype("<u2").tobytes()
    content = {"format": "1", "started_ns": str(session.started_ns), "hello": json.dumps(to_plain(hello)), "port": "x"}
    parts = [Header("", ""), Metadata(SESSION, content), Attachment(1, 1, eeprom_name(0), "", eeprom)]
    path = tmp_path / "r.mcap"
    path.write_bytes(MAGIC + b"".join(map(bytes_of, parts)) + bytes_of(chunk_of(message("/clock", CLOCK))))
    recording = Recording(path)
    assert recording.session.hello == hello
    np.testing.assert_array_equal(recording.session.eeproms[0], session.eeproms[0])
    assert len(list(recording)) == 1
    assert not recording.complete
