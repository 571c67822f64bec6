"""Streams of others in a recording: exported, replayed, cut, damaged."""

import json
import time
from pathlib import Path
from typing import Any

import edfio
import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest
import recorded
from host_sessions import STARTED_NS, came
from hypothesis import given, settings
from hypothesis import strategies as st
from lsl_streams import foreign, samples
from mcap.reader import make_reader

from thermo_core.errors import UsageError
from thermo_core.recording.layout import LSL_STREAM_TOPIC, LSL_TOPIC, LslSamples, LslStream
from thermo_core.recording.session import Session
from thermo_host.application import run
from thermo_host.exports import target
from thermo_host.exports.decoding import Choice, Decoding
from thermo_host.exports.rows import SampleRow
from thermo_host.link.items import Item
from thermo_host.sinks.describe import describe
from thermo_host.sinks.recorder import Recorder
from thermo_host.stream.playback import Recording

HOSTILE = "\x1b[2J=cmd|'/c calc'!A1"


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory, session: Session) -> Recording:
    """A wearable's recording with a stream of numbers, one of texts, and one that calls itself as a signal and as a file."""
    items: list[Item] = [
        foreign(),
        foreign("notes", 0.0, format="string", labels=("said",), units=("",), kind="Markers"),
        foreign("../../wrist", 10.0, labels=("=1+1",), units=("degC",)),
    ]
    for number, item in enumerate(came(recorded.band_records(6))):
        items += [item, samples(number)]
    items.append(
        LslSamples(
            name="notes", received_ns=STARTED_NS + 9, times_ns=(STARTED_NS + 5,), offset_s=0, texts=((HOSTILE,),)
        )
    )
    items.append(samples(3, "../../wrist", values=tuple((36.5,) for _ in range(10))))
    return recorded.recording(tmp_path_factory.mktemp("beside") / "night.mcap", session, items)


def written(found: Recording, path: Path, *signals: str) -> list[Path]:
    decoding = Decoding(found, Choice(signals))
    return target.write(decoding, path, decoding.first)


def test_every_export_has_the_streams_of_others(tmp_path: Path, beside: Recording) -> None:
    values = np.array(
        [(number * 10.0 + place, np.nan if place == 3 else -1.5) for number in range(12) for place in range(10)]
    )
    times = np.array(
        [STARTED_NS + number * 100_000_000 + place * 10_000_000 for number in range(12) for place in range(10)]
    )
    with np.load(written(beside, tmp_path / "o.npz")[0]) as arrays:
        np.testing.assert_array_equal(arrays["lsl-EEG"], values.astype(np.float32))
        np.testing.assert_array_equal(arrays["lsl-EEG.utc_ns"], times)
        assert arrays["lsl-EEG.labels"].tolist() == ["Fp1", "Fp2"]
        assert arrays["wrist"].shape == (6,)
        about = json.loads(str(arrays["about"]))["signals"]["lsl-EEG"]
        assert about == {"unit": "microvolts", "shape": [2], "rate_hz": 100.0}
    files = {path.name: path for path in written(beside, tmp_path / "o.parquet")}
    table = pq.read_table(files["o-lsl-EEG.parquet"])
    np.testing.assert_array_equal(np.array(table["value"].to_pylist(), np.float32), values.astype(np.float32))
    assert table.schema.field("value").metadata[b"unit"] == b"microvolts"
    assert pq.read_table(files["o-lsl-notes.parquet"])["said"].to_pylist() == ["=cmd|'/c calc'!A1"]
    assert {path.name for path in tmp_path.iterdir()} == {"o.npz", *files}
    texts = {path.name: path.read_text() for path in written(beside, tmp_path / "o.csv")}
    assert texts["o-lsl-notes.csv"].splitlines()[1].endswith("'=cmd|'/c calc'!A1")
    wrist = next(text for name, text in texts.items() if "wrist" in name and "lsl" in name)
    assert ",value," in wrist.splitlines()[0] and "36.500" in wrist
    edf = edfio.read_edf(written(beside, tmp_path / "o.edf")[0])
    labels = [signal.label for signal in edf.signals]
    assert {"lsl-EEG Fp1", "lsl-EEG Fp2"} <= set(labels)
    trace = edf.signals[labels.index("lsl-EEG Fp1")]
    assert trace.physical_dimension == "microvol" and trace.sampling_frequency == 100
    np.testing.assert_allclose(trace.data[:100], values[:100, 0], atol=0.02)
    assert any("calc" in annotation.text for annotation in edf.annotations)
    with written(beside, tmp_path / "o.mcap")[0].open("rb") as file:
        lines = [json.loads(one.data) for _, _, one in make_reader(file).iter_messages(topics=["/lsl-EEG"])]
    assert [line["Fp1"] for line in lines] == values[:, 0].tolist()


def test_a_stream_that_is_stamped_unevenly_has_no_holes_in_edf(tmp_path: Path, session: Session) -> None:
    rng = np.random.default_rng(5)
    at_ns = STARTED_NS + (np.arange(400) * 10_000_000 + rng.uniform(-6e6, 6e6, 400)).astype(np.int64)
    at_ns[200:] += 1_000_000_000
    times = np.sort(at_ns).tolist()
    items: list[Item] = [foreign(labels=("x",), units=("=mV",))]
    for start in range(0, 400, 20):
        part = tuple(times[start : start + 20])
        rows = tuple((float(start + place),) for place in range(20))
        items.append(LslSamples(name="EEG", received_ns=part[-1], times_ns=part, offset_s=0.0, values=rows))
    found = recorded.recording(tmp_path / "r.mcap", session, items)
    edf = edfio.read_edf(written(found, tmp_path / "o.edf")[0])
    data = edf.signals[0].data
    assert data.min() < -300  # where there is no value
    there = data[data > -1]
    np.testing.assert_allclose(there, np.arange(400), atol=0.05)
    holes = [
        one for one in edf.annotations if "no value" in one.text and one.onset < times[-1] / 1e9 - STARTED_NS / 1e9
    ]
    assert [round(one.duration or 0, 1) for one in holes if one.onset > 0.1] == [1.0]
    (path, *_) = (path for path in written(found, tmp_path / "o.csv") if "EEG" in path.name)
    assert "'=mV" in path.read_text().splitlines()[1]
    odd: list[Item] = [foreign("a", 3.331), samples(0, "a"), foreign("b", 7.919), samples(0, "b")]
    with pytest.raises(UsageError, match="choose fewer with --signals"):
        written(recorded.recording(tmp_path / "odd.mcap", session, odd), tmp_path / "odd.edf")
    assert not (tmp_path / "odd.edf").exists()


def test_a_stream_is_chosen_by_its_name(tmp_path: Path, beside: Recording, capsys: pytest.CaptureFixture[str]) -> None:
    rows = list(Decoding(beside, Choice(("lsl-EEG",))))
    assert {row.track.key for row in rows if isinstance(row, SampleRow)} == {"lsl-EEG"}
    assert run(["export", str(beside.path), str(tmp_path / "o.npz"), "--signals", "lsl-ECG"]) != 0
    assert "lsl-EEG" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_replay_tells_the_streams_of_others(beside: Recording, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["replay", str(beside.path), "--json", "--speed", "0"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["name"] for one in told if one["type"] == "lsl-stream"] == ["EEG", "notes", "../../wrist"]
    assert sum(one["samples"] for one in told if one["type"] == "lsl" and one["name"] == "EEG") == 120
    assert not any("\x1b" in json.dumps(one, ensure_ascii=False) for one in told)
    assert told[-1]["lsl"] == {"EEG": 120, "notes": 1, "../../wrist": 10}


def test_a_window_has_its_samples_and_what_they_are(beside: Recording) -> None:
    later_ns = STARTED_NS + 800_000_000
    items = list(beside.items(later_ns))
    assert [item.name for item in items if isinstance(item, LslStream)] == ["EEG", "notes", "../../wrist"]
    rows = [row for row in Decoding(beside, Choice(("lsl-EEG",), from_ns=later_ns)) if isinstance(row, SampleRow)]
    assert rows[0].utc_ns == STARTED_NS + 700_000_000


def test_samples_that_do_not_fit_their_stream_are_counted_and_no_number(tmp_path: Path, session: Session) -> None:
    items: list[Item] = [samples(0, "unknown"), foreign(), samples(1, values=tuple((1.0,) for _ in range(10)))]
    items += [*came(recorded.band_records(1)), samples(2)]
    decoding = Decoding(recorded.recording(tmp_path / "r.mcap", session, items))
    rows = [row for row in decoding if isinstance(row, SampleRow) and row.track.key == "lsl-EEG"]
    assert len(rows) == 10
    assert decoding._foreign.undecodable == 20


def test_a_window_late_in_a_recording_knows_its_streams(
    tmp_path: Path, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s, later = time.monotonic(), 0
    monkeypatch.setattr(time, "monotonic", lambda: now_s + later)
    monkeypatch.setattr(time, "time_ns", lambda: STARTED_NS + later * 1_000_000_000)
    with Recorder(tmp_path / "r.mcap", session) as recorder:
        recorder.add(foreign())
        for later in range(300):
            recorder.add(samples(later * 10))
    window = Choice(("lsl-EEG",), from_ns=STARTED_NS + 200_000_000_000, to_ns=STARTED_NS + 201_000_000_000)
    rows = [row for row in Decoding(Recording(tmp_path / "r.mcap"), window) if isinstance(row, SampleRow)]
    assert rows and {row.track.labels for row in rows} == {("Fp1", "Fp2")}


def test_messages_that_are_none_are_counted_and_cost_nothing_else(tmp_path: Path, session: Session) -> None:
    good = msgspec.to_builtins(samples(1))
    bad: list[Any] = [
        {**good, "values": good["values"][:-1]},
        {**good, "values": [[1.0], *good["values"][1:]]},
        {**good, "texts": [["x"]] * 10},
        {**good, "values": []},
        {**good, "times_ns": [-1] * 10},
        {**good, "times_ns": [2**70] * 10},
        {**good, "offset_s": "soon"},
        {**good, "more": 1},
        [],
        {**msgspec.to_builtins(foreign()), "rate_hz": -1},
    ]
    with Recorder(tmp_path / "r.mcap", session) as recorder:
        recorder.add(foreign())
        for one in bad:
            topic = LSL_STREAM_TOPIC if isinstance(one, dict) and "labels" in one else LSL_TOPIC
            recorder._add(topic, STARTED_NS, STARTED_NS, json.dumps(one).encode())
        recorder.add(samples(2))
    recording = Recording(tmp_path / "r.mcap")
    assert list(recording) == [foreign(), samples(2)]
    assert recording.damaged == len(bad)


_numbers = st.one_of(st.none(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(_numbers, _numbers), min_size=1, max_size=4), st.text(max_size=40))
def test_what_is_recorded_comes_back(
    tmp_path_factory: pytest.TempPathFactory, session: Session, rows: list[tuple[Any, Any]], text: str
) -> None:
    times = tuple(STARTED_NS + place for place in range(len(rows)))
    given_numbers = LslSamples(name="EEG", received_ns=STARTED_NS, times_ns=times, offset_s=-1e3, values=tuple(rows))
    given_text = LslSamples(name="n", received_ns=STARTED_NS, times_ns=times[:1], offset_s=0.0, texts=((text,),))
    path = tmp_path_factory.mktemp("back") / "r.mcap"
    found = list(recorded.recording(path, session, [foreign(), given_numbers, given_text]))
    assert found[:2] == [foreign(), given_numbers]
    assert isinstance(found[2], LslSamples) and all(word.isprintable() for row in found[2].texts for word in row)
    if text.isprintable():
        assert found[2] == given_text
    assert describe(found[1], None, session, session.plan, whole=True)[0]["samples"] == len(rows)
