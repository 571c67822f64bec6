"""From the bus to records: blocks of all sensors of one wearable, and what is concluded of them, step by step."""

from collections import deque
from collections.abc import Iterable, Mapping
from functools import partial

from thermo_core.errors import ModelError, UsageError
from thermo_core.graph.alerts import AlertChange
from thermo_core.graph.learned import Learning
from thermo_core.graph.plan import Plan
from thermo_core.graph.rates import plan_at
from thermo_core.sensors.correction import Correction
from thermo_core.sensors.kind import Block
from thermo_core.signals import Values
from thermo_core.stages.learning import Progress
from thermo_core.wearable.profile import Profile
from thermo_core.wire.management import SelfTestResult
from thermo_core.wire.records import AlertRecord, EventRecord, Record, SignalRecord
from thermo_device.bases import Bases
from thermo_device.bundled import Bundled, prepare
from thermo_device.concluder import Concluder, Origin
from thermo_device.counters import Counters
from thermo_device.hardware import Hardware
from thermo_device.reports import Reports
from thermo_device.scheduler import Scheduler
from thermo_device.self_test import check_models, gather
from thermo_device.sensors.driver import Found
from thermo_device.sensors.external import External
from thermo_device.sensors.table import drivers_of
from thermo_device.sightings import Sightings

STEP_US = 250_000
"""Longest step while nothing comes."""
BACKLOG = 256
"""Records that may wait for a step that ends; of more the oldest go, as when a host asks for self-tests and never streams."""


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
        prepared = prepare(profile, bundled, kernels, self.counters)
        self.plan: Plan = prepared.plan
        self._networks, self._outputs = prepared.networks, prepared.outputs
        known = sightings if sightings is not None else Sightings()
        try:
            self._drivers = drivers_of(hardware, profile, self.counters, known)
        except UsageError as error:
            raise ModelError(f"The profile {profile.name} asks for what cannot be. {error}") from error
        self._scheduler = Scheduler(self._drivers, profile.sensors, hardware.clock)
        origin = Origin(
            hardware.simulated,
            kernels != "reference",
            bundled is not None and bundled.waived,
            0 if bundled is None else bundled.number,
        )
        self._concluder = Concluder(self.plan, self._networks, origin, hardware.clock, self.counters, inline)
        for number, driver in enumerate(self._drivers):
            if isinstance(driver, External):
                driver.room = partial(self._concluder.has_room, number)
        self._bases = Bases(profile.sensors, self._drivers, corrections or {}, self.counters)
        self._reports = Reports(self.counters, hardware.clock, hardware.simulated, self.fault)
        self._rates_hz = [driver.rate_hz for driver in self._drivers]
        self._person = dict(person or {})
        self._wanted: tuple[int, ...] = ()
        self._alerts_wanted = False
        self._newest: list[Block | None] = [None] * len(self._drivers)
        self._stepped_us: int | None = None
        self._backlog: deque[Record] = deque(maxlen=BACKLOG)

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
        """Why what a sensor says is in doubt, a sentence; "" where it is not."""
        return self._bases.warning(sensor)

    def corrected(self, sensor: int) -> bool:
        """Whether a correction of the sensor is in use that changes something."""
        return self._bases.corrected(sensor)

    def alerts(self) -> tuple[AlertChange, ...]:
        """Where each alert stands."""
        return self._concluder.alerts()

    def stand(self, alerts: Iterable[AlertChange]) -> None:
        """Let alerts stand where they stood before a restart."""
        self._concluder.stand(alerts)

    def acknowledge(self, alert: int) -> AlertRecord | None:
        """A person has seen an alert; its step, if it takes one."""
        return self._concluder.acknowledge(alert)

    def learned(self) -> bytes:
        """All that is known of the wearer; b"" where no stage learns."""
        return self._concluder.learned()

    def learn(self, learned: bytes) -> None:
        """Know what was learned before a restart."""
        self._concluder.learn(learned)

    def forget(self, signal: int | None) -> bool:
        """Let the stage that gives a signal know nothing, or all; False where it is none that learns."""
        return self._concluder.forget(signal)

    def progress(self) -> tuple[tuple[Learning, Progress], ...]:
        """How far each stage has learned."""
        return self._concluder.progress()

    def dropped(self) -> list[str]:
        """Why what was learned is not known any more, since the last call."""
        return self._concluder.dropped()

    def feed(self, sensor: int, values: Values) -> bool:
        """Take a sample of a sensor of kind "external", which has come now; False where too many wait.

        Raises:
            UsageError: the sensor is none, or the sample cannot be.
        """
        driver = self._drivers[sensor]
        if not isinstance(driver, External):
            raise UsageError(f"Sensor {sensor} is a chip, which speaks for itself; feed one of kind external.")
        return driver.feed(values)

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

    def is_wanted(self, record: Record) -> bool:
        """Whether a record is none of a signal, or of one that is asked for now: what was made meanwhile may come too late."""
        return not isinstance(record, SignalRecord) or record.signal in self._wanted

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
        self._bases.correct(sensor, correction)

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
        self._backlog += self._reports.clock()
        self._backlog += self._reports.events()
        records = list(self._backlog)
        self._backlog.clear()
        self._stepped_us = self._clock.now_us()
        return records

    def self_test(self, part: int | None = None) -> list[SelfTestResult]:
        """Check sensors and models; records of blocks captured meanwhile come with the next step.

        Args:
            part: number of the only sensor to check, or the number of sensors for the models alone.
        """
        slowest_us = max(driver.period_us for driver in self._drivers)
        if self._stepped_us is not None and self._clock.now_us() - self._stepped_us > 3 * slowest_us + STEP_US:
            # Nobody listened meanwhile, so what passed is no loss.
            for driver in self._drivers:
                driver.resume()
        self._stepped_us = self._clock.now_us()
        checked = range(len(self._drivers)) if part is None else [part] if part < len(self._drivers) else []
        for sensor in gather(self._drivers, checked, self._newest, self._clock, self._poll):
            self._newest[sensor] = None
        results = [
            result
            for sensor in checked
            for result in self._drivers[sensor].self_test(self._newest[sensor], self.warning(sensor))
        ]
        if part is None or part == len(self._drivers):
            results += check_models(self.plan, self._networks, self._concluder.newest)
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
        rates_hz = [driver.rate_hz for driver in self._drivers]
        if rates_hz != self._rates_hz:
            self._rates_hz = rates_hz
            self._concluder.replan(plan_at(self.plan.profile, rates_hz, self._outputs))
            self.restart_keys()  # readers begin anew
        basis = self._bases.of(block.sensor)
        if basis is not None:
            self._concluder.push(block, basis, self._person, self._wanted)

    def _tell_alerts(self) -> None:
        if self._alerts_wanted:
            self._alerts_wanted = False
            now_us = self._clock.now_us()
            self._backlog += [AlertRecord(now_us, change) for change in self.alerts()]
