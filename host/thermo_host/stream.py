"""Live telemetry that outlasts an unplugged cable."""

import time
from collections.abc import Generator, Iterator

from thermo_core.errors import LinkError, LinkLostError, ProtocolVersionError, RefusedError
from thermo_core.recording.layout import Gap
from thermo_host.lease import SILENCE_S, Lost, Telemetry
from thermo_host.link import Wearable
from thermo_host.session import Session

IDLE_S = 0.1
RETRY_S = 0.25


def listen(
    wearable: Wearable, session: Session, *, reconnect: bool = False
) -> Generator[Telemetry | Gap | Lost | None, None, None]:
    """Telemetry without end; None whenever nothing came for a tenth of a second, so that a caller can do other things.

    Close it (`contextlib.closing`) to stop the device's stream.

    Args:
        wearable: an open session.
        session: what it said at the start.
        reconnect: wait for a port that vanished to come back, for as long as the caller goes on: first a `Lost` comes, then
            None again and again, at last the `Gap`.

    Raises:
        LinkLostError: the port vanished and `reconnect` is off, or another wearable came back.
        LinkError: the wearable refuses to stream.
    """
    heard_ns = utc_now_ns(wearable)
    while True:
        reason = "the port vanished"
        try:
            with wearable.stream() as stream:
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
                    yield telemetry
        except (ProtocolVersionError, RefusedError):
            raise
        except LinkError:
            if not reconnect:
                raise
        yield Lost(heard_ns, reason)
        yield from _wait_for_return(wearable, session)
        now_ns = utc_now_ns(wearable)
        yield Gap(heard_ns, now_ns, reason)
        heard_ns = now_ns


def utc_now_ns(wearable: Wearable) -> int:
    """Nanoseconds since 1970 UTC, by the clock of the session: it goes on evenly when the computer's is set."""
    return time.monotonic_ns() + wearable.clock.utc_minus_monotonic_ns


def _wait_for_return(wearable: Wearable, session: Session) -> Iterator[None]:
    while True:
        wait_until = time.monotonic() + RETRY_S
        try:
            hello = wearable.reopen_once()
        except (ProtocolVersionError, RefusedError):
            raise
        except LinkError:
            while time.monotonic() < wait_until:
                yield None
                time.sleep(IDLE_S / 2)
            continue
        if hello.serial != session.hello.serial:
            raise LinkLostError(
                f"{wearable.port} is now the wearable {hello.serial}, not {session.hello.serial}; start again with it."
            )
        return
