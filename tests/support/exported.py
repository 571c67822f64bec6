"""Exports as tests make and read them."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from thermo_core.recording.session import Session
from thermo_host.exports import target
from thermo_host.exports.decoding import Choice, Decoding
from thermo_host.stream.playback import Recording

SECOND_NS = 1_000_000_000


def exported(found: Recording, path: Path, choice: Choice | None = None, force: bool = False) -> list[Path]:
    decoding = Decoding(found, choice)
    target.check_target(path, decoding.known, force)
    return target.write(decoding, path, decoding.first, force)


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def swapped(session: Session, **changes: Any) -> Session:
    return replace(session, profile=msgspec.structs.replace(session.profile, **changes))
