"""Births: all that is needed to make sense of a wearable's records, as one message in CBOR, under an id that its records name."""

import hashlib
from dataclasses import replace

import cbor2
import msgspec

from thermo_core import schema
from thermo_core.errors import RecordingError, SchemaError
from thermo_core.recording.session import Session, from_metadata, to_metadata
from thermo_core.wearable.profile import NOTICE

FORMAT = 1
ID_BYTES = 8
LARGEST = 4 << 20


class _Birth(schema.Record, frozen=True):
    format: int
    id: bytes
    metadata: dict[str, str]
    attachments: dict[str, bytes]
    notice: str = ""


def id_of(session: Session) -> bytes:
    """What tells a session from one in which something else holds: 8 bytes; times and places make no difference."""
    timeless = replace(
        session, hello=msgspec.structs.replace(session.hello, time_us=0), started_ns=0, port="", learned=b""
    )
    return hashlib.sha256(cbor2.dumps(to_metadata(timeless, ""), canonical=True)).digest()[:ID_BYTES]


def to_bytes(session: Session, at: str = "") -> bytes:
    """A session as a message; `at` is the offset of the hub's zone."""
    metadata, attachments = to_metadata(replace(session, port=""), at)
    birth = _Birth(format=FORMAT, id=id_of(session), metadata=metadata, attachments=attachments, notice=NOTICE)
    return cbor2.dumps(schema.to_plain(birth), canonical=True)


def from_bytes(data: bytes, where: str) -> tuple[bytes, Session]:
    """Id and session of a message.

    Raises:
        RecordingError: it is none, or is damaged.
    """
    try:
        if len(data) > LARGEST:
            raise SchemaError(f"it has {len(data)} bytes")
        birth = schema.from_cbor(data, _Birth, "birth", "update the hub that sends it")
        if birth.format != FORMAT:
            raise SchemaError(f"it has the format {birth.format}")
    except SchemaError as error:
        raise RecordingError(
            f"The birth of {where} cannot be read ({error}); update the hub that sends it, or this one."
        ) from error
    session = from_metadata(birth.metadata, birth.attachments, f"The birth of {where}")
    if id_of(session) != birth.id:
        raise RecordingError(
            f"The birth of {where} is not what its id says; update the hub that sends it, or this one."
        )
    return birth.id, session
