"""Exports of recordings: what is in them is what decoding the blocks gives, whatever the format; files are whole or not there."""

import csv
import datetime
import json
import tracemalloc
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import av
import edfio
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyedflib
import pytest
import recorded
from host_sessions import STARTED_NS, came, session_of
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from PIL import Image

from thermo_core import schema
from thermo_core.errors import SensorError, StorageError, ThermoError, UsageError
from thermo_core.recording.layout import Gap, Marker
from thermo_core.recording.session import Session
from thermo_core.sensors.correction import Stamp, fingerprint, to_bytes
from thermo_core.sensors.kind import Block, SensorConstants
from thermo_core.sensors.mlx90640.assemble import PictureAssembler
from thermo_core.sensors.mlx90640.constants import Constants
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.sensors.mlx90640.decode import Decoder
from thermo_core.wearable import file
from thermo_core.wearable.library import resolve
from thermo_core.wearable.profile import Profile
from thermo_host.about import about
from thermo_host.application import run
from thermo_host.exports import target
from thermo_host.exports.csv_tables import Thousandths
from thermo_host.exports.decoding import ALL, Choice, Decoding
from thermo_host.exports.edf import physical_range
from thermo_host.exports.parquet import MOST_ROWS
from thermo_host.exports.rows import Row, SampleRow
from thermo_host.stream.playback import Recording
from thermo_sim.chips.mlx90640 import eeprom

EVERY = (".npz", ".csv", ".parquet", ".edf", ".png", ".mp4")
SECOND_NS = 1_000_000_000


def exported(found: Recording, path: Path, choice: Choice | None = None, force: bool = False) -> list[Path]:
    decoding = Decoding(found, choice)
    target.check_target(path, decoding.known, force)
    return target.write(decoding, path, decoding.first, force)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def swapped(session: Session, **changes: Any) -> Session:
    return replace(session, profile=msgspec.structs.replace(session.profile, **changes))


@pytest.fixture(scope="module")
def session() -> Session:
    return recorded.patch(subject="S 01", note="left arm")


@pytest.fixture(scope="module")
def patch(tmp_path_factory: pytest.TempPathFactory, session: Session) -> Recording:
    pages = recorded.subpages(eeprom.generate(recorded.SEED), 120)
    items: list[Any] = list(came(recorded.patch_records(pages)))
    items.insert(60, Marker(at_ns=items[59].received_ns, text="=the cold pack came off"))
    return recorded.recording(tmp_path_factory.mktemp("patch") / "r.mcap", session, items)


@pytest.fixture(scope="module")
def band(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    items = came(recorded.band_records(40, silent=range(10, 15)))
    path = tmp_path_factory.mktemp("band") / "r.mcap"
    return recorded.recording(path, recorded.session(recorded.BAND, subject="W 7"), items)


@pytest.fixture(scope="module")
def expected(session: Session) -> list[Any]:
    """Pictures as the camera's own functions decode the words, which know of no block and no graph."""
    words = eeprom.generate(recorded.SEED)
    assembler = PictureAssembler(Decoder(Constants.from_eeprom(words), 0.98))
    made = [assembler.push(page) for page in recorded.subpages(words, 120)]
    return [picture for picture in made if picture is not None]


def test_npz_holds_what_decoding_the_words_gives(
    tmp_path: Path, patch: Recording, session: Session, expected: list[Any]
) -> None:
    (path,) = exported(patch, tmp_path / "out.npz")
    arrays = np.load(path)
    assert len(expected) > 40
    np.testing.assert_array_equal(arrays["skin"], [picture.celsius for picture in expected])
    np.testing.assert_array_equal(arrays["skin.valid"], [picture.valid for picture in expected])
    np.testing.assert_array_equal(arrays["skin.ta"], np.array([picture.ta for picture in expected], np.float32))
    np.testing.assert_array_equal(arrays["skin.vdd"], np.array([picture.vdd for picture in expected], np.float32))
    times_us = [picture.time_us for picture in expected]
    np.testing.assert_array_equal(arrays["skin.time_us"], times_us)
    wanted_ns = [STARTED_NS + (time_us - recorded.START_US) * 1000 for time_us in times_us]
    np.testing.assert_array_equal(arrays["skin.utc_ns"], wanted_ns)
    assert arrays["skin.utc"][0].endswith("+00:00")
    np.testing.assert_array_equal(arrays["skin.constants.0"].view("<u2"), eeprom.generate(recorded.SEED))
    assert arrays["spots.labels"].tolist() == ["core", "left"]
    assert not np.isnan(arrays["spots"][:, 0]).any()
    assert np.isnan(arrays["spots"][:, 1]).all()
    assert set(arrays["spots.flags"].tolist()) == {1 << 12 | 1 << 8 | 1 << 4}
    assert set(arrays["findings-lesion.winner"].tolist()) == {"lesion"}
    np.testing.assert_allclose(arrays["findings-lesion.lesion"], 0.75, atol=1e-5)
    assert arrays["alerts.state"].tolist() == ["raised"]
    assert arrays["markers.text"].tolist() == ["=the cold pack came off"]
    assert "calm" not in arrays


@settings(max_examples=300)
@given(st.lists(st.floats(width=32), min_size=1, max_size=40) | st.lists(st.floats(-60, 300, width=32), min_size=1))
@example([0.0005, 0.0015, 2**-24, 0.0625, 36.4375, 1e30])
def test_temperatures_have_the_decimals_that_python_gives(values: list[float]) -> None:
    array = np.array(values, np.float32)
    assert [word.replace("-0.000", "0.000") for word in Thousandths().words(array)] == [
        "" if value != value else f"{value:.3f}".replace("-0.000", "0.000") for value in array.tolist()
    ]


def test_csv_says_the_same(tmp_path: Path, patch: Recording) -> None:
    arrays = np.load(exported(patch, tmp_path / "out.npz")[0])
    names = [path.name for path in exported(patch, tmp_path / "out.csv")]
    tables = ["skin", "skin.ta", "skin.vdd", "spots", "findings-lesion", "alerts", "events", "markers"]
    assert sorted(names) == sorted([*(f"out-{name}.csv" for name in tables), "out-about.json"])
    rows = rows_of(tmp_path / "out-skin.csv")
    assert len(rows) == len(arrays["skin"])
    assert float(rows[3]["r09c11"]) == pytest.approx(float(arrays["skin"][3, 9, 11]), abs=6e-4)
    assert [row["utc"] for row in rows] == arrays["skin.utc"].tolist()
    assert {row["unit"] for row in rows} == {"degC"}
    spots = rows_of(tmp_path / "out-spots.csv")
    assert {row["left"] for row in spots} == {""}
    assert {row["quality"] for row in spots} == {"missing, uncalibrated, simulated"}
    (alert,) = rows_of(tmp_path / "out-alerts.csv")
    assert (alert["alert"], alert["state"], alert["text"]) == ("lesion", "raised", "Show this to a physician.")
    # A spreadsheet would take it for a formula.
    assert rows_of(tmp_path / "out-markers.csv")[0]["text"] == "'=the cold pack came off"


def test_parquet_is_a_tidy_table_a_signal_with_units_and_zone(tmp_path: Path, patch: Recording) -> None:
    arrays = np.load(exported(patch, tmp_path / "out.npz")[0])
    paths = exported(patch, tmp_path / "out.parquet")
    assert {"out-skin.parquet", "out-spots.parquet", "out-findings-lesion.parquet"} <= {path.name for path in paths}
    table = pq.read_table(tmp_path / "out-skin.parquet")
    assert table.schema.field("utc").type == pa.timestamp("ns", tz="UTC")
    value = table.schema.field("value")
    assert value.metadata[b"unit"] == b"degC"
    assert json.loads(value.metadata[b"shape"]) == [24, 32]
    shown = table["value"].combine_chunks().flatten().to_numpy().reshape(-1, 24, 32)
    np.testing.assert_array_equal(shown, arrays["skin"])
    np.testing.assert_array_equal(table["utc"].cast(pa.int64()).to_numpy(), arrays["skin.utc_ns"])
    about = json.loads(table.schema.metadata[b"thermo-edge"])
    assert (about["serial"], about["subject"], about["note"]) == ("0001", "S 01", "left arm")
    assert schema.from_plain(about["profile_whole"], Profile, "") == schema.from_plain(recorded.PATCH, Profile, "")
    spots = pq.read_table(tmp_path / "out-spots.parquet")
    assert json.loads(spots.schema.field("value").metadata[b"labels"]) == ["core", "left"]
    findings = pq.read_table(tmp_path / "out-findings-lesion.parquet").to_pylist()
    assert {row["winner"] for row in findings} == {"lesion"}
    assert findings[0]["newest_block_skin"] == 1
    assert pq.read_table(tmp_path / "out-skin.ta.parquet").schema.field("value").type == pa.float32()


def test_every_signal_of_the_graph_can_be_had(tmp_path: Path, patch: Recording, expected: list[Any]) -> None:
    arrays = np.load(exported(patch, tmp_path / "out.npz", Choice(signals=(ALL,)))[0])
    pictures = np.array([picture.celsius for picture in expected])
    for place in (3, 20):
        calm = pictures[place - 3 : place + 1].astype(np.float64).mean(axis=0)
        at = np.flatnonzero(arrays["calm.time_us"] == expected[place].time_us)[0]
        # The stage sums counts of 1/256 K.
        np.testing.assert_allclose(arrays["calm"][at], calm, atol=1 / 256)
        np.testing.assert_allclose(arrays["above"][at], calm - np.median(calm), atol=2 / 256)
    some = np.load(exported(patch, tmp_path / "some.npz", Choice(signals=("above", "spots")))[0])
    assert "skin" not in some
    np.testing.assert_array_equal(some["above"], arrays["above"])


def test_what_a_network_gave_is_had_where_the_wearable_sent_it(tmp_path: Path, session: Session) -> None:
    sent = recorded.signal_records(session, "lesion.raw", recorded.START_US + 5, np.array([0.25, 0.75], np.float32))
    above = np.arange(768, dtype=np.float32).reshape(24, 32)
    # The picture is made anew here; that it was sent too makes it no second one.
    sent += recorded.signal_records(session, "above", recorded.START_US + 6, above)
    found = recorded.recording(tmp_path / "r.mcap", session, came(sent))
    arrays = np.load(exported(found, tmp_path / "out.npz", Choice(signals=(ALL,)))[0])
    np.testing.assert_array_equal(arrays["lesion.raw"], [[0.25, 0.75]])
    assert arrays["lesion.raw.time_us"].tolist() == [recorded.START_US + 5]
    assert "above" not in arrays


def test_edf_is_read_by_another_library(tmp_path: Path, band: Recording) -> None:
    (path,) = exported(band, tmp_path / "out.edf")
    arrays = np.load(exported(band, tmp_path / "out.npz")[0])
    with pyedflib.EdfReader(str(path)) as edf:
        labels = edf.getSignalLabels()
        said = {label: (edf.getPhysicalDimension(n), edf.getSampleFrequency(n)) for n, label in enumerate(labels)}
        axes = {f"motion {axis}": ("g", 25.0) for axis in "xyz"}
        assert said == {"wrist": ("degC", 1.0), **axes}
        start = edf.getStartdatetime().replace(tzinfo=datetime.UTC).timestamp()
        assert edf.getPatientCode().replace("_", " ") == "W 7"
        for label, values in (("wrist", arrays["wrist"]), *zip(axes, arrays["motion"].T, strict=True)):
            name, rate = label.split()[0], said[label][1]
            trace = edf.readSignal(labels.index(label))
            place = np.rint((arrays[f"{name}.utc_ns"] / 1e9 - start) * rate).astype(int)
            assert place.min() >= 0
            np.testing.assert_allclose(trace[place], values, atol=2.1 * float(np.ptp(values) or 1) / 65535 + 1e-6)
            # What was not measured lies a whole range below what was.
            others = np.setdiff1d(np.arange(len(trace)), place)
            assert (trace[others] < values.min() - 0.9 * float(np.ptp(values))).all()
        onsets, lengths, texts = edf.readAnnotations()
        silence = [
            (onset, length)
            for onset, length, text in zip(onsets, lengths, texts, strict=True)
            if text == "wrist: no value" and length == 5
        ]
        assert silence == [(11.0, 5.0)]


def test_edf_has_markers_alerts_and_events_as_annotations(tmp_path: Path, patch: Recording) -> None:
    (path,) = exported(patch, tmp_path / "out.edf")
    with pyedflib.EdfReader(str(path)) as edf:
        assert "skin" not in edf.getSignalLabels()
        assert {"skin.ta", "spots core"} <= set(edf.getSignalLabels())
        texts = set(edf.readAnnotations()[2])
    assert {"=the cold pack came off", "alert lesion: raised", "The bus was freed."} <= texts


def test_a_png_shows_the_moment_that_was_asked_for(tmp_path: Path, patch: Recording, session: Session) -> None:
    (path,) = exported(patch, tmp_path / "out.png", Choice(from_ns=session.started_ns + 3 * SECOND_NS))
    image = np.asarray(Image.open(path).convert("RGB"), np.int64)
    factor = image.shape[1] // 32
    centres = image[20 + factor // 2 : 20 + 24 * factor : factor, factor // 2 : 32 * factor : factor].sum(axis=2)
    # The warm square is brighter than all around it, where it is.
    assert centres[9:13, 11:17].mean() > centres[:6].mean() + 100


def test_a_film_goes_at_the_pace_of_the_recording(tmp_path: Path, patch: Recording, expected: list[Any]) -> None:
    (path,) = exported(patch, tmp_path / "out.mp4")
    with av.open(str(path)) as film:
        frames = list(film.decode(video=0))
    assert len(frames) == len(expected)
    shown = [float(frame.time or 0) for frame in frames]
    times = [(picture.time_us - expected[0].time_us) / 1e6 for picture in expected]
    np.testing.assert_allclose(shown, times, atol=2e-3)
    grey = frames[-1].to_ndarray(format="gray").astype(float)
    assert grey[200:260, 220:340].mean() > grey[40:100, 40:600].mean() + 20


@pytest.mark.parametrize("ending", [".png", ".mp4"])
def test_a_wearable_without_a_camera_has_no_pictures(tmp_path: Path, band: Recording, ending: str) -> None:
    with pytest.raises(UsageError, match=r"holds pictures, and no signal here is one.*\.csv"):
        exported(band, tmp_path / f"out{ending}")
    assert not list(tmp_path.iterdir())


def test_another_emissivity_is_another_temperature(patch: Recording, session: Session) -> None:
    means = []
    for choice in (Choice(), Choice(emissivity=0.80)):
        decoding = Decoding(patch, choice)
        assert len(list(decoding)) > 40
        means.append(decoding.totals.to_map()["signals"]["skin"]["mean"])
    assert means[1] > means[0] + 0.5


def test_what_cannot_be_asked_for_is_said(tmp_path: Path, patch: Recording, band: Recording) -> None:
    with pytest.raises(UsageError, match=r"no signal 'skinn'; choose of skin, skin\.ta, .*, lesion\.raw, or all"):
        Decoding(patch, Choice(signals=("skinn",)))
    with pytest.raises(UsageError, match="no sensor with an emissivity"):
        Decoding(band, Choice(emissivity=0.9))
    with pytest.raises(UsageError, match="emissivity"):
        Decoding(patch, Choice(emissivity=1.5))
    with pytest.raises(UsageError, match=r"does not end in \.npz, .* or \.svg"):
        exported(patch, tmp_path / "out.xlsx")


@pytest.mark.parametrize("ending", EVERY)
def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, patch: Recording, ending: str) -> None:
    path = tmp_path / "folder" / f"out{ending}"
    with pytest.raises(StorageError, match="no such file or directory"):
        exported(patch, path)
    path.parent.mkdir()
    whole = [one.name for one in exported(patch, path)]
    kept = path.parent / whole[0]
    for name in whole:
        (path.parent / name).write_text("old")
    decoding = Decoding(patch)

    def rows() -> Iterator[Row]:
        yield from islice(decoding, 50)
        raise SensorError("The rest is lost.")

    with pytest.raises(SensorError):
        target.write(rows(), path, decoding.first, force=True)
    assert kept.read_text() == "old"
    assert sorted(one.name for one in path.parent.iterdir()) == sorted(whole)


@pytest.mark.parametrize("ending", EVERY)
def test_nothing_is_replaced_without_force(tmp_path: Path, patch: Recording, ending: str) -> None:
    path = tmp_path / f"out{ending}"
    written = exported(patch, path)
    first = [one.read_bytes() for one in written]
    with pytest.raises(StorageError, match=r"out.* exists.*--force"):
        exported(patch, path)
    exported(patch, path, Choice(emissivity=0.8, to_ns=STARTED_NS + 4 * SECOND_NS), force=True)
    assert [one.read_bytes() for one in written] != first
    for other in written[1:]:
        for one in written:
            one.unlink(missing_ok=True)
        other.write_text("mine")
        with pytest.raises(StorageError, match="exists"):
            exported(patch, path)
        assert [one.name for one in tmp_path.iterdir()] == [other.name]


def test_a_full_disk_is_said_and_leaves_nothing(
    tmp_path: Path, patch: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = zipfile.ZipFile.open

    def full(archive: zipfile.ZipFile, name: str, *arguments: Any, **options: Any) -> Any:
        if name == "skin.utc.npy":
            raise OSError(28, "No space left on device")
        return real(archive, name, *arguments, **options)

    monkeypatch.setattr(zipfile.ZipFile, "open", full)
    with pytest.raises(StorageError, match="no space left on device"):
        exported(patch, tmp_path / "out.npz")
    assert not list(tmp_path.iterdir())


def test_what_temperatures_and_findings_came_from_is_kept(tmp_path: Path, patch: Recording, session: Session) -> None:
    choice = Choice(emissivity=0.9)
    arrays = np.load(exported(patch, tmp_path / "out.npz", choice)[0])
    wanted = {"serial": "0001", "name": "thermo-sim", "profile": "patch", "bundle": "1.2.3", "simulated": True}
    for name, value in wanted.items():
        assert arrays[name][()] == value, name
    about = json.loads(str(arrays["about"]))
    assert about["sensors"][0]["emissivity"] == 0.9
    assert about["sensors"][0]["uncalibrated"]
    assert about["signals"]["skin"] == {"unit": "degC", "shape": [24, 32], "rate_hz": 8.0}
    assert "Informs only" in about["notice"]
    assert set(arrays["findings-lesion.bundle"].tolist()) == {"01020304"}
    exported(patch, tmp_path / "out.csv", choice)
    row = rows_of(tmp_path / "out-skin.csv")[0]
    said = {name: row[name] for name in ("serial", "profile", "simulated", "uncalibrated", "emissivity")}
    assert said == {
        "serial": "0001",
        "profile": "patch",
        "simulated": "True",
        "uncalibrated": "True",
        "emissivity": "0.9",
    }
    assert rows_of(tmp_path / "out-findings-lesion.csv")[0]["quality"] == "uncalibrated, simulated"
    assert json.loads((tmp_path / "out-about.json").read_text())["profile_whole"] == about["profile_whole"]


def test_pixels_without_a_reading_of_their_own_are_named(tmp_path: Path) -> None:
    words = eeprom.generate(recorded.SEED, broken=(5 * 32 + 7,))
    items = came(recorded.patch_records(recorded.subpages(words, 60)))
    found = recorded.recording(tmp_path / "r.mcap", recorded.patch(words), items)
    exported(found, tmp_path / "out.csv")
    assert {row["interpolated"] for row in rows_of(tmp_path / "out-skin.csv")} == {"r05c07"}
    exported(found, tmp_path / "out.parquet")
    valid = pq.read_table(tmp_path / "out-skin.parquet")["valid"].combine_chunks().flatten().to_numpy(False)
    assert (~valid.reshape(-1, 768)).sum(axis=1).tolist() == [1] * (len(valid) // 768)


def test_outputs_of_any_name_are_arrays_of_their_own(tmp_path: Path, session: Session) -> None:
    model = msgspec.structs.replace(session.profile.models[0], scores=("../left side", "=right/side"))
    found = recorded.recording(
        tmp_path / "r.mcap",
        swapped(session, models=(model,), alerts=()),
        came(recorded.patch_records(recorded.subpages(eeprom.generate(recorded.SEED), 60))),
    )
    arrays = np.load(exported(found, tmp_path / "out.npz")[0])
    scores = [name for name in arrays.files if "side" in name and name.startswith("findings")]
    assert len(scores) == 2
    assert not any("/" in name for name in arrays.files)
    assert {round(float(arrays[name][0]), 2) for name in scores} == {0.25, 0.75}


def test_another_profile_later_has_tables_of_its_own(tmp_path: Path, session: Session) -> None:
    pages = recorded.subpages(eeprom.generate(recorded.SEED), 100)
    items: list[Any] = list(came(recorded.patch_records(pages)))
    model = msgspec.structs.replace(session.profile.models[0], scores=("none", "some"))
    spots: Any = session.profile.sensors[1]
    thermistors = msgspec.structs.replace(spots, channels=spots.channels[:1])
    later = swapped(session, models=(model,), alerts=(), sensors=(session.profile.sensors[0], thermistors))
    found = recorded.recording(tmp_path / "r.mcap", session, [*items[:60], later, *items[60:]])
    arrays = np.load(exported(found, tmp_path / "out.npz")[0])
    assert arrays["findings-lesion.lesion"].size and arrays["findings-lesion-2.some"].size
    assert arrays["spots"].shape[1] == 2
    whole = len(np.load(exported(found, tmp_path / "b.npz", Choice(signals=("skin",)))[0])["skin"])
    assert len(arrays["skin"]) == whole
    assert json.loads(str(arrays["about"]))["later"][0]["profile"] == "patch"


@pytest.mark.parametrize(("start", "end"), [(2.0, 4.0), (0.0, 1.0), (3.5, 60.0), (50.0, 60.0)])
def test_a_window_holds_what_came_in_it(
    tmp_path: Path, session: Session, start: float, end: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("thermo_host.sinks.recorder.FLUSH_S", 0.0)
    pages = recorded.subpages(eeprom.generate(recorded.SEED), 120)
    items = list(came(recorded.patch_records(pages)))
    found = recorded.recording(tmp_path / "r.mcap", session, items)
    whole = list(Decoding(found))
    from_ns, to_ns = (session.started_ns + round(second * 1e9) for second in (start, end))
    decoding = Decoding(found, Choice(from_ns=from_ns, to_ns=to_ns))
    rows = list(decoding)
    wanted = [row for row in whole if from_ns - 20_000_000 <= row.utc_ns <= to_ns - 20_000_000]
    assert [row.utc_ns for row in rows] == [row.utc_ns for row in wanted]
    for row, other in zip(rows, wanted, strict=True):
        if isinstance(row, SampleRow) and isinstance(other, SampleRow):
            np.testing.assert_array_equal(row.sample.values, other.sample.values)
    assert decoding.totals.lost == 0


def test_lost_blocks_and_blocks_of_unknown_constants_are_counted(tmp_path: Path, session: Session) -> None:
    pages = recorded.subpages(eeprom.generate(recorded.SEED), 60)
    records: list[Any] = [
        record for record in recorded.patch_records(pages, key_interval=1) if getattr(record, "sensor", 1) == 0
    ]
    del records[20:23]
    records[40] = replace(records[40], constants=7)
    gap = Gap(from_ns=STARTED_NS, to_ns=STARTED_NS + 5, reason="unplugged")
    decoding = Decoding(recorded.recording(tmp_path / "r.mcap", session, [gap, *came(records)]))
    rows = list(decoding)
    assert (decoding.totals.lost, decoding.totals.undecodable) == (3, 1)
    assert rows[0].values == (gap.from_ns, gap.to_ns, "unplugged")
    assert decoding.totals.rows == {"gaps": 1}


@pytest.mark.parametrize("ending", [".npz", ".csv", ".parquet"])
def test_a_longer_recording_takes_no_more_memory(tmp_path: Path, ending: str) -> None:
    peaks = []
    for seconds in (300, 1200):
        items = came(recorded.band_records(seconds))
        found = recorded.recording(tmp_path / f"{seconds}.mcap", recorded.session(recorded.BAND), items)
        exported(found, tmp_path / f"warm-{seconds}{ending}", Choice(to_ns=STARTED_NS + 20 * SECOND_NS))
        tracemalloc.start()
        exported(found, tmp_path / f"{seconds}{ending}")
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 1_500_000


def test_parquet_is_written_a_group_of_rows_at_a_time(tmp_path: Path) -> None:
    items = came(recorded.band_records(300))
    found = recorded.recording(tmp_path / "r.mcap", recorded.session(recorded.BAND), items)
    groups = []
    for path in exported(found, tmp_path / "a.parquet"):
        metadata = pq.ParquetFile(path).metadata
        sizes = [metadata.row_group(place).num_rows for place in range(metadata.num_row_groups)]
        assert max(sizes) <= MOST_ROWS and all(size == sizes[0] for size in sizes[:-1])
        groups.append(len(sizes))
    assert max(groups) > 2


def test_the_command_says_what_was_written_and_what_is_wrong(
    tmp_path: Path, patch: Recording, capsys: pytest.CaptureFixture[str]
) -> None:
    def export(*arguments: str) -> tuple[int, str, str]:
        code = run(["export", str(patch.path), *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    code, out, _ = export(str(tmp_path / "a.csv"), "--signals", "skin.ta, above", "--json")
    told = json.loads(out)
    assert code == 0 and told["complete"] and set(told["signals"]) == {"skin.ta", "above"}
    assert told["rows"]["findings-lesion"] == 15
    assert {Path(path).name for path in told["files"]} == {path.name for path in tmp_path.iterdir()}
    code, out, _ = export(str(tmp_path / "b.png"), "--from", "3", "--range", "30,38")
    assert (code, out.startswith("skin 1 sample: "), "cut off" in out) == (0, True, False)
    for arguments, wrong, words in (
        ((str(tmp_path / "c.npz"), "--range", "30,38"), 2, "leave it out"),
        ((str(tmp_path / "c.npz"), "--from", "5", "--to", "4"), 2, "exchange them"),
        ((str(tmp_path / "c.txt"),), 2, "does not end in"),
        ((str(tmp_path / "b.png"),), 9, "--force"),
    ):
        code, _, err = export(*arguments)
        assert code == wrong and words in " ".join(err.split())


def corrected(session: Session, constants_crc32: int) -> Session:
    stamp = Stamp(session.hello.sensors[0].id, 1_700_000_000, 0.05, constants_crc32)
    offset = np.full((24, 32), 1.0, np.float32)
    blob = to_bytes(replace(PixelCorrection.identity(stamp), offset=offset))
    states = (msgspec.structs.replace(session.hello.sensors[0], corrected=True), *session.hello.sensors[1:])
    hello = msgspec.structs.replace(session.hello, sensors=states)
    return replace(session, hello=hello, corrections={0: blob})


def test_a_correction_is_applied_to_the_chip_it_was_made_of_and_to_no_other(
    tmp_path: Path, session: Session, expected: list[Any]
) -> None:
    crc = fingerprint(session.constants[0].data)
    plain = np.array([picture.celsius for picture in expected[:20]])
    for name, crc32, choice, shift in (
        ("own", crc, None, 1.0),
        ("left-out", crc, Choice(corrected=False), 0.0),
        ("another", crc ^ 1, None, 0.0),
    ):
        items = came(recorded.patch_records(recorded.subpages(eeprom.generate(recorded.SEED), 40)))
        found = recorded.recording(tmp_path / f"{name}.mcap", corrected(session, crc32), items)
        arrays = np.load(exported(found, tmp_path / f"{name}.npz", choice)[0])
        np.testing.assert_allclose(arrays["skin"], plain + np.float32(shift), atol=1e-5)
        uncalibrated = arrays["skin.flags"] & 1 << 8 != 0
        assert uncalibrated.all() == (not shift)
        sensor = json.loads(str(arrays["about"]))["sensors"][0]
        assert sensor["uncalibrated"] == (not shift)
        assert sensor["calibrated_at"] == ("2023-11-14T22:13:20+00:00" if shift else None)


def test_pictures_of_other_constants_are_decoded_with_them(tmp_path: Path, session: Session) -> None:
    words = (eeprom.generate(recorded.SEED), eeprom.generate(recorded.SEED + 1))
    first = list(recorded.patch_records(recorded.subpages(words[0], 60)))
    second = [
        replace(record, time_us=record.time_us + 10_000_000, constants=0 if record.sensor else 1)
        for record in recorded.patch_records(recorded.subpages(words[1], 60))
        if isinstance(record, Block)
    ]
    states = (msgspec.structs.replace(session.hello.sensors[0], constants=1), *session.hello.sensors[1:])
    later = replace(
        session,
        hello=msgspec.structs.replace(session.hello, sensors=states),
        constants={0: SensorConstants(1, words[1].astype("<u2").tobytes())},
    )
    items: list[Any] = [*came(first), later, *came(second)]
    decoding = Decoding(recorded.recording(tmp_path / "r.mcap", session, items))
    target.write(decoding, tmp_path / "out.npz", decoding.first)
    assert decoding.totals.undecodable == 0
    arrays = np.load(tmp_path / "out.npz")
    for number, one in enumerate(words):
        np.testing.assert_array_equal(arrays[f"skin.constants.{number}"].view("<u2"), one)
        assembler = PictureAssembler(Decoder(Constants.from_eeprom(one), 0.98))
        made = [assembler.push(page) for page in recorded.subpages(one, 60)]
        pictures = [picture.celsius for picture in made if picture is not None]
        there = arrays["skin.time_us"] > 10_000_000 if number else arrays["skin.time_us"] < 10_000_000
        np.testing.assert_array_equal(arrays["skin"][there], pictures)
    assert json.loads(str(arrays["about"]))["later"][0]["sensors"][0]["constants"] == 1


def test_what_cannot_be_calibrated_is_not_called_uncalibrated() -> None:
    profile = file.read(resolve("wrist-stress")).profile
    session = session_of(profile, {})
    said = about(session, profile, session.engine({}))["sensors"]
    assert [one["kind"] for one in said] == ["external"] * 4 and not any(one["uncalibrated"] for one in said)


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
@example(10000.9375, 0.0)
def test_a_trace_has_a_range_that_its_header_can_write_and_that_holds_it(low: float, span: float) -> None:
    high = low + span
    try:
        bottom, top = physical_range("x", low, high)
    except UsageError as error:
        assert max(abs(low), abs(high)) > 1e6 and "EDF+ cannot write" in str(error)
        return
    assert bottom < low <= high <= top
    written = edfio.EdfSignal.from_digital(np.zeros(4, np.int16), 1.0, physical_range=(bottom, top))
    assert (written.physical_min, written.physical_max) == (bottom, top)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_damage_is_a_bug(tmp_path: Path, band: Recording, data: st.DataObject) -> None:
    damaged = bytearray(band.path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        if data.draw(st.booleans()):
            damaged[at] = data.draw(st.integers(0, 255))
        else:
            del damaged[at : at + data.draw(st.integers(1, 300))]
            damaged = damaged or bytearray(b"x")
    path = tmp_path / "damaged.mcap"
    path.write_bytes(damaged)
    for ending in (".npz", ".edf"):
        try:
            exported(Recording(path), tmp_path / f"out{ending}", force=True)
        except ThermoError as error:
            assert "\n" not in str(error)
