"""A session and its telemetry, made without a device: counts of a simulated sensor packed as the device packs them."""

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
import pytest
from thermo_core.profile import NOTICE

from thermo_core.sensors.mlx90640.counts import CountsEncoder
from thermo_core.sensors.mlx90640.frames import Subpage, Words
from thermo_core.wire.management import Hello, SensorInfo
from thermo_core.wire.records import (
    ChannelReading,
    ClockRecord,
    EventRecord,
    Record,
    RecordHeader,
    RecordType,
    Severity,
    SubpageRecord,
    ThermistorRecord,
    VerdictRecord,
)
from thermo_host.link.lease import Telemetry
from thermo_host.link.session import Session
from thermo_sim import eeprom
from thermo_sim.dataset import PictureSource

SEED = 11
STARTED_NS = 1_700_000_000_000_000_000
PERIOD_US = 62_500
KINDS = {
    SubpageRecord: RecordType.SUBPAGE,
    ThermistorRecord: RecordType.THERMISTORS,
    VerdictRecord: RecordType.VERDICT,
    EventRecord: RecordType.EVENT,
    ClockRecord: RecordType.CLOCK,
}


@pytest.fixture(scope="session")
def eeprom_words() -> Words:
    """EEPROM of the simulated sensor."""
    return eeprom.generate(SEED)


@pytest.fixture(scope="session")
def session(eeprom_words: Words) -> Session:
    """What a host would have fetched."""
    hello = Hello(
        name="thermo-sim",
        serial="0001",
        software="0.1.0",
        platform="test",
        profile="breast-patch",
        model="1.2.3",
        time_us=1_000_000,
        sensors=(
            SensorInfo("mlx90640", 0, 0x33, bytes(6), 16.0, 18, True, 0.98, None),
            SensorInfo("ads1115", 1, 0x48, b"", 8.0, 16, channels=("skin", "core", "left", "right")),
        ),
        simulated=True,
        calibrated=False,
        development_key=True,
        lease_max_ms=10_000,
        notice=NOTICE,
        labels=("no lesion", "lesion"),
    )
    return Session(hello, {0: eeprom_words}, None, STARTED_NS, "/tmp/thermo0")


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
    """Gives the first n records of a stream: subpages, now and then thermistors, verdicts, events and clocks."""

    def records() -> Iterator[Record]:
        encoder = CountsEncoder(16)
        for subpage in subpages:
            yield SubpageRecord(subpage.time_us, 0, subpage.index, encoder.encode(subpage))
            if subpage.index % 8 == 1:
                readings = (ChannelReading(12000, 0, 33.25), ChannelReading(0, 2, None), ChannelReading(11000, 0, 36.5))
                yield ThermistorRecord(subpage.time_us + 10, 1, readings)
                scores = tuple(round(score * 65535) / 65535 for score in (0.25, 0.75))  # as the line carries them
                yield VerdictRecord(
                    subpage.time_us + 20,
                    subpage.index,
                    4,
                    True,
                    True,
                    False,
                    True,
                    1,
                    scores,
                    30_000,
                    4_000,
                    (1, 2, 3, 0),
                )
            if subpage.index % 40 == 5:
                yield EventRecord(subpage.time_us + 30, 7, Severity.WARNING, 1, "The bus was freed.")
                yield ClockRecord(subpage.time_us + 40, 0, 2500, 0, subpage.index, 0)

    def take(count: int) -> list[Telemetry]:
        taken = []
        for number, record in enumerate(islice(records(), count)):
            captured_ns = STARTED_NS + (record.time_us - 1_000_000) * 1000
            header = RecordHeader(KINDS[type(record)], number % 65536, record.time_us)
            taken.append(Telemetry(captured_ns + 20_000_000, captured_ns, header, record))
        return taken

    return take
