"""The part of FHIR: what a clinician takes out of the hub."""

import contextlib
import json
import os
import secrets
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from thermo_core.file_errors import storage_error
from thermo_hub.fhir.bundle import bundle
from thermo_hub.hub import Hub, Part, hub_of
from thermo_hub.security.roles import Role, allow

ROUTER = APIRouter(prefix="/api/fhir", tags=["fhir"])
PART = Part("fhir", ROUTER)
KEY_FILE = "pseudonyms.key"
KEY_BYTES = 32
Milliseconds = Annotated[int, Query(ge=0, le=9_000_000_000_000)]


@ROUTER.get("/{wearable}", dependencies=[Depends(allow(Role.CLINICIAN))])
def exported(
    wearable: str, hub: Annotated[Hub, Depends(hub_of)], from_ms: Milliseconds, to_ms: Milliseconds
) -> Response:
    """What was measured, said and called about, as a FHIR R4 bundle; its wearer is a pseudonym."""
    made = bundle(hub.store, wearable, from_ms * 1_000_000, to_ms * 1_000_000, key_of(hub.settings.place / KEY_FILE))
    headers = {"content-disposition": 'attachment; filename="thermo-hub.fhir.json"'}
    return Response(json.dumps(made, ensure_ascii=False), media_type="application/fhir+json", headers=headers)


def key_of(path: Path) -> bytes:
    """The secret of which pseudonyms are made; made itself where it is not there.

    Raises:
        StorageError: it can be neither read nor made.
    """
    try:
        if not path.exists():
            _make(path)
        return path.read_bytes()
    except OSError as error:
        raise storage_error("read", path, error) from error


def _make(path: Path) -> None:
    """Whole or not at all, for its owner alone; of two that make it at once the first has made it."""
    new = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    line = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(line, secrets.token_bytes(KEY_BYTES))
        os.fsync(line)
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(new)
    finally:
        os.close(line)
        new.unlink()
