"""Findings that a host did not hear, fetched from a wearable that kept them: each of them once, and in its place."""

import time
from collections import deque
from collections.abc import Iterator

from thermo_core.recording.session import Session
from thermo_core.wire import records
from thermo_core.wire.keeping import kept_models
from thermo_core.wire.records import FindingRecord, RecordHeader
from thermo_core.wire.table import RecordType
from thermo_host.link.items import Telemetry
from thermo_host.link.wearable import Wearable

REMEMBERED = 1024
"""Findings that are known to have come; more than a device keeps."""
PAUSE_S = 1.0
"""Least time from one fetching to the next, or a bad line would carry nothing else."""

_Key = tuple[int, int]


class Missed:
    """What of the findings that a wearable keeps has come, and how to come by the rest.

    Args:
        wearable: an open session.
        session: what it said of itself.
    """

    def __init__(self, wearable: Wearable, session: Session) -> None:
        self._wearable = wearable
        self._models: tuple[int, ...] = ()
        self._order: deque[_Key] = deque()
        self._known: set[_Key] = set()
        self._state = (-1, -1)
        self._asked = -PAUSE_S
        self.follow(session)

    def follow(self, session: Session) -> None:
        """The wearable turned out to be another one."""
        # At the profile's rates, by which the wearable keeps them, whatever its sensors are set to.
        self._models = kept_models(session.profile_plan)

    def before(self, telemetry: Telemetry | None, restarts: int, lost: int) -> Iterator[Telemetry]:
        """What must be told before something that came, where a stream has begun or lost something since the last call.

        Args:
            telemetry: what came.
            restarts: of the stream.
            lost: records of the stream that did not come.

        Raises:
            LinkError: the wearable does not answer, or refuses.
            ManagementError, RecordError: what it gives makes no sense.
        """
        begun, failed = restarts != self._state[0], lost != self._state[1]
        if not self._models or not (begun or (failed and time.monotonic() - self._asked >= PAUSE_S)):
            return
        self._state, self._asked = (restarts, lost), time.monotonic()
        here = self._key(telemetry)
        for record in self._wearable.kept():
            key = record.model, record.time_us
            if key == here:
                return
            if self._add(key):
                yield self._told(record)

    def is_new(self, telemetry: Telemetry | None) -> bool:
        """Whether something that came was not told before."""
        key = self._key(telemetry)
        return key is None or self._add(key)

    def _key(self, telemetry: Telemetry | None) -> _Key | None:
        record = None if telemetry is None else telemetry.record
        if isinstance(record, FindingRecord) and record.model in self._models:
            return record.model, record.time_us
        return None

    def _add(self, key: _Key) -> bool:
        if key in self._known:
            return False
        self._known.add(key)
        self._order.append(key)
        if len(self._order) > REMEMBERED:
            self._known.discard(self._order.popleft())
        return True

    def _told(self, record: FindingRecord) -> Telemetry:
        clock = self._wearable.clock
        header = RecordHeader(RecordType.FINDING, 0, record.time_us)
        received_ns = time.monotonic_ns() + clock.utc_minus_monotonic_ns
        return Telemetry(received_ns, clock.utc_ns(record.time_us), header, record, records.encode(record, 0))
