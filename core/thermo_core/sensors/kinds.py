"""What the product knows of each kind of sensor: one row each."""

from collections.abc import Mapping

from thermo_core.errors import CorrectionError
from thermo_core.sensors import correction
from thermo_core.sensors.ads1115_ntc import kind as ads1115_ntc
from thermo_core.sensors.external import kind as external
from thermo_core.sensors.kind import SensorKind
from thermo_core.sensors.lis3dh import kind as lis3dh
from thermo_core.sensors.max3010x import kind as max3010x
from thermo_core.sensors.mlx90614 import kind as mlx90614
from thermo_core.sensors.mlx90632 import kind as mlx90632
from thermo_core.sensors.mlx90640 import kind as mlx90640
from thermo_core.sensors.sht4x import kind as sht4x
from thermo_core.sensors.tmp117 import kind as tmp117

KINDS: Mapping[str, SensorKind] = {
    str(module.KIND.settings.__struct_config__.tag): module.KIND
    for module in (mlx90640, ads1115_ntc, mlx90632, mlx90614, max3010x, lis3dh, sht4x, tmp117, external)
}
"""Rows by the name a profile calls them."""


def correction_of(blob: bytes) -> correction.Correction:
    """The correction a blob holds, whatever its kind.

    Raises:
        CorrectionError: damaged, impossible, or of a kind that is never corrected.
    """
    kind, stamp, body = correction.unpack(blob)
    row = KINDS.get(kind)
    if row is None or row.correction is None:
        raise CorrectionError(f"The correction is for a {kind}, which this software does not correct; update it.")
    return row.correction.from_body(stamp, body)
