"""From blocks to findings, alerts and signals, beside the acquisition: the core's engine, in one thread at a time."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from thermo_core.clock import Clock
from thermo_core.errors import AuxiliaryDataError, SensorError, ThermoError
from thermo_core.graph.alerts import AlertChange
from thermo_core.graph.engine import Engine, Outcome
from thermo_core.graph.learned import Learning, learnings
from thermo_core.graph.plan import Plan
from thermo_core.graph.runners import Samples
from thermo_core.quality import Quality
from thermo_core.sensors.kind import Block
from thermo_core.stages.learning import Progress
from thermo_core.wire.records import AlertRecord, Record, signal_parts
from thermo_device.background import Background
from thermo_device.bases import Basis
from thermo_device.counters import Counters
from thermo_device.finding_record import finding_record
from thermo_device.networks import Networks


@dataclass(frozen=True, slots=True)
class Origin:
    """What findings say of where they come from.

    Attributes:
        simulated: the hardware is.
        fast: kernels are not the reference.
        waived: the bundle was signed although something was found wanting.
        bundle: first four bytes of the SHA-256 of its image, as a little-endian number.
    """

    simulated: bool = False
    fast: bool = False
    waived: bool = False
    bundle: int = 0

    @property
    def flags(self) -> int:
        """Of findings alone; that hardware is simulated is a flag of all signals."""
        return (Quality.FAST_KERNELS if self.fast else 0) | (Quality.GATE_FAILED if self.waived else 0)


class Concluder:
    """Turns blocks into findings, alerts and signals; never raises, and counts what it has to leave out.

    Args:
        plan: the wearable.
        networks: of its models; without them there are signals, and alerts on signals.
        origin: of its findings.
        clock: device's clock, for the latency.
        counters: where blocks left out are counted.
        inline: conclude within `push`; for simulated time.

    Attributes:
        idle: blocks pass without being read.
        newest: samples of each sensor, by its name.
    """

    def __init__(
        self, plan: Plan, networks: Networks, origin: Origin, clock: Clock, counters: Counters, inline: bool = False
    ) -> None:
        self._plan = plan
        self._origin = origin
        self._clock = clock
        self._counters = counters
        self._names = {name: number for number, name in enumerate(plan.signals)}
        self._networks = networks
        self._dropped: list[str] = []
        self._engine = self._made(plan)
        self._bases: list[Basis | None] = [None] * len(plan.profile.sensors)
        self._person: Mapping[str, float] = {}
        self._failures = 0
        self._lock = threading.Lock()
        self._background: Background[list[Record]] = Background(inline)
        self._has_work = bool(networks or plan.alerts or learnings(plan))
        self.idle = True
        self.newest: dict[str, Samples] = {}

    def push(self, block: Block, basis: Basis, person: Mapping[str, float], wanted: tuple[int, ...]) -> None:
        """Take a block; what comes of it is among `records` later.

        Args:
            block: of a sensor.
            basis: what it is read with.
            person: what is known of the wearer.
            wanted: signals that a host asked for, by their numbers.
        """
        if not (self._has_work or wanted):
            self.idle = True
            return
        if self.idle:
            self.idle = False
            self._reset()
        if not self._background.submit(lambda: self._conclude(block, basis, person, wanted), block.sensor):
            self._counters.add("blocks_skipped", sensor=block.sensor)

    def has_room(self, sensor: int) -> bool:
        """Whether a block of a sensor would be read now; one of a sensor that can wait had better."""
        return self._background.has_room(sensor)

    def replan(self, plan: Plan) -> None:
        """Go on with the same wearable at other rates of its sensors; alerts stand where they stood."""
        with self._lock:
            alerts, learned = self._engine.alerts, self._engine.learners.save()
            self._plan, self._engine = plan, self._made(plan)
            self._engine.alerts = alerts
            if learned:
                self._engine.learners.load(learned)
            self._engine.set_person(self._person)
            self._bases = [None] * len(self._bases)
            self._failures = 0

    def records(self) -> list[Record]:
        """What was concluded since the last call."""
        return [record for records in self._background.results() for record in records]

    def resume(self) -> list[Record]:
        """Start anew after a pause: what was concluded before it is no news, apart from alerts.

        Returns:
            Steps of alerts.
        """
        before = [record for record in self.records() if isinstance(record, AlertRecord)]
        with self._lock:
            self._engine.reset()
            now_us = self._clock.now_us()
            return [*before, *(AlertRecord(now_us, change) for change in self._engine.interrupt(now_us))]

    def alerts(self) -> tuple[AlertChange, ...]:
        """Where each alert stands."""
        with self._lock:
            return tuple(machine.newest for machine in self._engine.alerts)

    def stand(self, alerts: Iterable[AlertChange]) -> None:
        """Let alerts stand where they stood before a restart."""
        with self._lock:
            for change in alerts:
                self._engine.alerts[change.alert].stand(change)

    def acknowledge(self, alert: int) -> AlertRecord | None:
        """A person has seen an alert; its step, if it takes one. Any thread may call it."""
        with self._lock:
            now_us = self._clock.now_us()
            change = self._engine.alerts[alert].acknowledge(now_us)
            return None if change is None else AlertRecord(now_us, change)

    def learned(self) -> bytes:
        """All that is known of the wearer; b"" where no stage learns."""
        with self._lock:
            return self._engine.learners.save()

    def learn(self, learned: bytes) -> None:
        """Know what was learned before a restart; what does not fit is told by `dropped`."""
        with self._lock:
            self._engine.learners.load(learned)

    def forget(self, signal: int | None) -> bool:
        """Let the stage that gives a signal know nothing, or all; False where it is none that learns."""
        with self._lock:
            learners = self._engine.learners
            if signal is not None and signal not in (one.signal for one, _ in learners.progress()):
                return False
            learners.forget(None if signal is None else [signal])
            return True

    def progress(self) -> tuple[tuple[Learning, Progress], ...]:
        """How far each stage has learned."""
        with self._lock:
            return tuple((one, replace(progress)) for one, progress in self._engine.learners.progress())

    def dropped(self) -> list[str]:
        """Why what was learned is not known any more, since the last call."""
        with self._lock:
            found, self._dropped = self._dropped, []
            return found

    def close(self) -> None:
        """End the thread."""
        self._background.close()

    def _made(self, plan: Plan) -> Engine:
        flags = int(Quality.SIMULATED) if self._origin.simulated else 0
        return Engine(
            plan,
            self._networks,
            flags,
            on_undecodable=self._on_undecodable,
            on_dropped=lambda sentence: self._dropped.append(sentence),
        )

    def _reset(self) -> None:
        with self._lock:
            self._engine.reset()

    def _conclude(
        self, block: Block, basis: Basis, person: Mapping[str, float], wanted: tuple[int, ...]
    ) -> list[Record]:
        with self._lock:
            if self._bases[block.sensor] is not basis:
                self._open(block.sensor, basis)
            if person is not self._person:
                self._person = person
                self._engine.set_person(person)
            outcome = self._engine.push(block)
            failures, self._failures = self._engine.failures - self._failures, self._engine.failures
        if failures:
            self._counters.add("model_failed", failures)
        self._remember(block.sensor, outcome)
        return self._records(outcome, wanted)

    def _open(self, sensor: int, basis: Basis) -> None:
        self._bases[sensor] = basis
        try:
            self._engine.open(sensor, basis.constants, basis.correction, basis.doubtful)
        except SensorError:  # the driver counts constants that no chip has
            return

    def _remember(self, sensor: int, outcome: Outcome) -> None:
        name = self._plan.profile.sensors[sensor].name
        for produced in outcome.passes:
            if name in produced:
                own = {key: sample for key, sample in produced.items() if key.partition(".")[0] == name}
                self.newest[name] = own

    def _records(self, outcome: Outcome, wanted: Sequence[int]) -> list[Record]:
        now_us = self._clock.now_us()
        found: list[Record] = []
        for produced in outcome.passes if wanted else ():
            for name, sample in produced.items():
                if (number := self._names[name]) in wanted:
                    found += signal_parts(sample.time_us, number, sample.flags, sample.values)
        for one in outcome.said:
            self._counters.add("findings")
            found.append(
                finding_record(
                    self._plan,
                    one.finding,
                    one.newest,
                    self._origin.flags,
                    self._origin.bundle,
                    now_us,
                    one.inference_us,
                )
            )
        found += [AlertRecord(now_us, change) for change in outcome.changes]
        return found

    def _on_undecodable(self, sensor: int, error: ThermoError) -> None:
        name = "auxiliary_invalid" if isinstance(error, AuxiliaryDataError) else "undecodable"
        self._counters.add(name, sensor=sensor)
