"""SMP group 65, a wearable's own commands: requests and answers as types, and as CBOR maps by `schema`.

Keys that a reader does not know are ignored, so that either side may be newer. `read` raises ManagementError where a field is
missing, of another type or out of range, and names it.
"""

from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from msgspec import Meta, Struct

from thermo_core import schema
from thermo_core.errors import ManagementError, SchemaError
from thermo_core.wire.table import LIMITS, MAX_FED, PROTOCOL, StreamOp

MAX_BLOB = 1 << 20

U8 = Annotated[int, Meta(ge=0, le=0xFF)]
MAX_SIGNALS = 16
"""Signals that are sent at once."""
U16 = Annotated[int, Meta(ge=0, le=0xFFFF)]
U32 = Annotated[int, Meta(ge=0, le=0xFFFFFFFF)]
Time = Annotated[int, Meta(ge=0, le=(1 << 63) - 1)]
"""Microseconds of a device's monotonic clock."""
Offset = Annotated[int, Meta(ge=0, le=MAX_BLOB)]
Label = Annotated[str, Meta(max_length=512)]


class Message(Struct, frozen=True, kw_only=True, omit_defaults=False):
    """Base of all requests and answers."""

    def to_map(self) -> dict[str, Any]:
        """As a CBOR map."""
        body: dict[str, Any] = schema.to_plain(self)
        return {key: value for key, value in body.items() if value is not None}


Body = TypeVar("Body", bound=Message)


def read(kind: type[Body], body: Mapping[str, Any]) -> Body:
    """A request or an answer out of a CBOR map.

    Raises:
        ManagementError: a field is missing, of another type or out of range; the sentence names it.
    """
    try:
        # What another version sends beside, whatever it is, is nothing to this one.
        return schema.from_plain({name: body[name] for name in kind.__struct_encode_fields__ if name in body}, kind, "")
    except SchemaError as error:
        problem = str(error).removesuffix("; correct it.").removesuffix(".").removeprefix("it: ")
        raise ManagementError(f"A management message does not fit {kind.__name__}: {problem}.") from None


class SensorState(Message, frozen=True):
    """One sensor as it is now; what it is stands in the profile, at its number.

    Attributes:
        kind: as in the profile.
        id: identity of the chip; b"" where it has none or has not answered yet.
        constants: number of its constants, which rises with each change of them; blocks carry it modulo 65536.
        rate_hz: as it is set.
        corrected: a correction of it is in use.
        fault: why it does not deliver, in a sentence; "" while it does.
        warning: why what it says is in doubt, in a sentence; "" where it is not.
    """

    kind: Label
    id: Annotated[bytes, Meta(max_length=8)] = b""
    constants: U32 = 0
    rate_hz: float = 0.0
    corrected: bool = False
    fault: Label = ""
    warning: Label = ""


class HelloRequest(Message, frozen=True):
    """Ask who a wearable is (read).

    Attributes:
        first: number of the first sensor wanted: an answer holds as many from there on as the device has room for.
    """

    first: U8 = 0


class Hello(Message, frozen=True):
    """Who a wearable is and what it has.

    Attributes:
        name, serial, software, platform: of the device.
        profile: name of the wearable it is.
        profile_sha256: of the profile as canonical CBOR; its sensors, stages, models and alerts are numbered in its order.
        bundle: version of the running bundle; "" where there is none.
        bundle_sha256: of the running bundle's image; b"" where there is none.
        time_us: device's clock.
        sensors: by their numbers, from the one that was asked for.
        sensor_count: how many there are, those left out included.
        simulated: its hardware is simulated.
        development_key: it trusts the key that everybody has.
        waived: what was found wanting of the bundle and signed all the same, a sentence each.
        lease_max_ms: longest lease it grants.
        protocol: version of the wire protocol.
    """

    name: Label
    serial: Label
    software: Label
    platform: Label
    profile: Label
    profile_sha256: Annotated[bytes, Meta(max_length=32)]
    bundle: Label = ""
    bundle_sha256: Annotated[bytes, Meta(max_length=32)] = b""
    time_us: Time = 0
    sensors: Annotated[tuple[SensorState, ...], Meta(max_length=int(LIMITS["sensors"].high))] = ()
    sensor_count: U8 = 0
    simulated: bool = False
    development_key: bool = False
    waived: Annotated[tuple[Label, ...], Meta(max_length=8)] = ()
    lease_max_ms: U32 = 0
    protocol: U8 = PROTOCOL


class StreamRequest(Message, frozen=True):
    """Start, renew or stop telemetry (write). A start makes key frames of the next blocks.

    Attributes:
        op: see `StreamOp`.
        lease_ms: telemetry stops so long after the last start or renewal.
        key_interval: blocks from key frame to key frame, where a codec has them; None leaves it to the device.
    """

    op: StreamOp
    lease_ms: U32 = 0
    key_interval: Annotated[int, Meta(ge=1, le=32767)] | None = None


class StreamAnswer(Message, frozen=True):
    """What was granted.

    Attributes:
        lease_ms: granted, at most `Hello.lease_max_ms`; 0 after a stop.
        time_us: device's clock.
    """

    lease_ms: U32
    time_us: Time


class ReadPart(Message, frozen=True):
    """Ask for a part of a sensor's constants, of a correction, of the profile or of what was learned of the wearer (read).

    Attributes:
        off: first byte wanted.
        sensor: whose.
        slot: of the correction, 0 current, 1 the one before.
    """

    off: Offset = 0
    sensor: U8 = 0
    slot: Annotated[int, Meta(ge=0, le=1)] = 0


class Part(Message, frozen=True):
    """A part of something longer: the answer to `ReadPart`, and the request that writes a correction.

    Attributes:
        off: of `data` in the whole.
        len: of the whole, bytes; 0 where there is none.
        data: the part.
        sensor: whose correction is written; of constants, whose they are.
        constants: number of the constants the part is of.
    """

    off: Offset
    len: Offset
    data: bytes
    sensor: U8 = 0
    constants: U32 = 0

    def __post_init__(self) -> None:
        if self.off + len(self.data) > self.len:
            raise ValueError(f"{len(self.data)} bytes at {self.off} reach beyond a whole of {self.len}")


class Written(Message, frozen=True):
    """How far a correction has come (answer): the first byte that is still wanted, the length of the whole once it is stored."""

    off: Offset


class OfSensor(Message, frozen=True):
    """A request that needs no more than a sensor's number."""

    sensor: U8 = 0


class Rate(Message, frozen=True):
    """A sensor's rate until the next reset (request and answer)."""

    rate_hz: Annotated[float, Meta(gt=0, le=1e6)]
    sensor: U8 = 0


class SelfTestRequest(Message, frozen=True):
    """Have the device test itself (write).

    Attributes:
        part: number of the sensor to test, or the number of sensors for the models; None for everything.
    """

    part: U8 | None = None


class SelfTestResult(Message, frozen=True):
    """What the device found out about one part of itself."""

    name: Label
    passed: bool
    detail: Label


class SelfTest(Message, frozen=True):
    """All results of a self-test (answer)."""

    results: tuple[SelfTestResult, ...]


class Counters(Message, frozen=True):
    """What the device has counted since it started (answer)."""

    counters: dict[str, Time]


class Refusal(Message, frozen=True):
    """Why the last request that was refused was refused (answer).

    Attributes:
        reason: one sentence; "" where nothing was refused yet.
        time_us: when, device's clock.
    """

    reason: Annotated[str, Meta(max_length=1024)] = ""
    time_us: Time = 0


class Signals(Message, frozen=True):
    """Signals to be sent while the stream runs, by their numbers (write; the answer repeats them); an end of the stream ends them."""

    signals: Annotated[tuple[U8, ...], Meta(max_length=MAX_SIGNALS)] = ()


class Feed(Message, frozen=True):
    """A sample for a sensor of kind "external" (write).

    Attributes:
        sensor: its number.
        values: float32, little-endian.
    """

    sensor: U8
    values: Annotated[bytes, Meta(min_length=4, max_length=4 * MAX_FED)]


class Person(Message, frozen=True):
    """What is known of the wearer (read, and write of some or all): numbers by the names of `person.FIELDS`."""

    person: dict[str, float]


class Baseline(Message, frozen=True):
    """How far one stage has learned of the wearer.

    Attributes:
        signal: number of the signal it gives.
        age_us: time under power since its first sample.
        learned_us: time that what it learned stands for.
        samples: that it learned.
        ready: parts of the ambient for which it says something.
        parts: of the ambient.
    """

    signal: U8
    age_us: Time
    learned_us: Time
    samples: U32
    ready: U16
    parts: U16


class Baselines(Message, frozen=True):
    """All stages that learn, in the order in which they run (read, and the answer to `Forget`)."""

    stages: Annotated[tuple[Baseline, ...], Meta(max_length=int(LIMITS["learners"].high))]


class Forget(Message, frozen=True):
    """Let a stage know nothing of the wearer (write).

    Attributes:
        signal: number of the signal it gives; None for all stages that learn.
    """

    signal: U8 | None = None


class AlertState(Message, frozen=True):
    """One alert as it is now.

    Attributes:
        state: see `graph.alerts.AlertState`.
        time_us: since when.
    """

    state: U8
    time_us: Time


class Alerts(Message, frozen=True):
    """All alerts by their numbers (read, and the answer to an acknowledgement)."""

    alerts: tuple[AlertState, ...]


class Acknowledge(Message, frozen=True):
    """A person has seen an alert (write)."""

    alert: U8


class KeptRequest(Message, frozen=True):
    """Ask for findings that a device kept (read).

    Attributes:
        first: running number of the first one wanted; of those it has no more, the oldest that it has comes first.
    """

    first: U32 = 0


class Kept(Message, frozen=True):
    """Findings that a device kept, as many as an answer holds.

    Attributes:
        bundle: first four bytes of the SHA-256 of the bundle's image, as a little-endian number.
        first: running number of the first one in `data`.
        end: running number that the next finding will have; from the first one after `data` up to it a host asks on.
        data: entries as `wire.kept` has them.
    """

    bundle: U32
    first: U32
    end: U32
    data: Annotated[bytes, Meta(max_length=MAX_BLOB)]
