"""The clock that a hub's days and quiet hours go by."""

from datetime import tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from thermo_core.errors import UsageError


def zone_of(name: str | None) -> tzinfo | None:
    """A zone by its name; None for the clock of the machine.

    Raises:
        UsageError: it is not known.
    """
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(f"The zone {name!r:.60} of hub.toml is not known; name one like Europe/Berlin.") from error
