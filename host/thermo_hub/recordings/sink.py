"""A recording that a hub makes: what a listener hears goes to the disk, from any thread it can be marked and ended."""

import math
import shutil
import threading
import time
from pathlib import Path

from thermo_core.errors import StorageError
from thermo_core.file_errors import storage_error
from thermo_core.graph.engine import Outcome
from thermo_core.recording.layout import Gap, Marker
from thermo_core.recording.session import Session
from thermo_host.link.items import Item, Lost
from thermo_host.sinks.recorder import Recorder

LOOK_S = 5.0
"""How often it is looked whether there is room."""


class RecordingSink:
    """Writes until it is ended, or the disk is full.

    Args:
        path: a new file.
        session: whose telemetry it will be.
        spare_bytes: that are left free on the disk.

    Attributes:
        path: the file.
        started_ns: when it began.
        failure: why it ended by itself; "" while it did not.
        marked: moments that somebody marked.

    Raises:
        StorageError: the file cannot be made, or there is no room for it.
    """

    def __init__(self, path: Path, session: Session, spare_bytes: int = 0) -> None:
        self.path = path
        self._spare_bytes = spare_bytes
        self._looked_s = -math.inf
        self._check_room()
        self.started_ns = time.time_ns()
        self.failure = ""
        self.marked = 0
        self._recorder: Recorder | None = Recorder(path, session)
        self._lost: Lost | None = None
        self._lock = threading.Lock()

    @property
    def running(self) -> bool:
        """Whether it takes anything."""
        return self._recorder is not None

    def take(self, item: Item, outcome: Outcome | None) -> None:
        """As `Sink`."""
        self._lost = item if isinstance(item, Lost) else None
        self._do(item)

    def idle(self) -> None:
        """As `Sink`."""
        self._do(None)

    def mark(self, text: str) -> None:
        """Mark this moment."""
        self._do(Marker(at_ns=time.time_ns(), text=text))
        self.marked += 1

    def end(self) -> None:
        """Finish the file; a wearable that is away leaves a gap to its end."""
        if self._lost is not None:
            lost, self._lost = self._lost, None
            self._do(Gap(from_ns=lost.since_ns, to_ns=time.time_ns(), reason=lost.reason))
        with self._lock:
            recorder, self._recorder = self._recorder, None
            if recorder is not None:
                recorder.__exit__(None, None, None)

    def _do(self, item: Item | None) -> None:
        with self._lock:
            if self._recorder is None:
                return
            try:
                self._check_room()
                if item is None:
                    self._recorder.tick()
                else:
                    self._recorder.add(item)
            except StorageError as error:
                # What was written stays readable, and the wearable is listened to all the same.
                self.failure = str(error)
                recorder, self._recorder = self._recorder, None
                recorder.__exit__(type(error), error, None)

    def _check_room(self) -> None:
        """Hold to it that the database, and whatever else is on the disk, has room.

        Raises:
            StorageError: it would not.
        """
        now_s = time.monotonic()
        if now_s - self._looked_s < LOOK_S:
            return
        self._looked_s = now_s
        folder = self.path.parent
        try:
            free = shutil.disk_usage(folder).free
        except OSError as error:
            raise storage_error("read", folder, error) from error
        if free < self._spare_bytes:
            raise StorageError(
                f"{free / 1e6:.0f} MB are free in {folder}, and recordings leave {self._spare_bytes / 1e6:.0f} MB free; make room, or "
                "say another spare_mb in [keep] of hub.toml."
            )
