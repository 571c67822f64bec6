"""What a driver writes to a TMP117 so that it measures as a profile says."""

from thermo_core.sensors.tmp117 import registers as r
from thermo_core.sensors.tmp117.settings import Tmp117Settings


def configuration(settings: Tmp117Settings) -> int:
    """The configuration word: continuous conversion, by rate and averages."""
    cycle = min(range(len(r.CYCLES_S)), key=lambda code: abs(r.CYCLES_S[code] * settings.rate_hz - 1))
    return cycle << r.CYCLE_SHIFT | r.AVERAGES.index(settings.averages) << r.AVERAGING_SHIFT


def writes(settings: Tmp117Settings) -> tuple[bytes, ...]:
    """Messages in order: the first byte of each is a register."""
    return (bytes((r.CONFIGURATION,)) + configuration(settings).to_bytes(2, "big"),)
