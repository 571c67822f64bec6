"""Simulated chips on a bus, and a master of a few lines that is independent of the device package."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from smbus2 import i2c_msg

from thermo_sim.chips.lis3dh import SimulatedLis3dh
from thermo_sim.chips.max3010x import SimulatedMax3010x
from thermo_sim.chips.mlx90614 import SimulatedMlx90614
from thermo_sim.chips.mlx90632 import SimulatedMlx90632
from thermo_sim.chips.sht4x import SimulatedSht4x
from thermo_sim.chips.tmp117 import SimulatedTmp117
from thermo_sim.clock import VirtualClock
from thermo_sim.i2c import Chip, SimulatedBus
from thermo_sim.surface import WavesAt, steady

SKIN, AIR, DIE = steady(34.0), steady(24.0), steady(30.0)
SETTINGS: dict[str, dict[str, object]] = {
    "mlx90632": {"rate_hz": 4.0},
    "mlx90614": {"rate_hz": 4.0},
    "max3010x": {},
    "lis3dh": {},
    "sht4x": {"rate_hz": 2.0},
    "tmp117": {"rate_hz": 4.0},
}
"""What sensors of these kinds are asked for, beside their places."""
TRUTH: dict[str, tuple[float, float]] = {
    "mlx90632": (34.0, 0.3),
    "mlx90614": (34.0, 1.0),
    "sht4x": (24.0, 0.3),
    "tmp117": (34.0, 0.3),
}
"""What they measure here, and how well."""


def still(*g: float) -> WavesAt:
    """An acceleration that never changes."""
    return lambda times_s: np.tile(g, (len(times_s), 1))


def pulse(times_s: NDArray[Any]) -> NDArray[Any]:
    """Photocurrent of skin for each mA: red, infrared and green, 72 beats a minute."""
    beat = np.exp(3 * (np.cos(2 * np.pi * 1.2 * times_s) - 1))
    return np.stack([150 * (1 - depth * beat) for depth in (0.005, 0.01, 0.03)], axis=1)


MAKE: dict[str, Callable[[int, int], Chip]] = {
    "mlx90632": lambda address, seed: SimulatedMlx90632(SKIN, DIE, AIR, address, seed),
    "mlx90614": lambda address, seed: SimulatedMlx90614(SKIN, DIE, AIR, address, seed),
    "max3010x": lambda address, seed: SimulatedMax3010x(pulse, seed=seed),
    "lis3dh": lambda address, seed: SimulatedLis3dh(still(0, 0, 1), address, seed),
    "sht4x": lambda address, seed: SimulatedSht4x(AIR, address=address, seed=seed),
    "tmp117": lambda address, seed: SimulatedTmp117(SKIN, AIR, address, seed),
}
"""Chips of each kind, by address and seed, in front of skin at rest."""


def bus_of(*chips: Chip, frequency_hz: int = 100_000, faults: str = "") -> SimulatedBus:
    """A bus with chips on it, in virtual time."""
    bus = SimulatedBus(VirtualClock(), frequency_hz)
    for chip in chips:
        bus.attach(chip)
    if faults:
        bus.add_faults(faults)
    return bus


def write(bus: SimulatedBus, address: int, *data: int) -> None:
    """One write transaction."""
    bus.i2c_rdwr(i2c_msg.write(address, data))


def read(bus: SimulatedBus, address: int, length: int, command: Iterable[int] | None = None) -> bytes:
    """One read, after a command and a repeated start where there is one."""
    message = i2c_msg.read(address, length)
    if command is None:
        bus.i2c_rdwr(message)
    else:
        bus.i2c_rdwr(i2c_msg.write(address, list(command)), message)
    return bytes(message)


def wait(bus: SimulatedBus, seconds: float) -> None:
    """Let simulated time pass."""
    bus.clock.sleep_until_us(bus.clock.now_us() + round(seconds * 1e6))
