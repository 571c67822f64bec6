"""SMP group 65, a wearable's own commands, over what the agent can do; long things travel in parts."""

from collections.abc import Callable
from typing import Protocol

import numpy as np

from thermo_core.errors import BusError, CorrectionError, DamagedFileError, SensorError, StorageError, ThermoError
from thermo_core.signals import Values
from thermo_core.wire import management
from thermo_core.wire.management import Part, ReadPart, StreamAnswer, StreamRequest, Written, read
from thermo_core.wire.smp import Group, Op
from thermo_core.wire.table import Command, GroupError
from thermo_device.smp_server import Body, Commands, Handler, RequestRefused, group_refusal

PART_BYTES = 2048
"""Longest part of one answer: a camera's constants at once, and no more than a slow line sends in a fifth of a second."""
MAX_CORRECTION = 65536

_GROUP = int(Group.THERMO)
_CODES: tuple[tuple[type[ThermoError], GroupError], ...] = (
    (DamagedFileError, GroupError.DAMAGED),
    (StorageError, GroupError.STORAGE),
    (CorrectionError, GroupError.DAMAGED),
    (BusError, GroupError.NO_SENSOR),
    (SensorError, GroupError.NO_SENSOR),
)


class Device(Protocol):
    """What the commands need of the agent. Every method may raise a `RequestRefused` or another `ThermoError`."""

    def hello(self, first: int = 0) -> management.Hello:
        """Who it is and what it has."""

    def stream(self, request: StreamRequest) -> StreamAnswer:
        """Start, renew or stop telemetry."""

    def self_test(self, part: int | None = None) -> management.SelfTest:
        """What it finds out about itself."""

    def counts(self) -> management.Counters:
        """What it has counted."""

    def refusal(self) -> management.Refusal:
        """Why the last refused request was refused."""


class Wearable(Protocol):
    """What the commands need of a wearable that runs; see `host_requests.HostRequests`."""

    def profile_bytes(self) -> bytes:
        """The running profile as canonical CBOR."""

    def constants(self, sensor: int) -> tuple[bytes, int]:
        """A sensor's constants as they travel, and their number."""

    def correction(self, sensor: int, slot: int) -> bytes:
        """A sensor's stored correction, 0 current, 1 the one before; b"" where there is none."""

    def write_correction(self, sensor: int, data: bytes) -> None:
        """Verify, store and use a correction."""

    def roll_back_correction(self, sensor: int) -> None:
        """Use the one before again."""

    def set_rate(self, sensor: int, rate_hz: float) -> float:
        """A sensor's rate until the next reset."""

    def send_signals(self, wanted: tuple[int, ...]) -> None:
        """Send these signals while the stream runs."""

    def feed(self, sensor: int, values: Values) -> None:
        """Take a sample of a sensor of kind "external"."""

    def person(self) -> dict[str, float]:
        """What is known of the wearer."""

    def set_person(self, told: dict[str, float]) -> dict[str, float]:
        """Know these numbers too; all that is known then."""

    def alerts(self) -> management.Alerts:
        """Where all alerts stand."""

    def acknowledge(self, alert: int) -> management.Alerts:
        """A person has seen an alert."""

    def kept(self, first: int, room: int) -> management.Kept:
        """Findings kept for a host that was away."""

    def baselines(self) -> management.Baselines:
        """How far each stage has learned of the wearer."""

    def forget(self, signal: int | None) -> management.Baselines:
        """Let the stage that gives a signal know nothing of the wearer, or all."""

    def learned(self, first: bool) -> bytes:
        """All that is known of the wearer."""


class _Assembly:
    """A correction on its way in, part by part."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._length = 0
        self._sensor = 0

    def add(self, part: Part) -> bytes | None:
        """Take a part; the whole once it is complete.

        Raises:
            RequestRefused: the part does not continue the one before, or the whole is too long.
        """
        if part.len > MAX_CORRECTION or part.len == 0:
            raise group_refusal(
                GroupError.DAMAGED, f"A correction of {part.len} bytes is none of ours; make a new one."
            )
        if part.off == 0:
            self._data.clear()
            self._length, self._sensor = part.len, part.sensor
        if part.off != len(self._data) or part.len != self._length or part.sensor != self._sensor:
            raise group_refusal(
                GroupError.BAD_OFFSET,
                f"A part at {part.off} of {part.len} for sensor {part.sensor} came where {len(self._data)} of {self._length} for "
                f"sensor {self._sensor} was next; begin again at 0.",
            )
        self._data += part.data
        if len(self._data) < self._length:
            return None
        whole = bytes(self._data)
        self._data.clear()
        self._length = 0
        return whole

    @property
    def offset(self) -> int:
        """First byte that is still wanted."""
        return len(self._data)


def wearable_commands(device: Device, wearable: Callable[[], Wearable]) -> Commands:
    """The handlers of group 65.

    Args:
        device: the agent.
        wearable: what runs now.
    """
    assembly = _Assembly()

    def part(whole: bytes, wanted: ReadPart, constants: int = 0) -> Body:
        if wanted.off > len(whole):
            raise group_refusal(
                GroupError.BAD_OFFSET, f"Offset {wanted.off} lies beyond the end at {len(whole)}; begin again at 0."
            )
        data = whole[wanted.off : wanted.off + PART_BYTES]
        return Part(off=wanted.off, len=len(whole), data=data, sensor=wanted.sensor, constants=constants).to_map()

    def read_constants(body: Body) -> Body:
        wanted = read(ReadPart, body)
        data, number = wearable().constants(wanted.sensor)
        return part(data, wanted, number)

    def read_correction(body: Body) -> Body:
        wanted = read(ReadPart, body)
        return part(wearable().correction(wanted.sensor, wanted.slot), wanted)

    def write_correction(body: Body) -> Body:
        given = read(Part, body)
        whole = assembly.add(given)
        if whole is None:
            return Written(off=assembly.offset).to_map()
        wearable().write_correction(given.sensor, whole)
        return Written(off=given.len).to_map()

    def roll_back(body: Body) -> Body:
        wearable().roll_back_correction(read(management.OfSensor, body).sensor)
        return {}

    def set_rate(body: Body) -> Body:
        wanted = read(management.Rate, body)
        rate_hz = wearable().set_rate(wanted.sensor, wanted.rate_hz)
        return management.Rate(rate_hz=rate_hz, sensor=wanted.sensor).to_map()

    def send_signals(body: Body) -> Body:
        wanted = read(management.Signals, body)
        wearable().send_signals(wanted.signals)
        return wanted.to_map()

    def feed(body: Body) -> Body:
        given = read(management.Feed, body)
        if len(given.values) % 4:
            raise group_refusal(
                GroupError.IMPLAUSIBLE,
                f"A sample of {len(given.values)} bytes is no whole number of float32; send all.",
            )
        wearable().feed(given.sensor, np.frombuffer(given.values, "<f4").astype(np.float32))
        return {}

    def set_person(body: Body) -> Body:
        told = read(management.Person, body).person
        return management.Person(person=wearable().set_person(told)).to_map()

    def read_learned(body: Body) -> Body:
        wanted = read(ReadPart, body)
        return part(wearable().learned(wanted.off == 0), wanted)

    handlers: dict[tuple[Command, Op], Handler] = {
        (Command.HELLO, Op.READ): lambda body: device.hello(read(management.HelloRequest, body).first).to_map(),
        (Command.STREAM, Op.WRITE): lambda body: device.stream(read(StreamRequest, body)).to_map(),
        (Command.CONSTANTS, Op.READ): read_constants,
        (Command.CORRECTION, Op.READ): read_correction,
        (Command.CORRECTION, Op.WRITE): write_correction,
        (Command.ROLLBACK, Op.WRITE): roll_back,
        (Command.SELF_TEST, Op.WRITE): lambda body: device.self_test(
            read(management.SelfTestRequest, body).part
        ).to_map(),
        (Command.COUNTERS, Op.READ): lambda body: device.counts().to_map(),
        (Command.RATE, Op.WRITE): set_rate,
        (Command.REFUSAL, Op.READ): lambda body: device.refusal().to_map(),
        (Command.PROFILE, Op.READ): lambda body: part(wearable().profile_bytes(), read(ReadPart, body)),
        (Command.SIGNALS, Op.WRITE): send_signals,
        (Command.FEED, Op.WRITE): feed,
        (Command.PERSON, Op.READ): lambda body: management.Person(person=wearable().person()).to_map(),
        (Command.PERSON, Op.WRITE): set_person,
        (Command.BASELINE, Op.READ): lambda body: wearable().baselines().to_map(),
        (Command.BASELINE, Op.WRITE): lambda body: wearable().forget(read(management.Forget, body).signal).to_map(),
        (Command.LEARNED, Op.READ): read_learned,
        (Command.ALERTS, Op.READ): lambda body: wearable().alerts().to_map(),
        (Command.ALERTS, Op.WRITE): lambda body: (
            wearable().acknowledge(read(management.Acknowledge, body).alert).to_map()
        ),
        (Command.KEPT, Op.READ): lambda body: (
            wearable().kept(read(management.KeptRequest, body).first, PART_BYTES).to_map()
        ),
    }
    return {(_GROUP, int(command), op): _translated(handler) for (command, op), handler in handlers.items()}


def _translated(handler: Handler) -> Handler:
    """The handler with the device's errors as refusals of this group."""

    def handle(body: Body) -> Body:
        try:
            return handler(body)
        except RequestRefused:
            raise
        except ThermoError as error:
            for kind, code in _CODES:
                if isinstance(error, kind):
                    raise group_refusal(code, str(error)) from error
            raise

    return handle
