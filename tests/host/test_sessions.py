"""Constants that change while a host listens or records: where the change lies, and what a damaged one may not do."""

import contextlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeGuard

import msgspec
import numpy as np
import pytest
import seldom
from host_sessions import (
    camera_constants,
    camera_eeprom,
    corrected,
    session_of,
    told,
    with_eeprom,
    with_hello,
    with_profile,
    with_state,
)
from scripted_peer import ScriptedWearable

from thermo_core import schema
from thermo_core.errors import ManagementError, RecordingError
from thermo_core.recording.session import Session
from thermo_core.sensors.correction import Stamp
from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.sensors.mlx90640.identity import device_id
from thermo_core.signals import Values
from thermo_core.wearable import file as wearable_file
from thermo_core.wire import kept
from thermo_core.wire.records import FindingRecord, Record
from thermo_core.wire.smp import Group
from thermo_core.wire.table import Command, OutputKind
from thermo_host.link.items import Telemetry
from thermo_host.link.session import changes, fetch
from thermo_host.link.wearable import Wearable
from thermo_host.sinks.monitor import Monitor
from thermo_host.sinks.recorder import Recorder
from thermo_host.stream.listen import listen
from thermo_host.stream.playback import Recording
from thermo_sim.chips.mlx90640 import eeprom
from thermo_sim.chips.mlx90640.dumps import load_replay

Take = Callable[[int], list[Telemetry]]
BEFORE = 50


def of_constants(item: Telemetry, number: int) -> Telemetry:
    """The item as measured with other constants."""
    record = item.record
    return told(item, replace(record, constants=number)) if is_camera(record) else item


def is_camera(record: Record) -> TypeGuard[Block]:
    return isinstance(record, Block) and record.sensor == 0


@pytest.fixture(scope="module")
def later(session: Session) -> Session:
    """Another sensor, calibrated, in another wearable's profile; the counts stay those of the first, which only a test does."""
    other = with_eeprom(session, eeprom.generate(12), 1)
    identity = device_id(camera_eeprom(other))
    calibrated = corrected(other, 0, PixelCorrection.identity(Stamp(identity, created_unix_s=5)))
    return with_profile(calibrated, msgspec.structs.replace(session.profile, version="2.0.0"))


@pytest.fixture(scope="module")
def written(
    tmp_path_factory: pytest.TempPathFactory, session: Session, later: Session, telemetry: Take
) -> tuple[Path, list[Telemetry]]:
    """A recording in which the constants change, and what was put into it."""
    path = tmp_path_factory.mktemp("sessions") / "r.mcap"
    return path, record(path, session, later, telemetry(120), BEFORE)


def record(path: Path, session: Session, later: Session, items: list[Telemetry], before: int) -> list[Telemetry]:
    """Record so many items in one session and the others in a later one; they as they are then."""
    items = items[:before] + [of_constants(item, 1) for item in items[before:]]
    with Recorder(path, session) as recorder:
        for item in items[:before]:
            recorder.add(item)
        recorder.add(later)
        for item in items[before:]:
            recorder.add(item)
    return items


def pictures(recording: Recording) -> dict[int, Values]:
    """By index, as a view shows them."""
    monitor = Monitor(recording.session)
    found = {}
    for item in recording:
        outcome = monitor.push(item)
        for samples in outcome.passes if outcome is not None else ():
            if "skin" in samples and isinstance(item, Telemetry) and isinstance(item.record, Block):
                found[item.record.index] = samples["skin"].values
    return found


def test_a_session_lies_in_front_of_what_it_holds_for(
    written: tuple[Path, list[Telemetry]], session: Session, later: Session
) -> None:
    path, items = written
    recording = Recording(path)
    found = list(recording)
    assert recording.complete and not recording.damaged
    (at,) = [number for number, item in enumerate(found) if isinstance(item, Session)]
    assert at == BEFORE
    assert found[:at] + found[at + 1 :] == items
    read = found[at]
    assert isinstance(read, Session)
    assert not changes(later, read) and read.hello == later.hello
    assert set(changes(session, read)) == {"sensor skin", "the correction of skin", "the profile"}
    # A window behind it holds too.
    window = list(recording.items(items[-1].received_ns - 1, items[-1].received_ns))
    assert sum(isinstance(item, Session) for item in window) == 1


def test_frames_of_a_recording_are_of_one_sensor(written: tuple[Path, list[Telemetry]], session: Session) -> None:
    dump = load_replay(written[0])
    assert dump.eeprom is not None
    np.testing.assert_array_equal(dump.eeprom, camera_eeprom(session))
    subpages = sum(is_camera(item.record) for item in written[1][:BEFORE])
    assert len(dump.frames) == subpages
    assert "Another sensor was put in" in dump.notes[0]


def test_no_flipped_bit_of_a_later_session_decodes_with_it(
    session: Session, later: Session, telemetry: Take, tmp_path: Path
) -> None:
    path, before = tmp_path / "whole.mcap", 18
    record(path, session, later, telemetry(46), before)
    data = path.read_bytes()
    right = pictures(Recording(path))
    blobs = (later.constants[0].data, later.corrections[0], schema.to_cbor(later.profile))
    begin = data.rindex(b"session", 0, data.index(blobs[0])) - 20
    end = max(data.index(blob, begin) + len(blob) for blob in blobs) + 4
    old = {index for index in right if index < before - 4}
    assert old and max(right) > before  # key pages come each 16
    flipped = tmp_path / "r.mcap"
    noticed = 0
    rng = np.random.default_rng(4)
    places = [*range(begin, begin + 80), *rng.integers(begin, end, 240).tolist()]
    for place in places:
        changed = bytearray(data)
        changed[place] ^= 1 << int(rng.integers(8))
        flipped.write_bytes(changed)
        with contextlib.suppress(RecordingError):
            recording = Recording(flipped)
            found = pictures(recording)
            for index, picture in found.items():
                np.testing.assert_array_equal(picture, right[index], err_msg=f"{place}")
            assert len(found) == len(right) or recording.damaged or not recording.complete, place
            assert old & set(found)
            noticed += recording.damaged > 0
    assert noticed > 0.8 * len(places)


def test_a_recording_cut_in_a_later_session_plays_up_to_it(
    written: tuple[Path, list[Telemetry]], later: Session, tmp_path: Path
) -> None:
    path, items = written
    data = path.read_bytes()
    for attached in (later.constants[0].data, later.corrections[0], schema.to_cbor(later.profile)):
        cut = tmp_path / "r.mcap"
        cut.write_bytes(data[: data.rindex(attached) + len(attached) // 2])
        assert list(Recording(cut)) == items[:BEFORE]


class Changing(ScriptedWearable):
    """Puts another sensor in whenever `change` says so of the number of a request for its constants."""

    def __init__(self, session: Session, change: Callable[[int], bool]) -> None:
        self.first, self.change = session, change
        self.parts = self.number = 0
        super().__init__(session)
        self.bodies[Group.THERMO, Command.CONSTANTS] = self._part

    def _part(self, body: Any) -> dict[str, Any]:
        self.parts += 1
        if self.change(self.parts):
            self.number += 1
            self.session = with_eeprom(self.first, eeprom.generate(20 + self.number), self.number)
        constants = self.session.constants[0]
        return self.part(body, constants.data) | {"sensor": 0, "constants": constants.number}


@pytest.fixture
def connect() -> Iterator[Callable[[ScriptedWearable], Wearable]]:
    with contextlib.ExitStack() as stack:

        def opened(peer: ScriptedWearable) -> Wearable:
            stack.callback(peer.unplug)
            return stack.enter_context(Wearable.open(peer.port))

        yield opened


@pytest.mark.parametrize("when", [(1,), (4,), (9,), (3, 8)])
def test_parts_of_two_sensors_are_never_put_together(
    session: Session, connect: Callable[..., Wearable], when: tuple[int, ...]
) -> None:
    peer = Changing(session, when.__contains__)
    found = fetch(connect(peer))
    assert found.hello.sensors[0].constants == found.constants[0].number == len(when) == peer.number
    np.testing.assert_array_equal(camera_eeprom(found), eeprom.generate(20 + len(when)))


def test_a_sensor_that_never_stays_is_said(session: Session, connect: Callable[..., Wearable]) -> None:
    with pytest.raises(ManagementError, match="sits firmly"):
        fetch(connect(Changing(session, lambda part: True)))


def test_a_wearable_that_counts_up_with_every_subpage_is_not_asked_with_every_one(
    session: Session, telemetry: Take, connect: Callable[..., Wearable]
) -> None:
    records = [item.record for item in telemetry(110) if is_camera(item.record)]
    peer = ScriptedWearable(session)
    peer.stream = [replace(record, constants=number + 1) for number, record in enumerate(records)]
    wearable = connect(peer)
    found = fetch(wearable)
    asked = Counter(request.header.command for request in peer.requests)[Command.HELLO]
    monitor = Monitor(found)
    with contextlib.closing(listen(wearable, found)) as items:
        heard = list(itertools.islice((item for item in items if item is not None), len(records)))
    for item in heard:
        outcome = monitor.push(item)
        assert outcome is not None and not outcome.passes
    again = Counter(request.header.command for request in peer.requests)[Command.HELLO] - asked
    assert 1 <= again <= 3
    numbers = monitor.statistics()
    assert numbers.strange_blocks == numbers.missing == len(records)


def test_a_new_session_comes_before_what_needs_it(
    session: Session, telemetry: Take, connect: Callable[..., Wearable]
) -> None:
    records = [item.record for item in telemetry(60) if is_camera(item.record)]
    now = with_eeprom(session, eeprom.generate(12), 3)
    peer = ScriptedWearable(now, [replace(record, constants=3) for record in records])
    wearable = connect(peer)
    monitor = Monitor(session)
    with contextlib.closing(listen(wearable, session)) as items:
        heard = list(itertools.islice((item for item in items if item is not None), len(records) + 1))
    assert isinstance(heard[0], Session)
    shown = [monitor.push(item) for item in heard]
    assert sum(bool(outcome.passes) for outcome in shown if outcome is not None) > 10
    assert monitor.session.started_ns == session.started_ns
    assert monitor.changes[0].what[0] == "sensor skin"


def test_what_changed_is_named(session: Session) -> None:
    words = camera_eeprom(session)
    profile = msgspec.structs.replace(session.profile, version="9")
    cases: list[tuple[Session, tuple[str, ...]]] = [
        (with_hello(session, time_us=5), ()),
        (with_hello(session, software="9"), ("the software",)),
        (with_hello(session, bundle="2.0.0"), ("the bundle",)),
        (with_profile(session, profile), ("the profile",)),
        (with_state(session, 0, rate_hz=8.0), ("what the wearable says of itself",)),
        (replace(session, person={"age_years": 40.0}), ("what is known of the wearer",)),
        (with_eeprom(session, eeprom.generate(3), 1), ("sensor skin",)),
        (replace(session, constants={0: camera_constants(words ^ np.uint16(1))}), ("the constants of sensor skin",)),
        (replace(session, corrections={1: b"x"}), ("the correction of spots",)),
    ]
    for changed, wanted in cases:
        assert changes(session, changed) == wanted


def test_what_goes_on_as_before_is_not_disturbed(session: Session, telemetry: Take) -> None:
    """Another camera is put in: the thermistors' share of the graph, and what only they feed, goes on."""
    monitor = Monitor(session)
    items = telemetry(120)
    for item in items[:BEFORE]:
        monitor.push(item)
    before = monitor.decoding.engine
    monitor.push(with_eeprom(session, eeprom.generate(12), 1))
    assert monitor.decoding.engine is before
    for item in items[BEFORE:]:
        monitor.push(of_constants(item, 1))
    numbers = monitor.statistics()
    assert (numbers.strange_blocks, numbers.lost_blocks) == (0, 0)


def test_a_profile_that_is_not_the_one_announced_is_asked_for_again(
    session: Session, connect: Callable[..., Wearable]
) -> None:
    peer = ScriptedWearable(session)
    changed = msgspec.structs.replace(session.profile, version="9")
    seen: list[int] = []

    def profile(asked: Any) -> Any:
        """Another bundle began between hello and this."""
        if not seen:
            peer.session = with_profile(session, changed)
        seen.append(asked["off"])
        return peer.part(asked, schema.to_cbor(peer.session.profile))

    peer.bodies[Group.THERMO, Command.PROFILE] = profile
    wearable = connect(peer)
    assert fetch(wearable).profile == changed
    peer.bodies[Group.THERMO, Command.PROFILE] = lambda asked: peer.part(asked, schema.to_cbor(session.profile))
    with pytest.raises(ManagementError, match="another profile"):
        fetch(wearable)


@pytest.mark.parametrize("rate_hz", [0.2, float(np.float32(0.2)), 2.0, 0.05])
def test_findings_that_were_kept_are_fetched_whatever_rate_a_sensor_is_set_to(
    connect: Callable[..., Wearable], tmp_path: Path, rate_hz: float
) -> None:
    """A wearable keeps those that come seldom by its profile, and goes on where a host has its sensor asked more often."""
    session = with_state(session_of(wearable_file.read(seldom.write(tmp_path)).profile, {}), 0, rate_hz=rate_hz)
    bundle = int.from_bytes(session.hello.bundle_sha256[:4], "little")
    made = [
        FindingRecord(1_000_000 * at, model, 0, bundle, 0, 0, ((0, at),), OutputKind.QUANTITIES, (0.5,) * values)
        for at in range(1, 5)
        for model, values in ((0, 3), (1, 1))
    ]
    peer = ScriptedWearable(session, made[-2:])
    data = b"".join(kept.encode(one) for one in made)
    peer.bodies[Group.THERMO, Command.KEPT] = {"bundle": bundle, "first": 0, "end": len(made), "data": data}
    wearable = connect(peer)
    with contextlib.closing(listen(wearable, fetch(wearable))) as items:
        came = list(itertools.islice((item for item in items if isinstance(item, Telemetry)), len(made)))
    records = [item.record for item in came]
    assert records == [*(replace(one, newest=()) for one in made[:-2]), *made[-2:]]
