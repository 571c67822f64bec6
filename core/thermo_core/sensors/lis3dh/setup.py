"""What a driver writes to a LIS3DH so that it measures as a profile says."""

from thermo_core.sensors.lis3dh import registers as r
from thermo_core.sensors.lis3dh.settings import Lis3dhSettings


def writes(settings: Lis3dhSettings) -> tuple[bytes, ...]:
    """Messages in order: the first byte of each is a register. The first one stops the chip, the last one starts it."""
    resolution = r.HIGH_RESOLUTION if settings.mode == "high-resolution" else 0
    power = r.LOW_POWER if settings.mode == "low-power" else 0
    scale = r.RANGES_G.index(settings.range_g) << r.RANGE_SHIFT
    rate = r.RATES_HZ.index(settings.rate_hz) + 1 << r.RATE_SHIFT
    return (
        bytes((r.CONTROL_1, r.AXES)),
        bytes((r.FIFO_CONTROL, r.BYPASS)),
        bytes((r.CONTROL_3, r.WATERMARK_PIN)),
        bytes((r.CONTROL_4, r.BLOCK_UPDATE | scale | resolution)),
        bytes((r.CONTROL_5, r.FIFO_ENABLE)),
        # A FIFO of more samples than the watermark says is at it.
        bytes((r.FIFO_CONTROL, r.STREAM | settings.burst - 1)),
        bytes((r.CONTROL_1, rate | power | r.AXES)),
    )
