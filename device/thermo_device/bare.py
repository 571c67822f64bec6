"""What a device without a bundle is: the sensors it was told it has, and no model."""

from thermo_core.sensors.ads1115_ntc.settings import Ads1115NtcSettings, Thermistor
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_core.wearable.profile import Profile

THERMISTORS = 4

DEFAULT = Profile(
    name="bare",
    version="1",
    sensors=(
        Mlx90640Settings(name="skin", path=(0x33,)),
        Ads1115NtcSettings(
            name="spots",
            path=(0x48,),
            channels=tuple(Thermistor(name=f"thermistor {number}") for number in range(1, THERMISTORS + 1)),
        ),
    ),
)
"""Where nothing else is said: a camera and four thermistors."""
