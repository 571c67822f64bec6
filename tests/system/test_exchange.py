"""Another sensor, or another calibration, under a host that listens: what it shows and records stays in degC."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thermo_core.errors import LinkLostError, SensorError
from thermo_core.graph.engine import Outcome
from thermo_core.recording.layout import Gap
from thermo_core.recording.session import Session
from thermo_core.sensors.correction import Stamp
from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.sensors.mlx90640.kind import words_of
from thermo_core.signals import Values
from thermo_host import flash
from thermo_host.calibrate.wearable_source import WearableSource, subject_of
from thermo_host.exports import target
from thermo_host.exports.decoding import Choice, Decoding
from thermo_host.exports.rows import SampleRow
from thermo_host.link.items import Telemetry
from thermo_host.link.session import fetch
from thermo_host.link.wearable import Wearable
from thermo_host.sinks.monitor import Monitor
from thermo_host.sinks.recorder import Recorder
from thermo_host.stream.listen import listen
from thermo_host.stream.playback import Recording
from thermo_sim import control
from thermo_sim.chips.mlx90640.eeprom import generate

BLACKBODY_C = 37.0
NEAR_K = 2.5
"""A sensor's own error is up to 1.5 K; with another sensor's EEPROM it is tens of kelvins."""
SEED, OTHER = 5, 77


@pytest.fixture
def started(start_wearable: Callable[..., Any]) -> Any:
    wearable = start_wearable("--seed", str(SEED))
    tell(wearable.link, cmd="blackbody", celsius=BLACKBODY_C)
    return wearable


def tell(link: Path, **request: Any) -> Any:
    return control.request(link.with_name(link.name + ".ctl"), request)


def near(celsius: Values) -> bool:
    return abs(float(np.median(celsius)) - BLACKBODY_C) < NEAR_K


def picture_of(outcome: Outcome | None) -> Values | None:
    """The picture that a block completed."""
    found = [samples["skin"].values for samples in outcome.passes if "skin" in samples] if outcome else []
    return found[0] if found else None


def pictures_of(decoding: Decoding) -> list[Values]:
    return [row.sample.values for row in decoding if isinstance(row, SampleRow) and row.track.key == "skin"]


@dataclass
class Heard:
    """What one time of listening came to."""

    monitor: Monitor
    pictures: list[tuple[int, Values]] = field(default_factory=list)
    sessions: list[Session] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)

    @property
    def numbers(self) -> list[int]:
        """Of the constants of each picture."""
        return [number for number, _ in self.pictures]


def hear(
    wearable: Wearable,
    path: Path | None,
    steps: dict[int, Callable[[], Any]],
    pictures: int,
    session: Session | None = None,
) -> Heard:
    """Listen until so many pictures came since the last step; a step is done when so many pictures have come."""
    session = session or fetch(wearable)
    heard = Heard(Monitor(session))
    recorder = None if path is None else Recorder(path, session)
    waiting, until = sorted(steps), time.monotonic() + 120
    last = 0
    items: Iterator[Any] = listen(wearable, session, reconnect=True)
    try:
        for item in items:
            assert time.monotonic() < until, heard.kinds[-20:]
            if item is None:
                continue
            if recorder is not None:
                recorder.add(item)
            heard.kinds.append(type(item).__name__)
            if isinstance(item, Session):
                heard.sessions.append(item)
            picture = picture_of(heard.monitor.push(item))
            if picture is not None:
                assert isinstance(item, Telemetry) and isinstance(item.record, Block)
                heard.pictures.append((item.record.constants, picture))
            if waiting and len(heard.pictures) >= waiting[0]:
                steps[waiting.pop(0)]()
                last = len(heard.pictures)
            if not waiting and len(heard.pictures) >= last + pictures:
                return heard
    finally:
        items.close()  # type: ignore[attr-defined]
        if recorder is not None:
            recorder.__exit__(None, None, None)
    raise AssertionError


def test_a_sensor_exchanged_while_it_streams_is_right_in_stream_replay_and_export(started: Any, tmp_path: Path) -> None:
    path = tmp_path / "r.mcap"
    with Wearable.open(str(started.link)) as wearable:
        heard = hear(wearable, path, {6: lambda: tell(started.link, cmd="exchange", seed=OTHER)}, 16)
        assert all(near(picture) for _, picture in heard.pictures)
        old, new = heard.numbers[0], heard.numbers[-1]
        assert new > old
        (session,) = heard.sessions
        np.testing.assert_array_equal(words_of(session.constants[0].data), generate(OTHER))
        assert heard.monitor.changes[0].what[0] == "sensor skin"

    recording = Recording(path)
    monitor, played = Monitor(recording.session), []
    for item in recording:
        picture = picture_of(monitor.push(item))
        played += [] if picture is None else [picture]
    assert recording.complete and not recording.damaged
    assert len(played) == len(heard.pictures)
    for one, (_, other) in zip(played, heard.pictures, strict=True):
        np.testing.assert_array_equal(one, other)

    exported = pictures_of(Decoding(recording))
    assert len(exported) == len(heard.pictures) and all(near(picture) for picture in exported)
    for name in ("out.npz", "out.csv"):
        decoding = Decoding(recording)
        target.write(decoding, tmp_path / name, decoding.first)
    arrays = np.load(tmp_path / "out.npz")
    np.testing.assert_array_equal(arrays["skin"], np.array(exported))
    np.testing.assert_array_equal(words_of(arrays[f"skin.constants.{old}"].tobytes()), generate(SEED))
    np.testing.assert_array_equal(words_of(arrays[f"skin.constants.{new}"].tobytes()), generate(OTHER))
    for about in (json.loads(str(arrays["about"])), json.loads((tmp_path / "out-about.json").read_text())):
        assert about["sensors"][0]["constants"] == old
        assert about["later"][0]["sensors"][0]["constants"] == new

    # A window that begins behind the exchange.
    newest = next(item for item in reversed(list(recording)) if isinstance(item, Telemetry))
    behind = pictures_of(Decoding(recording, Choice(from_ns=newest.received_ns - 1_000_000_000)))
    assert behind and all(near(picture) for picture in behind)


def test_a_recording_without_the_new_constants_shows_no_picture_of_the_new_sensor(started: Any, tmp_path: Path) -> None:
    path = tmp_path / "r.mcap"
    with Wearable.open(str(started.link)) as wearable:
        heard = hear(wearable, path, {6: lambda: tell(started.link, cmd="exchange", seed=OTHER)}, 10)
    old = heard.numbers[0]
    data = bytearray(path.read_bytes())
    attached = generate(OTHER).astype("<u2").tobytes()
    data[data.index(attached) + 200] ^= 1
    path.write_bytes(data)
    recording = Recording(path)
    decoding = Decoding(recording)
    shown = pictures_of(decoding)
    assert len(shown) == heard.numbers.count(old)
    assert all(near(picture) for picture in shown)
    assert recording.damaged
    monitor = Monitor(recording.session)
    for item in recording:
        monitor.push(item)
    assert monitor.statistics().strange_blocks > 10


def test_a_sensor_exchanged_while_nobody_listens(started: Any) -> None:
    with Wearable.open(str(started.link)) as wearable:
        before = fetch(wearable)
        tell(started.link, cmd="exchange", seed=OTHER)
        heard = hear(wearable, None, {}, 10, before)
        assert heard.sessions and all(near(picture) for _, picture in heard.pictures)


def test_a_sensor_exchanged_while_the_cable_is_out(started: Any, tmp_path: Path) -> None:
    def pull() -> None:
        tell(started.link, cmd="unplug", seconds=0.5)
        tell(started.link, cmd="exchange", seed=OTHER)

    with Wearable.open(str(started.link)) as wearable:
        heard = hear(wearable, tmp_path / "r.mcap", {6: pull}, 10)
    assert heard.sessions and heard.monitor.changes
    assert all(near(picture) for _, picture in heard.pictures)
    assert heard.numbers[-1] > heard.numbers[0]
    assert any(isinstance(item, Gap) for item in Recording(tmp_path / "r.mcap"))


@pytest.fixture
def away(start_wearable: Callable[..., Any], tmp_path: Path) -> Any:
    """A wearable that keeps its state: what is done to it while the host that listens cannot see it."""

    class Away:
        def __init__(self) -> None:
            self.arguments = ("--seed", str(SEED), "--state", str(tmp_path / "state"))
            self.first = self.start(tmp_path / "thermo")
            self.link = self.first.link

        def start(self, link: Path) -> Any:
            started = start_wearable(*self.arguments, link=link)
            tell(started.link, cmd="blackbody", celsius=BLACKBODY_C)
            return started

        def do(self, change: Callable[[Wearable], Any]) -> Callable[[], None]:
            def elsewhere() -> None:
                second = self.start(tmp_path / "other")
                with Wearable.open(str(second.link)) as wearable:
                    change(wearable)
                second.terminate()
                self.start(self.link)

            def begin() -> None:
                self.first.kill()
                threading.Thread(target=elsewhere).start()

            return begin

    return Away()


def test_a_calibration_that_came_during_an_unplug_is_used(away: Any, tmp_path: Path) -> None:
    def calibrate(wearable: Wearable) -> None:
        identity = PixelCorrection.identity(Stamp(wearable.hello().sensors[0].id))
        wearable.write_correction(0, replace(identity, offset=np.full_like(identity.offset, 2.0)))

    with Wearable.open(str(away.link)) as wearable:
        heard = hear(wearable, tmp_path / "r.mcap", {6: away.do(calibrate)}, 10)
    assert heard.kinds.index("Lost") < heard.kinds.index("Gap") < heard.kinds.index("Session")
    assert heard.monitor.changes[0].what == ("the correction of skin",)
    medians = [float(np.median(picture)) for _, picture in heard.pictures]
    assert np.mean(medians[-6:]) - np.mean(medians[:6]) == pytest.approx(2.0, abs=0.3)
    played = [item for item in Recording(tmp_path / "r.mcap") if isinstance(item, Session)]
    assert len(played) == 1 and played[0].corrections[0]


def test_a_profile_that_came_during_an_unplug_is_noticed(
    away: Any, tmp_path: Path, make_image: Callable[..., bytes]
) -> None:
    path = tmp_path / "other.img"
    path.write_bytes(make_image("1.2.3"))
    with Wearable.open(str(away.link)) as wearable:
        change = away.do(lambda other: flash.flash(other, flash.load(path)))
        heard = hear(wearable, tmp_path / "r.mcap", {6: change}, 6)
    assert heard.monitor.session.hello.profile == "test-patch"
    assert {"the profile", "the bundle"} <= set(heard.monitor.changes[0].what)
    played = [item for item in Recording(tmp_path / "r.mcap") if isinstance(item, Session)]
    assert [session.profile for session in played] == [heard.monitor.session.profile]


def test_another_wearable_on_the_same_port_ends_the_recording(started: Any, start_wearable: Callable[..., Any]) -> None:
    def replace_it() -> None:
        started.kill()
        start_wearable("--seed", str(OTHER), link=started.link)

    with Wearable.open(str(started.link)) as wearable, pytest.raises(LinkLostError, match="is now the wearable"):
        hear(wearable, None, {3: replace_it}, 1000)


def test_a_calibration_is_of_one_sensor(started: Any) -> None:
    with Wearable.open(str(started.link)) as wearable:
        subject = subject_of(fetch(wearable), [0])
        with WearableSource(wearable, subject) as source:
            source.restart()
            source.next_reading()
            tell(started.link, cmd="exchange", seed=OTHER)
            with pytest.raises(SensorError, match="calibrate again"):
                for _ in range(200):
                    source.next_reading()
            source.pause()
            with pytest.raises(SensorError, match="calibrate again"):
                source.restart()
