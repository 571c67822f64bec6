"""A session and its telemetry, made without a device: counts of a simulated sensor packed as the device packs them; a calibration."""

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
import pytest
from calibrations import CREATED, QUICK, laboratory
from host_sessions import BUNDLE, blocks_of, came, camera_constants, session_of

from thermo_core.graph.alerts import AlertChange, AlertState
from thermo_core.quality import Quality
from thermo_core.recording.session import Session
from thermo_core.sensors.ads1115_ntc import codec as ntc
from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640.frames import Subpage, Words
from thermo_core.wearable import file
from thermo_core.wearable.library import resolve
from thermo_core.wearable.profile import Profile
from thermo_core.wire.records import (
    AlertRecord,
    ClockRecord,
    EventRecord,
    FindingRecord,
    Record,
)
from thermo_core.wire.table import OutputKind, Severity
from thermo_host.calibrate.outcome import Outcome
from thermo_host.calibrate.procedure import calibrate
from thermo_host.link.items import Telemetry
from thermo_sim.chips.mlx90640 import eeprom
from thermo_sim.chips.mlx90640.dataset import PictureSource

SEED = 11
PERIOD_US = 62_500


@pytest.fixture(scope="session")
def eeprom_words() -> Words:
    """EEPROM of the simulated sensor."""
    return eeprom.generate(SEED)


@pytest.fixture(scope="session")
def breast_patch() -> Profile:
    """The wearable of that name."""
    return file.read(resolve("breast-patch")).profile


@pytest.fixture(scope="session")
def session(eeprom_words: Words, breast_patch: Profile) -> Session:
    """A breast patch."""
    return session_of(breast_patch, {0: camera_constants(eeprom_words)})


@pytest.fixture(scope="session")
def subpages() -> list[Subpage]:
    """120 subpages of a warm square on skin."""
    source = PictureSource(SEED, 16.0, eeprom=eeprom.generate(SEED))
    scene = np.full((24, 32), 33.0)
    scene[8:14, 10:18] = 35.0
    words = [frame for _ in range(60) for frame in source.words(scene)]
    return [Subpage(frame, index, 1_000_000 + index * PERIOD_US) for index, frame in enumerate(words)]


@pytest.fixture(scope="session")
def telemetry(subpages: list[Subpage]) -> Callable[[int], list[Telemetry]]:
    """Gives the first n records of a stream: blocks of both sensors, now and then findings, alerts, events and clocks."""

    def records() -> Iterator[Record]:
        for block in blocks_of(subpages):
            time_us, index = block.time_us, block.index
            yield block
            if index % 8 == 1:
                flags = Quality.UNCALIBRATED | Quality.SIMULATED
                scores = tuple(round(score * 65535) / 65535 for score in (0.25, 0.75))  # as the line carries them
                hash_prefix = int.from_bytes(BUNDLE[:4], "little")
                newest = ((0, index),)
                yield FindingRecord(
                    time_us, 0, int(flags), hash_prefix, 30_000, 4_000, newest, OutputKind.SCORES, scores
                )
                yield Block(time_us + 10, 1, 0, index // 8, ntc.encode([12000, 0, 11000, 12500]))
            if index % 40 == 5:
                yield EventRecord(time_us + 30, 2, Severity.WARNING, 0, 1, "The bus was freed.")
                yield ClockRecord(time_us + 40, 0, 2500, 0, index, 0)
            if index == 21:
                yield AlertRecord(
                    time_us + 50, AlertChange(0, AlertState.RAISED, time_us, 0.75, int(Quality.SIMULATED))
                )

    def take(count: int) -> list[Telemetry]:
        return came(list(islice(records(), count)))

    return take


@pytest.fixture(scope="session")
def quick() -> Outcome:
    """A two-point calibration of one sensor, as `--quick` does it."""
    lab = laboratory()
    return calibrate(lab, lab, QUICK, CREATED)
