"""An emulated nRF52840 on a bench: its programs, and chips on its bus, all in emulated time; virtual_host.py has a host for it."""

from typing import Any

from virtual_host import Line

from thermo_sim.emulated_clock import EmulatedClock
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.nrf52840.chip import Machine


class Bench:
    """A board that runs.

    Args:
        flash: its content from the beginning.
        seed: of it and its chips.
        options: of `SimulatedHardware.from_profile`.
    """

    def __init__(self, flash: bytes, seed: int = 4, **options: Any) -> None:
        clock = EmulatedClock()
        self.hardware = SimulatedHardware.from_profile(seed=seed, clock=clock, warm_up_tau_s=0, **options)
        self.machine = Machine(flash, (self.hardware.bus, clock), number=seed)
        self.uart = Line(self.machine.send, self.machine.take)
