"""Who a record is: boot id and sequence, given once, when it is spooled, and never to another one."""

from collections import deque

import msgspec

from thermo_core.typed import from_msgpack
from thermo_core.wire.records import SEQUENCES, FindingRecord
from thermo_host.link.items import Telemetry
from thermo_hub.broker.records import Kept

BACK_US = 1_000_000
"""A wearable's clock that is behind by more than this began anew: records overtake each other by less."""
JUMP_NS = 2_000_000_000
"""By how much the moment at which a wearable began may seem to move between two records."""
FINDINGS = 512
"""Of which it is known that they came; more than wearables keep."""


class State(msgspec.Struct):
    """All that must be known to go on.

    Attributes:
        boot: id of the boot; 0 before the first record.
        sequence: of the last record of the line.
        time_us: newest moment of the wearable's clock.
        zero_ns: nanoseconds since 1970 UTC at which its clock was 0.
        fetched: sequence of the last finding that was fetched.
        session: id of the session that holds.
        findings: model and moment of the last ones.
    """

    boot: int = 0
    sequence: int = 0
    time_us: int = 0
    zero_ns: int = 0
    fetched: int = 0
    session: bytes = b""
    findings: list[tuple[int, int]] = []


class Identity:
    """Gives identities in the order of arrival.

    Attributes:
        state: all that it knows.
    """

    def __init__(self) -> None:
        self.state = State()
        self._known: set[tuple[int, int]] = set()
        self._order: deque[tuple[int, int]] = deque()

    def load(self, data: bytes) -> None:
        """Go on from a state; from nothing where it is none."""
        try:
            self.state = from_msgpack(data, State)
        except (msgspec.MsgspecError, ValueError):
            self.state = State()
        self._order, self._known = deque(self.state.findings), set(self.state.findings)

    def dump(self) -> bytes:
        """The state, for `load`."""
        self.state.findings = list(self._order)
        return msgspec.msgpack.encode(self.state)

    def of(self, item: Telemetry) -> Kept | None:
        """A record with its identity; None where it is a finding that came before."""
        record = item.record
        finding = (record.model, record.time_us) if isinstance(record, FindingRecord) else None
        if isinstance(record, FindingRecord) and record.fetched:
            if not self.state.boot:
                self._begin(item)
            if finding in self._known:
                return None
            kept = Kept(self.state.boot + 1, self.state.fetched + 1, item.received_ns, item.captured_ns, item.data)
        else:
            if self._restarted(item):
                self._begin(item)
            step = (item.header.sequence - self.state.sequence) % SEQUENCES or SEQUENCES
            kept = Kept(self.state.boot, self.state.sequence + step, item.received_ns, item.captured_ns, item.data)
        return kept

    def saw(self, kept: Kept, time_us: int, finding: tuple[int, int] | None) -> None:
        """A record was spooled, now or before a kill."""
        if kept.boot & 1:
            if kept.boot - 1 != self.state.boot:
                self._forget(kept.boot - 1, -1)
            self.state.fetched = kept.sequence
        else:
            if kept.boot != self.state.boot:
                self._forget(kept.boot, kept.sequence)
            state = self.state
            state.sequence = kept.sequence
            state.time_us = max(state.time_us, time_us)
            state.zero_ns = kept.captured_ns - time_us * 1000
        if finding is not None and finding not in self._known:
            self._known.add(finding)
            self._order.append(finding)
            if len(self._order) > FINDINGS:
                self._known.discard(self._order.popleft())

    def _restarted(self, item: Telemetry) -> bool:
        state, time_us = self.state, item.header.time_us
        moved = item.captured_ns - time_us * 1000 - state.zero_ns
        return not state.boot or time_us < state.time_us - BACK_US or abs(moved) > JUMP_NS

    def _begin(self, item: Telemetry) -> None:
        """Another boot: its id is when it began, and later than all before."""
        began_us = max(0, item.captured_ns // 1000 - item.header.time_us)
        # The first record of the line gets the sequence that it has on the wire.
        self._forget(max(began_us & ~1, self.state.boot + 2), item.header.sequence - 1)
        self.state.zero_ns = item.captured_ns - item.header.time_us * 1000

    def _forget(self, boot: int, sequence: int) -> None:
        self.state = State(boot=boot, sequence=sequence, session=self.state.session)
        self._known.clear()
        self._order.clear()


def session_in(data: bytes) -> bytes:
    """Id of the session that held when a state was dumped; b"" where that is none."""
    try:
        return from_msgpack(data, State).session
    except (msgspec.MsgspecError, ValueError):
        return b""
