"""What small sensors cost: bus, packing, and instructions on an emulated Cortex-M4, whose results are held to thermo_core's.

Run `python bench/sensors.py`. Waves come from the simulated chips: skin under light at 72 beats a minute, an arm at rest and
walking. Packed is all bytes of blocks, heads included, to the bytes that the chip gives.
"""

import argparse
import shutil
import sys
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from smbus2 import i2c_msg

from firmware import FIRMWARE, measure, table
from thermo_core import schema
from thermo_core.sensors.bus_load import bus_load
from thermo_core.sensors.kind import Block
from thermo_core.sensors.kinds import KINDS
from thermo_core.sensors.lis3dh import decode as lis3dh
from thermo_core.sensors.lis3dh.settings import Lis3dhSettings
from thermo_core.sensors.max3010x import decode as max3010x
from thermo_core.sensors.max3010x.settings import Max3010xSettings
from thermo_core.sensors.mlx90632 import codec
from thermo_core.sensors.mlx90632.settings import Mlx90632Settings
from thermo_core.sensors.samples import Format, Samples, pack
from thermo_core.sensors.settings import SensorSettings
from thermo_core.wearable.profile import Profile
from thermo_sim.chips.lis3dh import SimulatedLis3dh
from thermo_sim.chips.max3010x import SimulatedMax3010x
from thermo_sim.chips.mlx90614 import SimulatedMlx90614
from thermo_sim.chips.mlx90632 import SimulatedMlx90632, counts_of
from thermo_sim.clock import VirtualClock
from thermo_sim.i2c import Chip, SimulatedBus
from thermo_sim.surface import steady

BURST = 25
READINGS = 64
SAMPLES = 1000
MODULES = [*sorted((FIRMWARE / "sensors").glob("*.c"))]
ROWS = (
    ("extract", "constants of an MLX90632, once"),
    ("mlx90632", "a reading of an MLX90632"),
    ("mlx90614", "a reading of an MLX90614, emissivity calculated out"),
    ("sht4x", "a reading of an SHT4x"),
    ("tmp117", "a reading of a TMP117"),
    ("pulse", "a sample of a MAX30102, two LEDs"),
    ("motion", "a sample of a LIS3DH"),
    ("pack_pulse", f"pack {BURST} samples of a MAX30102, two LEDs"),
    ("pack_motion", f"pack {BURST} samples of a LIS3DH"),
)


def light(times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """Photocurrent of skin for each mA, red, infrared, green: beats on a level that breathes."""
    phase = 1.2 * times_s + 0.05 * np.sin(2 * np.pi * 0.1 * times_s)
    beat = np.exp(3 * (np.cos(2 * np.pi * phase) - 1)) + 0.4 * np.exp(3 * (np.cos(2 * np.pi * phase - 2) - 1))
    level = 150 * (1 + 0.002 * np.sin(2 * np.pi * 0.25 * times_s))
    return np.stack([level * (1 - depth * beat) for depth in (0.005, 0.01, 0.03)], axis=1)


def still(times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """An arm at rest, g."""
    return np.tile([0.1, -0.2, 0.97], (len(times_s), 1))


def walking(times_s: NDArray[np.float64]) -> NDArray[np.float64]:
    """An arm that swings, g."""
    swing = np.sin(2 * np.pi * 0.9 * times_s)[:, None] * [0.5, 0.2, 0.3]
    step = np.abs(np.sin(2 * np.pi * 0.9 * times_s))[:, None] ** 3 * [0.1, 0.1, 0.6]
    return np.asarray(still(times_s) + swing + step, np.float64)


def drained(
    chip: Chip, registers: list[tuple[int, int]], command: int, size: int, count: int, period_s: float
) -> bytes:
    """`count` samples of a chip with a FIFO, read in bursts."""
    bus = SimulatedBus(VirtualClock(), 400_000)
    bus.attach(chip)
    bus.clock.sleep_until_us(20_000)
    for register, value in registers:
        bus.i2c_rdwr(i2c_msg.write(chip.address, [register, value]))
    data = b""
    while len(data) < count * size:
        bus.clock.sleep_until_us(bus.clock.now_us() + round(1.03e6 * BURST * period_s))
        read = i2c_msg.read(chip.address, BURST * size)
        bus.i2c_rdwr(i2c_msg.write(chip.address, [command]), read)
        data += bytes(read)
    return data[: count * size]


def pulse_counts(rate_hz: int, leds: int, pulse_us: int = 411, milliamperes: float = 6.4) -> NDArray[np.int32]:
    """(n, leds) counts of skin under light."""
    current = round(milliamperes / 0.2)
    setting = 0x20 | (50, 100, 200, 400).index(rate_hz) << 2 | (69, 118, 215, 411).index(pulse_us)
    slots = [(0x11, 0x02), (0x09, 7)] if leds == 1 else [(0x09, 3)]
    registers = [(0x08, 0x10), (0x0A, setting), (0x0C, current), (0x0D, current), *slots]
    data = drained(SimulatedMax3010x(light, seed=1), registers, 0x07, 3 * leds, SAMPLES, 1 / rate_hz)
    return max3010x.counts_of(data, leds)


def motion_counts(moving: bool) -> NDArray[np.int32]:
    """(n, 3) counts at 25 Hz, 4 g, high resolution."""
    registers = [(0x23, 0x98), (0x24, 0x40), (0x2E, 0x80 | 24), (0x20, 0x37)]
    chip = SimulatedLis3dh(walking if moving else still, seed=1)
    return lis3dh.counts_of(drained(chip, registers, 0xA8, 6, SAMPLES, 1 / 25), "high-resolution")


def packed_share(counts: NDArray[np.int32], form: Format, raw_bytes: int, burst: int) -> float:
    """Bytes of blocks to bytes of the chip."""
    blocks = [pack(Samples(counts[at : at + burst], 10_000), form) for at in range(0, len(counts), burst)]
    return sum(map(len, blocks)) / (raw_bytes * counts.size)


def blocks_of(counts: NDArray[np.int32], form: Format, period_us: int) -> list[bytes]:
    """What the microcontroller should have packed."""
    return [pack(Samples(counts[at : at + BURST], period_us), form) for at in range(0, len(counts), BURST)]


def readings() -> tuple[SimulatedMlx90632, NDArray[np.int16]]:
    """A chip, and (n, 6) words of it over skin and rooms."""
    chip = SimulatedMlx90632(steady(34.0), steady(30.0), seed=1)
    rng = np.random.default_rng(1)
    rows = []
    for _ in range(READINGS):
        objects, ambient = counts_of(chip._physics, rng.uniform(20, 45), rng.uniform(10, 40), 0.98, None)
        first, second = (round(objects + rng.normal(0, 3)) for _ in range(2))
        rows.append([first, first, round(ambient), second, second, 23_030])
    return chip, np.array(rows, np.int16)


def table_of_costs() -> None:
    """Instructions, and whether the results are core's."""
    chip, words = readings()
    other = SimulatedMlx90614(steady(34.0), steady(30.0), seed=1)
    pulse, motion = pulse_counts(100, 2), motion_counts(True)
    said = np.random.default_rng(2).integers(0x3700, 0x3E00, (READINGS, 2)).astype(np.uint16)
    header = (
        "#include <stddef.h>\n#include <stdint.h>\n"
        f"#define BURST {BURST}U\n#define READINGS {READINGS}U\n#define SAMPLES {SAMPLES}U\n"
        + table("words_632", np.frombuffer(chip.constants, "<u2").astype(np.uint16), "uint16_t")
        + table("words_614", np.frombuffer(other.constants, "<u2").astype(np.uint16), "uint16_t")
        + table("readings_632", words, "int16_t")
        + table("readings_614", said, "uint16_t")
        + table("pulse", pulse, "int32_t")
        + table("motion", motion, "int32_t")
    )
    costs, computed = measure(header, "sensors_m4.c", MODULES, ("celsius", "pulse_block", "motion_block"))
    print(f"\n{'Cortex-M4 in QEMU':58}{'instructions':>13}")
    for name, label in ROWS:
        print(f"{label:58}{costs[name]:13,}")
    sensor = Mlx90632Settings(name="s", path=(0x3A,))
    one = KINDS["mlx90632"].reader(sensor, chip.constants, None)
    data = [codec.encode(codec.Reading(5, tuple(row))) for row in words.tolist()]
    wanted = [one.push(Block(0, 0, 0, 0, block))[0]["s"].values.tobytes() for block in data]
    pulse_form = Max3010xSettings(name="s", path=(0x57,), leds=("red", "ir")).format
    motion_form = Lis3dhSettings(name="s", path=(0x18,)).format
    equal = (
        computed["celsius"] == wanted
        and computed["pulse_block"] == blocks_of(pulse, pulse_form, 10_000)
        and computed["motion_block"] == blocks_of(motion, motion_form, 40_000)
    )
    print(f"its temperatures and blocks are thermo_core's byte for byte: {'yes' if equal else 'NO'}")


def table_of_packing() -> None:
    """Packed to raw."""
    print(f"\n{'packed to what the chip gives':58}{'of raw':>9}")
    for rate_hz, leds, burst in ((100, 1, 16), (100, 1, 25), (100, 2, 16), (50, 2, 25)):
        form = Format(leds, 0, (1 << 18) - 1)
        share = packed_share(pulse_counts(rate_hz, leds), form, 3, burst)
        print(f"{f'pulse at {rate_hz} Hz, {leds} LED, bursts of {burst}':58}{share:9.1%}")
    form = Lis3dhSettings(name="s", path=(0x18,)).format
    for label, moving in (("still", False), ("walking", True)):
        share = packed_share(motion_counts(moving), form, 2, BURST)
        print(f"{f'motion at 25 Hz, {label}, bursts of {BURST}':58}{share:9.1%}")


def sensors_of(*plain: Mapping[str, object]) -> tuple[SensorSettings, ...]:
    """Sensors of a profile."""
    data = {"name": "w", "version": "1", "sensors": [{"name": f"s{place}", **one} for place, one in enumerate(plain)]}
    return schema.from_plain(data, Profile, "profile").sensors


def table_of_loads() -> None:
    """Bus time a second."""
    nodes = [
        {"kind": "mlx90632", "path": [f"tca9548a@0x70:{channel}", address], "rate_hz": 1.0}
        for channel in range(8)
        for address in (0x3A, 0x3B)
    ]
    camera = {"kind": "mlx90640", "path": [0x33], "rate_hz": 16.0}
    pulse = {"kind": "max3010x", "path": [0x57], "rate_hz": 100.0, "averages": 1}
    motion = {"kind": "lis3dh", "path": [0x18], "rate_hz": 25.0}
    air = {"kind": "sht4x", "path": [0x44]}
    skin = {"kind": "mlx90614", "path": [0x5A], "rate_hz": 2.0}
    print(f"\n{'bus':44}{'at kHz':>8}{'of its time':>13}{'longest visit':>15}")
    for label, sensors, frequency_hz in (
        ("camera at 16 Hz", sensors_of(camera), 400_000),
        ("16 nodes behind a multiplexer at 1 Hz", sensors_of(*nodes), 400_000),
        ("pulse at 100 Hz", sensors_of(pulse), 400_000),
        ("motion at 25 Hz", sensors_of(motion), 400_000),
        ("all of these and air", sensors_of(camera, *nodes, pulse, motion, air), 400_000),
        (
            "wrist: thermopile, pulse at 25 Hz, motion",
            sensors_of(skin, pulse | {"rate_hz": 25.0, "averages": 4}, motion),
            100_000,
        ),
        ("camera at 64 Hz", sensors_of(camera | {"rate_hz": 64.0}), 1_000_000),
    ):
        load = bus_load(sensors, frequency_hz)
        longest_ms = 1000 * max(one.longest_s for one in load.sensors)
        print(f"{label:44}{frequency_hz // 1000:8}{load.share:13.1%}{longest_ms:12.1f} ms")


def main() -> None:
    """Measure and print."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    table_of_loads()
    table_of_packing()
    for program in ("arm-none-eabi-gcc", "qemu-system-arm"):
        if not shutil.which(program):
            sys.exit(
                f"sensors: {program} is missing; install gcc-arm-none-eabi, libnewlib-arm-none-eabi, qemu-system-arm."
            )
    table_of_costs()


if __name__ == "__main__":
    main()
