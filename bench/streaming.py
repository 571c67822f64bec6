"""The line from agent to host: rates, bytes, latency, CPU share and upload speed, over a pseudo-terminal in real time.

Run `python bench/streaming.py [--seconds 10]`. A simulated wearable runs as a process of its own, as for a user. CPU shares are
of one core, from the kernel's accounting of that process; `simulator alone` is a loop that only reads the same pages from the
same simulated sensor, so the difference is what the agent costs on a real bus.

pictures/s  that reached the host, of those asked for (half the subpages); lost: records of the line and blocks of the sensors
bytes       on the line for each picture, everything the stream carries included
baud        lowest standard rate that carries the stream with 10 bits a byte and a fifth to spare
finding     end of capture to the finding on the device; host: end of capture to the finding's arrival
picture     end of capture to the picture's arrival at the host
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_core.wire.records import FindingRecord
from thermo_device.counters import Counters
from thermo_device.sensors.driver import Place
from thermo_device.sensors.mlx90640.acquisition import PictureSensor
from thermo_host.flash import flash, load
from thermo_host.link.session import fetch
from thermo_host.link.wearable import Wearable
from thermo_host.sinks.monitor import Monitor
from thermo_sim.clock import WallClock
from thermo_sim.hardware import SimulatedHardware

BUNDLE = Path(__file__).parents[1] / "models/thermo_models/wearables/breast-patch/bundle.img"
SKIN = 0
"""Number of the camera."""
BAUDS = (9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600, 1_000_000, 2_000_000, 3_000_000)
RATES_HZ = (4.0, 8.0, 16.0, 32.0, 64.0)


@dataclass
class Figures:
    """One row."""

    pictures_per_s: float
    lost: int
    bytes_per_picture: float
    agent_cpu: float
    simulator_cpu: float
    picture_ms: NDArray[np.float64]
    finding_ms: NDArray[np.float64]
    host_ms: NDArray[np.float64]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="of each rate (default: 10)")
    seconds = parser.parse_args().seconds
    with simulated_wearable() as (port, process), Wearable.open(port) as wearable:
        candidate = load(BUNDLE)
        began = time.perf_counter()
        wearable.upload(candidate.data)
        took = time.perf_counter() - began
        print(f"upload: {len(candidate.data)} bytes in {took:.2f} s, {len(candidate.data) / took / 1000:.0f} kB/s")
        flash(wearable, candidate)
        print("subpages/s  pictures/s   lost  bytes  kB/s     baud  CPU: agent+simulator  simulator alone")
        rows = {rate: measure(wearable, process, rate, seconds) for rate in RATES_HZ}
    for rate, row in rows.items():
        per_s = row.bytes_per_picture * row.pictures_per_s
        baud = next(baud for baud in BAUDS if baud >= 12 * per_s)
        print(
            f"{rate:10g} {row.pictures_per_s:11.2f} {row.lost:6d} {row.bytes_per_picture:6.0f} {per_s / 1000:5.1f} {baud:8d}"
            f" {100 * row.agent_cpu:20.1f} % {100 * row.simulator_cpu:14.1f} %"
        )
    print(
        "\nlatency, ms (p50 / p99)\nsubpages/s   capture to picture at host   capture to finding   capture to finding at host"
    )
    for rate, row in rows.items():
        print(f"{rate:10g} {pair(row.picture_ms):>28} {pair(row.finding_ms):>20} {pair(row.host_ms):>28}")


def measure(wearable: Wearable, process: int, rate_hz: float, seconds: float) -> Figures:
    """Stream at one refresh rate."""
    wearable.set_rate(SKIN, rate_hz)
    session = fetch(wearable)
    monitor = Monitor(session)
    pictures: list[float] = []
    findings: list[float] = []
    hosts: list[float] = []
    with wearable.stream() as stream:
        until = time.monotonic() + 2
        while time.monotonic() < until:
            telemetry = stream.get(0.1)
            if telemetry is not None:
                monitor.push(telemetry)
        before = stream.lost + monitor.statistics().lost_blocks
        cpu, received, began = cpu_s(process), wearable.line.bytes_received, time.monotonic()
        while time.monotonic() < began + seconds:
            telemetry = stream.get(0.1)
            if telemetry is None:
                continue
            latency_ms = (telemetry.received_ns - telemetry.captured_ns) / 1e6
            outcome = monitor.push(telemetry)
            if outcome is not None and isinstance(telemetry.record, Block) and telemetry.record.sensor == SKIN:
                pictures.extend(latency_ms for samples in outcome.passes if "skin" in samples)
            if isinstance(telemetry.record, FindingRecord):
                findings.append(telemetry.record.latency_us / 1e3)
                hosts.append(latency_ms + telemetry.record.latency_us / 1e3)
        took = time.monotonic() - began
        share = (cpu_s(process) - cpu) / took
        received = wearable.line.bytes_received - received
    return Figures(
        pictures_per_s=len(pictures) / took,
        lost=stream.lost + monitor.statistics().lost_blocks - before,
        bytes_per_picture=received / max(1, len(pictures)),
        agent_cpu=share,
        simulator_cpu=simulator_share(rate_hz, seconds),
        picture_ms=np.array(pictures),
        finding_ms=np.array(findings),
        host_ms=np.array(hosts),
    )


def simulator_share(rate_hz: float, seconds: float) -> float:
    """CPU seconds a second of reading the same pages from the same simulated sensor and doing nothing with them."""
    hardware = SimulatedHardware.from_profile(clock=WallClock(), warm_up_tau_s=0)
    settings = Mlx90640Settings(name="skin", path=(0x33,))
    sensor = PictureSensor(settings, Place(SKIN, hardware.bus, hardware.clock, Counters()))
    sensor.start()
    sensor.set_rate(rate_hz)
    sensor.next_subpage()
    began, cpu = time.monotonic(), time.process_time()
    while time.monotonic() < began + seconds:
        sensor.next_subpage()
    return (time.process_time() - cpu) / (time.monotonic() - began)


def pair(values: NDArray[np.float64]) -> str:
    """Median and 99th percentile."""
    return f"{np.median(values):.1f} / {np.percentile(values, 99):.1f}" if values.size else "none"


def cpu_s(process: int) -> float:
    """CPU seconds a process has used, user and system."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def simulated_wearable() -> Iterator[tuple[str, int]]:
    """A wearable in a process of its own: its port and the process's number."""
    with tempfile.TemporaryDirectory() as folder:
        link = f"{folder}/thermo"
        command = [str(Path(sys.executable).parent / "thermo-sim"), "wearable", "--no-warm-up", "--link", link]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        try:
            if process.stdout is None or not process.stdout.readline().startswith("ready"):
                raise SystemExit("the simulated wearable did not start")
            yield link, process.pid
        finally:
            process.terminate()
            process.wait(10)


if __name__ == "__main__":
    main()
