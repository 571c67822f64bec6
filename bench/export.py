"""Exporting a long recording: time, memory and size, whole and a window of it, and how much memory the recorder takes.

python bench/export.py [--minutes 60]
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from thermo_core.profile import NOTICE

from thermo_core.sensors.mlx90640.counts import CountsEncoder
from thermo_core.sensors.mlx90640.frames import Subpage
from thermo_core.wire.management import Hello, SensorInfo
from thermo_core.wire.records import (
    ChannelReading,
    RecordHeader,
    RecordType,
    SubpageRecord,
    ThermistorRecord,
    VerdictRecord,
)
from thermo_host.link.lease import Telemetry
from thermo_host.sinks.recorder import Recorder
from thermo_host.link.session import Session
from thermo_sim import eeprom
from thermo_sim.dataset import PictureSource

SUBPAGES_PER_SECOND = 16
STARTED_NS = 1_700_000_000_000_000_000


def record(path: Path, minutes: float) -> None:
    """A breast patch at 16 subpages/s with verdicts and thermistors, as fast as it can be written."""
    words = eeprom.generate(1)
    sensors = (
        SensorInfo("mlx90640", 0, 0x33, bytes(6), 16.0, 18, True, 0.98, None),
        SensorInfo("ads1115", 1, 0x48, b"", 2.0, 16, channels=("1", "2", "3", "4")),
    )
    labels = ("no lesion", "lesion")
    hello = Hello("bench", "0", "0", "", "breast-patch", "1.0.0", 0, sensors, True, False, True, 9999, NOTICE, labels)
    source = PictureSource(1, eeprom=words)
    scene = 33 + 0.5 * np.random.default_rng(1).standard_normal((24, 32))
    frames = [frame for _ in range(64) for frame in source.words(scene)]
    encoder = CountsEncoder()
    readings = (ChannelReading(12000, 0, 33.25),) * 4
    with Recorder(path, Session(hello, {0: words}, None, STARTED_NS)) as recorder:
        sequence = 0
        for index in range(round(minutes * 60 * SUBPAGES_PER_SECOND)):
            at_us = index * 1_000_000 // SUBPAGES_PER_SECOND
            packed = encoder.encode(Subpage(frames[index % len(frames)], index, at_us))
            items: list[tuple[RecordType, SubpageRecord | ThermistorRecord | VerdictRecord]] = [
                (RecordType.SUBPAGE, SubpageRecord(at_us, 0, index, packed))
            ]
            if index % 2:
                score = 16384 / 65535
                verdict = VerdictRecord(
                    at_us, index, 4, False, True, False, True, 0, (1 - score, score), 1, 1, (1, 0, 0, 0)
                )
                items.append((RecordType.VERDICT, verdict))
            if index % 8 == 0:
                items.append((RecordType.THERMISTORS, ThermistorRecord(at_us, 1, readings)))
            for kind, content in items:
                ns = STARTED_NS + at_us * 1000
                recorder.add(Telemetry(ns, ns, RecordHeader(kind, sequence % 65536, at_us), content))
                sequence += 1


def measured(*arguments: str) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak memory in MB of a command of thermo-host."""
    script = (
        "import json, resource, sys, time; from thermo_host.application import run; began = time.monotonic();"
        "code = run(sys.argv[1:]); used = resource.getrusage(resource.RUSAGE_SELF);"
        "print(json.dumps([int(code), time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1000]))"
    )
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    code, wall, cpu, memory = json.loads(done.stdout.splitlines()[-1])
    if code:
        sys.exit(done.stderr)
    return wall, cpu, memory


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--minutes", type=float, default=60.0)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "night.mcap"
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.monotonic()
        record(path, minutes)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        pictures = round(minutes * 60 * SUBPAGES_PER_SECOND / 2)
        print(
            f"recording of {minutes:g} min, {pictures} pictures: {path.stat().st_size / 1e6:.1f} MB, written in "
            f"{time.monotonic() - began:.1f} s; peak memory of the recorder grew by {grown / 1000:.1f} MB"
        )
        middle = f"{minutes * 30:.0f}"
        for what, arguments in (
            ("replay --summary", ["replay", str(path), "--summary"]),
            ("export to .npz", ["export", str(path), f"{folder}/a.npz"]),
            ("export to .csv", ["export", str(path), f"{folder}/a.csv"]),
            (
                "a minute of it to .npz",
                ["export", str(path), f"{folder}/b.npz", "--from", middle, "--to", f"{minutes * 30 + 60:.0f}"],
            ),
        ):
            wall, cpu, memory = measured(*arguments)
            print(f"{what:24} {wall:7.1f} s, {cpu:7.1f} s of CPU, peak {memory:6.1f} MB")
        for name in ("a.npz", "a.csv", "b.npz"):
            print(f"{name:24} {(Path(folder) / name).stat().st_size / 1e6:7.1f} MB")


if __name__ == "__main__":
    main()
