"""Chips by the kind of sensor that a profile calls them, and multiplexers by the kind that a bus path calls them: one row each."""

from collections.abc import Callable, Mapping

from thermo_sim.chips import lis3dh, max3010x, mlx90614, mlx90632, sht4x, tmp117
from thermo_sim.chips.ads1115_ntc import kind as ads1115_ntc
from thermo_sim.chips.kind import ChipKind
from thermo_sim.chips.mlx90640 import kind as mlx90640
from thermo_sim.chips.tca9548a import SimulatedTca9548a

KINDS: Mapping[str, ChipKind] = {
    "mlx90640": mlx90640.KIND,
    "ads1115-ntc": ads1115_ntc.KIND,
    "mlx90632": mlx90632.KIND,
    "mlx90614": mlx90614.KIND,
    "max3010x": max3010x.KIND,
    "lis3dh": lis3dh.KIND,
    "sht4x": sht4x.KIND,
    "tmp117": tmp117.KIND,
}
MULTIPLEXERS: Mapping[str, Callable[[int], SimulatedTca9548a]] = {"tca9548a": SimulatedTca9548a}
"""Made with their address."""
