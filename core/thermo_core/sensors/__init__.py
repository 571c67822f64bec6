"""The kinds of sensors a wearable may have: one folder and one row each."""

from thermo_core.sensors.ads1115_ntc.settings import Ads1115NtcSettings
from thermo_core.sensors.external.settings import ExternalSettings
from thermo_core.sensors.lis3dh.settings import Lis3dhSettings
from thermo_core.sensors.max3010x.settings import Max3010xSettings
from thermo_core.sensors.mlx90614.settings import Mlx90614Settings
from thermo_core.sensors.mlx90632.settings import Mlx90632Settings
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_core.sensors.settings import SensorSettings
from thermo_core.sensors.sht4x.settings import Sht4xSettings
from thermo_core.sensors.tmp117.settings import Tmp117Settings

SETTINGS: tuple[type[SensorSettings], ...] = (
    Mlx90640Settings,
    Mlx90632Settings,
    Mlx90614Settings,
    Ads1115NtcSettings,
    Tmp117Settings,
    Sht4xSettings,
    Max3010xSettings,
    Lis3dhSettings,
    ExternalSettings,
)
