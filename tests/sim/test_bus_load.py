"""The bus load that a profile promises is the time that the simulated bus takes."""

import pytest
from chip_bus import MAKE, bus_of, wait
from chip_polls import POLL, START
from sensor_bytes import ADDRESS
from smbus2 import i2c_msg

from thermo_core import schema
from thermo_core.errors import UsageError
from thermo_core.sensors import SETTINGS
from thermo_core.sensors.bus_load import bus_load, clocks, greatest_frequency_hz
from thermo_core.sensors.settings import SensorSettings
from thermo_core.wearable.profile import Profile
from thermo_device.counters import Counters
from thermo_device.hardware import Hardware
from thermo_device.scheduler import Scheduler
from thermo_device.sensors.table import drivers_of
from thermo_device.sightings import Sightings
from thermo_sim.chips.tca9548a import SimulatedTca9548a
from thermo_sim.chips.tmp117 import SimulatedTmp117
from thermo_sim.clock import VirtualClock
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.i2c import SimulatedBus
from thermo_sim.surface import steady


def _profile(*plain: dict[str, object]) -> Profile:
    data = {"name": "w", "version": "1", "sensors": [{"name": f"s{n}", **one} for n, one in enumerate(plain)]}
    return schema.from_plain(data, Profile, "profile")


def _sensors(*plain: dict[str, object]) -> tuple[SensorSettings, ...]:
    return _profile(*plain).sensors


class Meter:
    """Counts the time that transactions take, not what passes between them."""

    def __init__(self, bus: SimulatedBus) -> None:
        self._bus, self._run = bus, bus.i2c_rdwr
        self.busy_us = 0
        bus.i2c_rdwr = self.measure  # type: ignore[method-assign]

    def measure(self, *messages: object) -> None:
        before_us = self._bus.clock.now_us()
        self._run(*messages)
        self.busy_us += self._bus.clock.now_us() - before_us


@pytest.mark.parametrize("kind", sorted(MAKE.keys() - {"tmp117"}))
def test_a_reading_takes_as_long_as_is_calculated(kind: str) -> None:
    """What reads the chip here is the least that does; rounding up to whole microseconds is the difference."""
    chip = MAKE[kind](ADDRESS[kind], 1)
    (sensor,) = _sensors(
        {"kind": kind, "path": [ADDRESS[kind]], **({"burst": 25} if kind in ("lis3dh", "max3010x") else {})}
    )
    frequency_hz = min(400_000, greatest_frequency_hz([sensor]))
    bus = bus_of(chip, frequency_hz=frequency_hz)
    wait(bus, 0.02)
    if kind in START:
        START[kind](bus, ADDRESS[kind])
    period_s = 1 / sensor.visits[0].per_second
    wait(bus, 1.2)
    POLL[kind](bus, ADDRESS[kind])
    meter = Meter(bus)
    began_us = bus.clock.now_us()
    readings = 12
    for number in range(1, readings + 1):
        bus.clock.sleep_until_us(began_us + round(number * period_s * 1e6))
        POLL[kind](bus, ADDRESS[kind])
    load = bus_load([sensor], frequency_hz).share
    assert meter.busy_us / 1e6 == pytest.approx(load * readings * period_s, rel=0.03)


def _taken_by_the_agent(profile: Profile, rate_hz: float, settle: int, blocks: int) -> float:
    """Time that the agent's drivers keep the bus for so many blocks, as a multiple of what is calculated.

    Args:
        profile: of one sensor.
        rate_hz: its blocks a second.
        settle: blocks before it is measured.
        blocks: that are measured.
    """
    hardware = SimulatedHardware.from_profile(profile, seed=1, warm_up_tau_s=0, bus_hz=400_000)
    agent = Hardware(hardware.bus, hardware.clock, "bench", "1", True)
    drivers = drivers_of(agent, profile, Counters(), Sightings())
    scheduler = Scheduler(drivers, profile.sensors, hardware.clock)

    def run(count: int) -> None:
        while count:
            _, block = scheduler.poll(hardware.clock.now_us() + 1_000_000)
            count -= block is not None

    run(settle)
    meter = Meter(hardware.bus)
    run(blocks)
    (sensor,) = profile.sensors
    return meter.busy_us / 1e6 / (bus_load([sensor], 400_000).share * blocks / rate_hz)


@pytest.mark.parametrize(
    ("pattern", "rate_hz"), [("chess", 4.0), ("chess", 16.0), ("interleaved", 4.0), ("interleaved", 32.0)]
)
def test_a_camera_takes_as_long_as_the_agent_takes_for_it(pattern: str, rate_hz: float) -> None:
    profile = _profile({"kind": "mlx90640", "path": [0x33], "rate_hz": rate_hz, "pattern": pattern})
    # The agent looks a few times more until a page is there, and reads doubtful words again.
    assert 1.0 <= _taken_by_the_agent(profile, rate_hz, 6, 20) < 1.05


def test_thermistors_take_as_long_as_the_agent_takes_for_them() -> None:
    channels = [{"name": f"t{number}"} for number in range(4)]
    profile = _profile({"kind": "ads1115-ntc", "path": [0x48], "rate_hz": 1.0, "channels": channels})
    assert _taken_by_the_agent(profile, 1.0, 1, 5) == pytest.approx(1, rel=0.03)


def test_a_tmp117_takes_as_long_as_the_agent_takes_for_it() -> None:
    profile = _profile({"kind": "tmp117", "path": [0x48], "rate_hz": 1.0})
    # The agent looks at its configuration once more until a result is there.
    assert 1.0 <= _taken_by_the_agent(profile, 1.0, 15, 40) < 1.6


def test_a_way_through_multiplexers_costs_opening_and_closing() -> None:
    bus = SimulatedBus(VirtualClock(), 400_000)
    mux = SimulatedTca9548a()
    bus.attach(mux)
    bus.attach(SimulatedTmp117(steady(33.0)), mux.channel(3))
    wait(bus, 2)
    meter = Meter(bus)
    for second in range(10):
        bus.i2c_rdwr(i2c_msg.write(0x70, [8]))
        for register in (1, 0):
            bus.i2c_rdwr(i2c_msg.write(0x48, [register]), i2c_msg.read(0x48, 2))
        bus.i2c_rdwr(i2c_msg.write(0x70, [0]))
        if second < 2:  # the offset, there and back
            bus.i2c_rdwr(i2c_msg.write(0x70, [8]))
            bus.i2c_rdwr(i2c_msg.write(0x48, [7, 0, 0]))
            bus.i2c_rdwr(i2c_msg.write(0x48, [7]), i2c_msg.read(0x48, 2))
            bus.i2c_rdwr(i2c_msg.write(0x70, [0]))
    (sensor,) = _sensors({"kind": "tmp117", "path": ["tca9548a@0x70:3", 0x48]})
    assert meter.busy_us / 10e6 == pytest.approx(bus_load([sensor], 400_000).share, rel=0.03)


def test_a_transaction_of_known_length() -> None:
    """The data sheets' 3.8 ms at 400 kHz for 150 bytes of a LIS3DH, and 15.1 of an MLX90640's page at 1 MHz."""
    assert clocks((1, 150)) / 400_000 == pytest.approx(3.5e-3, abs=0.3e-3)
    assert clocks((2, 1664)) / 1_000_000 == pytest.approx(15.1e-3, abs=0.2e-3)


def test_a_camera_sixteen_nodes_pulse_and_motion_fit_400_khz() -> None:
    nodes = [
        {"kind": "mlx90632", "path": [f"tca9548a@0x70:{channel}", address], "rate_hz": 1.0}
        for channel in range(8)
        for address in (0x3A, 0x3B)
    ]
    sensors = _sensors(
        {"kind": "mlx90640", "path": [0x33], "rate_hz": 16.0},
        *nodes,
        {"kind": "max3010x", "path": [0x57], "rate_hz": 100.0, "averages": 1},
        {"kind": "lis3dh", "path": [0x18], "rate_hz": 25.0},
    )
    load = bus_load(sensors, 400_000)
    assert load.share < 0.75
    assert load.sensors[0].share > 0.6
    assert sum(one.share for one in load.sensors[1:17]) == pytest.approx(0.011, abs=0.003)
    too_fast = _sensors({"kind": "mlx90640", "path": [0x33], "rate_hz": 64.0})
    assert bus_load(too_fast, 400_000).share > 1
    assert bus_load(too_fast, 1_000_000).share < 1
    rows = _sensors({"kind": "mlx90640", "path": [0x33], "rate_hz": 32.0, "pattern": "interleaved"})
    assert bus_load(rows, 400_000).share < 0.75
    assert bus_load(rows, 1_000_000).share < 0.3


def test_a_chip_that_does_not_bear_the_frequency_is_named() -> None:
    sensors = _sensors({"kind": "mlx90614", "path": [0x5A]}, {"kind": "mlx90640", "path": [0x33]})
    assert greatest_frequency_hz(sensors) == 100_000
    with pytest.raises(UsageError, match=r'"s0" \(mlx90614\) bears 100000'):
        bus_load(sensors, 400_000)
    with pytest.raises(UsageError, match="give 10000 or more"):
        bus_load(sensors, 100)
    assert bus_load(_sensors({"kind": "external"}), 400_000).sensors == ()


def test_every_kind_on_a_bus_says_what_it_needs_of_it() -> None:
    channels = {"ads1115-ntc": {"channels": [{"name": "t"}]}}
    for kind in SETTINGS:
        name = str(kind.__struct_config__.tag)
        if name != "external":
            (sensor,) = _sensors({"kind": name, "path": [ADDRESS.get(name, 0x48)], **channels.get(name, {})})
            assert bus_load([sensor], 100_000).share > 0, name
