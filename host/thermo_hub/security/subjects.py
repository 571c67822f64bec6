"""Which wearable a request is of: named in its address, or by an alert, a recording or a window of review in it."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

from sqlalchemy import select
from starlette.requests import HTTPConnection

from thermo_core.errors import ThermoError
from thermo_core.files import file_name
from thermo_host.stream.playback import Recording
from thermo_hub.store.store import Store
from thermo_hub.store.tables import METADATA

LISTS = frozenset(
    ("/api/wearables", "/api/alerts", "/api/recordings", "/api/review", "/api/review/labels.npz", "/api/trends")
)
"""Routes that tell of every wearable that their visitor sees."""


def subject(connection: HTTPConnection, store: Store, recordings: Path) -> str | None:
    """The wearable that a request is of.

    Args:
        connection: the request.
        store: where alerts and windows are.
        recordings: folder of recordings.

    Returns:
        Its id; "" where what the address names is of none, or is not there; None where the address names nothing of the kind.
    """
    names: Mapping[str, str] = connection.path_params
    finders: Mapping[str, Callable[[str], str]] = {
        "wearable": lambda name: name,
        "alert": lambda name: _of_row(store, "alert", name),
        "item": lambda name: _of_row(store, "review_item", name),
        "recording": lambda name: of_recording(recordings / name) if Path(name).name == name else "",
    }
    return next((find(str(names[kind])) for kind, find in finders.items() if kind in names), None)


def of_recording(path: Path) -> str:
    """The wearable that a recording is of; "" where it cannot be read."""
    try:
        return _of_file(path, path.stat().st_ino)
    except (OSError, ValueError, ThermoError):  # ValueError: a name with a zero byte
        return ""


@lru_cache(maxsize=4096)
def _of_file(path: Path, _: int) -> str:
    """Of whom a file is stands at its beginning, and does not change."""
    return file_name(Recording(path).session.hello.serial)


def _of_row(store: Store, table: str, key: str) -> str:
    rows = METADATA.tables[table]
    with store.read() as connection:
        return str(connection.execute(select(rows.c.wearable).where(rows.c.id == key)).scalar() or "")
