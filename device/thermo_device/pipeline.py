"""From the bus to records: blocks of all sensors of one wearable, and what is concluded of them, step by step."""

import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from thermo_core.bundle import SelfTest
from thermo_core.errors import ModelError, ProfileError, SensorError, UsageError
from thermo_core.graph.alerts import AlertChange
from thermo_core.graph.plan import Plan, plan
from thermo_core.sensors.correction import Correction
from thermo_core.sensors.kind import Block, SensorConstants
from thermo_core.sensors.kinds import KINDS
from thermo_core.sensors.path import BusPath
from thermo_core.signals import Sample, Values
from thermo_core.wearable.profile import Profile
from thermo_core.wire.events import FAULTS
from thermo_core.wire.management import SelfTestResult
from thermo_core.wire.records import AlertRecord, ClockRecord, EventRecord, Record
from thermo_device.concluder import Basis, Concluder, Origin
from thermo_device.counters import Counters, Key
from thermo_device.hardware import Hardware
from thermo_device.multiplexer import Switchboard
from thermo_device.networks import check_ends, open_networks
from thermo_device.rehearsal import rehearse
from thermo_device.scheduler import Scheduler
from thermo_device.sensors.driver import Driver, Found, Place
from thermo_device.sensors.external import External
from thermo_device.sensors.table import driver_of
from thermo_device.sightings import Sightings

STEP_US = 250_000
"""Longest step while nothing comes."""
BACKLOG = 256
"""Records that may wait for a step that ends; of more the oldest go, as when a host asks for self-tests and never streams."""
CLOCK_US = 1_000_000
EVENT_US = 1_000_000
"""Shortest time between two events of the same fault; those in between are in the count."""
SELF_TEST_BLOCKS = 4
_PATIENCE_US = 4_000_000
"""A self-test does not wait for longer than this for what comes now and then."""
_FIRST_CERTAIN_YEAR_US = 1_704_067_200_000_000
"""A system clock before 2024 was never set."""


@dataclass(frozen=True, slots=True)
class Bundled:
    """What of a bundle a pipeline runs.

    Attributes:
        networks: .tflite files by the names of models, from an image that was verified.
        number: first four bytes of the SHA-256 of the image, as a little-endian number.
        waived: the bundle was signed although something was found wanting.
        self_tests: what the signer's reference kernels made of some inputs, by the names of models.
    """

    networks: Mapping[str, bytes]
    number: int = 0
    waived: bool = False
    self_tests: Mapping[str, Sequence[SelfTest]] = field(default_factory=dict)


class Pipeline:
    """Everything a wearable measures and concludes. All methods belong to one thread, apart from those that say otherwise.

    What goes wrong on the bus is repaired inside and comes out as event records and counters.

    Args:
        hardware: bus, clock, and who this is.
        profile: the wearable.
        bundled: its networks; None makes no findings of models.
        corrections: by the numbers of sensors.
        person: what is known of the wearer.
        kernels: "reference" or "fast", see `networks`.
        counters: where faults are counted; new ones where omitted.
        inline: conclude between captures instead of beside them; for simulated time.
        sightings: what is known of sensors; without it all is forgotten at the end.

    Raises:
        ModelError: a network cannot be loaded, does not fit its model or says nothing of what sensors typically say, or the profile
            does not fit together or asks for what cannot be.
        UsageError: there are no such kernels.

    Attributes:
        plan: of the wearable.
        counters: as given.
    """

    def __init__(
        self,
        hardware: Hardware,
        profile: Profile,
        bundled: Bundled | None = None,
        corrections: Mapping[int, Correction] | None = None,
        person: Mapping[str, float] | None = None,
        *,
        kernels: str = "reference",
        counters: Counters | None = None,
        inline: bool = False,
        sightings: Sightings | None = None,
    ) -> None:
        self.counters = counters if counters is not None else Counters()
        self._hardware = hardware
        self._clock = hardware.clock
        self._networks = (
            {} if bundled is None else open_networks(bundled.networks, kernels, self.counters, bundled.self_tests)
        )
        try:
            self.plan: Plan = plan(profile, {name: one.output.shape for name, one in self._networks.items()})
        except ProfileError as error:
            raise ModelError(f"The profile {profile.name} does not fit together: {error}; sign another one.") from error
        check_ends(self.plan, self._networks)
        _check_settings(profile)
        if self._networks:
            rehearse(self.plan, self._networks)
        known = sightings if sightings is not None else Sightings()
        self._drivers = _drivers(hardware, profile, self.counters, known)
        self._scheduler = Scheduler(self._drivers, profile.sensors, hardware.clock)
        origin = Origin(
            hardware.simulated,
            kernels != "reference",
            bundled is not None and bundled.waived,
            0 if bundled is None else bundled.number,
        )
        self._concluder = Concluder(self.plan, self._networks, origin, hardware.clock, self.counters, inline)
        self._corrections = dict(corrections or {})
        self._bases: list[tuple[Found, Correction | None, Basis] | None] = [None] * len(self._drivers)
        self._person = dict(person or {})
        self._wanted: tuple[int, ...] = ()
        self._alerts_wanted = False
        self._newest: list[Block | None] = [None] * len(self._drivers)
        self._stepped_us: int | None = None
        self._backlog: deque[Record] = deque(maxlen=BACKLOG)
        self._clock_due_us = self._clock.now_us()
        self._reported: dict[Key, tuple[int, int]] = {
            key: (count, 0) for key, count in self.counters.by_sensor().items()
        }

    # What any thread may ask.

    def found(self, sensor: int) -> Found | None:
        """The chip that answers as a sensor; None while none ever did."""
        return self._drivers[sensor].found

    def fault(self, sensor: int) -> str:
        """Why a sensor does not deliver, in a sentence; "" while it does."""
        return self._drivers[sensor].fault

    def rate_hz(self, sensor: int) -> float:
        """Rate a sensor is set to."""
        return self._drivers[sensor].rate_hz

    def warning(self, sensor: int) -> str:
        """Why what a sensor says is in doubt, a sentence; "" where it is not.

        A correction that was made with these very constants has held them to a reference.
        """
        found = self.found(sensor)
        if found is None or _vouches(self._usable(sensor, found), found):
            return ""
        if found.sighting.changed:
            return FAULTS["constants_changed"].text
        return f"{found.doubt}; values may be wrong." if found.doubt else ""

    def corrected(self, sensor: int) -> bool:
        """Whether a correction of the sensor is in use that changes something."""
        found = self.found(sensor)
        correction = None if found is None else self._usable(sensor, found)
        return correction is not None and not correction.is_identity

    def alerts(self) -> tuple[AlertChange, ...]:
        """Where each alert stands."""
        return self._concluder.alerts()

    def acknowledge(self, alert: int) -> AlertRecord | None:
        """A person has seen an alert; its step, if it takes one."""
        return self._concluder.acknowledge(alert)

    def feed(self, sensor: int, values: Values) -> None:
        """Take a sample of a sensor of kind "external", which has come now.

        Raises:
            UsageError: the sensor is none, or the sample cannot be.
        """
        driver = self._drivers[sensor]
        if not isinstance(driver, External):
            raise UsageError(f"Sensor {sensor} is a chip, which speaks for itself; feed one of kind external.")
        driver.feed(values)

    def listen(self, key_interval: int | None = None) -> None:
        """Begin anew as for a host that just came: key frames next, where alerts stand, and no signals beside.

        Args:
            key_interval: from now on, blocks of the same kind from one key frame to the next.

        Raises:
            UsageError: a codec has no such interval.
        """
        for driver in self._drivers:
            driver.restart_keys(key_interval)
        self._wanted, self._alerts_wanted = (), True

    def restart_keys(self) -> None:
        """Make key frames next."""
        for driver in self._drivers:
            driver.restart_keys()

    def send_signals(self, wanted: tuple[int, ...]) -> None:
        """Send these signals too, by their numbers, until the next host."""
        if wanted and self._concluder.idle:
            self.restart_keys()  # what begins to read blocks here needs key frames
        self._wanted = wanted

    def set_person(self, person: Mapping[str, float]) -> None:
        """What is known of the wearer from the next block on."""
        self._person = dict(person)

    # What one thread does.

    def start(self) -> None:
        """Bring the sensors up; where one does not answer, `step` goes on trying."""
        now_us = self._clock.now_us()
        for driver in self._drivers:
            if driver.due_us <= now_us:
                driver.poll()

    def resume(self) -> None:
        """Go on after a pause in which nobody called `step`: what passed meanwhile is no loss.

        Blocks and findings of a self-test before or during the pause are not news any more; events and alerts are.
        """
        kept = [record for record in self._backlog if isinstance(record, EventRecord | AlertRecord)]
        self._backlog.clear()
        self._backlog.extend(kept + self._concluder.resume())
        for driver in self._drivers:
            driver.resume()
        self._newest = [None] * len(self._drivers)

    def close(self) -> None:
        """End the thread that concludes."""
        self._concluder.close()

    def set_rate(self, sensor: int, hz: float) -> float:
        """Change the rate of a sensor; returns the one set.

        Raises:
            UsageError: the sensor has no such rate, or the bus cannot carry it.
            BusError: the sensor does not answer.
        """
        return self._drivers[sensor].set_rate(hz)

    def set_correction(self, sensor: int, correction: Correction | None) -> None:
        """Use another correction from the next block on; one of another sensor or other constants is counted and not used."""
        if correction is None:
            self._corrections.pop(sensor, None)
        else:
            self._corrections[sensor] = correction
        found = self.found(sensor)
        if found is not None and _vouches(self._usable(sensor, found), found):
            self._drivers[sensor].trust()
        self._drivers[sensor].restart_keys()  # blocks are read anew, here and by whoever listens
        self._bases[sensor] = None

    def step(self, until_us: int | None = None) -> list[Record]:
        """Poll sensors until one has a block or all is done by then, and take whatever else is ready.

        Args:
            until_us: return by then (device clock) if nothing is due; 0.25 s from now where omitted.

        Returns:
            Records in the order in which they were made.
        """
        self._poll(self._clock.now_us() + STEP_US if until_us is None else until_us)
        self._backlog += self._concluder.records()
        self._tell_alerts()
        self._tell_clock()
        self._tell_faults()
        records = list(self._backlog)
        self._backlog.clear()
        self._stepped_us = self._clock.now_us()
        return records

    def self_test(self) -> list[SelfTestResult]:
        """Check sensors and models; records of blocks captured meanwhile come with the next step."""
        slowest_us = max(driver.period_us for driver in self._drivers)
        if self._stepped_us is not None and self._clock.now_us() - self._stepped_us > 3 * slowest_us + STEP_US:
            # Nobody listened meanwhile, so what passed is no loss.
            for driver in self._drivers:
                driver.resume()
        self._stepped_us = self._clock.now_us()
        self._gather()
        results = [
            result
            for sensor, driver in enumerate(self._drivers)
            for result in driver.self_test(self._newest[sensor], self.warning(sensor))
        ]
        return [*results, *self._test_models()]

    def _gather(self) -> None:
        """Newest blocks of all sensors that can have one soon."""
        counts = [0] * len(self._drivers)
        wanted = [0] * len(self._drivers)
        end_us = began_us = self._clock.now_us()
        for sensor, driver in enumerate(self._drivers):
            newest, period_us = self._newest[sensor], driver.period_us
            if period_us and (newest is None or began_us - newest.time_us > 3 * period_us):
                self._newest[sensor] = None
                firm = driver.late_us <= driver.due_us
                wanted[sensor] = SELF_TEST_BLOCKS if firm else 1
                needed_us = (SELF_TEST_BLOCKS + 2) * period_us if firm else min(2 * period_us, _PATIENCE_US)
                end_us = max(end_us, began_us + needed_us + CLOCK_US)
        while any(count < want for count, want in zip(counts, wanted, strict=True)) and self._clock.now_us() < end_us:
            spoke = self._poll(end_us)
            if spoke is not None:
                counts[spoke] += 1

    def _test_models(self) -> list[SelfTestResult]:
        if not self._networks:
            return []
        seen: dict[str, Sample] = {}
        for own in self._concluder.newest.values():
            seen |= own
        results = []
        try:
            told, problem = rehearse(self.plan, self._networks, seen), ""
        except ModelError as error:
            told, problem = {}, str(error)
        for name, network in self._networks.items():
            wrong = problem or network.self_test()
            origin = "what the sensors say" if seen else "what sensors typically say"
            detail = (
                wrong or f"A fixed input gives the result it gave at the start, and of {origin} it says {told[name]}."
            )
            results.append(SelfTestResult(name=f"model {name}", passed=not wrong, detail=detail))
        return results

    def _poll(self, until_us: int) -> int | None:
        """Poll until a sensor has a block; its number, None where none had by then."""
        while True:
            polled, block = self._scheduler.poll(until_us)
            if block is not None:
                self._take(block)
                return block.sensor
            if not polled or self._clock.now_us() >= until_us:
                return None

    def _take(self, block: Block) -> None:
        self._newest[block.sensor] = block
        self._backlog.append(block)
        basis = self._basis(block.sensor)
        if basis is not None:
            self._concluder.push(block, basis, self._person, self._wanted)

    def _basis(self, sensor: int) -> Basis | None:
        """What the newest block of a sensor is read with."""
        found = self.found(sensor)
        if found is None:
            return None
        known, correction = self._bases[sensor], self._corrections.get(sensor)
        if known is not None and known[0] is found and known[1] is correction:
            return known[2]
        usable = self._usable(sensor, found)
        if correction is not None and usable is None:
            self.counters.add("correction_mismatch", sensor=sensor)
        constants = SensorConstants(found.sighting.number, found.constants)
        basis = Basis(constants, usable, bool(self.warning(sensor)))
        self._bases[sensor] = found, correction, basis
        return basis

    def _usable(self, sensor: int, found: Found) -> Correction | None:
        correction = self._corrections.get(sensor)
        if correction is None or correction.kind != self.plan.profile.sensors[sensor].kind:
            return None
        return correction if correction.stamp.fits(found.identity, found.constants) else None

    def _tell_alerts(self) -> None:
        if self._alerts_wanted:
            self._alerts_wanted = False
            now_us = self._clock.now_us()
            self._backlog += [AlertRecord(now_us, change) for change in self.alerts()]

    def _tell_clock(self) -> None:
        now_us = self._clock.now_us()
        if now_us < self._clock_due_us:
            return
        self._clock_due_us = now_us + CLOCK_US
        unix_us = 0 if self._hardware.simulated else time.time_ns() // 1000
        known = unix_us >= _FIRST_CERTAIN_YEAR_US
        self._backlog.append(
            ClockRecord(
                time_us=now_us,
                unix_us=unix_us if known else 0,
                lease_left_ms=0,
                dropped=0,
                captured=self.counters.get("blocks_captured"),
                lost=self.counters.get("blocks_lost"),
            )
        )

    def _tell_faults(self) -> None:
        now_us = self._clock.now_us()
        for key, count in self.counters.by_sensor().items():
            name, sensor = key
            fault = FAULTS.get(name)
            told, next_us = self._reported.get(key, (0, now_us))
            if fault is None or count == told or now_us < next_us:
                continue
            self._reported[key] = (count, now_us + EVENT_US)
            why = self.fault(sensor) if name == "sensor_lost" and sensor is not None else ""
            text = f"{fault.text} {why}".rstrip()
            self._backlog.append(EventRecord(now_us, fault.code, fault.severity, sensor, count, text))


def _drivers(hardware: Hardware, profile: Profile, counters: Counters, sightings: Sightings) -> list[Driver]:
    paths = [sensor.bus_path or BusPath((), 0) for sensor in profile.sensors]
    board = Switchboard(hardware.bus, paths)
    return [
        driver_of(
            settings,
            Place(
                number,
                board.at(path),
                hardware.clock,
                counters.of(number),
                sightings,
                hardware.serial,
                hardware.max_read_bytes,
            ),
        )
        for number, (settings, path) in enumerate(zip(profile.sensors, paths, strict=True))
    ]


def _check_settings(profile: Profile) -> None:
    """Refuse what no reader could read, before any chip is asked."""
    for sensor in profile.sensors:
        row = KINDS[sensor.kind]
        if row.constants is None:
            try:
                row.reader(sensor, b"", None)
            except (UsageError, SensorError) as error:
                raise ModelError(f"The profile {profile.name} asks for what cannot be. {error}") from error


def _vouches(correction: Correction | None, found: Found) -> bool:
    """Whether values with these constants were held to a reference, as a calibration does."""
    if correction is None or correction.is_identity:
        return False
    return correction.stamp.constants_crc32 == found.sighting.fingerprint
