"""What runs from one reset to the next: a pipeline in its worker, and what a host may ask of both."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from thermo_core import schema
from thermo_core.errors import ThermoError, UsageError
from thermo_core.sensors.correction import Correction
from thermo_core.signals import Values
from thermo_core.wearable.person import FIELDS
from thermo_core.wearable.person import problem as problem_of
from thermo_core.wearable.profile import Profile
from thermo_core.wire import management
from thermo_core.wire.management import SensorState
from thermo_core.wire.records import AlertRecord, Record
from thermo_core.wire.table import GroupError
from thermo_device.alert_store import AlertStore
from thermo_device.corrections import Corrections
from thermo_device.counters import Counters
from thermo_device.hardware import Hardware
from thermo_device.person_store import PersonStore
from thermo_device.pipeline import Bundled, Pipeline
from thermo_device.sensors.driver import Found
from thermo_device.sightings import Sightings
from thermo_device.slot_state import Installed
from thermo_device.smp_server import group_refusal
from thermo_device.telemetry import Lease, Outbox
from thermo_device.worker import Worker

CALL_S = 2.2
"""Longest wait for the worker: the slowest camera takes 2 s a subpage, and clients give up after 2.5 s."""
START_S = 1.5
SELF_TEST_S = 25.0
KEYS_AFTER_DROP_US = 1_000_000
"""A dropped key frame costs its successors, so new ones follow a drop, but not so often that they fill the line."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What a device knows from one start to the next.

    Attributes:
        directory: where corrections lie.
        sightings: of sensors.
        person: the wearer.
        alerts: which are raised.
    """

    directory: Path
    sightings: Sightings
    person: PersonStore
    alerts: AlertStore


class Runtime:
    """A pipeline at work.

    Args:
        hardware: bus, clock, and who this is.
        memory: what is known from before.
        bare: the wearable while no image runs.
        installed: the running image; None runs without models.
        counters: of the agent.
        outbox: takes records.
        lease: sensors rest while there is none.
        kernels: "reference" or "fast".
        inline: let sensors wait for inference and for the line, so that nothing is dropped; for simulated time.

    Attributes:
        profile: of the running image, or the bare one.
        bundled: whether an image runs.

    Raises:
        ModelError: a network cannot be loaded, does not fit its model or fails its rehearsal.
    """

    def __init__(
        self,
        hardware: Hardware,
        memory: Memory,
        bare: Profile,
        installed: Installed | None,
        counters: Counters,
        outbox: Outbox,
        lease: Lease,
        kernels: str = "reference",
        inline: bool = False,
    ) -> None:
        self.profile = bare if installed is None else installed.bundle.profile
        self.bundled = installed is not None
        self._hardware = hardware
        self._memory = memory
        self._outbox = outbox
        self._lease = lease
        self._patient = inline
        self._keys_due_us = 0
        self._told: tuple[str, ...] = ()
        self._corrections = Corrections(memory.directory, self.profile)
        if memory.person.problem:
            self._notice("storage", memory.person.problem)
        self._pipeline = Pipeline(
            hardware,
            self.profile,
            None if installed is None else bundled_of(installed),
            self._corrections.load(lambda problem: self._notice("storage", problem)),
            memory.person.read(),
            kernels=kernels,
            counters=counters,
            inline=inline,
            sightings=memory.sightings,
        )
        digest = hashlib.sha256(self.profile_bytes()).hexdigest()
        self._pipeline.stand(memory.alerts.open(digest, len(self.profile.alerts), hardware.clock.now_us()))
        self._worker = Worker(
            self._pipeline, self._publish, lambda: lease.left_s > 0, self._on_failure, self._keep_alerts
        )

    def start(self) -> None:
        """Start the worker; sensors that answer are known when this returns."""
        self._worker.start(START_S)

    def stop(self) -> None:
        """Stop the worker and let go of the networks.

        Raises:
            BusTimeoutError: the worker hangs in a bus transaction.
        """
        self._worker.stop()
        self._memory.alerts.keep(self._hardware.clock.now_us(), at_once=True)
        self._pipeline.close()

    def sensors(self) -> tuple[SensorState, ...]:
        """Each sensor as it is now, by its number."""
        return tuple(self._state(sensor) for sensor in range(len(self.profile.sensors)))

    def profile_bytes(self) -> bytes:
        """The profile as canonical CBOR."""
        return schema.to_cbor(self.profile)

    def listen(self, key_interval: int | None) -> None:
        """A host starts to listen: begin with key frames and where alerts stand."""
        self._pipeline.listen(key_interval)
        self._worker.wake()

    def hush(self) -> None:
        """A host has ended listening, and with it the signals it asked for."""
        self._pipeline.send_signals(())

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

    def self_test(self) -> management.SelfTest:
        """Results of the parts the worker could test."""
        results = self._worker.call(self._pipeline.self_test, SELF_TEST_S)
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
        """Take a sample of a sensor of kind "external".

        Raises:
            RequestRefused: it is none, the sample cannot be, or no stream runs.
        """
        name = self._name(sensor)
        if self.profile.sensors[sensor].kind != "external":
            raise group_refusal(
                GroupError.NO_SENSOR, f"{name} is a chip, which speaks for itself; feed a sensor of kind external."
            )
        if not self._lease.left_s:
            raise group_refusal(GroupError.NO_LEASE, f"No stream runs, so nobody would hear of {name}; start one.")
        try:
            self._pipeline.feed(sensor, values)
        except UsageError as error:
            raise group_refusal(GroupError.IMPLAUSIBLE, str(error)) from error

    def person(self) -> dict[str, float]:
        """What is known of the wearer."""
        return self._memory.person.read()

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
        known = self._memory.person.write(told)
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
        known = len(self.profile.alerts)
        if alert >= known:
            numbers = f"they are numbered 0 to {known - 1}" if known else "this wearable has none"
            raise group_refusal(GroupError.NO_SUCH, f"There is no alert {alert}; {numbers}.")
        change = self._pipeline.acknowledge(alert)
        if change is not None:
            self._outbox.publish([change])
            self._memory.alerts.take([change.change])
            self._memory.alerts.keep(self._hardware.clock.now_us(), at_once=True)
        return self.alerts()

    def _state(self, sensor: int) -> SensorState:
        found = self._pipeline.found(sensor)
        return SensorState(
            kind=self.profile.sensors[sensor].kind,
            id=b"" if found is None else found.identity,
            constants=0 if found is None else found.sighting.number,
            rate_hz=self._pipeline.rate_hz(sensor),
            corrected=self._pipeline.corrected(sensor),
            fault=self._pipeline.fault(sensor),
            warning=self._pipeline.warning(sensor),
        )

    def _name(self, sensor: int) -> str:
        if sensor >= len(self.profile.sensors):
            last = len(self.profile.sensors) - 1
            raise group_refusal(GroupError.NO_SENSOR, f"There is no sensor {sensor}; they are numbered 0 to {last}.")
        return self.profile.sensors[sensor].name

    def _found(self, sensor: int) -> Found:
        name = self._name(sensor)
        found = self._pipeline.found(sensor)
        if found is None:
            why = self._pipeline.fault(sensor) or "It has not answered yet; try again."
            raise group_refusal(GroupError.NO_SENSOR, f"The sensor {name} is not there. {why}")
        return found

    def _use(self, sensor: int, correction: Correction) -> None:
        self._worker.call(lambda: self._pipeline.set_correction(sensor, correction), CALL_S)

    def _publish(self, records: Sequence[Record]) -> None:
        self._memory.alerts.take(record.change for record in records if isinstance(record, AlertRecord))
        self._keep_alerts()
        problems = self._memory.sightings.problem, self._memory.alerts.problem
        for problem in problems:
            if problem and problem not in self._told:
                self._notice("storage", problem)
        self._told = problems
        dropped = self._outbox.publish(records, lambda: self._patient and not self._worker.wanted_elsewhere)
        now_us = self._hardware.clock.now_us()
        if dropped and now_us >= self._keys_due_us:
            self._keys_due_us = now_us + KEYS_AFTER_DROP_US
            self._pipeline.restart_keys()

    def _keep_alerts(self) -> None:
        self._memory.alerts.keep(self._hardware.clock.now_us())

    def _on_failure(self, error: ThermoError) -> None:
        self._notice("pipeline_failed", str(error))

    def _notice(self, name: str, text: str) -> None:
        self._outbox.notice(name, text, self._hardware.clock.now_us())


def bundled_of(installed: Installed) -> Bundled:
    """What of an image a pipeline runs."""
    bundle = installed.bundle
    number = int.from_bytes(installed.image.sha256[:4], "little")
    return Bundled(bundle.networks, number, bool(bundle.waived), bundle.self_tests)
