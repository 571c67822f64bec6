"""What each wearable costs its agent: the share of one core of this machine that the agent needs while a host listens.

Run `python bench/graph.py`. Sensors, bus and clock are simulated, what a host feeds is typical; the time spent in the simulation is
not counted. Stages and networks run as on the device, with reference kernels.
"""

import argparse
import time
from collections.abc import Iterator
from typing import Any

from thermo_core.graph.typical import SCENES, typical_series
from thermo_core.signals import Values
from thermo_core.wearable import file, library
from thermo_core.wearable.file import Wearable
from thermo_core.wire import records
from thermo_core.wire.framing import encode_frame
from thermo_core.wire.records import FindingRecord, Record
from thermo_device.bundled import Bundled
from thermo_device.hardware import Hardware
from thermo_device.pipeline import Pipeline
from thermo_sim.clock import VirtualClock
from thermo_sim.hardware import SimulatedHardware

LEAST_FINDINGS = 2
STEP_US = 250_000


class Simulation:
    """A bus whose time is not the agent's.

    Attributes:
        spent_s: CPU time in it so far.
    """

    def __init__(self, bus: Any) -> None:
        self._bus = bus
        self.spent_s = 0.0

    def i2c_rdwr(self, *messages: Any) -> None:
        """As `smbus2.SMBus`."""
        began_s = time.process_time()
        try:
            self._bus.i2c_rdwr(*messages)
        finally:
            self.spent_s += time.process_time() - began_s

    def recover(self) -> None:
        """As `bus.I2cBus`."""
        self._bus.recover()


def fed(wearable: Wearable, seconds: float) -> Iterator[tuple[int, int, Values]]:
    """Time, sensor and sample of all that comes from outside, in order."""
    series = typical_series(wearable.plan(), SCENES[0], seconds)
    samples = [
        (int(time_us), number, values.ravel())
        for number, sensor in enumerate(wearable.profile.sensors)
        if sensor.kind == "external"
        for time_us, values in zip(series[sensor.name].times_us, series[sensor.name].values, strict=True)
    ]
    yield from sorted(samples, key=lambda item: item[:2])


def run(name: str, seconds: float) -> tuple[float, int, list[Record]]:
    """CPU time of the agent, blocks, and all that was said in so much simulated time."""
    wearable = file.read(library.resolve(name))
    networks = {model: path.read_bytes() for model, path in wearable.networks.items()}
    simulated = SimulatedHardware.from_profile(seed=1, clock=VirtualClock(), warm_up_tau_s=0)
    bus = Simulation(simulated.bus)
    hardware = Hardware(bus, simulated.clock, name, "0001", simulated=True)
    person = {"age_years": 40.0, "sex": 0.0, "weight_kg": 70.0, "height_m": 1.7}
    pipeline = Pipeline(hardware, wearable.profile, Bundled(networks), person=person, inline=True)
    pipeline.start()
    said: list[Record] = []
    waiting = list(fed(wearable, seconds))
    began_s, bus.spent_s = time.process_time(), 0.0
    while simulated.clock.now_us() < seconds * 1e6:
        while waiting and waiting[0][0] <= simulated.clock.now_us():
            _, sensor, values = waiting.pop(0)
            pipeline.feed(sensor, values)
        until_us = min(simulated.clock.now_us() + STEP_US, waiting[0][0] if waiting else 1 << 62)
        for record in pipeline.step(until_us):
            encode_frame(records.encode(record, len(said)))
            said.append(record)
    spent_s = time.process_time() - began_s - bus.spent_s
    return spent_s, pipeline.counters.get("blocks_captured"), said


def main() -> None:
    """Print a row for each wearable."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60.0, help="simulated time; more where findings are rare")
    options = parser.parse_args()
    print("wearable           seconds  blocks/s  findings/s  CPU share")
    for name in library.names():
        seconds = options.seconds
        while True:
            spent_s, blocks, said = run(name, seconds)
            findings = sum(isinstance(record, FindingRecord) for record in said)
            if findings >= LEAST_FINDINGS or seconds > 4096:
                break
            seconds *= 2
        print(
            f"{name:18} {seconds:7.0f}  {blocks / seconds:8.2f}  {findings / seconds:10.4f}  {100 * spent_s / seconds:8.2f} %"
        )


if __name__ == "__main__":
    main()
