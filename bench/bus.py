"""Many sensors on one bus, in simulated time: what the agent loses of each, and how busy the bus is against what was calculated.

Run `python bench/bus.py --minutes 60`. The wearable is one MLX90640 at 16 Hz, 16 MLX90632 behind a TCA9548A, a MAX30102 at 100 Hz and a
LIS3DH at 25 Hz, at 400 kHz; --wearable FILE is another. Nothing waits for the wall: a minute takes about as long as the chips take to
be computed.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thermo_core import schema
from thermo_core.errors import ThermoError
from thermo_core.sensors.bus_load import bus_load
from thermo_core.sensors.kind import Block
from thermo_core.sensors.kinds import KINDS
from thermo_core.wearable.file import read
from thermo_core.wearable.library import resolve
from thermo_core.wearable.profile import Profile
from thermo_device.counters import Counters
from thermo_device.hardware import Hardware
from thermo_device.pipeline import Pipeline
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.world_file import load_world, world_of

BUS_HZ = 400_000
NODES = [(channel, address) for channel in range(8) for address in (0x3A, 0x3B)]
CROWDED = schema.from_plain(
    {
        "name": "crowded",
        "version": "1.0.0",
        "sensors": [
            {"kind": "mlx90640", "name": "picture", "path": [0x33], "rate_hz": 16.0},
            *(
                {
                    "kind": "mlx90632",
                    "name": f"node-{place}",
                    "path": [f"tca9548a@0x70:{channel}", address],
                    "rate_hz": 1.0,
                }
                for place, (channel, address) in enumerate(NODES)
            ),
            {"kind": "max3010x", "name": "pulse", "path": [0x57], "rate_hz": 100.0, "averages": 1},
            {"kind": "lis3dh", "name": "motion", "path": [0x18], "rate_hz": 25.0},
        ],
    },
    Profile,
    "profile",
)
"""What was promised to fit on one bus."""


@dataclass(frozen=True, slots=True)
class Run:
    """What came of a while.

    Attributes:
        seconds: of simulated time.
        blocks: of each sensor, by its number.
        samples: the same, samples.
        skipped: what the numbers of each sensor's blocks leave out.
        counts: of the agent's counters.
        busy_s: time in which the bus was taken.
        chips: by the names of sensors.
    """

    seconds: float
    blocks: Counter[int]
    samples: Counter[int]
    skipped: Counter[int]
    counts: dict[str, int]
    busy_s: float
    chips: Mapping[str, Any]


class Meter:
    """A bus that knows how long it was taken."""

    def __init__(self, hardware: SimulatedHardware) -> None:
        self._bus, self._clock = hardware.bus, hardware.clock
        self.busy_us = 0

    def i2c_rdwr(self, *messages: object) -> None:
        """As the bus's."""
        began_us = self._clock.now_us()
        try:
            self._bus.i2c_rdwr(*messages)
        finally:
            self.busy_us += self._clock.now_us() - began_us

    def recover(self) -> None:
        """As the bus's."""
        self._bus.recover()


def run(profile: Profile, seconds: float, bus_hz: int = BUS_HZ, seed: int = 1) -> Run:
    """Let the agent's pipeline measure for so long."""
    world = load_world(world_of(profile.name))
    simulated = SimulatedHardware(profile, world, seed=seed, bus_hz=bus_hz, warm_up_tau_s=0)
    meter = Meter(simulated)
    hardware = Hardware(meter, simulated.clock, profile.name, "1", simulated=True)
    pipeline = Pipeline(hardware, profile, counters=Counters(), inline=True)
    pipeline.start()
    blocks: Counter[int] = Counter()
    samples: Counter[int] = Counter()
    skipped: Counter[int] = Counter()
    newest: dict[int, int] = {}
    readers = {}
    end_us = simulated.clock.now_us() + round(seconds * 1e6)
    while simulated.clock.now_us() < end_us:
        for record in pipeline.step():
            if not isinstance(record, Block):
                continue
            number = record.sensor
            if number not in readers:
                found = pipeline.found(number)
                assert found is not None
                settings = profile.sensors[number]
                readers[number] = KINDS[settings.kind].reader(settings, found.constants, None)
            blocks[number] += 1
            samples[number] += len(readers[number].push(record))
            skipped[number] += record.index - newest.get(number, record.index - 1) - 1
            newest[number] = record.index
    return Run(seconds, blocks, samples, skipped, pipeline.counters.snapshot(), meter.busy_us / 1e6, simulated.chips)


def show(profile: Profile, seconds: float, bus_hz: int) -> bool:
    """Run and print; whether nothing was lost."""
    began_s = time.perf_counter()
    done = run(profile, seconds, bus_hz)
    took_s = time.perf_counter() - began_s
    print(f"{profile.name}: {len(profile.sensors)} sensors, {seconds / 60:g} min of simulated time in {took_s:.0f} s\n")
    print(f"{'sensor':14}{'kind':14}{'blocks':>10}{'samples':>10}{'a second':>11}{'lost':>7}")
    for number, sensor in enumerate(profile.sensors):
        rate = done.samples[number] / seconds
        print(
            f"{sensor.name:14}{sensor.kind:14}{done.blocks[number]:10,}{done.samples[number]:10,}{rate:11.2f}{done.skipped[number]:7,}"
        )
    calculated = bus_load(profile.sensors, bus_hz).share
    print(f"\nbus at {bus_hz // 1000} kHz: taken {done.busy_s / seconds:.1%} of the time, calculated {calculated:.1%}")
    troubles = {name: count for name, count in done.counts.items() if name != "blocks_captured"}
    print(
        "counters: "
        + (", ".join(f"{name} {count:,}" for name, count in troubles.items()) or "nothing but blocks captured")
    )
    return not sum(done.skipped.values()) and len(done.blocks) == len(profile.sensors)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0, help="of simulated time")
    parser.add_argument("--wearable", help="name or file, instead of the crowded one")
    parser.add_argument("--bus-hz", type=int, default=BUS_HZ)
    options = parser.parse_args()
    try:
        profile = CROWDED if options.wearable is None else read(resolve(options.wearable)).profile
        whole = show(profile, 60 * options.minutes, options.bus_hz)
    except ThermoError as error:
        sys.exit(f"bus: {error}")
    sys.exit(0 if whole else 1)


if __name__ == "__main__":
    main()
