"""What a driver writes to a MAX3010x so that it measures as a profile says."""

from thermo_core.sensors.max3010x import registers as r
from thermo_core.sensors.max3010x.settings import Max3010xSettings

_MODES = {(1,): r.HEART_RATE, (1, 2): r.SPO2}
"""Modes by the LEDs that they light; any others take slots of their own."""


def writes(settings: Max3010xSettings) -> tuple[bytes, ...]:
    """Messages in order: the first byte of each is a register. The first one resets the chip, the last one starts it."""
    slots = (*settings.slots, 0, 0, 0, 0)[:4]
    current = round(settings.current_ma / r.CURRENT_STEP_MA)
    fifo = r.AVERAGES.index(settings.averages) << r.AVERAGING_SHIFT | min(
        r.FIFO_DEPTH - settings.burst, r.ALMOST_FULL_MASK
    )
    spo2 = (
        r.RANGES_NA.index(settings.range_na) << r.RANGE_SHIFT
        | r.RATES_HZ.index(round(settings.measured_hz)) << r.RATE_SHIFT
        | r.PULSES_US.index(settings.pulse_us)
    )
    return (
        bytes((r.MODE_CONFIG, r.RESET)),
        bytes((r.ENABLE_1, r.ALMOST_FULL | r.AMBIENT_OVERFLOW)),
        bytes((r.FIFO_CONFIG, fifo)),
        bytes((r.SPO2_CONFIG, spo2)),
        *(bytes((r.CURRENTS[slot - 1], current)) for slot in settings.slots),
        bytes((r.SLOTS[0], slots[0] | slots[1] << 4, slots[2] | slots[3] << 4)),
        bytes((r.WRITE_POINTER, 0, 0, 0)),
        bytes((r.MODE_CONFIG, _MODES.get(settings.slots, r.MULTI_LED))),
    )
