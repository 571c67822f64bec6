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
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from thermo_core.recording.session import Session
from thermo_core.sensors.ads1115_ntc import codec as scans
from thermo_core.sensors.kind import Block, SensorConstants
from thermo_core.sensors.mlx90640 import codec as pictures
from thermo_core.sensors.mlx90640.counts import CountsEncoder
from thermo_core.sensors.mlx90640.frames import Subpage, Words
from thermo_core.sensors.mlx90640.identity import device_id
from thermo_core.wearable import file
from thermo_core.wearable.library import resolve
from thermo_core.wire.management import Hello, SensorState
from thermo_core.wire.records import FindingRecord, Record, RecordHeader, encode
from thermo_core.wire.table import OutputKind, RecordType
from thermo_host.link.items import Telemetry
from thermo_host.sinks.recorder import Recorder
from thermo_sim.chips.mlx90640 import eeprom
from thermo_sim.chips.mlx90640.dataset import PictureSource

SUBPAGES_PER_SECOND = 16
STARTED_NS = 1_700_000_000_000_000_000
START_US = 1_000_000


def session(words: Words) -> Session:
    """A breast patch with a camera of this EEPROM."""
    profile = file.read(resolve("breast-patch")).profile
    sensors = tuple(
        SensorState(kind=sensor.kind, id=device_id(words) if sensor.kind == "mlx90640" else bytes(8), rate_hz=16.0)
        for sensor in profile.sensors
    )
    hello = Hello(
        name="bench",
        serial="0",
        software="0",
        platform="",
        profile=profile.name,
        profile_sha256=bytes(32),
        sensors=sensors,
        time_us=START_US,
        simulated=True,
    )
    return Session(hello, profile, {0: SensorConstants(0, words.astype("<u2").tobytes())}, {}, {}, STARTED_NS)


def records(words: Words, minutes: float) -> Iterator[Record]:
    """16 subpages/s with findings and thermistors."""
    source = PictureSource(1, eeprom=words)
    scene = 33 + 0.5 * np.random.default_rng(1).standard_normal((24, 32))
    frames = [frame for _ in range(64) for frame in source.words(scene)]
    encoder = CountsEncoder()
    for index in range(round(minutes * 60 * SUBPAGES_PER_SECOND)):
        at_us = START_US + index * 1_000_000 // SUBPAGES_PER_SECOND
        packed = encoder.encode(Subpage(frames[index % len(frames)], index, at_us))
        yield Block(at_us, 0, 0, index, pictures.encode(packed, index))
        if index % 2:
            score = 16384 / 65535
            yield FindingRecord(at_us, 0, 0, 0, 1, 1, ((0, index),), OutputKind.SCORES, (1 - score, score))
        if index % 8 == 0:
            yield Block(at_us, 1, 0, index // 8, scans.encode((12000,) * 4))


def record(path: Path, minutes: float) -> None:
    """A breast patch, as fast as it can be written."""
    words = eeprom.generate(1)
    with Recorder(path, session(words)) as recorder:
        for sequence, one in enumerate(records(words, minutes)):
            ns = STARTED_NS + (one.time_us - START_US) * 1000
            kind = RecordType.BLOCK if isinstance(one, Block) else RecordType.FINDING
            header = RecordHeader(kind, sequence % 65536, one.time_us)
            recorder.add(Telemetry(ns, ns, header, one, encode(one, sequence)))


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


def imported(*modules: str) -> float:
    """Peak memory in MB of a process that imports these and does nothing."""
    script = f"import resource, {', '.join(modules)}; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)"
    return float(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--minutes", type=float, default=60.0)
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "night.mcap"
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.monotonic()
        record(path, minutes)
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        taken = round(minutes * 60 * SUBPAGES_PER_SECOND / 2)
        print(
            f"recording of {minutes:g} min, {taken} pictures: {path.stat().st_size / 1e6:.1f} MB, written in "
            f"{time.monotonic() - began:.1f} s; peak memory of the recorder grew by {grown / 1000:.1f} MB"
        )
        host = ("thermo_host.application", "thermo_host.commands.export", "thermo_host.exports.target")
        print(f"imports alone: {imported(*host):.1f} MB, with pyarrow {imported(*host, 'pyarrow.parquet'):.1f} MB")
        window = ["--from", f"{minutes * 30:.0f}", "--to", f"{minutes * 30 + 60:.0f}"]
        for what, arguments in (
            ("replay --summary", ["replay", str(path), "--summary"]),
            ("rerun", ["rerun", str(path)]),
            *(
                (f"export to {ending}", ["export", str(path), f"{folder}/a{ending}"])
                for ending in (".npz", ".csv", ".parquet", ".edf", ".zarr", ".mcap")
            ),
            ("all signals to .npz", ["export", str(path), f"{folder}/all.npz", "--signals", "all"]),
            ("a minute of it to .npz", ["export", str(path), f"{folder}/b.npz", *window]),
            ("a minute of it to .mp4", ["export", str(path), f"{folder}/b.mp4", *window]),
        ):
            wall, cpu, memory = measured(*arguments)
            print(f"{what:24} {wall:7.1f} s, {cpu:7.1f} s of CPU, peak {memory:6.1f} MB", flush=True)
        for written in sorted(Path(folder).glob("[ab]*")):
            size = sum(each.stat().st_size for each in (written, *written.rglob("*")) if each.is_file())
            print(f"{written.name:24} {size / 1e6:7.1f} MB")


if __name__ == "__main__":
    main()
