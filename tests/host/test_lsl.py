"""LSL both ways, with liblsl's own inlets and outlets as the other side: what a wearable says as streams, streams of others recorded."""

import json
import multiprocessing
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import edfio
import msgspec
import numpy as np
import pyarrow.parquet as pq
import pylsl
import pytest
import recorded
from host_sessions import STARTED_NS, came
from hypothesis import given, settings
from hypothesis import strategies as st
from mcap.reader import make_reader

from thermo_core.errors import LinkTimeoutError, UsageError
from thermo_core.recording.layout import LSL_STREAM_TOPIC, LSL_TOPIC, MOST_CHANNELS, LslSamples, LslStream
from thermo_core.recording.session import Session
from thermo_core.sensors.kind import Block
from thermo_host.application import run
from thermo_host.commands.common import Output
from thermo_host.commands.screen import Screen
from thermo_host.exports import target
from thermo_host.exports.decoding import Choice, Decoding
from thermo_host.exports.rows import SampleRow
from thermo_host.link.clocksync import ClockSync, RoundTrip
from thermo_host.link.items import Item, Telemetry
from thermo_host.lsl import library
from thermo_host.lsl.inlets import Inlet, LslInlets
from thermo_host.lsl.library import Scope, keep_to_machine, load
from thermo_host.lsl.outlets import SETTLING, LslOutlets
from thermo_host.sinks.describe import describe
from thermo_host.sinks.monitor import Monitor
from thermo_host.sinks.recorder import Recorder
from thermo_host.stream import decoding as live
from thermo_host.stream.playback import Recording
from thermo_sim.chips.mlx90640 import eeprom

ALLOWED_S = 0.002
MINUTES = 10
DRIFT = 40e-6
WITHIN_S = 60.0
HOSTILE = "\x1b[2J=cmd|'/c calc'!A1"

SENDER = """
import sys, time
import pylsl
pylsl.set_config_content("[multicast]\\nResolveScope = machine\\n[log]\\nlevel = -2\\n")
name = sys.argv[1]
info = pylsl.StreamInfo(name, "EEG", 3, 100.0, pylsl.cf_double64, name)
info.set_channel_labels(["utc", "=Fp1", "=Fp1"])
info.set_channel_units(["s", "microvolts", "microvolts"])
info.desc().append_child("acquisition").append_child_value("manufacturer", "ACME")
eeg = pylsl.StreamOutlet(info)
marks = pylsl.StreamOutlet(pylsl.StreamInfo(name + "-marks", "Markers", 1, 0.0, pylsl.cf_string, name + "-marks"))
number = 0
while True:
    # UTC travels as a value of the sample: read before and after LSL's clock, so that a pause between them is seen.
    before = time.time_ns()
    local = pylsl.local_clock()
    after = time.time_ns()
    if after - before < 200_000:
        number += 1
        eeg.push_sample([(before + after) / 2e9, float("nan") if number % 7 == 0 else float(number), -0.5], local)
        if number % 50 == 0:
            marks.push_sample(["\\x1b[2J=go %d" % number], local)
    time.sleep(0.01)
"""


@pytest.fixture(scope="module", autouse=True)
def lsl() -> Any:
    return load(Scope.MACHINE)


def wait_for(condition: Callable[[], Any], what: str) -> Any:
    until = time.monotonic() + WITHIN_S
    while not (found := condition()):
        assert time.monotonic() < until, what
        time.sleep(0.02)
    return found


def inlet(source: str, **options: Any) -> Any:
    """A stream as another program takes it."""
    (info,) = wait_for(lambda: pylsl.resolve_byprop("source_id", source, 1, 1.0), source)
    made = pylsl.StreamInlet(info, **options)
    made.open_stream(WITHIN_S)
    return made


def pulled(one: Any, count: int) -> tuple[list[Any], list[float]]:
    rows: list[Any] = []
    times: list[float] = []

    def enough() -> bool:
        more, at = one.pull_chunk(timeout=0.1, max_samples=4096)
        rows.extend(more)
        times.extend(at)
        return len(rows) >= count

    wait_for(enough, f"{len(rows)} of {count} samples")
    return rows, times


def feed(sink: LslOutlets, monitor: Monitor, item: Item) -> None:
    sink.take(item, monitor.push(item))


def test_stamps_are_moments_of_capture_whatever_happens_to_the_date(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten simulated minutes: the device's crystal is 40 ppm off, the line is jittery, the computer's date steps by an hour."""
    rng = random.Random(3)
    began_ns = time.monotonic_ns()
    clock = ClockSync(STARTED_NS - began_ns)

    def host_ns(device_us: float) -> int:
        return began_ns + round((device_us - recorded.START_US) * 1000 * (1 + DRIFT))

    def ask(device_us: int) -> None:
        out, back = (round(rng.uniform(0.4, 1.0) * 1e6 + rng.expovariate(1 / 3e6)) for _ in range(2))
        clock.add(RoundTrip(host_ns(device_us) - out, device_us, host_ns(device_us) + back))

    whole = recorded.session(recorded.BAND)
    whole = replace(whole, hello=whole.hello.__class__(**{**_fields(whole.hello), "serial": f"T{os.getpid()}"}))
    monitor = Monitor(whole)
    for trip in range(SETTLING):
        ask(recorded.START_US + 20_000 * trip)
    with LslOutlets(monitor.decoding, clock.utc_minus_monotonic_ns) as sink:
        names = {
            name.rsplit("-", 1)[1]: f"thermo-edge:{whole.hello.serial}:{name.rsplit('-', 1)[1]}" for name in sink.names
        }
        motion, wrist = (inlet(names[name], max_buflen=3600) for name in ("motion", "wrist"))
        utc_minus_local_s = float(motion.info(WITHIN_S).desc().child("clock").child_value("utc_minus_local_clock_s"))
        got: dict[str, list[float]] = {"motion": [], "wrist": []}
        sent = {"motion": 0, "wrist": 0}
        for number, item in enumerate(came(recorded.band_records(MINUTES * 60))):
            device_us = item.record.time_us
            if number == MINUTES * 60:
                stepped = time.time_ns() + 3_600_000_000_000
                monkeypatch.setattr(time, "time_ns", lambda stepped=stepped: stepped)
            if number % 2 == 0:
                ask(device_us)
            moved = replace(item, captured_ns=clock.utc_ns(device_us), received_ns=clock.utc_ns(device_us) + 1)
            feed(sink, monitor, moved)
            sent["motion" if number % 2 == 0 else "wrist"] += 25 if number % 2 == 0 else 1
            if number % 200 == 199:
                for name, one in (("motion", motion), ("wrist", wrist)):
                    _, times = pulled(one, sent[name] - len(got[name]))
                    offset_s = one.time_correction(WITHIN_S)
                    got[name] += [at + offset_s for at in times]
    for name, times in got.items():
        assert len(times) == sent[name]
        assert np.all(np.diff(times) > 0)
        step_us = 1_000_000 / (25 if name == "motion" else 1)
        truth_ns = [host_ns(recorded.START_US + (number + 1) * step_us) for number in range(len(times))]
        wanted_s = np.array(truth_ns) / 1e9 + (STARTED_NS - began_ns) / 1e9
        assert np.abs(np.array(times) + utc_minus_local_s - wanted_s).max() < ALLOWED_S


def _fields(hello: Any) -> dict[str, Any]:
    return {name: getattr(hello, name) for name in hello.__struct_fields__}


def test_a_picture_is_a_stream_with_labels_units_and_whose_it_is() -> None:
    plain = json.loads(json.dumps(recorded.PATCH))
    plain["sensors"][0]["place"] = "left breast"
    words = eeprom.generate(recorded.SEED)
    whole = recorded.session(plain, {0: words.astype("<u2").tobytes()})
    whole = replace(whole, hello=whole.hello.__class__(**{**_fields(whole.hello), "serial": f"P{os.getpid()}"}))
    items = came(recorded.patch_records(recorded.subpages(words, 40)))
    monitor = Monitor(whole)
    with LslOutlets(monitor.decoding, 0) as sink:
        skin, marks = (inlet(f"thermo-edge:{whole.hello.serial}:{name}") for name in ("skin", "markers"))
        info = skin.info(WITHIN_S)
        assert (info.type(), info.channel_count(), info.nominal_srate()) == ("Thermography", 768, 8.0)
        assert info.get_channel_labels()[:33] == [*(f"r00c{column:02d}" for column in range(32)), "r01c00"]
        assert set(info.get_channel_units()) == {"degC"}
        desc = info.desc()
        assert desc.child_value("body_site") == "left breast"
        assert desc.child_value("notice").startswith("Informs only.")
        assert desc.child("acquisition").child_value("manufacturer") == "thermo-edge"
        assert desc.child("calibration").child_value("state") == "uncalibrated"
        assert desc.child("sensor").child_value("emissivity") == "0.98"
        wanted = []
        decoding = live.Decoding(whole)
        for item in items:
            feed(sink, monitor, item)
            if isinstance(item.record, Block):
                wanted += [passed["skin"].values for passed in decoding.push(item.record).passes if "skin" in passed]
        rows, _ = pulled(skin, len(wanted))
        np.testing.assert_array_equal(np.array(rows, np.float32), [values.ravel() for values in wanted])
        told = [json.loads(row[0]) for row in pulled(marks, 8)[0]]
    kinds = {one["type"] for one in told}
    assert kinds >= {"finding", "alert", "event", "quality"}
    assert all("Informs only." in one["notice"] for one in told if one["type"] in ("finding", "alert"))


def test_ports_are_tied_to_the_computer() -> None:
    outlet = pylsl.StreamOutlet(pylsl.StreamInfo("tied", "x", 1, 0, pylsl.cf_float32, f"tied-{os.getpid()}"))
    if not keep_to_machine():
        pytest.skip("this system does not let a program tie its sockets to a device")
    found = list(library._sockets())
    assert found
    for descriptor in found:
        with socket.socket(fileno=os.dup(descriptor)) as one:
            assert one.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).rstrip(b"\0") == b"lo"
    del outlet


@pytest.fixture(scope="module")
def sending(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, bool]]:
    """The name of a stream of another program, and whether its clock is another one, as the system can do."""
    name = f"eeg-{tmp_path_factory.mktemp('lsl').parent.name}-{os.getpid()}"
    other = ["unshare", "--time", "--monotonic", "5000", "--fork", "--kill-child"]
    try:
        apart = subprocess.run([*other, "true"], check=False, capture_output=True, timeout=WITHIN_S).returncode == 0
    except OSError:
        apart = False
    process = subprocess.Popen([*(other if apart else []), sys.executable, "-c", SENDER, name])
    yield name, apart
    process.kill()
    process.wait()


@pytest.fixture
def sender(sending: tuple[str, bool]) -> str:
    return sending[0]


def test_two_streams_lie_in_the_recording_at_the_time_of_the_wearable(
    tmp_path: Path, sender: str, sending: tuple[str, bool]
) -> None:
    utc_minus_monotonic_ns = time.time_ns() - time.monotonic_ns()
    whole = recorded.session(recorded.BAND)
    path = tmp_path / "night.mcap"
    errors: list[float] = []
    with (
        LslInlets([sender, f"{sender}-marks"], utc_minus_monotonic_ns, WITHIN_S) as inlets,
        Recorder(path, whole) as recorder,
    ):
        for one in inlets.inlets:
            recorder.add(one.stream)
        telemetry = iter(came(recorded.band_records(20)))

        def enough() -> bool:
            inlets.take(recorder.add)
            item = next(telemetry, None)
            if item is not None:
                recorder.add(item)
            eeg, marks = inlets.inlets
            # The offset becomes better while probes go on; on a busy machine that takes some of them.
            return eeg.samples > 150 and marks.samples > 1 and _worst(path, errors) < ALLOWED_S

        wait_for(enough, f"samples within {ALLOWED_S} s; errors {errors[-3:]}")
    found = list(Recording(path))
    streams = {item.name: item for item in found if isinstance(item, LslStream)}
    assert set(streams) == {sender, f"{sender}-marks"}
    eeg = streams[sender]
    assert (eeg.kind, eeg.manufacturer, eeg.rate_hz, eeg.format) == ("EEG", "ACME", 100.0, "double64")
    assert eeg.labels == ("utc", "=Fp1", "=Fp1 3") and eeg.units == ("s", "microvolts", "microvolts")
    assert any(isinstance(item, Telemetry) for item in found)
    spoken = [item for item in found if isinstance(item, LslSamples) and item.texts]
    assert spoken and all(text[0].startswith("=go ") for item in spoken for text in item.texts)
    values = np.array([row for item in found if isinstance(item, LslSamples) for row in item.values], np.float64)
    offsets = [item.offset_s for item in found if isinstance(item, LslSamples)]
    assert np.allclose(offsets, -5000 if sending[1] else 0, atol=1)
    assert np.isnan(values[:, 1]).any() and (values[:, 2] == -0.5).all()


def _worst(path: Path, errors: list[float]) -> float:
    """How far the newest samples in the file lie from what their sender's clock said, s."""
    newest = [item for item in Recording(path) if isinstance(item, LslSamples) and item.values][-3:]
    apart = [
        abs(at / 1e9 - (row[0] or 0.0)) for item in newest for at, row in zip(item.times_ns, item.values, strict=True)
    ]
    errors.append(max(apart, default=np.inf))
    return errors[-1]


def test_what_is_wide_and_long_fits_into_messages_that_a_reader_takes(tmp_path: Path, session: Session) -> None:
    name = f"wide-{os.getpid()}"
    wide = pylsl.StreamInfo(name, "x", MOST_CHANNELS, 0.0, pylsl.cf_double64, name)
    wide.set_channel_labels(["\U0001d538" * 150] * MOST_CHANNELS)
    wide.set_channel_units(["\U0001d538" * 60] * MOST_CHANNELS)
    said = pylsl.StreamInfo(f"{name}-said", "Markers", 3, 0.0, pylsl.cf_string, f"{name}-said")
    outlets = pylsl.StreamOutlet(wide), pylsl.StreamOutlet(said)
    undated = (float("nan"), float("inf"), -1e300)
    path = tmp_path / "r.mcap"
    with LslInlets([name, f"{name}-said"], 0, WITHIN_S) as inlets, Recorder(path, session) as recorder:
        for one in inlets.inlets:
            recorder.add(one.stream)

        def given() -> bool:
            outlets[0].push_sample([-1.2345678901234567e-300] * MOST_CHANNELS)
            for at_s in undated:
                outlets[1].push_sample(["when?"] * 3, at_s)
            outlets[1].push_sample(["\U0001d538" * 20_000] * 3)
            inlets.take(recorder.add)
            return all(one.samples > 2 for one in inlets.inlets)

        wait_for(given, "samples")
        assert inlets.inlets[1].undated >= 3 and "without a time left out" in inlets.words
    recording = Recording(path)
    found = list(recording)
    assert not recording.damaged
    assert {item.name: len(item.labels) for item in found if isinstance(item, LslStream)} == {
        name: 4096,
        f"{name}-said": 3,
    }
    assert all(len(set(item.labels)) == len(item.labels) for item in found if isinstance(item, LslStream))
    texts = [text for item in found if isinstance(item, LslSamples) for row in item.texts for text in row]
    assert len(texts) >= 9 and {len(text) for text in texts} == {4096}


def test_a_name_that_is_not_there_is_told_with_those_that_are(sender: str) -> None:
    with pytest.raises(LinkTimeoutError, match=f"'{sender}' \\(EEG, 3 channels\\)") as told:
        wait_for(lambda: LslInlets(["nobody"], 0, 1.0), "an error")
    assert "--lsl-scope link" in str(told.value)


def test_all_senders_of_a_name_are_taken_each_by_a_name_of_its_own() -> None:
    name = f"twin-{os.getpid()}"
    outlets = [pylsl.StreamOutlet(pylsl.StreamInfo(name, "x", 1, 0.0, pylsl.cf_float32, f"{name}-{at}")) for at in "ab"]

    def both() -> list[LslStream]:
        found = [one.stream for one in LslInlets([name, name], 0, WITHIN_S).inlets]
        return found if len(found) == len(outlets) else []

    streams = wait_for(both, "both senders")
    assert [(one.name, one.source_id) for one in streams] == [(name, f"{name}-a"), (f"{name}-2", f"{name}-b")]


def test_what_gives_nothing_is_warned_of() -> None:
    stream = foreign(rate_hz=100.0)
    quiet = Inlet(stream, None, heard=time.monotonic() - 20)
    seldom = Inlet(foreign("seldom", rate_hz=0.0), None, samples=1, heard=time.monotonic() - 2000)
    never = Inlet(foreign("never", rate_hz=0.0), None, heard=time.monotonic() - 10)
    slow = Inlet(foreign("slow", rate_hz=0.1), None, samples=4, heard=time.monotonic() - 20)
    fresh = Inlet(stream, None, samples=4)
    assert [one.silent_s is not None for one in (quiet, seldom, never, slow, fresh)] == [
        True,
        False,
        True,
        False,
        False,
    ]


def test_the_view_warns_too(session: Session, capsys: pytest.CaptureFixture[str]) -> None:
    monitor = Monitor(session)
    for item in came(recorded.band_records(2)):
        monitor.push(item)
    quiet = Inlet(foreign("Muse"), None, heard=time.monotonic() - 20)
    with Screen(monitor, Output(False), None, warning=lambda: f"LSL {quiet.stream.name} gives nothing") as screen:
        screen.idle()
    assert capsys.readouterr().out.startswith("LSL Muse gives nothing | ")


def foreign(name: str = "EEG", rate_hz: float = 100.0, **changes: Any) -> LslStream:
    plain: dict[str, Any] = {
        "name": name,
        "kind": "EEG",
        "source_id": "s1",
        "hostname": "lab",
        "manufacturer": "ACME",
        "format": "float32",
        "rate_hz": rate_hz,
        "labels": ("Fp1", "Fp2"),
        "units": ("microvolts", "microvolts"),
    }
    return LslStream(**{**plain, **changes})


def samples(number: int, name: str = "EEG", **changes: Any) -> LslSamples:
    """Ten samples, a tenth of a second each."""
    at_ns = STARTED_NS + number * 100_000_000
    plain: dict[str, Any] = {
        "name": name,
        "received_ns": at_ns + 110_000_000,
        "times_ns": tuple(at_ns + place * 10_000_000 for place in range(10)),
        "offset_s": 0.25,
        "values": tuple((number * 10.0 + place, None if place == 3 else -1.5) for place in range(10)),
    }
    return LslSamples(**{**plain, **changes})


@pytest.fixture(scope="module")
def session() -> Session:
    return recorded.session(recorded.BAND)


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


def test_a_killed_recorder_keeps_them_as_it_keeps_all_else(tmp_path: Path, session: Session) -> None:
    path = tmp_path / "r.mcap"
    reading, writing = os.pipe()

    def record() -> None:
        with Recorder(path, session) as recorder:
            recorder.add(foreign())
            for number in range(100_000):
                recorder.add(samples(number))
                os.write(writing, f"{number} {time.monotonic_ns()}\n".encode())
                time.sleep(0.01)

    process = multiprocessing.get_context("fork").Process(target=record)
    process.start()
    os.close(writing)
    with os.fdopen(reading, "r") as lines:
        handed: list[tuple[int, int]] = []
        for line in lines:
            number, at_ns = map(int, line.split())
            handed.append((number, at_ns))
            if at_ns - handed[0][1] > 1_300_000_000 and process.is_alive():
                process.kill()
    process.join()
    safe = [number for number, at_ns in handed if at_ns < handed[-1][1] - 1_000_000_000]
    found = [item for item in Recording(path) if isinstance(item, LslSamples)]
    assert safe and len(found) >= len(safe)
    assert found == [samples(number) for number in range(len(found))]


def test_without_pylsl_a_sentence_says_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pylsl", None)
    with pytest.raises(UsageError, match=r"pip install -e '\.\[lsl\]'"):
        load(Scope.MACHINE)
