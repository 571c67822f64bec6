"""An MLX90614 thermometer: its words at the rate asked for, each with its packet error code."""

import struct

from thermo_core.sensors.mlx90614 import decode, registers
from thermo_core.sensors.mlx90614.constants import check
from thermo_core.sensors.mlx90614.kind import STALE_S, encode
from thermo_core.sensors.mlx90614.settings import Mlx90614Settings
from thermo_device.bus import Registers
from thermo_device.sensors.attended import Answer, Attended, Held
from thermo_device.sensors.driver import Place

FIRST_DATA_US = 250_000
"""Before the first measurement all temperatures are 0."""
_OBJECTS = (registers.TO_1, registers.TO_2)


class Mlx90614Chip:
    """How one chip is worked; see `attended.Chip`."""

    def __init__(self, settings: Mlx90614Settings, place: Place) -> None:
        self._registers = Registers(place.bus, place.clock, settings.bus_path.address, place.tally)
        self._clock = place.clock
        self._check_pec = settings.check_pec
        self._commands = (registers.TA, *_OBJECTS[: settings.zones])
        self._period_us = round(1e6 / settings.rate_hz)
        self._due_us = 0
        self.same = max(2, round(STALE_S * settings.rate_hz))

    def identify(self) -> Held:
        """Its EEPROM, word by word."""
        words = [self._word(registers.EEPROM + cell) for cell in range(registers.EEPROM_WORDS)]
        data = struct.pack(f"<{len(words)}H", *words)
        return Held(check(data), data)

    def set_up(self) -> int:
        """It measures by itself once it has power."""
        self._due_us = self._clock.now_us() + FIRST_DATA_US
        return self._due_us

    def visit(self) -> Answer:
        """The sensor's own temperature and the objects'."""
        words = tuple(self._word(command) for command in self._commands)
        now_us = self._clock.now_us()
        self._due_us += self._period_us
        if self._due_us <= now_us:
            self._due_us = now_us + self._period_us
        data = encode(words)
        return Answer(self._due_us, data, now_us, said=data)

    def _word(self, command: int) -> int:
        answer = self._registers.read(3, bytes((command,)))
        return decode.word_of(answer, self._registers.address, command, self._check_pec)


def mlx90614(settings: Mlx90614Settings, place: Place) -> Attended:
    """The driver of one chip."""
    return Attended(settings, place, Mlx90614Chip(settings, place), 0.5e6 / settings.rate_hz)
