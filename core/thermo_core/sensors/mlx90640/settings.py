"""An MLX90640 in a profile."""

from typing import Annotated, Literal

from msgspec import Meta

from thermo_core.sensors.mlx90640.frames import COLUMNS, ROWS
from thermo_core.sensors.mlx90640.registers import page_reads
from thermo_core.sensors.settings import BusSensorSettings, Visit
from thermo_core.sensors.wiring import Wiring
from thermo_core.signals import Signal

RATES_HZ = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)


class Mlx90640Settings(BusSensorSettings, frozen=True, kw_only=True, tag="mlx90640"):
    """A thermal camera of 24 x 32 pixels.

    Attributes:
        rate_hz: subpages a second, one of `RATES_HZ`; a picture is two.
        resolution_bits: 16 to 19.
        pattern: which pixels a subpage has; interleaved rows take little more than half of chess's bus time.
        emissivity: of the skin.
        reflected_celsius: temperature that the skin reflects, degC; 8 K below the die where left out.
    """

    max_bus_hz = 1_000_000
    wiring = Wiring(
        (3.0, 3.6),
        {
            "VDD": "3.3 V, 100 nF close by",
            "GND": "ground",
        },
        "At 1 MHz the bus needs pull-ups of 1 kΩ or less. Its address is in its EEPROM, 0x33 from the factory.",
    )

    rate_hz: Annotated[float, Meta(ge=RATES_HZ[0], le=RATES_HZ[-1])] = 16.0
    resolution_bits: Annotated[int, Meta(ge=16, le=19)] = 18
    pattern: Literal["chess", "interleaved"] = "chess"
    emissivity: Annotated[float, Meta(ge=0.05, le=1.0)] = 0.98
    reflected_celsius: Annotated[float, Meta(ge=-100, le=150)] | None = None

    @property
    def signals(self) -> tuple[Signal, ...]:
        """Pictures, then die temperature and supply of each."""
        rate_hz = self.rate_hz / 2
        return (
            Signal(self.name, (ROWS, COLUMNS), "degC", rate_hz, self.name),
            Signal(f"{self.name}.ta", (), "degC", rate_hz, self.name),
            Signal(f"{self.name}.vdd", (), "V", rate_hz, self.name),
        )

    @property
    def supply_ma(self) -> float:
        """The camera's amplifiers and converter never rest: 20 mA, of 15 to 25 mA (data sheet, IDD)."""
        return 20.0

    @property
    def visits(self) -> tuple[Visit, ...]:
        """Status, flag cleared, the page, control register, status again; of interleaved pages subpage 0, the longer one."""
        page = tuple((2, 2 * words) for _, words in page_reads(0, self.pattern == "chess"))
        return (Visit("a subpage", self.rate_hz, ((2, 2), (4,), *page, (2, 2), (2, 2))),)

    @property
    def built_up(self) -> tuple[str, ...]:
        """A picture is two subpages."""
        return (self.name,)

    def problem(self) -> str:
        """As the base has it."""
        if self.rate_hz not in RATES_HZ:
            return f"has a rate of {self.rate_hz:g} Hz; the chip has {', '.join(f'{rate:g}' for rate in RATES_HZ)}"
        return super().problem()
