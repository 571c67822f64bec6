"""What core says to write to a chip makes the simulated one measure as the profile says."""

from typing import Any

import numpy as np
import pytest
from chip_bus import SKIN, bus_of, pulse, read, still, wait
from smbus2 import i2c_msg

from thermo_core.sensors.lis3dh import decode as lis3dh
from thermo_core.sensors.lis3dh import setup as lis3dh_setup
from thermo_core.sensors.lis3dh.settings import Lis3dhSettings
from thermo_core.sensors.max3010x import decode as max3010x
from thermo_core.sensors.max3010x import setup as max3010x_setup
from thermo_core.sensors.max3010x.settings import Max3010xSettings
from thermo_core.sensors.tmp117 import setup as tmp117_setup
from thermo_core.sensors.tmp117.settings import RATES_HZ, Tmp117Settings
from thermo_sim.chips.lis3dh import SimulatedLis3dh
from thermo_sim.chips.max3010x import SimulatedMax3010x
from thermo_sim.chips.tmp117 import SimulatedTmp117
from thermo_sim.i2c import SimulatedBus


def _write(bus: SimulatedBus, address: int, messages: tuple[bytes, ...]) -> None:
    for message in messages:
        bus.i2c_rdwr(i2c_msg.write(address, message))


@pytest.mark.parametrize("leds", [("red",), ("ir",), ("green",), ("red", "ir"), ("ir", "red"), ("green", "ir", "red")])
@pytest.mark.parametrize(("rate_hz", "averages"), [(25.0, 4), (100.0, 1), (12.5, 8)])
@pytest.mark.parametrize(("range_na", "pulse_us"), [(2048, 411), (16384, 69)])
def test_pulse_sensors_light_their_leds_at_their_rate_and_scale(
    leds: tuple[str, ...], rate_hz: float, averages: int, range_na: int, pulse_us: int
) -> None:
    settings = Max3010xSettings(
        name="s",
        path=(0x57,),
        variant="max30101",
        leds=leds,  # type: ignore[arg-type]
        rate_hz=rate_hz,
        averages=averages,  # type: ignore[arg-type]
        range_na=range_na,  # type: ignore[arg-type]
        pulse_us=pulse_us,  # type: ignore[arg-type]
        current_ma=10.0,
        burst=20,
    )
    assert settings.problem() == ""
    chip = SimulatedMax3010x(lambda times_s: pulse(times_s) * [1.0, 0.8, 0.6], green=True, noise=False)
    bus = bus_of(chip, frequency_hz=400_000)
    _write(bus, 0x57, max3010x_setup.writes(settings))
    read(bus, 0x57, 1, [0])
    wait(bus, 19.5 / rate_hz)
    assert not chip.interrupt(bus.clock.now_us())
    wait(bus, 1 / rate_hz)
    assert chip.interrupt(bus.clock.now_us())
    written, lost, taken = read(bus, 0x57, 3, [4])
    assert (written, lost, taken) == (20, 0, 0)
    counts = max3010x.counts_of(read(bus, 0x57, 20 * 3 * len(leds), [7]), len(leds))
    currents = max3010x.photocurrent(counts, range_na).mean(axis=0)
    wanted = [1500 * {"red": 1.0, "ir": 0.8, "green": 0.6}[led] for led in leds]
    assert currents == pytest.approx(wanted, rel=0.03)


@pytest.mark.parametrize("mode", ["high-resolution", "normal", "low-power"])
@pytest.mark.parametrize("range_g", [2, 4, 8, 16])
@pytest.mark.parametrize("rate_hz", [10.0, 25.0, 400.0])
def test_accelerometers_say_g_at_their_rate_in_every_mode_and_range(mode: str, range_g: int, rate_hz: float) -> None:
    settings = Lis3dhSettings(name="s", path=(0x18,), mode=mode, range_g=range_g, rate_hz=rate_hz, burst=12)  # type: ignore[arg-type]
    chip = SimulatedLis3dh(still(0.5, -0.25, 1.0), noise=False)
    bus = bus_of(chip, frequency_hz=400_000)
    wait(bus, 0.01)
    _write(bus, 0x18, lis3dh_setup.writes(settings))
    wait(bus, 11.5 / rate_hz)
    assert not chip.interrupt(bus.clock.now_us())
    wait(bus, 0.8 / rate_hz)
    assert chip.interrupt(bus.clock.now_us())
    assert read(bus, 0x18, 1, [0x2F])[0] & 0x1F == 12
    g = lis3dh.acceleration(lis3dh.counts_of(read(bus, 0x18, 72, [0xA8]), mode), settings.mg_a_count)
    assert g == pytest.approx(np.tile([0.5, -0.25, 1.0], (12, 1)), abs=settings.mg_a_count / 1999)


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("averages", [1, 8, 32, 64])
def test_contact_thermometers_convert_at_their_rate(rate_hz: float, averages: int) -> None:
    settings = Tmp117Settings(name="s", path=(0x48,), rate_hz=rate_hz, averages=averages)  # type: ignore[arg-type]
    if settings.problem():
        return
    bus = bus_of(SimulatedTmp117(SKIN), frequency_hz=400_000)
    wait(bus, 0.002)
    _write(bus, 0x48, tmp117_setup.writes(settings))
    ready: list[Any] = []
    while len(ready) < 4:
        if read(bus, 0x48, 2, [1])[0] & 0x20:
            ready.append(bus.clock.now_us())
        wait(bus, 0.004 / rate_hz)
    assert np.diff(ready) == pytest.approx(1e6 / rate_hz, rel=0.02)
    word = int.from_bytes(read(bus, 0x48, 2, [1]), "big")
    assert word & 0x0FFC == tmp117_setup.configuration(settings)
