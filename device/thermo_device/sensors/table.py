"""The drivers of each kind of sensor: one row each."""

from collections.abc import Callable, Mapping
from typing import Any

from thermo_core.sensors.path import BusPath
from thermo_core.sensors.settings import SensorSettings
from thermo_core.wearable.profile import Profile
from thermo_device.counters import Counters
from thermo_device.hardware import Hardware
from thermo_device.multiplexer import Switchboard
from thermo_device.sensors.ads1115_ntc import Thermistors
from thermo_device.sensors.driver import Driver, Place
from thermo_device.sensors.external import External
from thermo_device.sensors.lis3dh import lis3dh
from thermo_device.sensors.max3010x import max3010x
from thermo_device.sensors.mlx90614 import mlx90614
from thermo_device.sensors.mlx90632 import mlx90632
from thermo_device.sensors.mlx90640.driver import Camera
from thermo_device.sensors.sht4x import sht4x
from thermo_device.sensors.tmp117 import tmp117
from thermo_device.sightings import Sightings

DRIVERS: Mapping[str, Callable[[Any, Place], Driver]] = {
    "mlx90640": Camera,
    "ads1115-ntc": Thermistors,
    "mlx90632": mlx90632,
    "mlx90614": mlx90614,
    "max3010x": max3010x,
    "lis3dh": lis3dh,
    "sht4x": sht4x,
    "tmp117": tmp117,
    "external": External,
}
"""(settings, place) -> a driver, by the name a profile calls the kind."""


def driver_of(settings: SensorSettings, place: Place) -> Driver:
    """The driver of a sensor; raises UsageError where the profile asks for what cannot be."""
    return DRIVERS[settings.kind](settings, place)


def drivers_of(hardware: Hardware, profile: Profile, counters: Counters, sightings: Sightings) -> tuple[Driver, ...]:
    """The drivers of a wearable, by the numbers of its sensors.

    Args:
        hardware: bus, clock, and who this is.
        profile: the wearable.
        counters: where each sensor's faults are counted.
        sightings: what is known of chips.

    Raises:
        UsageError: the profile asks for what cannot be.
    """
    paths = [sensor.bus_path or BusPath((), 0) for sensor in profile.sensors]
    board = Switchboard(hardware.bus, paths)
    return tuple(
        driver_of(
            settings,
            Place(
                number,
                board.at(path),
                hardware.clock,
                counters.of(number),
                sightings,
                hardware.serial,
                hardware.max_read_bytes,
            ),
        )
        for number, (settings, path) in enumerate(zip(profile.sensors, paths, strict=True))
    )
