"""A simulated bus with multiplexers: two on the bus itself, another behind channel 2 of the first."""

from chip_bus import bus_of

from thermo_core.sensors.path import BusPath
from thermo_sim.chips.tca9548a import SimulatedTca9548a
from thermo_sim.chips.tmp117 import SimulatedTmp117
from thermo_sim.surface import steady

NODE = 0x48
WAYS: tuple[tuple[str | int, ...], ...] = (
    ("tca9548a@0x70:0", NODE),
    ("tca9548a@0x70:1", NODE),
    ("tca9548a@0x71:0", NODE),
    ("tca9548a@0x71:5", NODE),
    ("tca9548a@0x70:2", "tca9548a@0x72:0", NODE),
    ("tca9548a@0x70:2", "tca9548a@0x72:7", NODE),
)
"""Of chips of one address."""


class MultiplexedBus:
    """TMP117s may be put anywhere; their serial numbers tell them apart."""

    def __init__(self) -> None:
        self.bus = bus_of(frequency_hz=400_000)
        self.muxes = {address: SimulatedTca9548a(address) for address in (0x70, 0x71, 0x72)}
        self.bus.attach(self.muxes[0x70])
        self.bus.attach(self.muxes[0x71])
        self.bus.attach(self.muxes[0x72], self.muxes[0x70].channel(2))

    def put(self, path: BusPath, celsius: float, seed: int) -> SimulatedTmp117:
        """A new chip at that path, at a steady temperature."""
        chip = SimulatedTmp117(steady(celsius), seed=seed, address=path.address)
        if path.hops:
            self.bus.attach(chip, self.muxes[path.hops[-1].address].channel(path.hops[-1].channel))
        else:
            self.bus.attach(chip)
        return chip
