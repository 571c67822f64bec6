"""Which wearables are here: ports are looked for again and again, each gets a listener, and each wearable keeps its id."""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import insert, select, update

from thermo_core.errors import StorageError, UsageError
from thermo_core.files import file_name
from thermo_core.recording.session import Session
from thermo_core.text import clean
from thermo_host.link.ports import find_ports
from thermo_hub.bus import Bus
from thermo_hub.store.store import Store
from thermo_hub.store.tables import WEARABLE
from thermo_hub.wearables.following import Heard, MakeSink
from thermo_hub.wearables.listener import Listener

LOGGER = logging.getLogger(__name__)
LOOK_S = 1.0
END_S = 5.0
LONGEST_LABEL = 80


@dataclass(frozen=True, slots=True)
class Worn:
    """A wearable as it stands now.

    Attributes:
        id: under which all of the hub knows it.
        label: what people call it.
        session: who it is and what it has.
        port: where it is.
        state: "live", or "lost" while it is waited for, or what `Listener.state` says.
        reason: why it is not live, in words.
    """

    id: str
    label: str
    session: Session
    port: str
    state: str
    reason: str


@dataclass(frozen=True, slots=True)
class Shut:
    """A port behind which no wearable has answered yet.

    Attributes:
        port: its path.
        state, reason: as of its listener.
    """

    port: str
    state: str
    reason: str


class Wearables:
    """Those that are here.

    Args:
        store: where they are remembered.
        bus: takes what comes of them.
        ports: gives paths to listen to, again and again; None for every port that could be a wearable.
    """

    def __init__(self, store: Store, bus: Bus, ports: Callable[[], Iterable[str]] | None = None) -> None:
        self._store = store
        self._bus = bus
        self._named = ports
        self._listeners: dict[str, Listener] = {}
        self._ids: dict[str, Heard] = {}
        self._taps: list[MakeSink] = []
        self._labels: dict[str, str] = {}
        self._lock = threading.Lock()

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Look for them as long as the block lasts."""
        looking = asyncio.create_task(self._look_on())
        try:
            yield
        finally:
            looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await looking
            await asyncio.to_thread(self._end)

    def all(self) -> list[Worn]:
        """Every wearable that has answered since the hub was started, by id."""
        with self._lock:
            pairs = sorted(self._ids.items())
            labels = dict(self._labels)
        return [
            Worn(one, labels.get(one, ""), listener.session, listener.port, listener.state, listener.reason)
            for one, listener in pairs
            if listener.session is not None
        ]

    def shut(self) -> list[Shut]:
        """Ports behind which nobody answers as a wearable does."""
        with self._lock:
            listeners = list(self._listeners.values())
        return [Shut(one.port, one.state, one.reason) for one in listeners if not one.wearable_id]

    def get(self, wearable: str) -> Worn | None:
        """A wearable by its id; None where there is none."""
        return next((one for one in self.all() if one.id == wearable), None)

    def tap(self, make: MakeSink) -> None:
        """Have a sink made for every wearable on a port as soon as it answers, which takes all that it sends; before `open`.

        Args:
            make: gives a sink for the id of a wearable and what holds of it; None where it wants none. Called in the listener's thread.
        """
        self._taps.append(make)

    def adopt(self, wearable: str, heard: Heard, serial: str, profile: str) -> None:
        """Count a wearable among those here that is heard in another way than by a port."""
        with self._lock:
            self._ids[wearable] = heard
        try:
            self._remember(wearable, serial, profile, heard.port)
        except StorageError as error:
            LOGGER.error("%s", error)

    def listener(self, wearable: str) -> Heard:
        """What listens to a wearable.

        Raises:
            UsageError: there is none of that id.
        """
        with self._lock:
            listener = self._ids.get(wearable)
        if listener is None:
            raise UsageError(f"No wearable {wearable!r:.80} is here; look at the wall for those that are.")
        return listener

    def rename(self, wearable: str, label: str) -> None:
        """Call a wearable something; "" takes the name away.

        Raises:
            UsageError: there is none of that id, or the name is too long.
        """
        label = clean(label.strip())
        if len(label) > LONGEST_LABEL:
            raise UsageError(f"A name has at most {LONGEST_LABEL} characters; shorten it.")
        self.listener(wearable)
        with self._store.write() as connection:
            connection.execute(update(WEARABLE).where(WEARABLE.c.id == wearable).values(label=label))
        with self._lock:
            self._labels[wearable] = label

    async def _look_on(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._look)
            except Exception:
                LOGGER.exception("Looking for wearables failed.")
            await asyncio.sleep(LOOK_S)

    def _look(self) -> None:
        for port in _candidates() if self._named is None else self._named():
            with self._lock:
                known = self._listeners.get(port)
                if known is not None and known.is_alive():
                    continue
                listener = self._listeners[port] = Listener(port, self._claim, self._bus.post, self._taps)
            listener.start()

    def _claim(self, listener: Listener, session: Session) -> str:
        """The id of the wearable that answers a listener."""
        plain = file_name(session.hello.serial)
        with self._lock:
            holder = self._ids.get(plain)
            moved = isinstance(holder, Listener) and holder is not listener and holder.state != "live"
            mine = plain if holder in (None, listener) or moved else f"{plain}@{file_name(listener.port)}"
            if moved and isinstance(holder, Listener):
                # The cable was put into another socket.
                holder.end()
                self._listeners.pop(holder.port, None)
            self._ids[mine] = listener
        try:
            self._remember(mine, session.hello.serial, session.hello.profile, listener.port)
        except StorageError as error:
            LOGGER.error("%s", error)
        return mine

    def _remember(self, wearable: str, serial: str, profile: str, port: str) -> None:
        now = time.time_ns()
        said = {"serial": serial, "profile": profile, "port": port, "last_ns": now}
        with self._store.write() as connection:
            row = connection.execute(select(WEARABLE).where(WEARABLE.c.id == wearable)).first()
            if row is None:
                connection.execute(insert(WEARABLE).values(id=wearable, first_ns=now, **said))
            else:
                connection.execute(update(WEARABLE).where(WEARABLE.c.id == wearable).values(**said))
                with self._lock:
                    self._labels[wearable] = row.label

    def _end(self) -> None:
        with self._lock:
            listeners = list(self._listeners.values())
        for listener in listeners:
            listener.end()
        for listener in listeners:
            listener.join(END_S)


def _candidates() -> list[str]:
    return [port.path for port in find_ports() if port.candidate]
