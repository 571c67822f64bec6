"""How fast the simulator is without a wall clock: pictures per second, bus traffic included.

Run `python bench/simulator.py`. A picture is two subpages; each costs status polls, a write that clears the flag and a
read of the whole RAM. Simulated time is a VirtualClock's, so the machine alone sets the pace. Seconds are CPU seconds
of this process, so that other work on the machine does not count.
"""

import time
from collections.abc import Callable

import numpy as np
from smbus2 import i2c_msg

from thermo_sim.chips.mlx90640.dataset import PictureSource
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.scenes import Hand, Scene, breast_patch

PICTURES, STILL = 1500, 64


def main() -> None:
    """Measure and print."""
    rows = [
        ("bus: still scene, 8 Hz", _over_the_bus(breast_patch(1), 4)),
        ("bus: still scene, 32 Hz", _over_the_bus(breast_patch(1), 6)),
        ("bus: moving hand, 32 Hz", _over_the_bus(Hand(1), 6)),
        ("bulk: scene -> counts -> degC", _in_bulk()),
        ("bulk: a still scene, 64 at once", _still()),
    ]
    print(f"{'simulator, seconds of one core':36}{'pictures/s':>12}{'us/picture':>12}")
    for name, seconds in rows:
        print(f"{name:36}{1 / seconds:12.0f}{seconds * 1e6:12.0f}")


def _over_the_bus(scene: Scene, rate_code: int) -> float:
    hardware = SimulatedHardware.from_profile(seed=1, scene=scene, bus_hz=1_000_000)
    bus, clock = hardware.bus, hardware.clock
    control = 0x1801 | rate_code << 7 | 1
    bus.i2c_rdwr(i2c_msg.write(0x33, bytes([0x80, 0x0D, control >> 8, control & 0xFF])))
    period_us = 2_000_000 >> rate_code

    def subpage() -> None:
        while True:
            status = i2c_msg.read(0x33, 2)
            bus.i2c_rdwr(i2c_msg.write(0x33, b"\x80\x00"), status)
            if bytes(status)[1] & 8:
                break
            clock.sleep_until_us(clock.now_us() + 500)
        bus.i2c_rdwr(i2c_msg.write(0x33, b"\x80\x00\x00\x10"))
        ram = i2c_msg.read(0x33, 1664)
        bus.i2c_rdwr(i2c_msg.write(0x33, b"\x04\x00"), ram)
        np.frombuffer(bytes(ram), dtype=">u2")
        # The next subpage is due a whole number of periods after the first.
        clock.sleep_until_us(580_000 + ((clock.now_us() - 580_000) // period_us + 1) * period_us)

    for _ in range(20):
        subpage()

    def picture() -> None:
        subpage()
        subpage()

    return _seconds(picture)


def _in_bulk() -> float:
    source, scene = PictureSource(1), breast_patch(1).celsius(0.0)
    return _seconds(lambda: source.picture(scene))


def _still() -> float:
    source, scene = PictureSource(1), breast_patch(1).celsius(0.0)
    start = time.process_time()
    for _ in range(PICTURES // STILL):
        source.still(scene, STILL)
    return (time.process_time() - start) / (PICTURES // STILL * STILL)


def _seconds(picture: Callable[[], object]) -> float:
    start = time.process_time()
    for _ in range(PICTURES):
        picture()
    return (time.process_time() - start) / PICTURES


if __name__ == "__main__":
    main()
