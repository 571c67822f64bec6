"""A recording for research: the same telemetry, of which nothing says whose it is but pseudonyms."""

import secrets
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

import msgspec

from thermo_core.file_errors import storage_error
from thermo_core.recording.layout import Gap, LslSamples, LslStream, Marker
from thermo_core.recording.session import Session
from thermo_host.sinks.recorder import Recorder
from thermo_host.stream.playback import Recorded, Recording
from thermo_hub.security.aliases import Names


def nameless(path: Path, folder: Path, wearable: str, names: Names) -> BinaryIO:
    """Copy a recording so that it names nobody; the copy is gone once it is closed.

    Serial and subject become pseudonyms, which the answers of other routes have too. Port, note, texts of markers, reasons of gaps, and of
    streams of others the sender and all texts, are left out: people or computers wrote them. What was measured, said and learned, the
    body's facts that models need, and times stay.

    Args:
        path: of the recording.
        folder: with room for the copy.
        wearable: id of the wearable that it is of.
        names: that make pseudonyms.

    Raises:
        StorageError: it cannot be read, or there is no room.
        RecordingError: it is none of ours.
    """
    recording = Recording(path)
    copy = folder / f".{secrets.token_hex(8)}.part"
    try:
        with Recorder(copy, _of_nobody(recording.session, wearable, names)) as recorder:
            for item in recording:
                kept = _kept(item, wearable, names)
                if kept is not None:
                    recorder.add(kept)
        return copy.open("rb")
    except OSError as error:
        raise storage_error("read", copy, error) from error
    finally:
        copy.unlink(missing_ok=True)


def _kept(item: Recorded, wearable: str, names: Names) -> Recorded | None:
    if isinstance(item, Session):
        return _of_nobody(item, wearable, names)
    if isinstance(item, Marker):
        return msgspec.structs.replace(item, text="")
    if isinstance(item, Gap):
        return msgspec.structs.replace(item, reason="")
    if isinstance(item, LslStream):
        return None if item.format == "string" else msgspec.structs.replace(item, source_id="", hostname="")
    if isinstance(item, LslSamples):
        return None if item.texts else item
    return item


def _of_nobody(session: Session, wearable: str, names: Names) -> Session:
    hello = msgspec.structs.replace(session.hello, name=session.hello.profile, serial=names.wearable(wearable))
    return replace(session, hello=hello, subject=names.person(session.subject or wearable), note="", port="")
