"""Live telemetry that outlasts an unplugged cable and another sensor."""

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace

from thermo_core.errors import LinkError, LinkLostError, ProtocolVersionError, RefusedError
from thermo_core.recording.layout import Gap
from thermo_core.recording.session import Session
from thermo_core.sensors.kind import Block
from thermo_host.link.items import Item, Lost, Telemetry
from thermo_host.link.lease import SILENCE_S, TelemetryStream
from thermo_host.link.session import changes, fetch
from thermo_host.link.wearable import Wearable
from thermo_host.stream.missed import Missed

IDLE_S = 0.1
RETRY_S = 0.25
NUMBERS = 1 << 16
"""Blocks carry the number of their constants modulo this."""
RESTARTS = 1 << 32
"""More than one stream has."""
ASK_S = 1.0
"""How often a wearable is asked at most what its blocks are made with."""


def listen(
    wearable: Wearable, session: Session, *, reconnect: bool = False, signals: Sequence[int] = ()
) -> Generator[Item | None, None, None]:
    """Telemetry without end; None whenever nothing came for a tenth of a second, so that a caller can do other things.

    Findings that it kept while nobody heard it come before all else, each finding once (`FindingRecord.fetched`).
    Where the wearable turns out to have another sensor, correction, profile or bundle than before, a `Session` comes, which
    holds for all that follows: when a block is of constants that are not known, when it restarted, when it came back.

    Close it (`contextlib.closing`) to stop the device's stream.

    Args:
        wearable: an open session.
        session: what it said at the start.
        reconnect: wait for a port that vanished to come back, for as long as the caller goes on: first a `Lost` comes, then
            None again and again, at last the `Gap`.
        signals: numbers of those that the wearable is to send as it computes them.

    Raises:
        LinkLostError: the port vanished and `reconnect` is off, or another wearable came back.
        LinkError: the wearable refuses to stream.
        CorrectionError, SensorError: what it has now is damaged.
    """
    known = Known(wearable, session)
    missed = Missed(wearable, session)
    heard_ns = utc_now_ns(wearable)
    began = 0
    while True:
        reason = "the port vanished"
        try:
            with wearable.stream() as stream:
                chosen_for = -1
                silent_since = time.monotonic()
                while True:
                    telemetry = stream.get(IDLE_S)
                    if telemetry is not None:
                        silent_since, heard_ns = time.monotonic(), telemetry.received_ns
                    elif time.monotonic() - silent_since > SILENCE_S:
                        reason = "the wearable fell silent"
                        raise LinkLostError(
                            f"{wearable.port} has been silent for {SILENCE_S:g} s; check the wearable and try again."
                        )
                    if signals and chosen_for != stream.restarts:
                        # With the end of a stream the device forgets them.
                        chosen_for = stream.restarts
                        wearable.choose_signals(signals)
                    for news in known.before(telemetry, stream):
                        missed.follow(news)
                        yield news
                    yield from missed.before(telemetry, began + stream.restarts, stream.lost)
                    if missed.is_new(telemetry):
                        yield telemetry
        except (ProtocolVersionError, RefusedError):
            raise
        except LinkError:
            if not reconnect or known.other:
                raise
        yield Lost(heard_ns, reason)
        now_ns = yield from _wait_for_return(wearable, known)
        yield Gap(from_ns=heard_ns, to_ns=max(heard_ns, now_ns), reason=reason)
        for news in known.news():
            missed.follow(news)
            yield news
        began += RESTARTS
        heard_ns = now_ns


def _is_newer(block: Block, session: Session) -> bool:
    """Whether a block was made with newer constants than the session has."""
    sensors = session.hello.sensors
    return (
        block.sensor < len(sensors) and 0 < (block.constants - sensors[block.sensor].constants) % NUMBERS < NUMBERS // 2
    )


def utc_now_ns(wearable: Wearable) -> int:
    """Nanoseconds since 1970 UTC, by the clock of the session: it goes on evenly when the computer's is set."""
    return time.monotonic_ns() + wearable.clock.utc_minus_monotonic_ns


def now_and_waiting_ns(wearable: Wearable) -> tuple[int, int | None]:
    """The same, and the moment at which the oldest record came that nobody took yet; None where none waits."""
    waiting_ns = wearable.line.waiting_since_ns
    return utc_now_ns(wearable), None if waiting_ns is None else waiting_ns + wearable.clock.utc_minus_monotonic_ns


class Known:
    """What a wearable last said it is, and whether that still holds.

    Args:
        wearable: an open session.
        session: what it said at the start.

    Attributes:
        other: another wearable answered.
    """

    def __init__(self, wearable: Wearable, session: Session) -> None:
        self.other = False
        self._wearable = wearable
        self._session = session
        self._news: Session | None = None
        self._restarts = 0
        self._asked = -ASK_S

    def before(self, telemetry: Telemetry | None, stream: TelemetryStream) -> Iterator[Session]:
        """What must be known before something that came in a stream can be read; nothing where it is known.

        Raises:
            LinkLostError: another wearable answers.
            LinkError: it does not say.
        """
        if stream.restarts != self._restarts:
            self._restarts = stream.restarts
            self.ask()
        record = None if telemetry is None else telemetry.record
        unknown = isinstance(record, Block) and _is_newer(record, self._session)
        # A device that counts up with every block is not asked with every one.
        if unknown and time.monotonic() - self._asked >= ASK_S:
            self.ask()
        yield from self.news()

    def news(self) -> Iterator[Session]:
        """What was found changed, once."""
        if self._news is not None:
            yield self._news
            self._news = None

    def ask(self) -> None:
        """Compare what it says now.

        Raises:
            LinkLostError: another wearable answers.
            LinkError: it does not say.
        """
        self._asked = time.monotonic()
        before, now = self._session, fetch(self._wearable, partly=True)
        if now.hello.serial != before.hello.serial:
            self.other = True
            raise LinkLostError(
                f"{self._wearable.port} is now the wearable {now.hello.serial}, not {before.hello.serial}; start again "
                "with it."
            )
        if changes(before, now):
            self._session = self._news = replace(
                now, started_ns=before.started_ns, subject=before.subject, note=before.note
            )

    def returned(self) -> None:
        """The same after the port was opened anew; a stream made then counts its restarts from 0."""
        self._restarts = 0
        self.ask()


def _wait_for_return(wearable: Wearable, known: Known) -> Generator[None, None, int]:
    """UTC in nanoseconds of the return."""
    while True:
        wait_until = time.monotonic() + RETRY_S
        try:
            wearable.reopen_once()
            known.returned()
            return utc_now_ns(wearable)
        except (ProtocolVersionError, RefusedError):
            raise
        except LinkError:
            if known.other:
                raise
            while time.monotonic() < wait_until:
                yield None
                time.sleep(IDLE_S / 2)
