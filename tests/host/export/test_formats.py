"""What is in an export is what decoding the blocks gives, whatever the format."""

import datetime
import json
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
from examples import few
from exported import SECOND_NS, exported, rows_of, swapped
from host_sessions import STARTED_NS, came
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from thermo_core import schema
from thermo_core.errors import UsageError
from thermo_core.recording.session import Session
from thermo_core.wearable.profile import Profile
from thermo_host.exports.csv_tables import Thousandths
from thermo_host.exports.decoding import ALL, Choice
from thermo_host.exports.edf import physical_range
from thermo_host.stream.playback import Recording
from thermo_sim.chips.mlx90640 import eeprom


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


@few(100, of=300)
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
