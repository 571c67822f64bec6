"""The device's own clock: CLOCK_MONOTONIC in microseconds."""

import time


class SystemClock:
    """`thermo_core.clock.Clock` over the kernel's monotonic clock."""

    def now_us(self) -> int:
        """Microseconds since the machine started."""
        return time.monotonic_ns() // 1000

    def sleep_until_us(self, time_us: int) -> None:
        """Return at `time_us` or later; at once where it has passed."""
        left_us = time_us - self.now_us()
        if left_us > 0:
            time.sleep(left_us / 1e6)
