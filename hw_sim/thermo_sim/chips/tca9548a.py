"""A TCA9548A as seen from the I2C bus: one register, and eight channels that lead to buses of their own (data sheet SCPS207)."""

from dataclasses import dataclass

from thermo_sim.faults import Fault, FaultKind, FaultPlan

CHANNELS = 8


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel, which `SimulatedBus.attach` puts chips behind.

    Attributes:
        chip: its multiplexer.
        number: 0 to 7.
    """

    chip: "SimulatedTca9548a"
    number: int

    @property
    def is_open(self) -> bool:
        """Whether it is joined to the multiplexer's own segment at this moment."""
        return bool(self.chip.mask >> self.number & 1)


class SimulatedTca9548a:
    """The chip: a written byte is the mask of open channels and applies at the STOP; several may be open at once.

    Its state lives as long as its supply, whatever becomes of the host. It does not look at SDA: a chip that holds it low behind
    an open channel holds the whole bus, until nine clocks, `reset` or the loss of its supply.

    Args:
        address: 0x70 to 0x77, by three pins.

    Attributes:
        mask: bit n for channel n, as they are open now.
    """

    def __init__(self, address: int = 0x70) -> None:
        self._address = address
        self._pending: int | None = None
        self.mask = 0

    @property
    def address(self) -> int:
        """7-bit I2C address."""
        return self._address

    def channel(self, number: int) -> Channel:
        """One of its channels, 0 to 7."""
        return Channel(self, number)

    def reset(self) -> None:
        """Pull the RESET pin: all channels close at once."""
        self.mask, self._pending = 0, None

    def power_on(self, time_us: int) -> None:
        """All channels are closed."""
        self.reset()

    def write(self, data: bytes, time_us: int, bus_hz: int) -> bool:
        """Each byte is a mask; the last one stays."""
        if data:
            self._pending = data[-1]
        return True

    def read(self, length: int, time_us: int, bus_hz: int) -> bytes | None:
        """The mask, over and over."""
        return bytes((self.mask if self._pending is None else self._pending,)) * length

    def stop(self) -> None:
        """The mask written last applies."""
        if self._pending is not None:
            self.mask, self._pending = self._pending, None

    def general_call(self, data: bytes, time_us: int) -> None:
        """It has no answer to that."""

    def inject(self, fault: Fault, plan: FaultPlan, time_us: int) -> None:
        """LEFTOPEN and BROWNOUT, as `faults.FaultKind` says; the chip has no others."""
        if fault.kind is FaultKind.LEFTOPEN and fault.channel is not None:
            self.mask |= 1 << fault.channel
        elif fault.kind is FaultKind.BROWNOUT:
            self.reset()
