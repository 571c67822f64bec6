"""Recordings that a hub makes and shows, against what went in."""

import itertools
import struct
from pathlib import Path

import numpy as np
import pytest
from host_sessions import blocks_of, came, camera_constants, session_of, told, with_hello
from hubs import Visit

from thermo_core.errors import StorageError
from thermo_core.recording.layout import Gap, Marker
from thermo_core.recording.session import Session
from thermo_core.sensors.mlx90640.frames import Subpage
from thermo_core.wearable import file, library
from thermo_core.wearable.library import resolve
from thermo_core.wire.records import FindingRecord
from thermo_core.wire.table import OutputKind
from thermo_host.flash import load
from thermo_host.link.items import Lost, Telemetry
from thermo_host.rerun import of_bundle
from thermo_host.stream.decoding import Decoding
from thermo_host.stream.playback import Recording
from thermo_hub.anomaly.occlusion import rests_on
from thermo_hub.recordings.again import again
from thermo_hub.recordings.looking import STEPS, brief, pictures, thinned, whole
from thermo_hub.recordings.sink import RecordingSink
from thermo_sim.chips.mlx90640 import eeprom
from thermo_sim.chips.mlx90640.dataset import PictureSource

SEED = 5
PERIOD_US = 62_500


@pytest.fixture(scope="module")
def session() -> Session:
    return session_of(file.read(resolve("breast-patch")).profile, {0: camera_constants(eeprom.generate(SEED))})


@pytest.fixture(scope="module")
def pages() -> list[Subpage]:
    source = PictureSource(SEED, 16.0, eeprom=eeprom.generate(SEED))
    words = [frame for _ in range(20) for frame in source.words(np.full((24, 32), 34.0))]
    return [Subpage(frame, at, 1_000_000 + at * PERIOD_US) for at, frame in enumerate(words)]


@pytest.fixture(scope="module")
def telemetry(pages: list[Subpage]) -> list[Telemetry]:
    return came(blocks_of(pages))


def test_what_is_shown_of_a_recording_is_what_was_recorded(
    tmp_path: Path, session: Session, telemetry: list[Telemetry]
) -> None:
    sink = RecordingSink(tmp_path / "a.mcap", session)
    for item in telemetry:
        sink.take(item, None)
    sink.mark("lies down")
    sink.end()
    decoding = Decoding(session)
    expected = [
        samples["skin"].values
        for item in telemetry
        for samples in decoding.push(item.record).passes  # type: ignore[arg-type]
        if "skin" in samples
    ]
    frames = list(pictures(sink.path, "skin"))
    assert len(frames) == len(expected) > 15
    for frame, values in zip(frames, expected, strict=True):
        seen = np.array(struct.unpack_from("<768h", frame, 11)).reshape(24, 32) / 100
        assert np.abs(seen - values).max() <= 0.0051
    shown = whole(sink.path)
    assert shown["complete"]
    assert [marker["text"] for marker in shown["markers"]] == ["lies down"]
    assert brief(sink.path).facts["serial"] == session.hello.serial
    assert len(list(pictures(sink.path, "skin", most=5))) == 5


def test_a_recording_that_ends_while_the_wearable_is_away_ends_with_the_gap(
    tmp_path: Path, session: Session, telemetry: list[Telemetry]
) -> None:
    sink = RecordingSink(tmp_path / "a.mcap", session)
    sink.take(telemetry[0], None)
    sink.take(Lost(telemetry[0].received_ns, "the port vanished"), None)
    sink.end()
    sink.end()
    last = list(Recording(sink.path))[-1]
    assert isinstance(last, Gap)
    assert last.from_ns == telemetry[0].received_ns
    assert last.reason == "the port vanished"


def test_a_full_disk_ends_the_recording_and_nothing_else(
    tmp_path: Path, session: Session, telemetry: list[Telemetry], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thermo_host.sinks.recorder.FLUSH_S", 0.0)
    sink = RecordingSink(tmp_path / "a.mcap", session)
    sink.take(telemetry[0], None)
    sink.mark("before")

    def full(*_: object) -> None:
        raise StorageError("The disk is full; make room.")

    monkeypatch.setattr("thermo_host.sinks.recorder.Recorder.add", full)
    sink.take(telemetry[1], None)
    assert not sink.running
    assert "disk is full" in sink.failure
    sink.take(telemetry[2], None)
    monkeypatch.undo()
    kept = list(Recording(sink.path))
    assert any(isinstance(item, Marker) and item.text == "before" for item in kept)


def test_a_file_that_is_no_recording_is_listed_with_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "a.mcap").write_bytes(b"nonsense")
    found = brief(tmp_path / "a.mcap")
    assert "a.mcap" in found.facts["problem"]


def test_a_long_line_is_thinned_to_means_and_its_gaps_stay() -> None:
    rows = [(float(at), np.array([at], np.float32)) for at in range(10_000) if not 4000 <= at < 6000]
    found = thinned(rows)
    assert len(found) <= STEPS + 1
    step = found[1][0] - found[0][0]  # type: ignore[operator]
    apart = [later[0] - earlier[0] for earlier, later in itertools.pairwise(found)]  # type: ignore[operator]
    assert max(apart) >= 2000
    for when, value in found:
        assert when is not None
        assert value is not None
        assert abs(value - when) <= step
    assert thinned([]) == []


def test_a_recording_is_run_again_with_a_bundle_and_what_it_says_otherwise_is_told(
    visit: Visit, session: Session, telemetry: list[Telemetry]
) -> None:
    csrf = visit.come_in()
    headers = {"x-thermo-csrf": csrf}
    data = (library.folder() / "breast-patch" / "bundle.img").read_bytes()
    given = visit.client.post("/api/bundles", content=data, headers=headers).json()["sha256"]
    bundle = load(library.folder() / "breast-patch" / "bundle.img").bundle
    visit.settings.recordings.mkdir(parents=True, exist_ok=True)
    path = visit.settings.recordings / "again.mcap"
    sink = RecordingSink(path, session)
    decoding, said = Decoding(session, networks=of_bundle(bundle)), 0
    for item in telemetry:
        sink.take(item, None)
        for one in decoding.push(item.record).said:  # type: ignore[arg-type]
            found, said = one.finding, said + 1
            # One of them is another than the network says.
            values = found.values[::-1] if said == 2 else found.values
            record = FindingRecord(
                found.time_us, found.model, found.flags, 0, 0, 0, ((0, 0),), OutputKind.SCORES, values
            )
            sink.take(told(item, record), None)
    sink.end()
    assert said >= 3
    listed = visit.client.get("/api/bundles").json()["bundles"]
    assert {"sha256": given, "wearable": "breast-patch", "version": "1.1.0", "installed": True} in listed
    answer = visit.client.post("/api/recordings/again.mcap/again", json={"bundle": given}, headers=headers).json()
    (model,) = answer["models"]
    assert (model["name"], model["both"], model["same"], model["again_only"]) == ("lesion", said, said - 1, 0)
    (difference,) = answer["differences"]
    assert {difference["recorded"]["words"], difference["again"]["words"]} == {"lesion", "no lesion"}
    assert answer["different"] == 1
    assert "not a medical device" in answer["notice"].lower()
    none = visit.client.post("/api/recordings/again.mcap/again", json={"bundle": "0" * 64}, headers=headers)
    assert none.status_code == 404
    other = {one["wearable"]: one["sha256"] for one in listed}["wrist-stress"]
    unfit = visit.client.post("/api/recordings/again.mcap/again", json={"bundle": other}, headers=headers)
    assert unfit.status_code == 400 and "name its sensors as the recording does" in unfit.json()["detail"]
    broken = visit.client.post("/api/bundles", content=data[:5000], headers=headers)
    assert broken.status_code == 400 and "Traceback" not in broken.text
    path.unlink()


def test_what_a_finding_rests_on_is_said_of_any_moment_of_a_recording(
    visit: Visit, session: Session, telemetry: list[Telemetry]
) -> None:
    visit.come_in()
    image = (library.folder() / "breast-patch" / "bundle.img").read_bytes()
    bundle = load(library.folder() / "breast-patch" / "bundle.img").bundle
    networks = of_bundle(bundle)
    sha256 = visit.client.app._app.state.hub.bundles.keep(image)  # type: ignore[attr-defined]
    visit.settings.recordings.mkdir(parents=True, exist_ok=True)
    sink = RecordingSink(visit.settings.recordings / "rests.mcap", with_hello(session, bundle_sha256=sha256))
    decoding, seen = Decoding(session, networks=networks), []
    for item in telemetry:
        sink.take(item, None)
        outcome = decoding.push(item.record)  # type: ignore[arg-type]
        for samples in outcome.passes:
            if "above" in samples:
                utc_ns = item.captured_ns + (samples["above"].time_us - item.record.time_us) * 1000
                seen.append((utc_ns, samples["above"].values))
    sink.end()
    (model,) = bundle.profile.models
    where = "/api/recordings/rests.mcap/rests"
    for utc_ns, values in (seen[2], seen[-1]):
        told_of = visit.client.get(f"{where}/{model.name}?at_ms={utc_ns / 1e6 + 1}").json()
        expected = rests_on(networks[model.name], (values,), 0, model.scores or ())
        assert told_of["known"] and told_of["signal"] == "skin"
        assert told_of["utc"] == pytest.approx(utc_ns / 1e6, abs=0.1)
        assert (told_of["label"], told_of["loss"]) == (expected.label, round(float(expected.loss.max()), 3))
        assert told_of["outline"] == expected.to_map()["outline"]
    before = visit.client.get(f"{where}/{model.name}?at_ms={telemetry[0].captured_ns / 1e6 - 1000}").json()
    assert not before["known"] and "in the minute before this moment" in before["why"]
    assert not visit.client.get(f"{where}/fever?at_ms={seen[-1][0] / 1e6}").json()["known"]
    assert visit.client.get("/api/recordings/none.mcap/rests/lesion?at_ms=1").status_code == 404
    sink.path.unlink()


def test_a_recording_that_begins_between_the_halves_of_a_picture_is_compared_all_the_same(
    tmp_path: Path, session: Session, pages: list[Subpage], telemetry: list[Telemetry]
) -> None:
    bundle = load(library.folder() / "breast-patch" / "bundle.img").bundle
    decoding = Decoding(session, networks=of_bundle(bundle))
    said = [decoding.push(item.record).said for item in telemetry]  # type: ignore[arg-type]
    counts = []
    for first in (0, 1):
        sink = RecordingSink(tmp_path / f"{first}.mcap", session)
        for item, findings in zip(came(blocks_of(pages[first:])), said[first:], strict=True):
            sink.take(item, None)
            for one in findings:
                found = one.finding
                record = FindingRecord(
                    found.time_us, found.model, found.flags, 0, 0, 0, ((0, 0),), OutputKind.SCORES, found.values
                )
                sink.take(told(item, record), None)
        sink.end()
        (model,) = again(sink.path, bundle)["models"]
        counts.append((model["both"], model["again_only"]))
    assert counts[0] == (sum(map(len, said)), 0)
    assert counts[1] == (counts[0][0] - 1, 0)
