"""Streams of others recorded beside a wearable, with liblsl's own outlets as the other side."""

import gc
import multiprocessing
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pylsl
import pytest
import recorded
from host_sessions import came
from lsl_streams import ALLOWED_S, foreign, samples, wait_for
from patience import WAIT_S

from thermo_core.errors import LinkTimeoutError, UsageError
from thermo_core.recording.layout import MOST_CHANNELS, LslSamples, LslStream
from thermo_core.recording.session import Session
from thermo_host.commands.common import Output
from thermo_host.commands.screen import Screen
from thermo_host.link.items import Telemetry
from thermo_host.lsl.inlets import Inlet, LslInlets
from thermo_host.lsl.library import Scope, load
from thermo_host.sinks.monitor import Monitor
from thermo_host.sinks.recorder import Recorder
from thermo_host.stream.playback import Recording

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


@pytest.fixture(scope="module")
def sending(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, bool]]:
    """The name of a stream of another program, and whether its clock is another one, as the system can do."""
    name = f"eeg-{tmp_path_factory.mktemp('lsl').parent.name}-{os.getpid()}"
    other = ["unshare", "--time", "--monotonic", "5000", "--fork", "--kill-child"]
    try:
        apart = subprocess.run([*other, "true"], check=False, capture_output=True, timeout=WAIT_S).returncode == 0
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
        LslInlets([sender, f"{sender}-marks"], utc_minus_monotonic_ns, WAIT_S) as inlets,
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
    with LslInlets([name, f"{name}-said"], 0, WAIT_S) as inlets, Recorder(path, session) as recorder:
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
        found = [one.stream for one in LslInlets([name, name], 0, WAIT_S).inlets]
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


def test_a_killed_recorder_keeps_them_as_it_keeps_all_else(tmp_path: Path, session: Session) -> None:
    path = tmp_path / "r.mcap"
    reading, writing = os.pipe()

    def record() -> None:
        gc.disable()  # what other tests left of liblsl is not this process's to let go of
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
