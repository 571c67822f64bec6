"""Recordings made without a device: blocks as chips and codecs make them, findings and alerts as the line carries them."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from host_sessions import session_of, with_state
from numpy.typing import NDArray

from thermo_core import schema
from thermo_core.errors import RecordingError, StorageError
from thermo_core.graph.alerts import AlertChange, AlertState
from thermo_core.graph.plan import plan
from thermo_core.recording.session import Session
from thermo_core.sensors.ads1115_ntc import codec as scans
from thermo_core.sensors.kind import Block, SensorConstants
from thermo_core.sensors.lis3dh.settings import Lis3dhSettings
from thermo_core.sensors.mlx90640 import codec as pictures
from thermo_core.sensors.mlx90640.counts import CountsEncoder
from thermo_core.sensors.mlx90640.frames import Subpage, Words
from thermo_core.sensors.mlx90640.identity import device_id
from thermo_core.sensors.mlx90640.kind import words_of
from thermo_core.sensors.samples import Samples, pack
from thermo_core.sensors.tmp117 import kind as tmp117
from thermo_core.wearable.profile import Profile
from thermo_core.wire.records import (
    AlertRecord,
    ClockRecord,
    EventRecord,
    FindingRecord,
    Record,
    signal_parts,
)
from thermo_core.wire.table import OutputKind, Severity
from thermo_host.link.items import Item
from thermo_host.sinks.recorder import Recorder
from thermo_host.stream.playback import Recording
from thermo_sim.chips.mlx90640 import eeprom
from thermo_sim.chips.mlx90640.dataset import PictureSource

SEED = 11
START_US = 1_000_000
PERIOD_US = 62_500
PATCH: dict[str, Any] = {
    "name": "patch",
    "version": "1",
    "sensors": [
        {"kind": "mlx90640", "name": "skin", "path": [0x33], "rate_hz": 16.0},
        {
            "kind": "ads1115-ntc",
            "name": "spots",
            "path": [0x48],
            "rate_hz": 2.0,
            "channels": [{"name": "core"}, {"name": "left"}],
        },
    ],
    "stages": [
        {"op": "average", "of": "skin", "gives": "calm", "pictures": 4},
        {"op": "centre", "of": "calm", "gives": "above", "by": "median"},
    ],
    "models": [{"name": "lesion", "inputs": ["above"], "scores": ["no lesion", "lesion"]}],
    "alerts": [{"name": "lesion", "when": "lesion.lesion >= 0.5", "text": "Show this to a physician."}],
}
"""A camera, two thermistors, stages, a model and an alert."""

BAND: dict[str, Any] = {
    "name": "band",
    "version": "1",
    "sensors": [
        {"kind": "tmp117", "name": "wrist", "path": [0x49], "rate_hz": 1.0},
        {"kind": "lis3dh", "name": "motion", "path": [0x18], "rate_hz": 25.0},
    ],
}
"""No camera: a contact thermometer and an accelerometer."""


def session(plain: dict[str, Any], constants: dict[int, bytes] | None = None, **changes: Any) -> Session:
    """What a host would have fetched of a simulated wearable.

    Args:
        plain: its profile.
        constants: by the numbers of sensors.
        changes: fields of the session.
    """
    profile = schema.from_plain(plain, Profile, "profile")
    made = session_of(profile, {number: SensorConstants(0, data) for number, data in (constants or {}).items()})
    for number, known in made.constants.items():
        made = with_state(made, number, id=device_id(words_of(known.data)))
    return replace(made, **changes)


def patch(words: Words | None = None, **changes: Any) -> Session:
    """The wearable with a camera of this EEPROM."""
    words = eeprom.generate(SEED) if words is None else words
    return session(PATCH, {0: words.astype("<u2").tobytes()}, **changes)


def subpages(words: Words, count: int) -> list[Subpage]:
    """Subpages of a warm square on skin, as a chip of this EEPROM gives them."""
    source = PictureSource(SEED, 16.0, eeprom=words)
    scene = np.full((24, 32), 33.0)
    scene[8:14, 10:18] = 35.0
    frames = [frame for _ in range((count + 1) // 2) for frame in source.words(scene)][:count]
    return [Subpage(frame, index, START_US + index * PERIOD_US) for index, frame in enumerate(frames)]


def patch_records(pages: Iterable[Subpage], key_interval: int = 16) -> Iterator[Record]:
    """What the wearable with a camera sends: its blocks, now and then thermistors, findings, events and clocks."""
    encoder = CountsEncoder(key_interval)
    for page in pages:
        yield Block(page.time_us, 0, 0, page.index, pictures.encode(encoder.encode(page), page.index))
        if page.index % 8 == 1:
            yield Block(page.time_us + 10, 1, 0, page.index // 8, scans.encode((12000, None)))
            flags = 0x1100  # simulated, uncalibrated
            scores = tuple(round(score * 65535) / 65535 for score in (0.25, 0.75))
            yield FindingRecord(
                page.time_us, 0, flags, 0x04030201, 30_000, 4_000, ((0, page.index),), OutputKind.SCORES, scores
            )
        if page.index == 9:
            yield AlertRecord(page.time_us + 20, AlertChange(0, AlertState.RAISED, page.time_us, 0.75, 0x1100))
        if page.index % 40 == 5:
            yield EventRecord(page.time_us + 30, 2, Severity.WARNING, 1, 1, "The bus was freed.")
            yield ClockRecord(page.time_us + 40, 0, 2500, 0, page.index, 0)


def band_records(seconds: int, silent: range = range(0)) -> Iterator[Record]:
    """What the wearable without a camera sends: a slow rise of temperature and a swing along x; nothing while silent."""
    motion = Lis3dhSettings(name="motion", path=(0x18,), rate_hz=25.0)
    for second in range(seconds):
        if second in silent:
            continue
        end_us = START_US + (second + 1) * 1_000_000
        at = second + np.arange(1, 26) / 25
        g = np.stack([np.sin(2 * np.pi * at), np.zeros(25), np.ones(25)], axis=1)
        counts = np.rint(g * 1000 / motion.mg_a_count).astype(np.int32)
        yield Block(end_us, 1, 0, second, pack(Samples(counts, 40_000), motion.format))
        yield Block(end_us, 0, 0, second, tmp117.encode(0x2220, round((33 + second / 100) / 0.0078125)))


def signal_records(whole: Session, name: str, time_us: int, values: NDArray[Any]) -> list[Record]:
    """A sample of a signal as the wearable sends it on request."""
    return list(signal_parts(time_us, plan(whole.profile).number_of(name), 0, values))


def recording(path: Path, whole: Session, items: Iterable[Item]) -> Recording:
    """A recording of these."""
    with Recorder(path, whole) as recorder:
        for item in items:
            recorder.add(item)
    return Recording(path)


def items_so_far(path: Path) -> int:
    """Items of a recording as it stands on disk, while somebody may be writing it."""
    try:
        return sum(1 for _ in Recording(path))
    except (StorageError, RecordingError):
        return 0
