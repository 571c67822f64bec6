"""An MLX90640 as a driver: its subpages as packed blocks."""

from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640 import codec
from thermo_core.sensors.mlx90640.counts import CountsEncoder
from thermo_core.sensors.mlx90640.frames import Subpage
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_core.wire.management import SelfTestResult
from thermo_device.sensors.driver import Found, Place
from thermo_device.sensors.mlx90640.acquisition import PictureSensor
from thermo_device.sensors.mlx90640.keyframes import KeysWanted
from thermo_device.sensors.mlx90640.self_test import check


class Camera:
    """One camera; see `sensors.driver.Driver`.

    Args:
        settings: of the sensor.
        place: where it sits.
    """

    def __init__(self, settings: Mlx90640Settings, place: Place) -> None:
        self._name = settings.name
        self._sensor = PictureSensor(settings, place)
        self._encoder = CountsEncoder()
        self._keys = KeysWanted()
        self._packed_with = 0
        self._newest: Subpage | None = None

    @property
    def due_us(self) -> int:
        """When it wants the bus next."""
        return self._sensor.due_us

    @property
    def late_us(self) -> int:
        """A page that is read late is overwritten."""
        return self._sensor.due_us

    @property
    def fault(self) -> str:
        """Why it does not deliver."""
        return self._sensor.fault

    @property
    def found(self) -> Found | None:
        """The chip that answers."""
        return self._sensor.found

    @property
    def rate_hz(self) -> float:
        """Subpages a second it is set to."""
        return self._sensor.rate_hz

    @property
    def period_us(self) -> int:
        """From subpage to subpage."""
        return round(1e6 / self._sensor.rate_hz)

    @property
    def in_time(self) -> bool:
        """Whether subpages come at about the rate that is set, as far as it is known yet."""
        return self._sensor.in_time

    def poll(self) -> Block | None:
        """Look once, and read the page that is new."""
        subpage = self._sensor.poll()
        if subpage is None:
            return None
        self._newest = subpage
        if subpage.constants != self._packed_with:
            self._encoder.restart()
            self._packed_with = subpage.constants
        self._encoder = self._keys.given(self._encoder)
        data = codec.encode(self._encoder.encode(subpage), subpage.index)
        return Block(subpage.time_us, subpage.sensor, subpage.constants & 0xFFFF, subpage.index, data)

    def resume(self) -> None:
        """Go on after a pause."""
        self._newest = None
        self._sensor.resume()
        self._encoder.restart()

    def restart_keys(self, key_interval: int | None = None) -> None:
        """Make key frames of the next subpages, and one each `key_interval` of the same number from now on."""
        self._keys.ask(None if key_interval is None else CountsEncoder(key_interval))

    def set_rate(self, hz: float) -> float:
        """Change the refresh rate."""
        return self._sensor.set_rate(hz)

    def trust(self) -> None:
        """Hold the camera to its EEPROM."""
        self._sensor.trust()

    def self_test(self, newest: Block | None, warning: str) -> list[SelfTestResult]:
        """Checks of EEPROM, rate, supply and die."""
        return check(self._name, self._sensor, None if newest is None else self._newest, warning)
