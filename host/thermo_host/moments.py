"""Moments as a person writes and reads them: dates, and times since the start of a recording."""

import re
from datetime import UTC, datetime, timedelta

from thermo_core.errors import UsageError

_SINCE = re.compile(r"\+?(?:(?:(\d{1,4}):)?(\d{1,4}):)?(\d{1,9}(?:\.\d{1,9})?)")


def utc(nanoseconds: int) -> str:
    """ISO 8601 with zone, to the microsecond."""
    seconds, rest = divmod(nanoseconds, 1_000_000_000)
    moment = datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)
    return moment.isoformat(timespec="microseconds")


def utc_of_second(unix_s: int) -> str:
    """ISO 8601 with zone of a whole second; one that no calendar has is told as what it is."""
    try:
        return datetime.fromtimestamp(unix_s, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return f"{unix_s} s after 1970"


def parse_moment(option: str, text: str, started_ns: int) -> int:
    """Nanoseconds since 1970 UTC of a moment.

    Args:
        option: where it was given, for the error.
        text: ISO 8601 (UTC where it names no zone), or seconds, minutes:seconds, hours:minutes:seconds since the start.
        started_ns: the start, nanoseconds since 1970 UTC.

    Raises:
        UsageError: it is neither.
    """
    match = _SINCE.fullmatch(text.strip())
    if match is not None:
        hours, minutes, seconds = match.groups()
        whole, _, rest = seconds.partition(".")
        return (
            started_ns
            + (int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(whole)) * 1_000_000_000
            + int(f"{rest:0<9}")
        )
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        since = moment - datetime(1970, 1, 1, tzinfo=UTC)
        return (since // timedelta(microseconds=1)) * 1000
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{option} {text!r:.40} is no moment; write a date such as 2026-11-26T08:23:40Z, or a time since the start such "
            "as 90 or 1:30:00."
        ) from error
