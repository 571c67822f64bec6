"""How far LSL's time stamps lie from UTC of the capture, both ways; liblsl's own inlets and outlets are the other side.

Out: ten simulated minutes of a breast patch whose crystal is 40 ppm off, over a line with jitter, while the computer's date steps by an hour
in the middle. In: a program whose clock began at another time (a time namespace, where the system gives one), whose samples carry
UTC as their value.

    python bench/lsl.py [--minutes 10] [--seconds 30]
"""

import argparse
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from unittest import mock

import numpy as np
from export import START_US, STARTED_NS, records, session

from thermo_core.recording.layout import LslSamples, LslStream
from thermo_core.wire.records import decode, encode
from thermo_host.link.clocksync import ClockSync, RoundTrip
from thermo_host.link.items import Telemetry
from thermo_host.lsl.inlets import LslInlets
from thermo_host.lsl.library import Scope, load
from thermo_host.lsl.outlets import SETTLING, LslOutlets
from thermo_host.sinks.monitor import Monitor
from thermo_sim.chips.mlx90640 import eeprom

DRIFT = 40e-6
NAME = "bench-utc"
WAIT_S = 30.0
SENDER = """
import sys, time, pylsl
pylsl.set_config_content("[multicast]\\nResolveScope = machine\\n[log]\\nlevel = -3\\n")
outlet = pylsl.StreamOutlet(pylsl.StreamInfo(sys.argv[1], "UTC", 1, 100.0, pylsl.cf_double64, sys.argv[1]))
while True:
    before = time.time_ns()
    local = pylsl.local_clock()
    after = time.time_ns()
    if after - before < 100_000:
        outlet.push_sample([(before + after) / 2e9], local)
    time.sleep(0.01)
"""


def outward(minutes: float) -> tuple[list[float], bool]:
    """Errors of all pictures' time stamps, s, and whether they rise."""
    rng = random.Random(1)
    began_ns = time.monotonic_ns()
    clock = ClockSync(STARTED_NS - began_ns)
    pylsl = load(Scope.MACHINE)

    def host_ns(device_us: float) -> int:
        return began_ns + round((device_us - START_US) * 1000 * (1 + DRIFT))

    def ask(device_us: int) -> None:
        out, back = (round(rng.uniform(0.4, 1.0) * 1e6 + rng.expovariate(1 / 3e6)) for _ in range(2))
        at_ns = host_ns(device_us)
        clock.add(RoundTrip(at_ns - out, device_us, at_ns + back))

    words = eeprom.generate(1)
    monitor = Monitor(session(words))
    stamps: list[float] = []
    with LslOutlets(monitor.decoding, clock.utc_minus_monotonic_ns) as outlets:
        (info,) = pylsl.resolve_byprop("source_id", "thermo-edge:0:skin", 1, WAIT_S)
        inlet = pylsl.StreamInlet(info, max_buflen=3600)
        inlet.open_stream(WAIT_S)
        shift_s = float(inlet.info(WAIT_S).desc().child("clock").child_value("utc_minus_local_clock_s"))
        truth, asked = [], 0.0
        for trip in range(SETTLING):
            ask(START_US + 20_000 * trip)
        stepped = time.time_ns() + 3_600_000_000_000
        for sequence, record in enumerate(records(words, minutes)):
            if record.time_us / 1e6 - asked >= 1:
                asked = record.time_us / 1e6
                ask(record.time_us)
            data = encode(record, sequence % 65536)
            header, read = decode(data)
            utc_ns = clock.utc_ns(record.time_us)
            item = Telemetry(utc_ns, utc_ns, header, read, data)
            outcome = monitor.push(item)
            late = record.time_us - START_US > minutes * 30e6
            with mock.patch("time.time_ns", lambda: stepped) if late else mock.patch("time.time_ns", time.time_ns):
                outlets.take(item, outcome)
            for samples in outcome.passes if outcome is not None else ():
                if "skin" in samples:
                    truth.append(host_ns(samples["skin"].time_us) / 1e9 + (STARTED_NS - began_ns) / 1e9)
            if sequence % 512 == 0:
                stamps += inlet.pull_chunk(timeout=0.0, max_samples=4096)[1]
        while len(stamps) < len(truth):
            stamps += inlet.pull_chunk(timeout=WAIT_S, max_samples=1, min_samples=1)[1]
    errors = np.array(stamps) + shift_s - np.array(truth)
    return errors.tolist(), bool((np.diff(stamps) > 0).all())


def inward(seconds: float) -> tuple[list[float], float]:
    """Errors of all samples' times in a recording, s, and the offset that was added."""
    apart = ["unshare", "--time", "--monotonic", "5000", "--fork", "--kill-child"]
    try:
        other = subprocess.run([*apart, "true"], check=False, capture_output=True).returncode == 0
    except OSError:
        other = False
    process = subprocess.Popen([*(apart if other else []), sys.executable, "-c", SENDER, NAME])
    taken: list[LslSamples | LslStream] = []
    try:
        with LslInlets([NAME], time.time_ns() - time.monotonic_ns(), WAIT_S) as inlets:
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                inlets.take(taken.append)
                time.sleep(0.1)
    finally:
        process.kill()
        process.wait()
    came = [item for item in taken if isinstance(item, LslSamples)]
    errors = [
        at / 1e9 - float(row[0] or 0) for item in came for at, row in zip(item.times_ns, item.values, strict=True)
    ]
    return errors, came[-1].offset_s


def told(errors: Sequence[float]) -> str:
    """Median, 99 % and greatest of the absolute errors, ms."""
    ms = np.abs(errors) * 1000
    return f"{len(ms)} samples, error {np.median(ms):.3f} ms, 99 % within {np.quantile(ms, 0.99):.3f} ms, greatest {ms.max():.3f} ms"


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seconds", type=float, default=30.0)
    arguments = parser.parse_args()
    errors, rising = outward(arguments.minutes)
    print(f"out, {arguments.minutes:g} simulated minutes: {told(errors)}; stamps {'rise' if rising else 'DO NOT RISE'}")
    errors, offset_s = inward(arguments.seconds)
    print(f"in, {arguments.seconds:g} s, sender's clock {-offset_s:.3f} s ahead: {told(errors)}")


if __name__ == "__main__":
    main()
