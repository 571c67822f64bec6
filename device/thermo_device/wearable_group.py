"""SMP group 65, a wearable's own commands, over what the agent can do; long things travel in parts."""

from typing import Protocol

from thermo_core.errors import BusError, CorrectionError, DamagedFileError, SensorError, StorageError, ThermoError
from thermo_core.wire import management
from thermo_core.wire.management import Chunk, Command, GroupError, ReadChunk, StreamAnswer, StreamRequest, Written
from thermo_core.wire.smp import Group, Op, ReturnCode
from thermo_device.smp_server import Body, Commands, Handler, Refusal

PART_BYTES = 2048
"""Longest part of one answer: a whole EEPROM at once, and no more than a slow line sends in a fifth of a second."""
MAX_CALIBRATION = 65536

_GROUP = int(Group.THERMO)
_VERSION_1 = {
    GroupError.NO_SENSOR: ReturnCode.NO_ENTRY,
    GroupError.NO_CALIBRATION: ReturnCode.NO_ENTRY,
    GroupError.WRONG_SENSOR: ReturnCode.ACCESS_DENIED,
    GroupError.DAMAGED: ReturnCode.CORRUPT,
    GroupError.BAD_OFFSET: ReturnCode.INVALID,
    GroupError.BAD_RATE: ReturnCode.INVALID,
    GroupError.NO_LEASE: ReturnCode.BAD_STATE,
    GroupError.STORAGE: ReturnCode.NO_MEMORY,
    GroupError.IMPLAUSIBLE: ReturnCode.INVALID,
}
_CODES: tuple[tuple[type[ThermoError], GroupError], ...] = (
    (DamagedFileError, GroupError.DAMAGED),
    (StorageError, GroupError.STORAGE),
    (CorrectionError, GroupError.DAMAGED),
    (BusError, GroupError.NO_SENSOR),
    (SensorError, GroupError.NO_SENSOR),
)


def refusal(code: GroupError, reason: str) -> Refusal:
    """A refusal in this group's codes."""
    return Refusal(reason, code, _GROUP, _VERSION_1.get(code, ReturnCode.UNKNOWN))


class Device(Protocol):
    """What the commands need. Every method may raise a `Refusal` or another `ThermoError`."""

    def hello(self) -> management.Hello:
        """Who it is and what it has."""
        ...

    def stream(self, request: StreamRequest) -> StreamAnswer:
        """Start, renew or stop telemetry."""
        ...

    def eeprom(self, sensor: int) -> tuple[bytes, int]:
        """The picture sensor's EEPROM, little-endian words, and the number of its generation."""
        ...

    def calibration(self, slot: int) -> bytes:
        """Stored calibration, 0 current, 1 the one before; b"" where there is none."""
        ...

    def write_calibration(self, data: bytes) -> None:
        """Verify, store and use a calibration."""
        ...

    def roll_back_calibration(self) -> None:
        """Use the one before again."""
        ...

    def self_test(self) -> management.SelfTest:
        """What it finds out about itself."""
        ...

    def counts(self) -> management.Counters:
        """What it has counted."""
        ...

    def set_rate(self, rate_hz: float) -> float:
        """Refresh rate until the next reset."""
        ...

    def profile(self) -> bytes:
        """The running profile as canonical CBOR."""
        ...

    def refusal(self) -> management.Refusal:
        """Why the last refused request was refused."""
        ...


class _Assembly:
    """A calibration on its way in, part by part."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._length = 0

    def add(self, chunk: Chunk) -> bytes | None:
        """Take a part; the whole once it is complete.

        Raises:
            Refusal: the part does not continue the one before, or the whole is too long.
        """
        if chunk.length > MAX_CALIBRATION or chunk.length == 0:
            raise refusal(GroupError.DAMAGED, f"A calibration of {chunk.length} bytes is none of ours; make a new one.")
        if chunk.offset == 0:
            self._data.clear()
            self._length = chunk.length
        if chunk.offset != len(self._data) or chunk.length != self._length:
            raise refusal(
                GroupError.BAD_OFFSET,
                f"A part at {chunk.offset} of {chunk.length} came where {len(self._data)} of {self._length} was next; "
                "begin again at 0.",
            )
        self._data += chunk.data
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


def wearable_commands(device: Device) -> Commands:
    """The handlers of group 65."""
    assembly = _Assembly()

    def part(whole: bytes, wanted: ReadChunk, generation: int = 0) -> Body:
        if wanted.offset > len(whole):
            raise refusal(
                GroupError.BAD_OFFSET, f"Offset {wanted.offset} lies beyond the end at {len(whole)}; begin again at 0."
            )
        data = whole[wanted.offset : wanted.offset + PART_BYTES]
        return Chunk(wanted.offset, len(whole), data, generation).to_map()

    def read_eeprom(body: Body) -> Body:
        wanted = ReadChunk.from_map(body)
        data, generation = device.eeprom(wanted.sensor)
        return part(data, wanted, generation)

    def read_calibration(body: Body) -> Body:
        wanted = ReadChunk.from_map(body)
        return part(device.calibration(wanted.slot), wanted)

    def write_calibration(body: Body) -> Body:
        chunk = Chunk.from_map(body)
        whole = assembly.add(chunk)
        if whole is None:
            return Written(assembly.offset).to_map()
        device.write_calibration(whole)
        return Written(chunk.length).to_map()

    def roll_back(body: Body) -> Body:
        device.roll_back_calibration()
        return {}

    handlers: dict[tuple[Command, Op], Handler] = {
        (Command.HELLO, Op.READ): lambda body: device.hello().to_map(),
        (Command.STREAM, Op.WRITE): lambda body: device.stream(StreamRequest.from_map(body)).to_map(),
        (Command.EEPROM, Op.READ): read_eeprom,
        (Command.CALIBRATION, Op.READ): read_calibration,
        (Command.CALIBRATION, Op.WRITE): write_calibration,
        (Command.ROLLBACK, Op.WRITE): roll_back,
        (Command.SELF_TEST, Op.WRITE): lambda body: device.self_test().to_map(),
        (Command.COUNTERS, Op.READ): lambda body: device.counts().to_map(),
        (Command.RATE, Op.WRITE): lambda body: management.Rate(
            device.set_rate(management.Rate.from_map(body).rate_hz)
        ).to_map(),
        (Command.REFUSAL, Op.READ): lambda body: device.refusal().to_map(),
        (Command.PROFILE, Op.READ): lambda body: part(device.profile(), ReadChunk.from_map(body)),
    }
    return {(_GROUP, int(command), op): _translated(handler) for (command, op), handler in handlers.items()}


def _translated(handler: Handler) -> Handler:
    """The handler with the device's errors as refusals of this group."""

    def handle(body: Body) -> Body:
        try:
            return handler(body)
        except Refusal:
            raise
        except ThermoError as error:
            for kind, code in _CODES:
                if isinstance(error, kind):
                    raise refusal(code, str(error)) from error
            raise

    return handle
