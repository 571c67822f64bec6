"""A contact thermometer: in a bath."""

from thermo_core.sensors.tmp117.correction import Tmp117Correction
from thermo_host.calibrate.kinds.lines import by_lines

PROCEDURE = by_lines("bath", Tmp117Correction, lambda settings: (settings.name,))
"""Its own temperature is what it says."""
