"""What a wearable that is open can be asked and told, one method a request."""

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from thermo_core.errors import DamagedFileError, ManagementError, RefusedError, SensorError
from thermo_core.firmware.container import Fit
from thermo_core.graph.learned import unpack
from thermo_core.sensors.correction import HEADER, MAX_BODY, Correction, to_bytes
from thermo_core.sensors.kind import SensorConstants
from thermo_core.sensors.kinds import KINDS, correction_of
from thermo_core.signals import Values
from thermo_core.text import clean
from thermo_core.wire import kept
from thermo_core.wire.management import (
    Acknowledge,
    Alerts,
    Baseline,
    Baselines,
    Counters,
    Feed,
    Forget,
    Hello,
    Kept,
    KeptRequest,
    OfSensor,
    Part,
    Person,
    Rate,
    ReadPart,
    SelfTest,
    SelfTestRequest,
    SelfTestResult,
    Signals,
    read,
)
from thermo_core.wire.management import AlertState as AlertNow
from thermo_core.wire.records import FindingRecord
from thermo_core.wire.smp import Group, ReturnCode
from thermo_core.wire.table import LIMITS, Command, GroupError
from thermo_host.link.foreign import cleaned, cleaned_record
from thermo_host.link.requests import NO_GROUP, Progress, Requests

if TYPE_CHECKING:
    from smp.image_management import ImageState

SELF_TEST_S = 30.0
STORE_S = 10.0
SMALLEST_PART = 16
CHANGES = 3
"""Attempts to read something that changes meanwhile."""
REST_S = 1.5
"""A wearable goes on measuring, and learning, for about so long after its last listener left."""
MAX_PROFILE = 1 << 20
MAX_LEARNED = 2 * int(LIMITS["learned"].high)
MAX_CORRECTION = HEADER.size + MAX_BODY + 4
PART = 384
"""Bytes of a correction in one message: within the buffer of any mcumgr server."""


class Management:
    """Requests to one wearable and what it answers. Every method raises a `LinkError` where no answer comes.

    Args:
        port: how errors call it.
        requests: over its line.
    """

    def __init__(self, port: str, requests: Requests) -> None:
        self.port = port
        self._requests = requests

    def echo(self, text: str) -> str:
        """What the wearable echoes: `text`, on a good line."""
        return self._requests.standard.echo(text)

    def constants(self, sensor: int, kind: str) -> SensorConstants:
        """What the chip of a sensor holds, as the device verified it, and the number that its blocks carry.

        Args:
            sensor: its number.
            kind: of it.

        Raises:
            SensorError: it sends something of another size.
        """
        row = KINDS[kind].constants
        size = 0 if row is None else row.size
        data, number = self._read_blob(Command.CONSTANTS, ReadPart(sensor=sensor), size)
        if len(data) != size:
            raise SensorError(
                f"The wearable on {self.port} sent {len(data)} bytes of constants of sensor {sensor} where {size} belong; "
                "reset it, and update its software if it stays so."
            )
        return SensorConstants(number, data)

    def profile_bytes(self) -> bytes:
        """What it is: sensors, stages, models, alerts, as canonical CBOR."""
        return self._read_blob(Command.PROFILE, ReadPart(), MAX_PROFILE)[0]

    def correction(self, sensor: int, slot: int = 0) -> Correction | None:
        """Correction of a sensor stored on the device: slot 0 the current, 1 the one before; None where there is none.

        Raises:
            CorrectionError: it is damaged.
        """
        data = self.correction_bytes(sensor, slot)
        return correction_of(data) if data else None

    def correction_bytes(self, sensor: int, slot: int = 0) -> bytes:
        """The same as the device stores it; b"" where there is none."""
        try:
            return self._read_blob(Command.CORRECTION, ReadPart(sensor=sensor, slot=slot), MAX_CORRECTION)[0]
        except RefusedError as error:
            if (error.group, error.code) == (Group.THERMO, GroupError.NO_CORRECTION):
                return b""
            raise

    def write_correction(self, sensor: int, correction: Correction, progress: Progress | None = None) -> None:
        """Store a sensor's correction; the device checks it whole, keeps the one before, and uses it at once.

        Raises:
            RefusedError: it belongs to another sensor, or cannot be stored.
        """
        data = to_bytes(correction)
        for at in range(0, len(data), PART):
            part = Part(off=at, len=len(data), data=data[at : at + PART], sensor=sensor)
            self._requests.write(Command.CORRECTION, part.to_map(), timeout_s=STORE_S)
            if progress is not None:
                progress(min(at + PART, len(data)), len(data))

    def rollback(self, sensor: int) -> None:
        """Exchange a sensor's current correction for the one before.

        Raises:
            RefusedError: there is none before.
        """
        self._requests.write(Command.ROLLBACK, OfSensor(sensor=sensor).to_map(), timeout_s=STORE_S)

    def feed(self, sensor: int, values: Values) -> None:
        """Give a sample to a sensor of kind "external".

        Args:
            sensor: its number.
            values: of the sample, float32; NaN where there is no value.

        Raises:
            RefusedError: there is no such sensor, or it takes other samples.
        """
        body = Feed(sensor=sensor, values=np.asarray(values, "<f4").tobytes())
        self._requests.write(Command.FEED, body.to_map())

    def person(self) -> dict[str, float]:
        """What it knows of its wearer, by the names of `person.FIELDS`."""
        return dict(cleaned(read(Person, self._requests.read(Command.PERSON)).person))

    def set_person(self, person: Mapping[str, float]) -> dict[str, float]:
        """Tell it of its wearer, some or all; what it knows then.

        Raises:
            RefusedError: a value cannot be, or it does not ask for one of that name.
        """
        body = self._requests.write(Command.PERSON, Person(person=dict(person)).to_map(), timeout_s=STORE_S)
        return dict(cleaned(read(Person, body).person)) if "person" in body else self.person()

    def alerts(self) -> tuple[AlertNow, ...]:
        """All alerts as they are, by their numbers."""
        return read(Alerts, self._requests.read(Command.ALERTS)).alerts

    def acknowledge(self, alert: int) -> tuple[AlertNow, ...]:
        """Tell it that a person has seen an alert; all alerts as they are then.

        Raises:
            RefusedError: there is no such alert.
        """
        body = self._requests.write(Command.ALERTS, Acknowledge(alert=alert).to_map())
        return read(Alerts, body).alerts if "alerts" in body else self.alerts()

    def baselines(self) -> tuple[Baseline, ...]:
        """How far each stage that learns of the wearer is, in the order in which they run."""
        return read(Baselines, self._requests.read(Command.BASELINE)).stages

    def forget(self, signal: int | None = None) -> tuple[Baseline, ...]:
        """Have it forget what a stage learned of the wearer, or all stages; how far each is then.

        Args:
            signal: number of the signal that the stage gives.

        Raises:
            RefusedError: there is no such stage, or it cannot be stored.
        """
        body = self._requests.write(Command.BASELINE, Forget(signal=signal).to_map(), timeout_s=STORE_S)
        return read(Baselines, body).stages if "stages" in body else self.baselines()

    def learned(self) -> bytes:
        """All that its stages learned of the wearer, as `thermo_core.graph.learned` packs it; b"" where none learns.

        Raises:
            ManagementError: it goes on learning while it is read.
        """
        for attempt in range(CHANGES):
            data, _ = self._read_blob(Command.LEARNED, ReadPart(), MAX_LEARNED)
            try:
                if data:
                    unpack(data)
                return data
            except DamagedFileError:
                if attempt + 1 < CHANGES:
                    time.sleep(REST_S)
        raise ManagementError(
            f"The wearable on {self.port} goes on learning of its wearer while that is read; end what listens to it and try again."
        )

    def choose_signals(self, signals: Sequence[int]) -> tuple[int, ...]:
        """Have these signals sent while the stream runs, by their numbers (`Plan.number_of`); which will be.

        Raises:
            RefusedError: there is no such signal.
        """
        asked = Signals(signals=tuple(signals))
        return read(Signals, self._requests.write(Command.SIGNALS, asked.to_map())).signals

    def kept(self) -> list[FindingRecord]:
        """Findings that it kept for a host that was away, the oldest first; none of a wearable that keeps none.

        Raises:
            ManagementError: it gives more than there can be, or nothing where there is more.
            RecordError: what it gives makes no sense.
        """
        found: list[FindingRecord] = []
        left, first = int(LIMITS["kept_bytes"].high), 0
        while left >= 0:
            try:
                body = self._requests.read(Command.KEPT, KeptRequest(first=first).to_map())
            except RefusedError as error:
                if (error.group, error.code) == (NO_GROUP, ReturnCode.NOT_SUPPORTED):
                    return []
                raise
            part = read(Kept, body)
            findings = [cleaned_record(one) for one in kept.decode(part.data, part.bundle)]
            found += [one for one in findings if isinstance(one, FindingRecord)]
            left, first = left - len(part.data), part.first + len(findings)
            if first >= part.end:
                return found
            if not findings:
                break
        raise ManagementError(
            f"{self.port} does not come to the end of the findings it kept; reset it, and update its software if it stays so."
        )

    def self_test(self) -> tuple[SelfTestResult, ...]:
        """What the device found out about itself; part after part where all of it is too long for one answer."""
        try:
            return self._tested(None)
        except RefusedError as error:
            if (error.group, error.code) != (NO_GROUP, ReturnCode.TOO_LARGE):
                raise
        sensors = read(Hello, self._requests.read(Command.HELLO)).sensor_count
        return tuple(result for part in range(sensors + 1) for result in self._tested(part))

    def _tested(self, part: int | None) -> tuple[SelfTestResult, ...]:
        asked = {} if part is None else SelfTestRequest(part=part).to_map()
        body = self._requests.write(Command.SELF_TEST, asked, timeout_s=SELF_TEST_S)
        return cleaned(read(SelfTest, body)).results

    def counters(self) -> Mapping[str, int]:
        """What the device has counted since it started, faults first of all."""
        return cleaned(read(Counters, self._requests.read(Command.COUNTERS)).counters)

    def set_rate(self, sensor: int, rate_hz: float) -> float:
        """Set a sensor's rate until the next reset; what it does.

        Raises:
            RefusedError: it has no such rate.
        """
        body = self._requests.write(Command.RATE, Rate(rate_hz=rate_hz, sensor=sensor).to_map())
        return read(Rate, body).rate_hz

    def images(self) -> list["ImageState"]:
        """The image slots."""
        return self._requests.standard.images()

    def takes_models(self) -> Fit | None:
        """What models in containers must be compiled for that it takes; None where it takes none.

        Raises:
            ManagementError: it says something that is none.
        """
        try:
            said = self._requests.standard.bootloader("model")
        except RefusedError:
            return None
        if not isinstance(said, Mapping) or not isinstance(said.get("target"), str):
            raise ManagementError(f"{self.port} does not say which models it takes; update its firmware.")
        return Fit(clean(said["target"], 32), int(said.get("structures", 0)))

    def upload(self, data: bytes, progress: Progress = lambda done, total: None, image: int = 0) -> None:
        """Upload a signed image into the free slot, from where an earlier upload of the same bytes stopped.

        Args:
            data: the image.
            progress: told how far it has come.
            image: 0 for a firmware or a bundle, 1 for a model on a microcontroller.

        Raises:
            RefusedError: with the reason.
        """
        self._requests.standard.upload(data, progress, image)

    def test_image(self, sha256: bytes) -> None:
        """Have the next reset start the image with this hash, once."""
        self._requests.standard.choose_image(sha256, confirm=False)

    def confirm_image(self, sha256: bytes | None = None) -> None:
        """Keep the image with this hash, the running one when None."""
        self._requests.standard.choose_image(sha256, confirm=True)

    def erase_image(self) -> None:
        """Erase the slot that does not run."""
        self._requests.standard.erase_image()

    def _read_blob(self, command: Command, which: ReadPart, most: int) -> tuple[bytes, int]:
        """All parts of something of at most `most` bytes, of one number of constants, and which."""
        for _ in range(CHANGES):
            data = bytearray()
            first: Part | None = None
            while True:
                asked = msgspec.structs.replace(which, off=len(data))
                part = read(Part, self._requests.read(command, asked.to_map()))
                first = first or part
                if part.constants != first.constants:
                    break
                if part.len > most:
                    raise ManagementError(
                        f"{self.port} announces {part.len} bytes for {command.name.lower()} where at most {most} can be; "
                        "reset the wearable, and update its software if it stays so."
                    )
                left = first.len - len(data)
                # Small parts and a length that grows would keep this host busy for as long as a device likes.
                whole = part.off == len(data) and len(part.data) >= min(SMALLEST_PART, left)
                if not whole or part.len != first.len:
                    raise ManagementError(f"{self.port} answered with another part than was asked for; try again.")
                data += part.data
                if len(data) == first.len:
                    return bytes(data), first.constants
        raise ManagementError(
            f"{self.port} had other sensors put in {CHANGES} times while their constants were read; check that each sits firmly."
        )
