"""A thermopile of one or two zones: before a blackbody that fills both."""

from thermo_core.sensors.mlx90614.correction import Mlx90614Correction
from thermo_host.calibrate.kinds.lines import by_lines

PROCEDURE = by_lines(
    "blackbody",
    Mlx90614Correction,
    lambda settings: (settings.name, f"{settings.name}.second")[: settings.zones],
    lambda settings: f"{settings.name}.ta",
)
