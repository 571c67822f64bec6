"""Recordings for review without a wearable: pictures of a simulated camera, and findings as they are wanted."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from host_sessions import blocks_of, came, camera_constants, session_of, with_hello

from thermo_core.graph.alerts import AlertChange, AlertState
from thermo_core.recording.session import Session
from thermo_core.sensors.mlx90640.frames import Subpage
from thermo_core.wearable import file
from thermo_core.wearable.library import resolve
from thermo_core.wire.records import AlertRecord, FindingRecord, Record
from thermo_core.wire.table import OutputKind
from thermo_host.link.items import Telemetry
from thermo_host.sinks.recorder import Recorder
from thermo_sim.chips.mlx90640 import eeprom
from thermo_sim.chips.mlx90640.dataset import PictureSource
from thermo_sim.scenes import Lesion, breast_patch

SEED = 5
PERIOD_US = 62_500
PICTURES = 24
CLASSES = ("no lesion", "lesion")


@cache
def session() -> Session:
    """A breast patch."""
    return session_of(file.read(resolve("breast-patch")).profile, {0: camera_constants(eeprom.generate(SEED))})


@cache
def subpages(has_lesion: bool) -> tuple[Subpage, ...]:
    """Three seconds of skin."""
    source = PictureSource(SEED, 16.0, eeprom=eeprom.generate(SEED))
    scene = breast_patch(SEED, Lesion(8.0, 10.0, 3.0, 1.6) if has_lesion else None).celsius(0.0)
    words = [frame for _ in range(PICTURES) for frame in source.words(scene)]
    return tuple(Subpage(frame, at, 1_000_000 + at * PERIOD_US) for at, frame in enumerate(words))


def finding(score: float, at_us: int) -> FindingRecord:
    """What the model says of a moment."""
    return FindingRecord(at_us, 0, 0, 0, 1000, 500, ((0, 1),), OutputKind.SCORES, (1 - score, score))


def alert(at_us: int) -> AlertRecord:
    """The wearable's alert is raised."""
    return AlertRecord(at_us, AlertChange(0, AlertState.RAISED, at_us, 0.9, 0))


def items(scores: Sequence[float], has_lesion: bool, alerts: bool = False) -> list[Telemetry]:
    """Blocks with findings between them, evenly spread; the alert, where wanted, in their midst."""
    records: list[Record] = list(blocks_of(list(subpages(has_lesion))))
    last_us = records[-1].time_us
    said: list[Record] = [
        finding(score, 1_000_000 + (number + 1) * (last_us - 1_000_000) // (len(scores) + 1))
        for number, score in enumerate(scores)
    ]
    if alerts:
        said.append(alert(said[len(said) // 2].time_us))
    return came(sorted([*records, *said], key=lambda record: record.time_us))


def record(
    path: Path, subject: str, serial: str, scores: Sequence[float], has_lesion: bool, alerts: bool = False
) -> Path:
    """A recording of somebody."""
    described = replace(with_hello(session(), serial=serial), subject=subject)
    path.parent.mkdir(parents=True, exist_ok=True)
    with Recorder(path, described) as recorder:
        for item in items(scores, has_lesion, alerts):
            recorder.add(item)
    return path


def uncertain(path: Path, subject: str, serial: str) -> Path:
    """One of which the model is not certain."""
    return record(path, subject, serial, np.full(6, 0.5).tolist(), has_lesion=False)
