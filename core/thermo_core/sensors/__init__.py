"""The kinds of sensors a wearable may have: one folder and one row each."""

from thermo_core.sensors.ads1115_ntc.settings import Ads1115NtcSettings
from thermo_core.sensors.external.settings import ExternalSettings
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_core.sensors.settings import SensorSettings

SETTINGS: tuple[type[SensorSettings], ...] = (Mlx90640Settings, Ads1115NtcSettings, ExternalSettings)
