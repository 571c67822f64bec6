"""What a pipeline runs on: a bus, a clock, and what to call them."""

from dataclasses import dataclass

from thermo_core.clock import Clock
from thermo_device.bus import MAX_READ_BYTES, I2cBus


@dataclass(frozen=True, slots=True)
class Hardware:
    """Hardware of one wearable, real or simulated.

    Attributes:
        bus: I2C bus with the picture sensor and the thermistor ADC.
        clock: device's monotonic clock; stamps captures.
        name: for people.
        serial: unique name of this device.
        simulated: whether verdicts are of simulated data.
        max_read_bytes: longest single read of the I2C adapter; longer ones are split, each piece addressed anew.
    """

    bus: I2cBus
    clock: Clock
    name: str
    serial: str
    simulated: bool
    max_read_bytes: int = MAX_READ_BYTES
