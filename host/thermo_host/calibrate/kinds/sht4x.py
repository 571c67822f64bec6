"""An air sensor: its temperature in a bath, or in a chamber; its humidity is left as the factory trimmed it."""

from thermo_core.sensors.sht4x.correction import Sht4xCorrection
from thermo_host.calibrate.kinds.lines import by_lines

PROCEDURE = by_lines("bath", Sht4xCorrection, lambda settings: (settings.name,))
