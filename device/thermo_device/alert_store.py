"""Which alerts are raised or acknowledged, kept over restarts.

Another profile's alerts mean something else by the same numbers, so that none is raised under it. Written only where it differs from what
is there, and at most once in `EVERY_US` unless a person has acknowledged one or the device is about to restart: an alert that comes
and goes wears nothing out. `device/firmware/core/alert_store.c` keeps them by the same rules.
"""

import logging
import math
import threading
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from thermo_core.errors import DamagedFileError, StorageError
from thermo_core.graph.alerts import AlertChange, AlertState
from thermo_device.files import DISK, Files, read_note, write_note

log = logging.getLogger(__name__)

EVERY_US = 10_000_000
"""Between two writes that nobody waits for."""
STANDING = (AlertState.RAISED, AlertState.ACKNOWLEDGED)


class AlertStore:
    """Alerts of one profile at a time. Any thread may use it.

    Args:
        directory: where `alerts.json` lies.
        files: file system.

    Attributes:
        problem: why what stands is not on the medium, or what was there is lost, a sentence; "" where all is well.
    """

    def __init__(self, directory: Path, files: Files = DISK) -> None:
        self._path = directory / "alerts.json"
        self._files = files
        self._lock = threading.Lock()
        self._profile = ""
        self._standing: dict[int, AlertChange] = {}
        self._kept: dict[str, object] = {}
        self._due_us = 0
        self.problem = ""

    def open(self, profile: str, alerts: int, now_us: int) -> tuple[AlertChange, ...]:
        """Go on with a profile.

        Args:
            profile: its SHA-256 in hexadecimal.
            alerts: how many it has.
            now_us: device clock; what was kept with a later time is of a clock that began anew, and counts as this.

        Returns:
            Those that are raised or acknowledged.
        """
        with self._lock:
            self._profile, self._due_us = profile, 0
            self._standing = {
                number: replace(one, time_us=min(one.time_us, now_us))
                for number, one in self._load(profile, alerts).items()
            }
            return tuple(self._standing.values())

    def take(self, changes: Iterable[AlertChange]) -> None:
        """Know of steps of alerts, the newest last."""
        with self._lock:
            for change in changes:
                if change.state in STANDING:
                    self._standing[change.alert] = change
                else:
                    self._standing.pop(change.alert, None)

    def keep(self, now_us: int, at_once: bool = False) -> None:
        """Write what stands, where that is due or `at_once`; `problem` says why it could not be written."""
        with self._lock:
            if (now_us < self._due_us and not at_once) or (self._note() == self._kept and not self.problem):
                return
            self._due_us = now_us + EVERY_US
            try:
                write_note(self._files, self._path, self._note())
            except StorageError as error:
                self._tell(f"Which alerts are raised cannot be kept. {error}")
                return
            self._kept, self.problem = self._note(), ""

    def _note(self) -> dict[str, object]:
        rows: list[object] = [
            [number, int(one.state), one.time_us, None if math.isnan(one.value) else one.value, one.flags]
            for number, one in sorted(self._standing.items())
        ]
        return {"profile": self._profile, "alerts": rows}

    def _load(self, profile: str, alerts: int) -> dict[int, AlertChange]:
        try:
            note = read_note(self._files, self._path)
        except (DamagedFileError, StorageError) as error:
            self._kept = {}
            self._tell(f"Which alerts were raised is lost, and each is raised again once its condition holds. {error}")
            return {}
        self._kept = {"profile": profile, "alerts": []} if note is None else note
        if note is None or note.get("profile") != profile:
            return {}
        rows = note.get("alerts")
        known = [_change(row, alerts) for row in rows] if isinstance(rows, list) else [None]
        sound = {one.alert: one for one in known if one is not None}
        if len(sound) != len(known):
            self._tell(f"{self._path} is not of this version, and each alert is raised again once its condition holds.")
            return {}
        return sound

    def _tell(self, sentence: str) -> None:
        log.warning("%s", sentence)
        self.problem = sentence


def _change(row: object, alerts: int) -> AlertChange | None:
    match row:
        case [int(number), int(state), int(time_us), (int() | float() | None) as value, int(flags)] if (
            0 <= number < alerts and state in STANDING and time_us >= 0 and 0 <= flags <= 0xFFFF
        ):
            return AlertChange(number, AlertState(state), time_us, math.nan if value is None else float(value), flags)
    return None
