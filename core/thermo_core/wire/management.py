"""SMP group 65, a wearable's own commands: requests and answers as dataclasses and as CBOR maps.

`to_map` gives the body of a message and `from_map` reads one, ignoring keys it does not know so that either side may be
newer. Every `from_map` raises ManagementError where a field is missing, of another type or out of range, and names it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from thermo_core.errors import ManagementError
from thermo_core.wire import body_fields
from thermo_core.wire.body_fields import Body
from thermo_core.wire.records import PROTOCOL_VERSION

PROTOCOL = PROTOCOL_VERSION
"""What `Hello.protocol` says: records, packing and commands change their version together."""
EEPROM_BYTES = 1664
MAX_BLOB = 1 << 20

_U32 = 0xFFFFFFFF
_U64 = 0xFFFFFFFFFFFFFFFF


class Command(IntEnum):
    """Commands of the group."""

    HELLO = 0
    STREAM = 1
    EEPROM = 2
    CALIBRATION = 3
    ROLLBACK = 4
    SELF_TEST = 5
    COUNTERS = 6
    RATE = 7
    REFUSAL = 8
    PROFILE = 9


class GroupError(IntEnum):
    """Codes of the group (`err: {group: 65, rc: code}`); 0 is success."""

    OK = 0
    UNKNOWN = 1
    NO_SENSOR = 2
    """No sensor of that number, or it does not answer."""
    NO_CALIBRATION = 3
    """The slot asked for, or to roll back to, is empty."""
    WRONG_SENSOR = 4
    """The calibration belongs to another sensor."""
    DAMAGED = 5
    """The calibration fails its CRC or structure."""
    BAD_OFFSET = 6
    """A chunk does not continue the one before, or lies beyond the end."""
    BAD_RATE = 7
    """The sensor has no such refresh rate."""
    NO_LEASE = 8
    """Renewed without a stream that runs."""
    STORAGE = 9
    """The device could not write."""
    IMPLAUSIBLE = 10
    """The calibration moves temperatures further than a sensor in order can be off."""


class StreamOp(IntEnum):
    """What to do with the stream."""

    STOP = 0
    START = 1
    RENEW = 2


@dataclass(frozen=True, slots=True)
class SensorInfo:
    """One sensor of a wearable.

    Attributes:
        kind: "mlx90640", "ads1115".
        sensor: its number within the wearable, as records carry it.
        address: 7-bit I2C address.
        id: device id of the chip, 6 bytes for an MLX90640; b"" where it has none.
        rate_hz: subpages per second, or scans.
        resolution_bits: of its ADC.
        chess: chess pattern, or interleaved where False.
        emissivity: the device decodes with it; None where it means nothing.
        reflected: reflected temperature, degC; None for Ta - 8.
        channels: names of a thermistor array's channels, in the order of its records.
        generation: number of the constants that its EEPROM holds: it rises whenever another sensor, or another content,
            is found there, over restarts too, and stands in every subpage record; 0 while there are none.
        fingerprint: CRC-32 of its EEPROM (1664 bytes, as command 2 gives them); 0 while there is none.
        warning: why its temperatures are in doubt, a sentence; "" where they are not.
    """

    kind: str
    sensor: int
    address: int
    id: bytes
    rate_hz: float
    resolution_bits: int
    chess: bool = False
    emissivity: float | None = None
    reflected: float | None = None
    channels: tuple[str, ...] = ()
    generation: int = 0
    fingerprint: int = 0
    warning: str = ""

    def to_map(self) -> dict[str, Any]:
        """As a CBOR map."""
        return {
            "kind": self.kind,
            "sensor": self.sensor,
            "address": self.address,
            "id": self.id,
            "rate_hz": self.rate_hz,
            "resolution_bits": self.resolution_bits,
            "chess": self.chess,
            "emissivity": self.emissivity,
            "reflected": self.reflected,
            "channels": list(self.channels),
            "generation": self.generation,
            "fingerprint": self.fingerprint,
            "warning": self.warning,
        }

    @classmethod
    def from_map(cls, body: Body) -> "SensorInfo":
        """Inverse of `to_map`."""
        return cls(
            kind=body_fields.text(body, "kind"),
            sensor=body_fields.uint(body, "sensor", 0xFF),
            address=body_fields.uint(body, "address", 0x7F),
            id=body_fields.byte_string(body, "id"),
            rate_hz=body_fields.number(body, "rate_hz"),
            resolution_bits=body_fields.uint(body, "resolution_bits", 32),
            chess=body_fields.flag(body, "chess"),
            emissivity=body_fields.number(body, "emissivity") if body.get("emissivity") is not None else None,
            reflected=body_fields.number(body, "reflected") if body.get("reflected") is not None else None,
            channels=body_fields.texts(body, "channels") if "channels" in body else (),
            generation=body_fields.uint(body, "generation", _U32) if "generation" in body else 0,
            fingerprint=body_fields.uint(body, "fingerprint", _U32) if "fingerprint" in body else 0,
            warning=body_fields.text(body, "warning") if "warning" in body else "",
        )


@dataclass(frozen=True, slots=True)
class Hello:
    """Who a wearable is and what it has.

    Attributes:
        name, serial, software, platform: of the device.
        profile: name of the wearable it is.
        model: version of the running model bundle; "" where there is none.
        time_us: device's monotonic clock, microseconds.
        sensors: what it has.
        simulated: its hardware is simulated.
        calibrated: a per-pixel calibration is in use.
        development_key: it trusts the key that everybody has.
        lease_max_ms: longest lease it grants.
        notice: what must stand beside every verdict.
        labels: of the model's classes; empty where there is no model.
        protocol: version of the wire protocol.
        waived: what was found wanting of the model and signed all the same, a sentence each.
    """

    name: str
    serial: str
    software: str
    platform: str
    profile: str
    model: str
    time_us: int
    sensors: tuple[SensorInfo, ...]
    simulated: bool
    calibrated: bool
    development_key: bool
    lease_max_ms: int
    notice: str
    labels: tuple[str, ...] = ()
    protocol: int = PROTOCOL
    waived: tuple[str, ...] = ()

    def to_map(self) -> dict[str, Any]:
        """As a CBOR map."""
        return {
            "protocol": self.protocol,
            "name": self.name,
            "serial": self.serial,
            "software": self.software,
            "platform": self.platform,
            "profile": self.profile,
            "model": self.model,
            "time_us": self.time_us,
            "sensors": [sensor.to_map() for sensor in self.sensors],
            "simulated": self.simulated,
            "calibrated": self.calibrated,
            "development_key": self.development_key,
            "lease_max_ms": self.lease_max_ms,
            "notice": self.notice,
            "labels": list(self.labels),
            "waived": list(self.waived),
        }

    @classmethod
    def from_map(cls, body: Body) -> "Hello":
        """Inverse of `to_map`. It does not judge `protocol`: the caller knows what to do about another one."""
        return cls(
            protocol=body_fields.uint(body, "protocol", 0xFF),
            name=body_fields.text(body, "name"),
            serial=body_fields.text(body, "serial"),
            software=body_fields.text(body, "software"),
            platform=body_fields.text(body, "platform"),
            profile=body_fields.text(body, "profile"),
            model=body_fields.text(body, "model"),
            time_us=body_fields.uint(body, "time_us", _U64),
            sensors=tuple(SensorInfo.from_map(sensor) for sensor in body_fields.maps(body, "sensors")),
            simulated=body_fields.flag(body, "simulated"),
            calibrated=body_fields.flag(body, "calibrated"),
            development_key=body_fields.flag(body, "development_key"),
            lease_max_ms=body_fields.uint(body, "lease_max_ms", _U32),
            notice=body_fields.text(body, "notice"),
            labels=body_fields.texts(body, "labels") if "labels" in body else (),
            waived=body_fields.texts(body, "waived") if "waived" in body else (),
        )


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """Start, renew or stop telemetry (write). A start makes key frames of the next subpages.

    Attributes:
        op: see `StreamOp`.
        lease_ms: telemetry stops so long after the last start or renewal.
        key_interval: subpages of one number from key frame to key frame; None leaves it to the device.
    """

    op: StreamOp
    lease_ms: int = 0
    key_interval: int | None = None

    def to_map(self) -> dict[str, Any]:
        """As a CBOR map."""
        body = {"op": int(self.op), "lease_ms": self.lease_ms}
        return body if self.key_interval is None else {**body, "key_interval": self.key_interval}

    @classmethod
    def from_map(cls, body: Body) -> "StreamRequest":
        """Inverse of `to_map`; a stop needs no lease."""
        op = StreamOp(body_fields.uint(body, "op", max(StreamOp)))
        lease_ms = body_fields.uint(body, "lease_ms", _U32) if op != StreamOp.STOP or "lease_ms" in body else 0
        interval = body_fields.uint(body, "key_interval", 0xFFFF, 1) if body.get("key_interval") is not None else None
        return cls(op, lease_ms, interval)


@dataclass(frozen=True, slots=True)
class StreamAnswer:
    """What was granted.

    Attributes:
        lease_ms: granted, at most `Hello.lease_max_ms`; 0 after a stop.
        time_us: device's monotonic clock, microseconds.
    """

    lease_ms: int
    time_us: int

    def to_map(self) -> dict[str, Any]:
        """As a CBOR map."""
        return {"lease_ms": self.lease_ms, "time_us": self.time_us}

    @classmethod
    def from_map(cls, body: Body) -> "StreamAnswer":
        """Inverse of `to_map`."""
        return cls(body_fields.uint(body, "lease_ms", _U32), body_fields.uint(body, "time_us", _U64))


@dataclass(frozen=True, slots=True)
class ReadChunk:
    """Ask for a part of the EEPROM, of a calibration or of the profile (read).

    Attributes:
        offset: first byte wanted.
        sensor: of the EEPROM.
        slot: of the calibration, 0 current, 1 the one before.
    """

    offset: int = 0
    sensor: int = 0
    slot: int = 0

    def to_map(self) -> dict[str, Any]:
        """As a CBOR map."""
        return {"off": self.offset, "sensor": self.sensor, "slot": self.slot}

    @classmethod
    def from_map(cls, body: Body) -> "ReadChunk":
        """Inverse of `to_map`; fields that are missing are 0."""
        return cls(
            body_fields.uint(body, "off", MAX_BLOB) if "off" in body else 0,
            body_fields.uint(body, "sensor", 0xFF) if "sensor" in body else 0,
            body_fields.uint(body, "slot", 1) if "slot" in body else 0,
        )


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of something longer: the answer to `ReadChunk`, and the request that writes a calibration.

    Attributes:
        offset: of `data` in the whole.
        length: of the whole, bytes; 0 where there is none.
        data: the part.
        generation: of an EEPROM: number of the constants (`SensorInfo`); 0 for anything else.
    """

    offset: int
    length: int
    data: bytes
    generation: int = 0

    def to_map(self) -> dict[str, Any]:
        """As a CBOR map."""
        body = {"off": self.offset, "len": self.length, "data": self.data}
        return {**body, "generation": self.generation} if self.generation else body

    @classmethod
    def from_map(cls, body: Body) -> "Chunk":
        """Inverse of `to_map`; a part that reaches beyond the whole is an error too."""
        chunk = cls(
            body_fields.uint(body, "off", MAX_BLOB),
            body_fields.uint(body, "len", MAX_BLOB),
            body_fields.byte_string(body, "data"),
            body_fields.uint(body, "generation", _U32) if "generation" in body else 0,
        )
        if chunk.offset + len(chunk.data) > chunk.length:
            raise ManagementError(
                f"A part of {len(chunk.data)} bytes at {chunk.offset} reaches beyond its whole of {chunk.length} bytes."
            )
        return chunk


@dataclass(frozen=True, slots=True)
class Written:
    """How far a calibration has come (answer).

    Attributes:
        offset: first byte that is still wanted; the length of the whole once it is stored.
    """

    offset: int

    def to_map(self) -> dict[str, Any]:
        """As a CBOR map."""
        return {"off": self.offset}

    @classmethod
    def from_map(cls, body: Body) -> "Written":
        """Inverse of `to_map`."""
        return cls(body_fields.uint(body, "off", MAX_BLOB))


@dataclass(frozen=True, slots=True)
class SelfTestResult:
    """What the device found out about one part of itself."""

    name: str
    passed: bool
    detail: str

    def to_map(self) -> dict[str, Any]:
        """As a CBOR map."""
        return {"name": self.name, "passed": self.passed, "detail": self.detail}

    @classmethod
    def from_map(cls, body: Body) -> "SelfTestResult":
        """Inverse of `to_map`."""
        return cls(body_fields.text(body, "name"), body_fields.flag(body, "passed"), body_fields.text(body, "detail"))


@dataclass(frozen=True, slots=True)
class SelfTest:
    """All results of a self-test (answer)."""

    results: tuple[SelfTestResult, ...]

    def to_map(self) -> dict[str, Any]:
        """As a CBOR map."""
        return {"results": [result.to_map() for result in self.results]}

    @classmethod
    def from_map(cls, body: Body) -> "SelfTest":
        """Inverse of `to_map`."""
        return cls(tuple(SelfTestResult.from_map(result) for result in body_fields.maps(body, "results")))


@dataclass(frozen=True, slots=True)
class Counters:
    """What the device has counted since it started (answer)."""

    counters: Mapping[str, int] = field(default_factory=dict)

    def to_map(self) -> dict[str, Any]:
        """As a CBOR map."""
        return {"counters": dict(self.counters)}

    @classmethod
    def from_map(cls, body: Body) -> "Counters":
        """Inverse of `to_map`."""
        counters = body.get("counters")
        if not isinstance(counters, Mapping):
            raise body_fields.wrong("counters", "a map", counters)
        return cls({str(name): body_fields.uint(counters, name, _U64) for name in counters})


@dataclass(frozen=True, slots=True)
class Rate:
    """Refresh rate of the picture sensor until the next reset, subpages per second (request and answer)."""

    rate_hz: float

    def to_map(self) -> dict[str, Any]:
        """As a CBOR map."""
        return {"rate_hz": self.rate_hz}

    @classmethod
    def from_map(cls, body: Body) -> "Rate":
        """Inverse of `to_map`."""
        return cls(body_fields.number(body, "rate_hz"))


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the last request that was refused was refused (answer).

    Attributes:
        reason: one sentence; "" where nothing was refused yet.
        time_us: when, device's monotonic clock, microseconds.
    """

    reason: str = ""
    time_us: int = 0

    def to_map(self) -> dict[str, Any]:
        """As a CBOR map."""
        return {"reason": self.reason, "time_us": self.time_us}

    @classmethod
    def from_map(cls, body: Body) -> "Refusal":
        """Inverse of `to_map`."""
        return cls(body_fields.text(body, "reason"), body_fields.uint(body, "time_us", _U64))
