"""Die and surroundings of a wearable's electronics by time."""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a measurement happens in.

    Attributes:
        ta: die temperature, degC.
        vdd: supply, V.
        reflected: temperature of the surroundings that the object mirrors, degC.
        emissivity: of the object.
        gradient_k: error all pixels share while the package warms up, kelvin at skin temperature.
    """

    ta: float = 33.0
    vdd: float = 3.3
    reflected: float = 25.0
    emissivity: float = 1.0
    gradient_k: float = 0.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Die and surroundings by time: the die goes to ambient + rise exponentially.

    Attributes:
        ambient_celsius: of what surrounds the wearable, and what skin mirrors.
        die_rise_k: how far the die of a powered sensor settles above ambient; drivers assume 8 K.
        tau_s: time constant; 0 settles at once. About five time constants bring warm-up to an end.
        error_k_per_k: error all pixels of a camera share, for each kelvin the die is from where it will settle.
        supply_v: of the sensor.
        emissivity: of what it looks at.
        start_celsius: die temperature at `start_s`.
        start_s: when this course began.
    """

    ambient_celsius: float = 25.0
    die_rise_k: float = 8.0
    tau_s: float = 0.0
    error_k_per_k: float = 0.0
    supply_v: float = 3.3
    emissivity: float = 0.98
    start_celsius: float = 25.0
    start_s: float = 0.0

    def at(self, time_s: float) -> Conditions:
        """Conditions at a time in seconds."""
        settled = self.ambient_celsius + self.die_rise_k
        left_k = 0.0
        if self.tau_s > 0:
            left_k = (settled - self.start_celsius) * math.exp(-max(0.0, time_s - self.start_s) / self.tau_s)
        return Conditions(
            ta=settled - left_k,
            vdd=self.supply_v,
            reflected=self.ambient_celsius,
            emissivity=self.emissivity,
            gradient_k=-self.error_k_per_k * left_k,
        )
