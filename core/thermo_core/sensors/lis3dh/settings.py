"""A LIS3DH in a profile."""

from typing import Annotated, Literal

from msgspec import Meta

from thermo_core.sensors.lis3dh.registers import FIFO_DEPTH, MG_A_COUNT, RANGES_G, RATES_HZ, SHIFT
from thermo_core.sensors.samples import Format
from thermo_core.sensors.settings import BusSensorSettings, Visit
from thermo_core.sensors.wiring import Wiring
from thermo_core.signals import Signal

MAX_BURST = 31
"""A full FIFO says 31 and an overrun, so more than this would be lost samples."""


SUPPLY_UA = ((2, 4, 6, 11, 20, 38, 73), (2, 3, 4, 6, 10, 18, 36))
"""By rate: with 10 or 12 bits, then with 8."""


class Lis3dhSettings(BusSensorSettings, frozen=True, kw_only=True, tag="lis3dh"):
    """An accelerometer whose FIFO is read in bursts; each burst is a block, each of its samples a moment.

    Attributes:
        rate_hz: samples a second, one of 1, 10, 25, 50, 100, 200, 400.
        range_g: full scale, g: 2, 4, 8 or 16.
        mode: "high-resolution" (12 bits), "normal" (10) or "low-power" (8).
        burst: samples that are read at once.
    """

    addresses = (0x18, 0x19)
    wiring = Wiring(
        (1.71, 3.6),
        {
            "VDD, VDD_IO": "3.3 V, 100 nF close by",
            "GND": "ground",
            "CS": "VDD_IO, which chooses I2C",
            "SA0": "ground: 0x18, VDD_IO: 0x19",
        },
        "INT1, INT2 and the ADC inputs stay open.",
    )

    rate_hz: Annotated[float, Meta(ge=RATES_HZ[0], le=RATES_HZ[-1])] = 25.0
    range_g: Literal[2, 4, 8, 16] = 4
    mode: Literal["high-resolution", "normal", "low-power"] = "high-resolution"
    burst: Annotated[int, Meta(ge=1, le=MAX_BURST)] = 25

    @property
    def format(self) -> Format:
        """Of its counts."""
        half = 1 << 15 - SHIFT[self.mode]
        return Format(3, -half, half - 1)

    @property
    def mg_a_count(self) -> int:
        """Sensitivity."""
        return MG_A_COUNT[self.mode][RANGES_G.index(self.range_g)]

    @property
    def labels(self) -> tuple[str, ...]:
        """As the base has it."""
        return ("x", "y", "z")

    @property
    def signals(self) -> tuple[Signal, ...]:
        """Acceleration along x, y and z; at rest it points up with 1 g."""
        return (Signal(self.name, (3,), "g", self.rate_hz, self.name),)

    @property
    def moments(self) -> int:
        """A full FIFO, where it was read late."""
        return FIFO_DEPTH

    @property
    def supply_ma(self) -> float:
        """2 to 73 uA by rate and mode (data sheet, current consumption)."""
        return SUPPLY_UA[self.mode == "low-power"][RATES_HZ.index(self.rate_hz)] / 1000

    @property
    def visits(self) -> tuple[Visit, ...]:
        """How many samples wait, and the samples."""
        room_s = (FIFO_DEPTH - self.burst) / self.rate_hz
        return (Visit("a burst", self.rate_hz / self.burst, ((1, 1), (1, 6 * self.burst)), room_s),)

    def problem(self) -> str:
        """As the base has it."""
        if self.rate_hz not in RATES_HZ:
            return f"has a rate of {self.rate_hz:g} Hz; the chip has {', '.join(f'{rate:g}' for rate in RATES_HZ)}"
        return super().problem()
