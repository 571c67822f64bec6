"""A pipeline on simulated hardware, stepped in simulated time, and what it said."""

from typing import TypeVar

from msgspec.structs import replace as changed

from thermo_core.bundle import Bundle
from thermo_core.sensors.correction import Correction
from thermo_core.sensors.kind import Block, Moment
from thermo_core.sensors.kinds import KINDS
from thermo_core.wearable.profile import Profile
from thermo_core.wire import records as wire
from thermo_core.wire.events import FAULTS
from thermo_core.wire.records import EventRecord, FindingRecord, Record
from thermo_device.bare import DEFAULT
from thermo_device.bundled import Bundled
from thermo_device.hardware import Hardware
from thermo_device.pipeline import Pipeline
from thermo_sim.hardware import SimulatedHardware

RATE_HZ = 16.0
SKIN, SPOTS = 0, 1
Kind = TypeVar("Kind")


class Patch:
    """A pipeline on simulated hardware, and what it said."""

    def __init__(
        self,
        bundle: Bundle | None = None,
        profile: Profile | None = None,
        corrections: dict[int, Correction] | None = None,
        rate_hz: float = RATE_HZ,
        faults: str = "",
        inline: bool = True,
        kernels: str = "reference",
        seed: int = 6,
    ) -> None:
        self.simulated = SimulatedHardware.from_profile(seed=seed, bus_hz=1_000_000, faults=faults, warm_up_tau_s=0)
        hardware = Hardware(self.simulated.bus, self.simulated.clock, "patch", "0001", simulated=True)
        base = profile if profile is not None else bundle.profile if bundle is not None else DEFAULT
        skin, *others = base.sensors
        self.profile = changed(base, sensors=(changed(skin, rate_hz=rate_hz), *others))
        self.pipeline = Pipeline(
            hardware,
            self.profile,
            None if bundle is None else Bundled(bundle.networks, 0x04030201),
            corrections,
            kernels=kernels,
            inline=inline,
        )
        self.records: list[Record] = []

    def run(self, seconds: float) -> list[Record]:
        """Step for some simulated time; the records of that time."""
        before = len(self.records)
        end_us = self.simulated.clock.now_us() + round(seconds * 1e6)
        while self.simulated.clock.now_us() < end_us:
            records = self.pipeline.step()
            for record in records:
                wire.encode(record, len(self.records))
            self.records += records
        return self.records[before:]

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [record for record in self.records if isinstance(record, kind)]

    def blocks(self, sensor: int = SKIN, among: list[Record] | None = None) -> list[Block]:
        found = self.records if among is None else among
        return [record for record in found if isinstance(record, Block) and record.sensor == sensor]

    def moments(self, sensor: int = SKIN, correction: Correction | None = None) -> list[Moment]:
        """What a host reads out of the blocks."""
        settings, found = self.profile.sensors[sensor], self.pipeline.found(sensor)
        assert found is not None
        reader = KINDS[settings.kind].reader(settings, found.constants, correction)
        return [moment for block in self.blocks(sensor) for moment in reader.push(block)]

    def identity(self, sensor: int = SKIN) -> bytes:
        found = self.pipeline.found(sensor)
        assert found is not None
        return found.identity


def findings(records: list[Record]) -> list[FindingRecord]:
    return [record for record in records if isinstance(record, FindingRecord)]


def events(records: list[Record], name: str) -> list[EventRecord]:
    return [record for record in records if isinstance(record, EventRecord) and record.code == FAULTS[name].code]
