"""The least that reads each chip: start it, then poll it once for a block's data, as its data sheet says."""

from collections.abc import Callable

from chip_bus import read, wait, write

from thermo_core.sensors.lis3dh import decode as lis3dh
from thermo_core.sensors.lis3dh.settings import Lis3dhSettings
from thermo_core.sensors.max3010x import decode as max3010x
from thermo_core.sensors.max3010x.settings import Max3010xSettings
from thermo_core.sensors.mlx90614 import decode as mlx90614
from thermo_core.sensors.mlx90614 import kind as mlx90614_kind
from thermo_core.sensors.mlx90632 import codec as mlx90632
from thermo_core.sensors.samples import Samples, pack
from thermo_core.sensors.sht4x import decode as sht4x
from thermo_core.sensors.sht4x import kind as sht4x_kind
from thermo_core.sensors.tmp117 import kind as tmp117_kind
from thermo_sim.i2c import SimulatedBus

PULSE = Max3010xSettings(name="s", path=(0x57,))
MOTION = Lis3dhSettings(name="s", path=(0x18,))


def _start_mlx90632(bus: SimulatedBus, address: int) -> None:
    write(bus, address, 0x3F, 0xFF, 0, 0)


def _poll_mlx90632(bus: SimulatedBus, address: int) -> bytes:
    status = int.from_bytes(read(bus, address, 2, [0x3F, 0xFF]), "big")
    data = read(bus, address, 12, [0x40, 0x03])
    write(bus, address, 0x3F, 0xFF, status >> 8, status & 0xFE)
    words = tuple(int.from_bytes(data[at : at + 2], "big", signed=True) for at in range(0, 12, 2))
    return mlx90632.encode(mlx90632.Reading(status, words))


def _poll_mlx90614(bus: SimulatedBus, address: int) -> bytes:
    words = [mlx90614.word_of(read(bus, address, 3, [command]), address, command) for command in (0x06, 0x07)]
    return mlx90614_kind.encode(tuple(words))


def _start_max3010x(bus: SimulatedBus, address: int) -> None:
    for register, value in ((0x08, 0x50), (0x0A, 0x27), (0x0C, 32), (0x0D, 32), (0x11, 2), (0x09, 7)):
        write(bus, address, register, value)


def _poll_max3010x(bus: SimulatedBus, address: int) -> bytes:
    """All that waits; 32 samples where the pointers are equal and the overflow counter says that they wait."""
    interrupts = read(bus, address, 1, [0x00])[0]
    written, lost, taken = read(bus, address, 3, [0x04])
    count = (written - taken) % 32 or (32 if lost else 0)
    if not count:
        return b""
    counts = max3010x.counts_of(read(bus, address, 3 * count, [0x07]), 1)
    return pack(Samples(counts, 40_000, lost, interrupts & 0x20), PULSE.format)


def _start_lis3dh(bus: SimulatedBus, address: int) -> None:
    for register, value in ((0x23, 0x98), (0x24, 0x40), (0x2E, 0x80 | 24), (0x20, 0x37)):
        write(bus, address, register, value)


def _poll_lis3dh(bus: SimulatedBus, address: int) -> bytes:
    source = read(bus, address, 1, [0x2F])[0]
    count = 32 if source & 0x40 else source & 0x1F
    if not count:
        return b""
    counts = lis3dh.counts_of(read(bus, address, 6 * count, [0xA8]), MOTION.mode)
    return pack(Samples(counts, 40_000, int(bool(source & 0x40))), MOTION.format)


def _poll_sht4x(bus: SimulatedBus, address: int) -> bytes:
    write(bus, address, 0xFD)
    wait(bus, 0.0083)
    return sht4x_kind.encode(sht4x.words_of(read(bus, address, 6)))


def _poll_tmp117(bus: SimulatedBus, address: int) -> bytes:
    configuration = int.from_bytes(read(bus, address, 2, [1]), "big")
    return tmp117_kind.encode(configuration, int.from_bytes(read(bus, address, 2, [0]), "big"))


Start = Callable[[SimulatedBus, int], None]
Poll = Callable[[SimulatedBus, int], bytes]
START: dict[str, Start] = {"mlx90632": _start_mlx90632, "max3010x": _start_max3010x, "lis3dh": _start_lis3dh}
POLL: dict[str, Poll] = {
    "mlx90632": _poll_mlx90632,
    "mlx90614": _poll_mlx90614,
    "max3010x": _poll_max3010x,
    "lis3dh": _poll_lis3dh,
    "sht4x": _poll_sht4x,
    "tmp117": _poll_tmp117,
}
"""Data of a block; b"" where nothing waits. Raises OSError as the bus does, SensorError where what came cannot be."""
PERIOD_S = {"mlx90632": 0.5, "mlx90614": 0.5, "max3010x": 0.64, "lis3dh": 1.0, "sht4x": 1.0, "tmp117": 1.0}
"""From one poll to the next."""
