"""Recordings: everything comes back, other tools read them, and a cut, damage or a full disk costs its own part alone."""

import json
import os
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cbor2
import numpy as np
import pytest
from mcap.reader import make_reader

from thermo_core.errors import RecordingError, StorageError
from thermo_core.recording.layout import Gap, Marker
from thermo_core.recording.session import Session
from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640 import codec
from thermo_core.sensors.mlx90640.counts import CountsDecoder
from thermo_core.sensors.mlx90640.frames import Subpage
from thermo_core.wire import records
from thermo_core.wire.table import RecordType
from thermo_host.link.items import Telemetry
from thermo_host.sinks import recorder as recording_module
from thermo_host.sinks.recorder import Recorder
from thermo_host.stream.playback import Recording, play

Take = Callable[[int], list[Telemetry]]


def write(path: Path, session: Session, items: list[Telemetry]) -> Path:
    with Recorder(path, session) as recorder:
        for item in items:
            recorder.add(item)
    return path


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every message is committed at once, so that a file has many places to cut."""
    monkeypatch.setattr(recording_module, "FLUSH_S", 0.0)


def test_everything_comes_back(tmp_path: Path, session: Session, telemetry: Take) -> None:
    items = telemetry(200)
    recording = Recording(write(tmp_path / "r.mcap", session, items))
    assert list(recording) == items
    assert recording.complete
    assert recording.damaged == 0
    assert recording.session.hello == session.hello
    assert recording.session.started_ns == session.started_ns
    assert recording.session == session


def test_counts_are_the_sensors_words(
    tmp_path: Path, session: Session, telemetry: Take, subpages: list[Subpage]
) -> None:
    recording = Recording(write(tmp_path / "r.mcap", session, telemetry(100)))
    decoder = CountsDecoder()
    blocks = [item.record for item in recording if isinstance(item, Telemetry) and isinstance(item.record, Block)]
    camera = [block for block in blocks if block.sensor == 0]
    assert len(camera) > 60
    for block, sent in zip(camera, subpages, strict=False):
        words = decoder.decode(codec.decode(block.data, block.index))
        assert (words[768:] == sent.words[768:]).all()
        assert (block.index, block.time_us, int(words[833])) == (sent.index, sent.time_us, sent.number)


def test_another_tool_reads_the_records_of_the_wire_and_utc(tmp_path: Path, session: Session, telemetry: Take) -> None:
    items = telemetry(60)
    path = write(tmp_path / "r.mcap", session, items)
    with path.open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        assert reader.get_header().profile == "thermo-edge"
        messages = list(reader.iter_messages())
        metadata = next(iter(reader.iter_metadata()))
        attachments = {attachment.name: attachment.data for attachment in reader.iter_attachments()}
    assert len(messages) == 60
    assert sorted(message.data for _, _, message in messages) == sorted(item.data for item in items)
    for _, channel, message in messages:
        assert channel.message_encoding == "thermo-record"
        assert channel.topic == f"/{records.decode(message.data)[0].type.name.lower()}"
        assert message.log_time - message.publish_time == 20_000_000
    assert metadata.metadata["started"] == "2023-11-14T22:13:20.000000+00:00"
    assert attachments["constants-0.bin"] == session.constants[0].data
    assert cbor2.loads(attachments["profile.cbor"])["name"] == "breast-patch"


def test_subject_note_person_and_corrections_come_back(tmp_path: Path, session: Session) -> None:
    made = replace(session, subject="S-07", note="left side, seated", person={"age_years": 41.0})
    found = Recording(write(tmp_path / "r.mcap", made, [])).session
    assert (found.subject, found.note, found.person) == ("S-07", "left side, seated", {"age_years": 41.0})
    assert found == made


def test_markers_are_kept_and_other_tools_read_them(tmp_path: Path, session: Session, telemetry: Take) -> None:
    marker = Marker(at_ns=session.started_ns + 7, text="coughs")
    path = tmp_path / "r.mcap"
    with Recorder(path, session) as recorder:
        recorder.add(telemetry(1)[0])
        recorder.add(marker)
    assert list(Recording(path))[1] == marker
    with path.open("rb") as file:
        ((described, channel, message),) = make_reader(file).iter_messages(topics=["/marker"])
    assert channel.message_encoding == "json" and described is not None
    content = json.loads(message.data)
    assert content == {"at_ns": marker.at_ns, "text": "coughs"}
    assert set(json.loads(described.data)["$defs"]["Marker"]["properties"]) == set(content)


def test_another_tool_finds_its_way_by_the_index(
    tmp_path: Path, session: Session, telemetry: Take, eager: None
) -> None:
    items = telemetry(150)
    with write(tmp_path / "r.mcap", session, items).open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        summary = reader.get_summary()
        assert summary is not None and summary.statistics is not None
        assert summary.statistics.message_count == len(items)
        assert summary.statistics.chunk_count == len(summary.chunk_indexes) == len(items) + 1
        assert sum(summary.statistics.channel_message_counts.values()) == len(items)
        assert summary.statistics.message_start_time == items[0].received_ns
        assert summary.statistics.message_end_time == max(item.received_ns for item in items)
        assert {channel.topic for channel in summary.channels.values()} >= {"/block", "/gap"}
        for chunk in summary.chunk_indexes:
            assert chunk.message_index_length == sum(9 + 6 + 16 for _ in chunk.message_index_offsets)
        from_ns, to_ns = items[40].received_ns, items[90].received_ns
        window = [message.log_time for _, _, message in reader.iter_messages(starting_at=from_ns, ending_before=to_ns)]
        verdicts = list(reader.iter_messages(topics=["/finding"]))
    assert window == [item.received_ns for item in items if from_ns <= item.received_ns < to_ns]
    assert len(verdicts) == sum(item.header.type == RecordType.FINDING for item in items)


def test_a_file_cut_anywhere_keeps_all_before_the_cut(
    tmp_path: Path, session: Session, telemetry: Take, eager: None
) -> None:
    items = telemetry(60)
    whole = write(tmp_path / "r.mcap", session, items).read_bytes()
    cut = tmp_path / "cut.mcap"
    kept = []
    for length in np.random.default_rng(5).integers(whole.index(b"zstd"), len(whole), 60).tolist():
        cut.write_bytes(whole[:length])
        found = list(Recording(cut))
        assert found == items[: len(found)]
        kept.append((length, len(found)))
    kept.sort()
    assert [count for _, count in kept] == sorted(count for _, count in kept)
    assert kept[0][1] < kept[-1][1]


def test_damage_costs_its_own_chunk(tmp_path: Path, session: Session, telemetry: Take, eager: None) -> None:
    items = telemetry(60)
    path = write(tmp_path / "r.mcap", session, items)
    whole = bytearray(path.read_bytes())
    recording = Recording(path)
    needle = whole.find(b"zstd", len(whole) // 2)
    whole[needle + 40] ^= 0xFF
    path.write_bytes(whole)
    found = list(recording)
    assert recording.damaged == 1
    assert len(found) == len(items) - 1
    assert all(item in items for item in found)


def test_gaps_are_kept(tmp_path: Path, session: Session, telemetry: Take) -> None:
    gap = Gap(from_ns=session.started_ns + 5, to_ns=session.started_ns + 9, reason="the port vanished")
    path = tmp_path / "r.mcap"
    with Recorder(path, session) as recorder:
        recorder.add(telemetry(1)[0])
        recorder.add(gap)
    assert list(Recording(path))[1] == gap


def test_an_existing_file_is_never_touched(tmp_path: Path, session: Session) -> None:
    path = tmp_path / "r.mcap"
    path.write_text("precious")
    with pytest.raises(StorageError, match="exists"):
        Recorder(path, session)
    assert path.read_text() == "precious"


def test_a_full_disk_is_said_and_what_was_written_is_readable(
    tmp_path: Path, session: Session, telemetry: Take, monkeypatch: pytest.MonkeyPatch, eager: None
) -> None:
    items, path, room = telemetry(150), tmp_path / "r.mcap", 40_000
    real = os.write

    def cramped(descriptor: int, data: bytes) -> int:
        left = room - os.fstat(descriptor).st_size
        if left <= 0:
            raise OSError(28, "No space left on device")
        return real(descriptor, data[:left])

    monkeypatch.setattr("thermo_host.sinks.logfile.os.write", cramped)
    with pytest.raises(StorageError, match="no space left on device"), Recorder(path, session) as recorder:
        for item in items:
            recorder.add(item)
    recording = Recording(path)
    found = list(recording)
    assert 20 < len(found) < len(items)
    assert found == items[: len(found)]
    assert not recording.complete
    assert path.stat().st_size <= room


@pytest.mark.parametrize("content", [b"", b"hello", b"\x89MCAP0\r\n", zlib.compress(b"x" * 500)])
def test_what_is_no_recording_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "r.mcap"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match="no recording"):
        Recording(path)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="no such file"):
        Recording(tmp_path / "none.mcap")


@pytest.mark.parametrize("speed", [0.5, 1.0, 4.0])
def test_playing_keeps_the_pace(tmp_path: Path, session: Session, telemetry: Take, speed: float) -> None:
    items = telemetry(100)
    recording = Recording(write(tmp_path / "r.mcap", session, items))
    now = 50.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    for item in play(recording, speed, now=lambda: now, sleep=sleep):
        assert isinstance(item, Telemetry)
        due = 50.0 + (item.received_ns - items[0].received_ns) / 1e9 / speed
        assert now == pytest.approx(max(due, 50.0), abs=1e-6) or now > due


def test_playing_at_full_speed_never_sleeps(tmp_path: Path, session: Session, telemetry: Take) -> None:
    recording = Recording(write(tmp_path / "r.mcap", session, telemetry(30)))

    def never(seconds: float) -> None:
        raise AssertionError(f"slept {seconds} s")

    assert len(list(play(recording, None, sleep=never))) == 30
