"""Pictures that no finding may rest on, and how they are flagged."""

from collections.abc import Callable

import numpy as np

from thermo_core.quality import Quality
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.scenes import Still


def _beyond(pixels: int, celsius: float) -> Callable[[SimulatedHardware], None]:
    scene = np.full(768, 34.0)
    scene[np.random.default_rng(2).choice(768, pixels, replace=False)] = celsius
    return lambda hardware: hardware.set_scene(Still(scene.reshape(24, 32)))


UNFIT: dict[str, tuple[Callable[[SimulatedHardware], None], Quality]] = {
    "714 pixels beyond 300 degC": (_beyond(714, 450.0), Quality.MISSING),
    "110 pixels beyond 300 degC": (_beyond(110, 450.0), Quality.MISSING),
    "110 pixels below -40 degC": (_beyond(110, -90.0), Quality.MISSING),
    "a die at 98 degC": (lambda hardware: hardware.set_ambient(90.0), Quality.OUT_OF_RANGE),
    "a die at -42 degC": (lambda hardware: hardware.set_ambient(-50.0), Quality.OUT_OF_RANGE),
}
"""What makes pictures unfit, and the flag."""
FIT: dict[str, Callable[[SimulatedHardware], None]] = {
    "60 pixels beyond 300 degC": _beyond(60, 450.0),
    "a die at 80 degC": lambda hardware: hardware.set_ambient(72.0),
}
"""What does not."""
