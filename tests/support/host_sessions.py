"""Sessions and telemetry as a host has them, made without a device."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace

import msgspec

from thermo_core import schema
from thermo_core.recording.session import Session
from thermo_core.sensors.correction import Correction, to_bytes
from thermo_core.sensors.kind import Block, SensorConstants
from thermo_core.sensors.mlx90640 import codec
from thermo_core.sensors.mlx90640.counts import CountsEncoder
from thermo_core.sensors.mlx90640.frames import Subpage, Words
from thermo_core.sensors.mlx90640.identity import device_id
from thermo_core.sensors.mlx90640.kind import words_of
from thermo_core.wearable.profile import Profile
from thermo_core.wire.management import Hello, SensorState
from thermo_core.wire.records import Record, decode, encode
from thermo_host.link.items import Telemetry

STARTED_NS = 1_700_000_000_000_000_000
BUNDLE = bytes(range(32))


def session_of(profile: Profile, constants: dict[int, SensorConstants]) -> Session:
    """What a host would have fetched of a wearable."""
    hello = Hello(
        name="thermo-sim",
        serial="0001",
        software="0.1.0",
        platform="test",
        profile=profile.name,
        profile_sha256=hashlib.sha256(schema.to_cbor(profile)).digest(),
        bundle="1.2.3" if profile.models else "",
        bundle_sha256=BUNDLE if profile.models else b"",
        time_us=1_000_000,
        sensors=tuple(
            SensorState(
                kind=sensor.kind,
                id=bytes(6),
                constants=constants[number].number if number in constants else 0,
                rate_hz=getattr(sensor, "rate_hz", 0.0),
            )
            for number, sensor in enumerate(profile.sensors)
        ),
        simulated=True,
        development_key=True,
        lease_max_ms=10_000,
    )
    return Session(hello, profile, constants, {}, {}, STARTED_NS, "/tmp/thermo0")


def blocks_of(subpages: list[Subpage], constants: int = 0, key_interval: int = 16) -> list[Block]:
    """Subpages as the device sends them."""
    encoder = CountsEncoder(key_interval)
    return [
        Block(
            subpage.time_us, 0, constants & 0xFFFF, subpage.index, codec.encode(encoder.encode(subpage), subpage.index)
        )
        for subpage in subpages
    ]


def came(records: Iterable[Record]) -> list[Telemetry]:
    """Records as a host takes them."""
    taken = []
    for number, record in enumerate(records):
        captured_ns = STARTED_NS + (record.time_us - 1_000_000) * 1000
        data = encode(record, number)
        header, read = decode(data)
        taken.append(Telemetry(captured_ns + 20_000_000, captured_ns, header, read, data))
    return taken


def camera_constants(words: Words, number: int = 0) -> SensorConstants:
    """Constants of a camera with that EEPROM."""
    return SensorConstants(number, words.astype("<u2").tobytes())


def camera_eeprom(session: Session) -> Words:
    """(832,) uint16 of its first sensor."""
    return words_of(session.constants[0].data)


def told(item: Telemetry, record: Record, sequence: int | None = None) -> Telemetry:
    """The item with another record."""
    data = encode(record, item.header.sequence if sequence is None else sequence)
    header, read = decode(data)
    return replace(item, header=header, record=read, data=data)


def with_state(session: Session, sensor: int, **fields: object) -> Session:
    """The session with other fields of a sensor's state."""
    states = list(session.hello.sensors)
    states[sensor] = msgspec.structs.replace(states[sensor], **fields)
    return with_hello(session, sensors=tuple(states))


def with_hello(session: Session, **fields: object) -> Session:
    """The session with other fields of its hello."""
    return replace(session, hello=msgspec.structs.replace(session.hello, **fields))


def with_profile(session: Session, profile: Profile) -> Session:
    """The session with another profile over the same sensors."""
    made = replace(session, profile=profile)
    return with_hello(made, profile=profile.name, profile_sha256=hashlib.sha256(schema.to_cbor(profile)).digest())


def with_eeprom(session: Session, words: Words, number: int) -> Session:
    """What the wearable says once another camera is in."""
    changed = with_state(session, 0, id=device_id(words), constants=number)
    return replace(changed, constants={**session.constants, 0: camera_constants(words, number)})


def corrected(session: Session, sensor: int, correction: Correction) -> Session:
    """The session with a correction of a sensor in use."""
    made = replace(session, corrections={**session.corrections, sensor: to_bytes(correction)})
    return with_state(made, sensor, corrected=True)
