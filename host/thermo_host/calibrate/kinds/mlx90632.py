"""A medical thermopile: before a blackbody."""

from thermo_core.sensors.mlx90632.correction import Mlx90632Correction
from thermo_host.calibrate.kinds.lines import by_lines

PROCEDURE = by_lines(
    "blackbody", Mlx90632Correction, lambda settings: (settings.name,), lambda settings: f"{settings.name}.ta"
)
