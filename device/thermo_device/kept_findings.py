"""Findings of the last hour, kept for a host that lost the line: a ring in memory, over resets but not over the agent's end."""

import threading
from collections import deque
from collections.abc import Iterable

from thermo_core.graph.plan import Plan
from thermo_core.wire import kept
from thermo_core.wire.keeping import KEPT_S, kept_models, ring_bytes
from thermo_core.wire.management import Kept
from thermo_core.wire.records import FindingRecord, Record


class KeptFindings:
    """Keeps from a start of the stream until a host stops it, whether the line holds or not. Any thread may use it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[tuple[int, bytes]] = deque()
        self._bytes = self._capacity = 0
        self._models: frozenset[int] = frozenset()
        self._of = ""
        self._bundle = 0
        self._end = 0
        self._wanted = False

    @property
    def keeps(self) -> bool:
        """Whether the wearable has findings that are kept."""
        return self._capacity > 0

    def open(self, plan: Plan, profile: str, bundle: int) -> None:
        """A wearable starts: what is there stays, unless it is of another one.

        Args:
            plan: of it.
            profile: SHA-256 of its profile, in hexadecimal.
            bundle: first four bytes of the SHA-256 of its image.
        """
        with self._lock:
            if (profile, bundle) != (self._of, self._bundle):
                self._drop(len(self._entries))
                self._wanted = False
            self._of, self._bundle = profile, bundle
            self._models, self._capacity = frozenset(kept_models(plan)), ring_bytes(plan)

    def begin(self) -> None:
        """A host begins to listen: keep from here on."""
        self._wanted = True

    def forget(self) -> None:
        """A host has ended listening, and had everything."""
        with self._lock:
            self._wanted = False
            self._drop(len(self._entries))

    def take(self, records: Iterable[Record]) -> None:
        """Keep the findings among records; the oldest make room for them, and go after an hour."""
        found = [one for one in records if isinstance(one, FindingRecord) and one.model in self._models]
        if not found or not self._wanted:
            return
        with self._lock:
            for record in found:
                entry = kept.encode(record)
                if len(entry) > self._capacity:
                    continue
                while self._entries and (
                    self._bytes + len(entry) > self._capacity
                    or self._entries[0][0] + KEPT_S * 1_000_000 < record.time_us
                ):
                    self._drop(1)
                self._entries.append((record.time_us, entry))
                self._bytes += len(entry)
                self._end += 1

    def read(self, first: int, room: int) -> Kept:
        """What a host asks for.

        Args:
            first: running number of the first finding wanted.
            room: bytes of entries that an answer holds.
        """
        with self._lock:
            oldest = self._end - len(self._entries)
            number = min(max(first, oldest), self._end)
            data = bytearray()
            for at in range(number - oldest, len(self._entries)):
                if len(data) + len(self._entries[at][1]) > room:
                    break
                data += self._entries[at][1]
            return Kept(bundle=self._bundle, first=number, end=self._end, data=bytes(data))

    def _drop(self, count: int) -> None:
        for _ in range(count):
            self._bytes -= len(self._entries.popleft()[1])
