"""How each kind of sensor is calibrated: a file each."""

from collections.abc import Mapping

from thermo_host.calibrate.kinds import ads1115_ntc, lis3dh, mlx90614, mlx90632, mlx90640, sht4x, tmp117
from thermo_host.calibrate.procedures import Procedure

PROCEDURES: Mapping[str, Procedure] = {
    "mlx90640": mlx90640.PROCEDURE,
    "ads1115-ntc": ads1115_ntc.PROCEDURE,
    "mlx90632": mlx90632.PROCEDURE,
    "mlx90614": mlx90614.PROCEDURE,
    "tmp117": tmp117.PROCEDURE,
    "sht4x": sht4x.PROCEDURE,
    "lis3dh": lis3dh.PROCEDURE,
}
"""By the name a profile calls them; others are never calibrated."""
