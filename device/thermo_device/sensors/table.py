"""The drivers of each kind of sensor: one row each."""

from collections.abc import Callable, Mapping
from typing import Any

from thermo_core.sensors.settings import SensorSettings
from thermo_device.sensors.ads1115_ntc import Thermistors
from thermo_device.sensors.driver import Driver, Place
from thermo_device.sensors.external import External
from thermo_device.sensors.mlx90640.driver import Camera

DRIVERS: Mapping[str, Callable[[Any, Place], Driver]] = {
    "mlx90640": Camera,
    "ads1115-ntc": Thermistors,
    "external": External,
}
"""(settings, place) -> a driver, by the name a profile calls the kind."""


def driver_of(settings: SensorSettings, place: Place) -> Driver:
    """The driver of a sensor; raises UsageError where the profile asks for what cannot be."""
    return DRIVERS[settings.kind](settings, place)
