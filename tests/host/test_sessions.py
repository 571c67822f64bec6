"""Constants that change while a host listens or records: where the change lies, and what a damaged one may not do."""

import contextlib
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cbor2
import numpy as np
import pytest
from scripted_peer import ScriptedWearable

from thermo_core.correction import Correction
from thermo_core.errors import ManagementError, RecordingError
from thermo_core.frames import Picture
from thermo_core.mlx90640.identity import device_id, fingerprint
from thermo_core.profile import Profile
from thermo_core.wire.table import Command
from thermo_core.wire.records import SubpageRecord
from thermo_core.wire.smp import Group
from thermo_host.link.items import Telemetry
from thermo_host.link.wearable import Wearable
from thermo_host.sinks.monitor import Monitor
from thermo_host.stream.playback import Recording
from thermo_host.sinks.recorder import Recorder
from thermo_host.link.session import Session, fetch
from thermo_host.stream.listen import listen
from thermo_sim import eeprom
from thermo_sim.dumps import load_replay

Take = Callable[[int], list[Telemetry]]
BEFORE = 50


def with_eeprom(session: Session, seed: int, generation: int) -> Session:
    """What the wearable says once another sensor is in."""
    words = eeprom.generate(seed)
    camera = replace(
        session.hello.sensors[0], id=device_id(words), generation=generation, fingerprint=fingerprint(words)
    )
    hello = replace(session.hello, sensors=(camera, *session.hello.sensors[1:]))
    return replace(session, hello=hello, eeproms={0: words})


def of_generation(item: Telemetry, generation: int) -> Telemetry:
    if not isinstance(item.record, SubpageRecord):
        return item
    return replace(item, record=replace(item.record, generation=generation))


@pytest.fixture(scope="module")
def later(session: Session) -> Session:
    """Another sensor, calibrated, in another wearable's profile; the counts stay those of the first, which only a test does."""
    other = with_eeprom(session, 12, 1)
    correction = replace(Correction.identity(device_id(other.eeproms[0])), created_unix_s=5)
    profile = cbor2.dumps(Profile.bare().to_dict(), canonical=True)
    return replace(other, correction=correction, profile_cbor=profile)


@pytest.fixture(scope="module")
def written(
    tmp_path_factory: pytest.TempPathFactory, session: Session, later: Session, telemetry: Take
) -> tuple[Path, list[Telemetry]]:
    """A recording in which the constants change, and what was put into it."""
    path = tmp_path_factory.mktemp("sessions") / "r.mcap"
    items = telemetry(120)
    items = items[:BEFORE] + [of_generation(item, 1) for item in items[BEFORE:]]
    with Recorder(path, session) as recorder:
        for item in items[:BEFORE]:
            recorder.add(item)
        recorder.add(later)
        for item in items[BEFORE:]:
            recorder.add(item)
    return path, items


def pictures(recording: Recording) -> dict[int, Picture]:
    """By index, as a view shows them."""
    monitor = Monitor(recording.session)
    found = (monitor.push(item) for item in recording)
    return {picture.index: picture for picture in found if picture is not None}


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
    assert not later.changes(read) and read.hello == later.hello
    assert set(session.changes(read)) == {"sensor 0", "the calibration", "the profile"}
    # A window behind it holds too.
    window = list(recording.items(items[-1].received_ns - 1, items[-1].received_ns))
    assert sum(isinstance(item, Session) for item in window) == 1


def test_frames_of_a_recording_are_of_one_sensor(written: tuple[Path, list[Telemetry]], session: Session) -> None:
    dump = load_replay(written[0])
    assert dump.eeprom is not None
    np.testing.assert_array_equal(dump.eeprom, session.eeproms[0])
    subpages = sum(isinstance(item.record, SubpageRecord) for item in written[1][:BEFORE])
    assert len(dump.frames) == subpages
    assert "Another sensor was put in" in dump.notes[0]


def test_no_flipped_bit_of_a_later_session_decodes_with_it(
    written: tuple[Path, list[Telemetry]], later: Session, tmp_path: Path
) -> None:
    path, _ = written
    data = path.read_bytes()
    right = pictures(Recording(path))
    first = later.eeproms[0].astype("<u2").tobytes()
    begin = data.rindex(b"session", 0, data.index(first)) - 20
    end = data.index(later.profile_cbor, begin) + len(later.profile_cbor) + 4
    old = {index for index, picture in right.items() if index < 40}
    flipped = tmp_path / "r.mcap"
    noticed = 0
    rng = np.random.default_rng(4)
    places = [*range(begin, begin + 80), *rng.integers(begin, end, 700).tolist()]
    for place in places:
        changed = bytearray(data)
        changed[place] ^= 1 << int(rng.integers(8))
        flipped.write_bytes(changed)
        with contextlib.suppress(RecordingError):
            recording = Recording(flipped)
            found = pictures(recording)
            for index, picture in found.items():
                np.testing.assert_array_equal(picture.celsius, right[index].celsius, err_msg=f"{place}")
            assert len(found) == len(right) or recording.damaged or not recording.complete, place
            assert old & set(found)
            noticed += recording.damaged > 0
    assert noticed > 0.8 * len(places)


def test_a_recording_cut_in_a_later_session_plays_up_to_it(
    written: tuple[Path, list[Telemetry]], later: Session, tmp_path: Path
) -> None:
    path, items = written
    data = path.read_bytes()
    assert later.correction is not None
    for attached in (later.eeproms[0].astype("<u2").tobytes(), later.correction.to_bytes(), later.profile_cbor):
        cut = tmp_path / "r.mcap"
        cut.write_bytes(data[: data.index(attached) + len(attached) // 2])
        assert list(Recording(cut)) == items[:BEFORE]


class Changing(ScriptedWearable):
    """Puts another sensor in whenever `change` says so of the number of a request for its EEPROM."""

    def __init__(self, session: Session, change: Callable[[int], bool]) -> None:
        self.session, self.change = session, change
        self.parts = self.generation = 0
        super().__init__(session.hello, session.eeproms[0])
        self.bodies[Group.THERMO, Command.EEPROM] = self._part
        self.bodies[Group.THERMO, Command.HELLO] = lambda body: self._now().hello.to_map()

    def _now(self) -> Session:
        return with_eeprom(self.session, 20 + self.generation, self.generation)

    def _part(self, body: Any) -> dict[str, Any]:
        self.parts += 1
        self.generation += self.change(self.parts)
        whole = self._now().eeproms[0].astype("<u2").tobytes()
        at = body["off"]
        part = {"off": at, "len": len(whole), "data": whole[at : at + self.PART]}
        return {**part, "generation": self.generation} if self.generation else part


@pytest.fixture
def connect() -> Iterator[Callable[[ScriptedWearable], Wearable]]:
    with contextlib.ExitStack() as stack:

        def opened(peer: ScriptedWearable) -> Wearable:
            stack.callback(peer.unplug)
            return stack.enter_context(Wearable.open(peer.port))

        yield opened


@pytest.mark.parametrize("changes", [(1,), (4,), (9,), (3, 8)])
def test_parts_of_two_sensors_are_never_put_together(
    session: Session, connect: Callable[..., Wearable], changes: tuple[int, ...]
) -> None:
    peer = Changing(session, changes.__contains__)
    found = fetch(connect(peer))
    assert found.hello.sensors[0].generation == len(changes) == peer.generation
    np.testing.assert_array_equal(found.eeproms[0], eeprom.generate(20 + len(changes)))
    assert found.hello.sensors[0].fingerprint == fingerprint(found.eeproms[0])


def test_a_sensor_that_never_stays_is_said(session: Session, connect: Callable[..., Wearable]) -> None:
    with pytest.raises(ManagementError, match="sits firmly"):
        fetch(connect(Changing(session, lambda part: True)))


def test_a_wearable_that_counts_up_with_every_subpage_is_not_asked_with_every_one(
    session: Session, telemetry: Take, connect: Callable[..., Wearable]
) -> None:
    records = [item.record for item in telemetry(110) if isinstance(item.record, SubpageRecord)]
    peer = ScriptedWearable(session.hello, session.eeproms[0], [])
    peer.stream = [replace(record, generation=number + 1) for number, record in enumerate(records)]
    wearable = connect(peer)
    found = fetch(wearable)
    asked = Counter(request.header.command for request in peer.requests)[Command.HELLO]
    monitor = Monitor(found)
    with contextlib.closing(listen(wearable, found)) as items:
        heard = list(itertools.islice((item for item in items if item is not None), len(records)))
    for item in heard:
        assert monitor.push(item) is None
    again = Counter(request.header.command for request in peer.requests)[Command.HELLO] - asked
    assert 1 <= again <= 3
    numbers = monitor.statistics()
    assert numbers.strange_subpages == numbers.missing == len(records)


def test_a_new_session_comes_before_what_needs_it(
    session: Session, telemetry: Take, connect: Callable[..., Wearable]
) -> None:
    records = [item.record for item in telemetry(60) if isinstance(item.record, SubpageRecord)]
    now = with_eeprom(session, 12, 3)
    peer = ScriptedWearable(now.hello, now.eeproms[0], [replace(record, generation=3) for record in records])
    whole = peer._blobs[Command.EEPROM]
    peer.bodies[Group.THERMO, Command.EEPROM] = lambda body: {
        "off": body["off"],
        "len": len(whole),
        "data": whole[body["off"] : body["off"] + 200],
        "generation": 3,
    }
    wearable = connect(peer)
    monitor = Monitor(session)
    with contextlib.closing(listen(wearable, session)) as items:
        heard = list(itertools.islice((item for item in items if item is not None), len(records) + 1))
    assert isinstance(heard[0], Session)
    shown = [monitor.push(item) for item in heard]
    assert sum(picture is not None for picture in shown) > 10
    assert monitor.session.started_ns == session.started_ns
    assert monitor.changes[0].what[0] == "sensor 0"


def test_what_changed_is_named(session: Session) -> None:
    hello = session.hello
    camera = replace(hello.sensors[0], rate_hz=8.0)
    cases: list[tuple[Session, tuple[str, ...]]] = [
        (replace(session, hello=replace(hello, time_us=5)), ()),
        (replace(session, hello=replace(hello, software="9")), ("the software",)),
        (replace(session, hello=replace(hello, model="2.0.0")), ("the model",)),
        (replace(session, profile_cbor=b"x"), ("the profile",)),
        (
            replace(session, hello=replace(hello, sensors=(camera, *hello.sensors[1:]))),
            ("what the wearable says of itself",),
        ),
        (with_eeprom(session, 3, 1), ("sensor 0",)),
        (replace(session, eeproms={0: session.eeproms[0] ^ 1}), ("the EEPROM of sensor 0",)),
    ]
    for changed, wanted in cases:
        assert session.changes(changed) == wanted
