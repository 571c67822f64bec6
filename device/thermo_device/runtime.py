"""What runs from one reset to the next: a bundle's pipeline in its worker, and what a host may ask of both."""

import platform
import socket
from collections.abc import Sequence
from pathlib import Path

import cbor2

from thermo_core.correction import Correction
from thermo_core.correction_bounds import objection
from thermo_core.errors import StorageError, ThermoError, UsageError
from thermo_core.profile import Profile
from thermo_core.text import clean
from thermo_core.wire import management
from thermo_core.wire.management import GroupError, SensorInfo
from thermo_core.wire.records import Record, Severity
from thermo_device.counters import Counters
from thermo_device.hardware import Hardware
from thermo_device.pipeline import Pipeline
from thermo_device.sightings import Sightings
from thermo_device.slot_state import Installed
from thermo_device.smp_server import Refusal
from thermo_device.store import PREVIOUS, CalibrationStore
from thermo_device.telemetry import Lease, Notice, Outbox
from thermo_device.wearable_group import refusal
from thermo_device.worker import Worker

CALL_S = 2.2
"""Longest wait for the worker: the slowest refresh rate takes 2 s a subpage, and clients give up after 2.5 s."""
START_S = 1.5
SELF_TEST_S = 25.0
LONGEST_NAME = 64
LARGEST_FILE = 4096
KEYS_AFTER_DROP_US = 1_000_000
"""A dropped key frame costs its successors, so new ones follow a drop, but not so often that they fill the line."""


class Runtime:
    """A pipeline at work.

    Args:
        hardware: bus, clock, and who this is.
        store: calibrations.
        installed: the running image; None runs without a model.
        counters: of the agent.
        outbox: takes records.
        lease: sensors rest while there is none.
        kernels: "reference" or "fast".
        inline: let sensors wait for inference and for the line, so that nothing is dropped; for simulated time.
        sightings: what is known of sensors.

    Attributes:
        profile: of the running image, or the bare one.

    Raises:
        ModelError: the model cannot be loaded, does not fit its contract or fails its self-test.
    """

    def __init__(
        self,
        hardware: Hardware,
        store: CalibrationStore,
        installed: Installed | None,
        counters: Counters,
        outbox: Outbox,
        lease: Lease,
        kernels: str = "reference",
        inline: bool = False,
        sightings: Sightings | None = None,
    ) -> None:
        self.profile = Profile.bare() if installed is None else installed.bundle.profile
        self._hardware = hardware
        self._store = store
        self._outbox = outbox
        self._patient = inline
        self._keys_due_us = 0
        self._sightings = sightings if sightings is not None else Sightings()
        self._told = ""
        self._pipeline = Pipeline(
            hardware,
            self.profile,
            None if installed is None else installed.bundle,
            self._stored_correction(),
            model_version=None if installed is None else installed.image.version,
            kernels=kernels,
            counters=counters,
            inline=inline,
            sightings=self._sightings,
        )
        self.has_model = installed is not None
        self._worker = Worker(self._pipeline, self._publish, lambda: lease.left_s > 0, self._on_failure)

    def start(self) -> None:
        """Start the worker; sensors that answer are known when this returns."""
        self._worker.start(START_S)

    def stop(self) -> None:
        """Stop the worker and let go of the model.

        Raises:
            BusTimeoutError: the worker hangs in a bus transaction.
        """
        self._worker.stop()
        self._pipeline.close()

    @property
    def calibrated(self) -> bool:
        """Whether a per-pixel calibration is in use."""
        return self._pipeline.calibrated

    def sensors(self) -> tuple[SensorInfo, ...]:
        """What the wearable has, by its profile; the id of a sensor that never answered is empty."""
        camera, array = self.profile.picture_sensor, self.profile.thermistors
        constants = self._pipeline.constants
        sensors = [
            SensorInfo(
                kind=camera.kind,
                sensor=0,
                address=camera.address,
                id=self._pipeline.sensor_id,
                rate_hz=self._pipeline.rate_hz,
                resolution_bits=camera.resolution_bits,
                chess=camera.chess,
                emissivity=camera.emissivity,
                reflected=camera.reflected_celsius,
                generation=0 if constants is None else constants.sighting.generation,
                fingerprint=0 if constants is None else constants.sighting.fingerprint,
                warning=self._pipeline.warning,
            )
        ]
        if array.channels:
            names = tuple(channel.name for channel in array.channels)
            sensors.append(SensorInfo("ads1115", 1, array.address, b"", array.rate_hz, 16, channels=names))
        return tuple(sensors)

    def profile_bytes(self) -> bytes:
        """The profile as canonical CBOR."""
        return cbor2.dumps(self.profile.to_dict(), canonical=True)

    def listen(self, key_interval: int | None) -> None:
        """A host starts to listen: begin with key frames."""
        self._pipeline.restart_keys(key_interval)
        self._worker.wake()

    def eeprom(self, sensor: int) -> tuple[bytes, int]:
        """The picture sensor's EEPROM, little-endian words, and the number of its generation.

        Raises:
            Refusal: another sensor, or it never answered.
        """
        constants = self._pipeline.constants
        if sensor != 0:
            raise refusal(GroupError.NO_SENSOR, f"Sensor {sensor} has no EEPROM; ask for that of sensor 0.")
        if constants is None:
            raise self._absent()
        return constants.eeprom.astype("<u2").tobytes(), constants.sighting.generation

    def calibration(self, slot: int) -> bytes:
        """A stored calibration; b"" where there is none. Raises StorageError."""
        return self._store.read(slot)

    def write_calibration(self, data: bytes) -> None:
        """Verify, store and use a calibration.

        Raises:
            CorrectionError: it is damaged.
            Refusal: it belongs to another sensor or EEPROM, moves temperatures further than a sensor in order can be
                off, or which sensor is there is not known.
            StorageError: it cannot be written.
        """
        correction = Correction.from_bytes(data)
        mine, constants = self._pipeline.sensor_id, self._pipeline.constants
        if not mine or constants is None:
            raise self._absent()
        if correction.sensor_id != mine:
            raise refusal(
                GroupError.WRONG_SENSOR,
                f"The calibration is of sensor {correction.sensor_id.hex()} and this one is {mine.hex()}; "
                "calibrate this sensor.",
            )
        if not correction.fits(mine, constants.sighting.fingerprint):
            raise refusal(
                GroupError.WRONG_SENSOR,
                "The calibration was made when the sensor's EEPROM held something else; calibrate it as it is.",
            )
        problem = objection(correction, self.profile.thermistors.channels)
        if problem:
            raise refusal(GroupError.IMPLAUSIBLE, problem)
        self._use(self._store.write(data, mine))

    def roll_back_calibration(self) -> None:
        """Use the one before again; the current one takes its place.

        Raises:
            Refusal: there is none.
            StorageError: it cannot be written.
        """
        if not self._store.read(PREVIOUS):
            raise refusal(GroupError.NO_CALIBRATION, "There is no calibration before the current one; make a new one.")
        self._use(self._store.rollback())

    def self_test(self) -> management.SelfTest:
        """Results of the parts the worker could test."""
        return management.SelfTest(tuple(self._worker.call(self._pipeline.self_test, SELF_TEST_S)))

    def set_rate(self, rate_hz: float) -> float:
        """Refresh rate until the next reset.

        Raises:
            Refusal: the sensor has no such rate.
            BusError: it does not answer.
        """
        try:
            return self._worker.call(lambda: self._pipeline.set_rate(rate_hz), CALL_S)
        except UsageError as error:
            raise refusal(GroupError.BAD_RATE, str(error)) from error

    def _use(self, correction: Correction) -> None:
        self._worker.call(lambda: self._pipeline.set_correction(correction), CALL_S)

    def _absent(self) -> Refusal:
        why = self._pipeline.sensor_fault or "It has not answered yet; try again."
        return refusal(GroupError.NO_SENSOR, f"The picture sensor is not there. {why}")

    def _stored_correction(self) -> Correction | None:
        try:
            stored = self._store.load()
        except StorageError as error:
            self._notice(Notice.STORAGE, str(error))
            return None
        if stored.problem:
            self._notice(Notice.STORAGE, stored.problem)
        return stored.correction

    def _publish(self, records: Sequence[Record]) -> None:
        if self._sightings.problem != self._told:
            self._told = self._sightings.problem
            if self._told:
                self._notice(Notice.STORAGE, self._told)
        dropped = self._outbox.publish(records, lambda: self._patient and not self._worker.wanted_elsewhere)
        now_us = self._hardware.clock.now_us()
        if dropped and now_us >= self._keys_due_us:
            self._keys_due_us = now_us + KEYS_AFTER_DROP_US
            self._pipeline.restart_keys()

    def _on_failure(self, error: ThermoError) -> None:
        self._notice(Notice.PIPELINE_FAILED, str(error))

    def _notice(self, code: Notice, text: str) -> None:
        self._outbox.notice(code, Severity.ERROR, text, self._hardware.clock.now_us())


def platform_name() -> str:
    """What the machine is: its model where the device tree says so, otherwise system and processor."""
    return _said(Path("/proc/device-tree/model")) or clean(f"{platform.system()} {platform.machine()}", LONGEST_NAME)


def host_name() -> str:
    """How the network calls this machine."""
    return clean(socket.gethostname(), LONGEST_NAME)


def serial_number() -> str:
    """What tells this machine from all others: the board's serial number, or else the system's machine id."""
    return _said(Path("/proc/device-tree/serial-number")) or _said(Path("/etc/machine-id")) or "unknown"


def _said(path: Path) -> str:
    """What a file of the system says, in one line; "" where there is none or it says nothing."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE)
    except OSError:
        return ""
    return clean(data.decode("utf-8", "replace").strip("\0\n "), LONGEST_NAME)
