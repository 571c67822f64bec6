"""A MAX30101 or MAX30102 in a profile."""

from typing import Annotated, Literal

from msgspec import Meta

from thermo_core.sensors.max3010x.registers import (
    BITS,
    BYTES,
    FASTEST_HZ,
    FIFO_DEPTH,
    LEDS,
    PULSES_US,
    RATES_HZ,
)
from thermo_core.sensors.samples import Format
from thermo_core.sensors.settings import BusSensorSettings, Visit
from thermo_core.sensors.wiring import Wiring
from thermo_core.signals import Signal

MAX_BURST = 31
"""A full FIFO looks like an empty one, so more than this would be lost samples."""


class Max3010xSettings(BusSensorSettings, frozen=True, kw_only=True, tag="max3010x"):
    """A pulse sensor whose FIFO is read in bursts; each burst is a block, each of its samples a moment.

    Attributes:
        variant: "max30101", or "max30102", which has no green LED.
        leds: that are lit in turn, in this order: "red", "ir", "green".
        rate_hz: samples a second, after averaging.
        averages: measurements that a sample is the mean of: 1, 2, 4, 8, 16 or 32.
        pulse_us: width of a pulse of light, which gives 15 to 18 bits: 69, 118, 215 or 411.
        range_na: full scale of the photocurrent, nA.
        current_ma: of each LED, in steps of 0.2 mA.
        contact_na: photocurrent below which all LEDs together are said to be off the skin, nA.
        burst: samples that are read at once.
    """

    addresses = (0x57,)
    wiring = Wiring(
        (1.7, 2.0),
        {
            "VDD": "1.8 V, 100 nF close by",
            "VLED+": "3.3 V, 10 uF close by; 5 V for a green LED",
            "GND, PGND": "ground",
        },
        "INT stays open. Most modules carry the regulator of 1.8 V; on some its pull-ups go to 1.8 V too, too low for a "
        "host of 3.3 V: move them to 3.3 V.",
    )

    variant: Literal["max30101", "max30102"] = "max30102"
    leds: Annotated[tuple[Literal["red", "ir", "green"], ...], Meta(min_length=1, max_length=3)] = ("ir",)
    rate_hz: Annotated[float, Meta(ge=1.5625, le=400)] = 25.0
    averages: Literal[1, 2, 4, 8, 16, 32] = 4
    pulse_us: Literal[69, 118, 215, 411] = 411
    range_na: Literal[2048, 4096, 8192, 16384] = 4096
    current_ma: Annotated[float, Meta(ge=0, le=51)] = 6.4
    contact_na: Annotated[float, Meta(ge=0, le=16384)] = 160.0
    burst: Annotated[int, Meta(ge=1, le=MAX_BURST)] = 16

    @property
    def measured_hz(self) -> float:
        """Measurements a second, before averaging."""
        return self.rate_hz * self.averages

    @property
    def format(self) -> Format:
        """Of its counts."""
        return Format(len(self.leds), 0, (1 << BITS) - 1)

    @property
    def full_count(self) -> int:
        """Count at the end of the range; shorter pulses leave the lowest bits 0."""
        return (1 << BITS) - (1 << len(PULSES_US) - 1 - PULSES_US.index(self.pulse_us))

    @property
    def labels(self) -> tuple[str, ...]:
        """As the base has it."""
        return self.leds

    @property
    def signals(self) -> tuple[Signal, ...]:
        """Photocurrent under each LED."""
        return (Signal(self.name, (len(self.leds),), "nA", self.rate_hz, self.name),)

    @property
    def moments(self) -> int:
        """A full FIFO, where it was read late."""
        return FIFO_DEPTH

    @property
    def supply_ma(self) -> float:
        """0.6 mA for itself (data sheet, IDD), and the LEDs, each for its pulse of every measurement."""
        lit = min(1.0, self.measured_hz * self.pulse_us * 1e-6)
        return 0.6 + len(self.leds) * self.current_ma * lit

    @property
    def visits(self) -> tuple[Visit, ...]:
        """Interrupts and pointers, and the samples."""
        return (
            Visit(
                "a burst",
                self.rate_hz / self.burst,
                ((1, 1), (1, 3), (1, BYTES * len(self.leds) * self.burst)),
                (FIFO_DEPTH - self.burst) / self.rate_hz,
            ),
        )

    def problem(self) -> str:
        """As the base has it."""
        if len(set(self.leds)) != len(self.leds):
            return f"lights an LED twice: {', '.join(self.leds)}"
        if self.variant == "max30102" and "green" in self.leds:
            return "lights a green LED, which a max30102 has not; fit a max30101"
        if self.measured_hz not in RATES_HZ:
            possible = ", ".join(f"{rate / self.averages:g}" for rate in RATES_HZ if rate / self.averages <= 400)
            return f"has a rate of {self.rate_hz:g} Hz; with averages of {self.averages} the chip has {possible}"
        fastest = FASTEST_HZ[self.pulse_us][len(self.leds) - 1]
        if self.measured_hz > fastest:
            return (
                f"measures {self.measured_hz:g} times a second with pulses of {self.pulse_us} us of {len(self.leds)} LEDs; the "
                f"chip does {fastest} at most, so shorten the pulses or average less"
            )
        return super().problem()

    @property
    def slots(self) -> tuple[int, ...]:
        """Numbers of the LEDs in the order in which they are lit."""
        return tuple(LEDS.index(led) + 1 for led in self.leds)
