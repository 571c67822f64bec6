"""What a host may ask of a wearable that runs, and be refused."""

from thermo_core import schema
from thermo_core.clock import Clock
from thermo_core.errors import StorageError, UsageError
from thermo_core.sensors.correction import Correction
from thermo_core.signals import Values
from thermo_core.wearable.person import FIELDS
from thermo_core.wearable.person import problem as problem_of
from thermo_core.wearable.profile import Profile
from thermo_core.wire import management
from thermo_core.wire.management import SensorState
from thermo_core.wire.smp import ReturnCode
from thermo_core.wire.table import GroupError
from thermo_device.corrections import Corrections
from thermo_device.memory import Memory
from thermo_device.pipeline import Pipeline
from thermo_device.sensors.driver import Found
from thermo_device.smp_server import RequestRefused, group_refusal
from thermo_device.telemetry import Lease, Outbox
from thermo_device.worker import Worker

CALL_S = 2.2
"""Longest wait for the worker: the slowest camera takes 2 s a subpage, and clients give up after 2.5 s."""
SELF_TEST_S = 25.0


class HostRequests:
    """Answers what `wearable_group` hands on; see `runtime.Runtime`.

    Args:
        profile: the wearable that runs.
        pipeline: of it.
        worker: has the bus.
        corrections: of its sensors, stored.
        memory: what is kept of the wearer and of alerts.
        outbox: takes steps of alerts.
        lease: a wearable measures under one.
        clock: device's.
    """

    def __init__(
        self,
        profile: Profile,
        pipeline: Pipeline,
        worker: Worker,
        corrections: Corrections,
        memory: Memory,
        outbox: Outbox,
        lease: Lease,
        clock: Clock,
    ) -> None:
        self._profile = profile
        self._pipeline = pipeline
        self._worker = worker
        self._corrections = corrections
        self._person = memory.person
        self._alerts = memory.alerts
        self._learned = memory.learned
        self._kept = memory.kept
        self._read = b""
        self._outbox = outbox
        self._lease = lease
        self._clock = clock
        self._fed: set[int] = set()

    def sensors(self) -> tuple[SensorState, ...]:
        """Each sensor as it is now, by its number."""
        return tuple(self._state(sensor) for sensor in range(len(self._profile.sensors)))

    def profile_bytes(self) -> bytes:
        """The profile as canonical CBOR."""
        return schema.to_cbor(self._profile)

    def constants(self, sensor: int) -> tuple[bytes, int]:
        """A sensor's constants as they travel, and their number.

        Raises:
            RequestRefused: no such sensor, or it never answered.
        """
        found = self._found(sensor)
        return found.constants, found.sighting.number

    def correction(self, sensor: int, slot: int) -> bytes:
        """A stored correction; b"" where there is none.

        Raises:
            RequestRefused: no such sensor.
            StorageError: it cannot be read.
        """
        self._name(sensor)
        return self._corrections.read(sensor, slot)

    def write_correction(self, sensor: int, data: bytes) -> None:
        """Verify, store and use a correction.

        Raises:
            CorrectionError: it is damaged.
            RequestRefused: it belongs to another sensor or other constants, contradicts what the sensor can need, or which sensor is there is
                not known.
            StorageError: it cannot be written.
        """
        self._use(sensor, self._corrections.write(sensor, data, self._found(sensor)))

    def roll_back_correction(self, sensor: int) -> None:
        """Use the one before again; the current one takes its place.

        Raises:
            RequestRefused: there is none.
            StorageError: it cannot be written.
        """
        self._name(sensor)
        self._use(sensor, self._corrections.roll_back(sensor))

    def self_test(self, part: int | None = None) -> management.SelfTest:
        """Results of a sensor, of the models after the last one, or of everything.

        Raises:
            RequestRefused: there is no such part.
        """
        sensors = len(self._profile.sensors)
        if part is not None and part > sensors:
            raise group_refusal(
                GroupError.NO_SENSOR,
                f"There is no part {part} to test; sensors are 0 to {sensors - 1}, the models come after them.",
            )
        results = self._worker.call(lambda: self._pipeline.self_test(part), SELF_TEST_S)
        return management.SelfTest(results=tuple(results))

    def set_rate(self, sensor: int, rate_hz: float) -> float:
        """A sensor's rate until the next reset.

        Raises:
            RequestRefused: no such sensor, or it has no such rate.
            BusError: it does not answer.
        """
        self._name(sensor)
        try:
            return self._worker.call(lambda: self._pipeline.set_rate(sensor, rate_hz), CALL_S)
        except UsageError as error:
            raise group_refusal(GroupError.BAD_RATE, str(error)) from error

    def send_signals(self, wanted: tuple[int, ...]) -> None:
        """Send these signals while the stream runs.

        Raises:
            RequestRefused: there is no such signal, or no stream.
        """
        known = len(self._pipeline.plan.signals)
        for number in wanted:
            if number >= known:
                raise group_refusal(
                    GroupError.NO_SUCH, f"There is no signal {number}; they are numbered 0 to {known - 1}."
                )
        if wanted and not self._lease.left_s:
            raise group_refusal(GroupError.NO_LEASE, "No stream runs that signals could come with; start one.")
        self._pipeline.send_signals(wanted)

    def feed(self, sensor: int, values: Values) -> None:
        """Take a sample of a sensor of kind "external", while the wearable measures: under a lease.

        Raises:
            RequestRefused: it is none, the sample cannot be, too many wait, or no stream runs.
        """
        name = self._name(sensor)
        if self._profile.sensors[sensor].kind != "external":
            raise group_refusal(
                GroupError.NO_SENSOR, f"{name} is a chip, which speaks for itself; feed a sensor of kind external."
            )
        if not self._lease.left_s:
            raise group_refusal(
                GroupError.NO_LEASE,
                f"The wearable measures, and takes samples of {name}, while a stream runs; start one.",
            )
        try:
            taken = self._pipeline.feed(sensor, values)
        except UsageError as error:
            raise group_refusal(GroupError.IMPLAUSIBLE, str(error)) from error
        if not taken:
            raise RequestRefused(f"Samples of {name} wait already; give this one again later.", ReturnCode.BUSY)
        self._fed.add(sensor)

    def forget_fed(self) -> None:
        """No sensor is a host's any more: a new stream begins."""
        self._fed.clear()

    def give(self, sensor: str, values: Values) -> bool:
        """Take a sample of a sensor of kind "external" that no host gave; whether it did. The thread of the sensors alone calls it.

        A sensor that a host feeds is the host's until the stream ends.
        """
        numbers = [number for number, one in enumerate(self._profile.sensors) if one.name == sensor]
        if not numbers or not self._lease.left_s or numbers[0] in self._fed:
            return False
        try:
            return self._pipeline.feed(numbers[0], values)
        except UsageError:
            return False

    def kept(self, first: int, room: int) -> management.Kept:
        """Findings kept for a host that was away, from a running number on, in so many bytes at most."""
        return self._kept.read(first, room)

    def person(self) -> dict[str, float]:
        """What is known of the wearer."""
        return self._person.read()

    def set_person(self, told: dict[str, float]) -> dict[str, float]:
        """Know these numbers of the wearer too; all that is known then.

        Raises:
            RequestRefused: a name or a number that cannot be.
            StorageError: it cannot be written.
        """
        for name, value in told.items():
            problem = problem_of(name, value)
            if problem:
                raise group_refusal(GroupError.IMPLAUSIBLE if name in FIELDS else GroupError.NO_SUCH, problem)
        known = self._person.write(told)
        self._pipeline.set_person(known)
        return known

    def alerts(self) -> management.Alerts:
        """Where all alerts stand."""
        states = [
            management.AlertState(state=int(change.state), time_us=change.time_us) for change in self._pipeline.alerts()
        ]
        return management.Alerts(alerts=tuple(states))

    def acknowledge(self, alert: int) -> management.Alerts:
        """A person has seen an alert.

        Raises:
            RequestRefused: there is none of that number.
        """
        known = len(self._profile.alerts)
        if alert >= known:
            numbers = f"they are numbered 0 to {known - 1}" if known else "this wearable has none"
            raise group_refusal(GroupError.NO_SUCH, f"There is no alert {alert}; {numbers}.")
        record = self._pipeline.acknowledge(alert)
        if record is not None:
            self._outbox.publish([record])
            self._alerts.take([record.change])
            self._alerts.keep(record.time_us, at_once=True)
        return self.alerts()

    def baselines(self) -> management.Baselines:
        """How far each stage has learned of the wearer."""
        stages = tuple(
            management.Baseline(
                signal=one.signal,
                age_us=progress.age_us,
                learned_us=progress.learned_us,
                samples=progress.samples,
                ready=progress.ready,
                parts=progress.parts,
            )
            for one, progress in self._pipeline.progress()
        )
        return management.Baselines(stages=stages)

    def forget(self, signal: int | None) -> management.Baselines:
        """Let the stage that gives a signal know nothing of the wearer, or all; how far each is then.

        Raises:
            RequestRefused: there is no such stage.
            StorageError: it cannot be written, and is known again after the next restart.
        """
        if not self._pipeline.forget(signal):
            raise group_refusal(GroupError.NO_SUCH, f"Signal {signal} is of no stage that learns.")
        self._learned.keep(self._pipeline.learned(), self._clock.now_us())
        if self._learned.problem:
            raise StorageError(f"It is forgotten until the next reset. {self._learned.problem}")
        return self.baselines()

    def learned(self, first: bool) -> bytes:
        """All that is known of the wearer; b"" where no stage learns.

        Args:
            first: whether this is the begin of a reading; what follows it is of the same moment.
        """
        if first:
            self._read = self._pipeline.learned()
        return self._read

    def _state(self, sensor: int) -> SensorState:
        found = self._pipeline.found(sensor)
        return SensorState(
            kind=self._profile.sensors[sensor].kind,
            id=b"" if found is None else found.identity,
            constants=0 if found is None else found.sighting.number,
            rate_hz=self._pipeline.rate_hz(sensor),
            corrected=self._pipeline.corrected(sensor),
            fault=self._pipeline.fault(sensor),
            warning=self._pipeline.warning(sensor),
        )

    def _name(self, sensor: int) -> str:
        if sensor >= len(self._profile.sensors):
            last = len(self._profile.sensors) - 1
            raise group_refusal(GroupError.NO_SENSOR, f"There is no sensor {sensor}; they are numbered 0 to {last}.")
        return self._profile.sensors[sensor].name

    def _found(self, sensor: int) -> Found:
        name = self._name(sensor)
        found = self._pipeline.found(sensor)
        if found is None:
            why = self._pipeline.fault(sensor) or "It has not answered yet; try again."
            raise group_refusal(GroupError.NO_SENSOR, f"The sensor {name} is not there. {why}")
        return found

    def _use(self, sensor: int, correction: Correction) -> None:
        self._worker.call(lambda: self._pipeline.set_correction(sensor, correction), CALL_S)
