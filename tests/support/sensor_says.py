"""What the sensors of simulated hardware say, read as an agent reads them."""

from typing import Any

from numpy.typing import NDArray

from thermo_core.sensors.kind import Block, Moment
from thermo_core.sensors.kinds import KINDS
from thermo_device.counters import Counters
from thermo_device.hardware import Hardware
from thermo_device.scheduler import Scheduler
from thermo_device.sensors.table import drivers_of
from thermo_device.sightings import Sightings
from thermo_sim.hardware import SimulatedHardware


def moments_of(hardware: SimulatedHardware, seconds: float) -> dict[str, list[Moment]]:
    """What each sensor says over a time, by its name, as the agent's drivers and core's readers have it."""
    profile = hardware.profile
    drivers = drivers_of(Hardware(hardware.bus, hardware.clock, "w", "1", True), profile, Counters(), Sightings())
    scheduler = Scheduler(drivers, profile.sensors, hardware.clock)
    blocks: list[list[Block]] = [[] for _ in drivers]
    end_us = hardware.clock.now_us() + round(seconds * 1e6)
    while hardware.clock.now_us() < end_us:
        _, block = scheduler.poll(end_us)
        if block is not None:
            blocks[block.sensor].append(block)
    said = {}
    for settings, driver, heard in zip(profile.sensors, drivers, blocks, strict=True):
        assert driver.found is not None, settings.name
        reader = KINDS[settings.kind].reader(settings, driver.found.constants, None)
        said[settings.name] = [moment for block in heard for moment in reader.push(block)]
    return said


def said_by(hardware: SimulatedHardware, seconds: float) -> dict[str, NDArray[Any]]:
    """Main signal of each sensor at the end of a time."""
    return {name: moments[-1][name].values for name, moments in moments_of(hardware, seconds).items()}
