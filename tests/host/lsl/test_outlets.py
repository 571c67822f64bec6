"""What a wearable says as LSL streams, with liblsl's own inlets as the other side."""

import json
import os
import random
import socket
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pylsl
import pytest
import recorded
from host_sessions import STARTED_NS, came
from lsl_streams import ALLOWED_S, wait_for
from patience import WAIT_S

from thermo_core.sensors.kind import Block
from thermo_host.link.clocksync import ClockSync, RoundTrip
from thermo_host.link.items import Item
from thermo_host.lsl import library
from thermo_host.lsl.library import keep_to_machine
from thermo_host.lsl.outlets import SETTLING, LslOutlets
from thermo_host.sinks.monitor import Monitor
from thermo_host.stream import decoding as live
from thermo_sim.chips.mlx90640 import eeprom

MINUTES = 10
DRIFT = 40e-6


def inlet(source: str, **options: Any) -> Any:
    """A stream as another program takes it."""
    (info,) = wait_for(lambda: pylsl.resolve_byprop("source_id", source, 1, 1.0), source)
    made = pylsl.StreamInlet(info, **options)
    made.open_stream(WAIT_S)
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
        utc_minus_local_s = float(motion.info(WAIT_S).desc().child("clock").child_value("utc_minus_local_clock_s"))
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
                    offset_s = one.time_correction(WAIT_S)
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
        info = skin.info(WAIT_S)
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
