"""The monitor as it is worn: on simulated chips and bodies, through its drivers, stages and networks.

    python bench/monitor.py faults --rounds 3     every fault of the table in each round; how many are flagged within 30 s
    python bench/monitor.py day --hours 24        a healthy wearer's day: what is flagged though nothing is wrong; alerts; errors

Flagged is a fault where a sample of the sensor or a finding has a flag that alerts do not trust, the finding says "sensor-off", the
wearable has a fault to tell of the sensor, or no finding comes for 30 s, which a host shows as old. A sensor that leaves the skin slowly
counts from the moment at which it has lost half of its contact.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from msgspec.structs import replace

from thermo_core.graph.alerts import AlertState
from thermo_core.quality import DOUBTFUL, Quality, in_words
from thermo_core.wearable import file, library
from thermo_core.wire.records import AlertRecord, FindingRecord, SignalRecord
from thermo_device.bundled import Bundled
from thermo_device.hardware import Hardware
from thermo_device.pipeline import Pipeline
from thermo_sim.chips.ads1115_ntc.ntc import Wiring
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.world_file import Body, load_world

WITHIN_S = 30.0
SETTLE_S, WATCHED_S = 200.0, 45.0
OFF = 5
"""Place of "sensor-off" in a finding."""
HALF_OFF_S = 14.0
"""In which `sensor-off` takes half of the contact."""
IGNORED = int(Quality.MOVING)
"""A flag that no broken sensor raises."""


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong with a sensor.

    Attributes:
        name: of it.
        bus: a specification of `thermo_sim.faults`, from the next transaction on.
        body: or one of `thermo_sim.people.happenings`, its time left open.
        sensor: number of the sensor.
        after_s: until it is one.
    """

    name: str
    sensor: int
    bus: str = ""
    body: str = ""
    after_s: float = 0.0


_CHIPS = (("camera", "0x33"), ("thermistor", "0x48"), ("pulse", "0x57"), ("motion", "0x18"), ("air", "0x44"))
FAULTS = (
    *(
        Fault(f"{chip} without power", at, f"unplug@+1+1000s:addr={address}")
        for at, (chip, address) in enumerate(_CHIPS)
    ),
    *(Fault(f"{chip} frozen", at, f"freeze@+1+1000s:addr={address}") for at, (chip, address) in enumerate(_CHIPS)),
    Fault("taken off the skin", 2, body="sensor-off@{at}+1000", after_s=HALF_OFF_S),
    Fault("pulse off the skin", 2, body="sensor-off@{at}+1000:at=pulse", after_s=HALF_OFF_S),
)
"""What is injected; a thermistor's leads are broken by themselves."""
LEADS = (("thermistor open", "open"), ("thermistor shorted", "shorted"))


@dataclass
class Heard:
    """What came of a worn monitor.

    Attributes:
        findings, alerts: as they came.
        flags: of the newest sample of each sensor, by its number.
    """

    findings: list[FindingRecord] = field(default_factory=list)
    alerts: list[AlertRecord] = field(default_factory=list)
    flags: dict[int, int] = field(default_factory=dict)


class Worn:
    """A monitor on somebody, in simulated time.

    Args:
        seed: of chips, body and chance; the person's number.
        script: what the person does.
        hours: for how long.
        happenings: what befalls that person.
    """

    def __init__(self, seed: int, script: str = "rest", hours: float = 24.0, happenings: str = "") -> None:
        wearable = file.read(library.resolve("monitor"))
        body = Body(script=script, person=seed, hours=hours, happenings=(happenings,) if happenings else ())
        world = replace(load_world("monitor"), body=body)
        self.hardware = SimulatedHardware(wearable.profile, world, seed, warm_up_tau_s=0)
        self._hardware = Hardware(self.hardware.bus, self.hardware.clock, "monitor", "0001", simulated=True)
        files = {name: path.read_bytes() for name, path in wearable.networks.items()}
        self.pipeline = Pipeline(self._hardware, wearable.profile, Bundled(files), inline=True)
        self.pipeline.start()
        person = self.hardware.around.course.person
        self.pipeline.set_person(
            {
                "age_years": person.age_years,
                "weight_kg": person.weight_kg,
                "height_m": person.height_m,
                "sex": float(person.sex == "male"),
            }
        )
        numbers = [self.pipeline.plan.number_of(sensor.name) for sensor in wearable.profile.sensors]
        self._sensors = {number: at for at, number in enumerate(numbers)}
        self.pipeline.send_signals(tuple(numbers))
        self.heard = Heard()

    @property
    def now_s(self) -> float:
        """Device time."""
        return self.hardware.clock.now_us() / 1e6

    def run(self, seconds: float) -> None:
        """Wear it on."""
        until_us = self.hardware.clock.now_us() + round(seconds * 1e6)
        while self.hardware.clock.now_us() < until_us:
            for record in self.pipeline.step(until_us):
                if isinstance(record, FindingRecord):
                    self.heard.findings.append(record)
                elif isinstance(record, AlertRecord):
                    self.heard.alerts.append(record)
                elif isinstance(record, SignalRecord):
                    self.heard.flags[self._sensors[record.signal]] = record.flags

    def close(self) -> None:
        """Take it off."""
        self.pipeline.close()


def is_flagged(one: FindingRecord) -> bool:
    """Whether a finding says that something is wrong with what it rests on."""
    off = bool(one.values) and one.values[OFF] > 0.5
    return off or bool(one.flags & DOUBTFUL & ~IGNORED) or not one.values


def is_told(worn: Worn, fault: Fault) -> bool:
    """Whether the sensor itself says that something is wrong."""
    return bool(worn.pipeline.fault(fault.sensor) or worn.heard.flags.get(fault.sensor, 0) & DOUBTFUL & ~IGNORED)


def is_wrong(worn: Worn, fault: Fault) -> bool:
    """Whether something is told of before there is a fault."""
    told = [one for one in worn.heard.findings if one.time_us / 1e6 > worn.now_s - 60]
    return fault.after_s == 0 and (is_told(worn, fault) or not told or any(is_flagged(one) for one in told))


def delay_s(worn: Worn, fault: Fault) -> float | None:
    """Seconds until something tells of a fault that is from now on; None where nothing does."""
    begun_s = worn.now_s
    while worn.now_s < begun_s + WATCHED_S:
        worn.run(1.0)
        since = [one for one in worn.heard.findings if one.time_us / 1e6 > begun_s]
        newest_s = max((one.time_us / 1e6 for one in worn.heard.findings), default=0.0)
        silent = worn.now_s - max(newest_s, begun_s) > WITHIN_S - 1
        if is_told(worn, fault) or silent or any(is_flagged(one) for one in since):
            return worn.now_s - begun_s
    return None


def campaign(rounds: int, seed: int = 5000, only: tuple[str, ...] = ()) -> Iterator[tuple[str, float | None]]:
    """Each fault, or those named, on another person in each round: its name, and after how many seconds it was told of."""
    leads = [(Fault(name, 1), state) for name, state in LEADS]
    for number in range(rounds):
        for place, (fault, lead) in enumerate([*((one, "") for one in FAULTS), *leads]):
            if only and fault.name not in only:
                continue
            begun_s = SETTLE_S + int(np.random.default_rng([seed, number, place]).integers(0, 20))
            at = f"{begun_s:.0f}"
            worn = Worn(seed + 100 * number + place, "rest", 2.0, fault.body.format(at=at))
            worn.run(begun_s + fault.after_s - worn.now_s)
            if is_wrong(worn, fault):
                yield fault.name, None
                continue
            if lead:
                worn.hardware.chips["spot"].set_wiring(0, Wiring(lead))
            elif fault.bus:
                worn.hardware.bus.faults.add(fault.bus)
            yield fault.name, delay_s(worn, fault)
            worn.close()


def main() -> None:
    """One of the three."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("faults", "day"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--seed", type=int, default=5000)
    options = parser.parse_args()
    if options.what == "faults":
        tell_faults(options.rounds, options.seed)
    else:
        tell_day(options.hours, options.seed)


def tell_faults(rounds: int, seed: int) -> None:
    """Print what was flagged in time."""
    delays: dict[str, list[float | None]] = {}
    for name, delay in campaign(rounds, seed):
        delays.setdefault(name, []).append(delay)
        print(f"{name:24} {'not told' if delay is None else f'{delay:.0f} s'}", flush=True)
    every = [one for each in delays.values() for one in each]
    found = sum(one is not None and one <= WITHIN_S for one in every)
    print(f"flagged within {WITHIN_S:.0f} s: {found} of {len(every)} ({found / len(every):.1%})")


def tell_day(hours: float, seed: int) -> None:
    """Print what a healthy wearer's day brings."""
    worn = Worn(seed, "day", max(24.0, hours))
    errors: list[float] = []
    rates: list[float] = []
    told: dict[str, int] = {}
    flagged, was = 0, False
    for _ in range(round(hours * 4)):
        before = len(worn.heard.findings)
        worn.run(900)
        for one in worn.heard.findings[before:]:
            now = is_flagged(one)
            flagged, was = flagged + (now and not was), now
            for word in in_words(one.flags & DOUBTFUL & ~IGNORED) if now else ():
                told[word] = told.get(word, 0) + 1
            if one.values:
                truth = worn.hardware.around.course.at([one.time_us / 1e6])
                errors.append(one.values[0] - float(truth.core_celsius[0]))
                rates.append(one.values[1] - float(truth.heart_bpm[0]))
    raised = [one.change.alert for one in worn.heard.alerts if one.change.state is AlertState.RAISED]
    known = np.array([one for one in rates if np.isfinite(one)])
    print(
        f"{hours:g} h of person {seed}: core off by {np.sqrt(np.mean(np.square(errors))):.3f} K (root mean square of {len(errors)}), "
        f"heart rate by {np.abs(known).mean():.1f} bpm (mean, of {len(known)}), flagged {flagged} times {told}, alerts {raised}"
    )
    worn.close()


if __name__ == "__main__":
    sys.exit(main())
