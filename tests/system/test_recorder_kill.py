"""kill -9 of the recorder at 50 random moments: at most one second is lost, and nothing before it.

The recorder reports every item on a pipe, with its own clock, before it hands it over; so what must be in the file is known
however slow the machine is.
"""

import multiprocessing
import os
import random
import struct
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
from host_sessions import STARTED_NS, camera_constants, session_of

from thermo_core.recording.session import Session
from thermo_core.wearable import file
from thermo_core.wearable.library import resolve
from thermo_core.wire.records import EventRecord, decode, encode
from thermo_core.wire.table import Severity
from thermo_host.link.items import Telemetry
from thermo_host.sinks.recorder import Recorder
from thermo_host.stream.playback import Recording
from thermo_sim.chips.mlx90640 import eeprom

KILLS = 50
AT_ONCE = 10
LONGEST_S = 1.6
ALLOWED_LOSS_NS = 1_000_000_000
REPORT = struct.Struct("<IQ")


@pytest.fixture(scope="module")
def session() -> Session:
    profile = file.read(resolve("breast-patch")).profile
    return session_of(profile, {0: camera_constants(eeprom.generate(1))})


def item(number: int) -> Telemetry:
    """Of the size of a packed subpage, and unlike its neighbours, so that nothing compresses away."""
    text = random.Random(number).randbytes(200).hex()
    data = encode(EventRecord(number * 1000, number % 65536, Severity.INFO, None, number, text), number)
    header, record = decode(data)
    return Telemetry(STARTED_NS + number, STARTED_NS + number, header, record, data)


def record(path: Path, session: Session, report: int, pause_s: float) -> None:
    with Recorder(path, session) as recorder:
        number = 0
        while True:
            os.write(report, REPORT.pack(number, time.monotonic_ns()))
            recorder.add(item(number))
            number += 1
            time.sleep(pause_s)


def start(path: Path, session: Session, pause_s: float) -> tuple[BaseProcess, int]:
    reading, writing = os.pipe()
    process = multiprocessing.get_context("fork").Process(target=record, args=(path, session, writing, pause_s))
    process.start()
    os.close(writing)
    return process, reading


def reported(reading: int) -> list[tuple[int, int]]:
    """(number, time) of each item handed over."""
    data = b""
    while part := os.read(reading, 65536):
        data += part
    os.close(reading)
    whole = len(data) // REPORT.size * REPORT.size
    return list(REPORT.iter_unpack(data[:whole]))


def test_a_killed_recorder_loses_at_most_its_last_second(tmp_path: Path, session: Session) -> None:
    moments = random.Random(7)
    kept = []
    for batch in range(KILLS // AT_ONCE):
        started = []
        for number in range(AT_ONCE):
            path = tmp_path / f"{batch}-{number}.mcap"
            process, reading = start(path, session, pause_s=moments.uniform(0.002, 0.02))
            started.append((moments.uniform(0.05, LONGEST_S), path, process, reading))
        began = time.monotonic()
        for moment, path, process, reading in sorted(started, key=lambda one: one[0]):
            time.sleep(max(0.0, began + moment - time.monotonic()))
            process.kill()
            process.join()
            handed = reported(reading)
            if not handed:
                continue
            safe = [number for number, at in handed if at < handed[-1][1] - ALLOWED_LOSS_NS]
            recording = Recording(path)
            found = list(recording)
            assert found == [item(number) for number in range(len(found))]
            assert len(found) >= len(safe)
            assert recording.damaged == 0
            assert not recording.complete
            kept.append(len(found))
    assert len(kept) > KILLS // 2
    assert max(kept) > 20
