"""Simulated NTC thermistors behind dividers: from bath temperature to volts at the ADC's input."""

import math
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from thermo_core.sensors.ads1115_ntc.settings import Thermistor
from thermo_core.units import KELVIN


class Wiring(Enum):
    """What may have happened to a thermistor's leads."""

    GOOD = "good"
    OPEN = "open"
    SHORTED = "shorted"


@dataclass(frozen=True, slots=True)
class Ntc:
    """One thermistor between the tap and ground, with a resistor from the tap to the supply; or the other way round.

    Attributes:
        a: Steinhart-Hart constants, 1/T = a + b ln R + c (ln R)^3 with R in ohm and T in kelvin.
        b: second constant.
        c: third constant.
        series_ohm: resistor of the divider.
        supply_v: supply of the divider.
        self_heating_k_per_mw: kelvin above the bath a milliwatt.
        wiring: state of the leads.
        to_supply: whether the thermistor is the one that goes to the supply.
    """

    a: float
    b: float
    c: float
    series_ohm: float = 10_000.0
    supply_v: float = 3.3
    self_heating_k_per_mw: float = 0.0
    wiring: Wiring = Wiring.GOOD
    to_supply: bool = False

    @classmethod
    def from_beta(cls, r25: float, beta: float, c: float = 0.9e-7, series_ohm: float = 10_000.0) -> "Ntc":
        """Constants that have a Beta curve's value and slope at 25 degC, and bend away from it as real NTCs do."""
        log = math.log(r25)
        b = 1 / beta - 3 * c * log**2
        return cls(1 / (25 + KELVIN) - b * log - c * log**3, b, c, series_ohm)

    @classmethod
    def random(cls, seed: int, channel: int, r25: float, beta: float, series_ohm: float) -> "Ntc":
        """A part from the shelf: R25 within about 1 %, Beta within about 0.5 %, resistor within about 0.1 %."""
        rng = np.random.default_rng([seed, 0x47C, channel])
        part = cls.from_beta(
            r25 * (1 + rng.normal(0, 0.006)),
            beta * (1 + rng.normal(0, 0.003)),
            series_ohm=series_ohm * (1 + rng.normal(0, 0.0005)),
        )
        return replace(part, self_heating_k_per_mw=0.2)

    @classmethod
    def near(cls, described: Thermistor, seed: int, channel: int) -> "Ntc":
        """A part from the shelf of the type that a profile describes, in the divider that it describes.

        Curves of three constants are those of a part that was measured: only its resistor is from the shelf.
        """
        if len(described.curve) == 2:
            part = cls.random(seed, channel, *described.curve, described.series_ohm)
        else:
            rng = np.random.default_rng([seed, 0x47C, channel])
            a, b, c = described.curve
            part = cls(a, b, c, described.series_ohm * (1 + rng.normal(0, 0.0005)))
        heating = described.self_heating_k_per_mw or part.self_heating_k_per_mw
        return replace(
            part,
            supply_v=described.supply_v,
            self_heating_k_per_mw=heating,
            to_supply=described.ntc == "to supply",
        )

    def ohm(self, celsius: float) -> float:
        """Resistance at a temperature of the bead: the cubic of Steinhart-Hart solved for ln R."""
        kelvin = celsius + KELVIN
        if self.c == 0:
            return math.exp((1 / kelvin - self.a) / self.b)
        x = (self.a - 1 / kelvin) / self.c
        y = math.sqrt((self.b / (3 * self.c)) ** 3 + x * x / 4)
        return math.exp(math.cbrt(y - x / 2) - math.cbrt(y + x / 2))

    def volts(self, bath_celsius: float) -> float:
        """Volts at the tap with the bead in a bath of the given temperature."""
        if self.wiring is not Wiring.GOOD:
            return self.supply_v if (self.wiring is Wiring.OPEN) is not self.to_supply else 0.0
        bead = bath_celsius
        for _ in range(3):
            ohm = self.ohm(bead)
            milliwatt = 1e3 * (self.supply_v / (ohm + self.series_ohm)) ** 2 * ohm
            bead = bath_celsius + self.self_heating_k_per_mw * milliwatt
        ohm = self.ohm(bead)
        lower = self.series_ohm if self.to_supply else ohm
        return self.supply_v * lower / (ohm + self.series_ohm)
