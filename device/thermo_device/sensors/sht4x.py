"""An SHT4x air sensor: a command, and the answer once it is measured."""

from thermo_core.sensors.sht4x import decode
from thermo_core.sensors.sht4x.kind import STALE_READINGS, encode
from thermo_core.sensors.sht4x.settings import CONVERSION_MS, Sht4xSettings
from thermo_device.bus import Registers
from thermo_device.sensors.attended import Answer, Attended, Held
from thermo_device.sensors.driver import Place

RESET_US = 1_500
ANSWER_US = 1_000
"""A serial number is there after less than this."""
MARGIN_US = 300


class Sht4xChip:
    """How one chip is worked; see `attended.Chip`."""

    same = STALE_READINGS

    def __init__(self, settings: Sht4xSettings, place: Place) -> None:
        self._registers = Registers(place.bus, place.clock, settings.bus_path.address, place.tally)
        self._clock = place.clock
        self._command = bytes((decode.MEASURE[settings.repeatability],))
        self._conversion_us = round(1000 * CONVERSION_MS[settings.repeatability]) + MARGIN_US
        self._period_us = round(1e6 / settings.rate_hz)
        self._due_us = 0
        self._asked = False

    def identify(self) -> Held:
        """Its serial number."""
        self._asked = False
        self._registers.write(bytes((decode.SERIAL_NUMBER,)))
        self._clock.sleep_until_us(self._clock.now_us() + ANSWER_US)
        first, second = decode.words_of(self._registers.read(decode.ANSWER))
        return Held(first.to_bytes(2, "big") + second.to_bytes(2, "big"))

    def set_up(self) -> int:
        """A soft reset ends whatever it does."""
        self._registers.write(bytes((decode.SOFT_RESET,)))
        self._due_us = self._clock.now_us() + RESET_US
        self._asked = False
        return self._due_us

    def visit(self) -> Answer:
        """Ask, or take the answer."""
        if not self._asked:
            self._registers.write(self._command)
            self._asked = True
            return Answer(self._clock.now_us() + self._conversion_us)
        self._asked = False
        data = encode(decode.words_of(self._registers.read(decode.ANSWER)))
        now_us = self._clock.now_us()
        self._due_us += self._period_us
        if self._due_us <= now_us:
            self._due_us = now_us + self._period_us
        return Answer(self._due_us, data, now_us, said=data)


def sht4x(settings: Sht4xSettings, place: Place) -> Attended:
    """The driver of one chip."""
    return Attended(settings, place, Sht4xChip(settings, place), 0.5e6 / settings.rate_hz)
