"""Many sensors on one bus: a camera is never late for others, and nobody waits for ever."""

import pytest
from chip_bus import MAKE
from sensor_bytes import ADDRESS

from thermo_core import schema
from thermo_core.sensors.ads1115_ntc.settings import Ads1115NtcSettings, Thermistor
from thermo_core.sensors.kind import Block
from thermo_core.sensors.kinds import KINDS
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_core.sensors.settings import SensorSettings
from thermo_core.wearable.profile import Profile
from thermo_device.hardware import Hardware
from thermo_device.pipeline import Pipeline
from thermo_sim.hardware import SimulatedHardware

SPOTS = Ads1115NtcSettings(
    name="spots", path=(0x48,), rate_hz=4.0, channels=tuple(Thermistor(name=f"t{n}") for n in range(4))
)
OTHERS: dict[str, dict[str, object]] = {
    "mlx90632": {"rate_hz": 4.0},
    "max3010x": {"rate_hz": 100.0, "averages": 1},
    "lis3dh": {"rate_hz": 100.0},
    "sht4x": {"rate_hz": 1.0},
}


def run(sensors: tuple[SensorSettings, ...], bus_hz: int, seconds: float) -> tuple[Pipeline, list[list[Block]]]:
    """Blocks of each sensor of a wearable of all these."""
    simulated = SimulatedHardware.from_profile(seed=2, bus_hz=bus_hz, warm_up_tau_s=0)
    for kind in OTHERS:
        simulated.bus.attach(MAKE[kind](ADDRESS[kind], 3))
    profile = Profile(name="all", version="1", sensors=sensors)
    hardware = Hardware(simulated.bus, simulated.clock, "all", "0001", simulated=True)
    pipeline = Pipeline(hardware, profile, inline=True)
    pipeline.start()
    blocks: list[list[Block]] = [[] for _ in sensors]
    while simulated.clock.now_us() < seconds * 1e6:
        for record in pipeline.step():
            if isinstance(record, Block):
                blocks[record.sensor].append(record)
    return pipeline, blocks


def camera(rate_hz: float) -> Mlx90640Settings:
    return Mlx90640Settings(name="skin", path=(0x33,), rate_hz=rate_hz)


def others() -> tuple[SensorSettings, ...]:
    plain = [{"kind": kind, "name": kind, "path": [ADDRESS[kind]], **more} for kind, more in OTHERS.items()]
    profile = {"name": "others", "version": "1", "sensors": plain}
    return schema.from_plain(profile, Profile, "profile").sensors


@pytest.mark.parametrize(("rate_hz", "bus_hz"), [(16.0, 400_000), (32.0, 1_000_000), (8.0, 400_000)])
def test_six_kinds_share_a_bus_without_a_loss(rate_hz: float, bus_hz: int) -> None:
    pipeline, blocks = run((camera(rate_hz), SPOTS, *others()), bus_hz, 20.0)
    counts = pipeline.counters.snapshot()
    assert "blocks_lost" not in counts and "fifo_overflowed" not in counts, counts
    assert len(blocks[0]) >= 20 * rate_hz * 0.9 - 3
    assert len(blocks[1]) == pytest.approx(20 * SPOTS.rate_hz, abs=4)
    for sensor, settings in enumerate(others(), 2):
        found = pipeline.found(sensor)
        assert found is not None
        reader = KINDS[settings.kind].reader(settings, found.constants, None)
        samples = sum(len(reader.push(block)) for block in blocks[sensor])
        assert samples == pytest.approx(20 * settings.signals[0].rate_hz, rel=0.15, abs=3), settings.kind


def test_where_a_camera_leaves_no_time_the_others_go_on_at_its_expense() -> None:
    """A page of 38 ms every 62 ms, and a scan of ten a second: what is late by a whole period goes first."""
    hasty = Ads1115NtcSettings(name="spots", path=(0x48,), rate_hz=100.0, channels=SPOTS.channels)
    _, blocks = run((camera(16.0), hasty), 400_000, 10.0)
    assert len(blocks[0]) > 100, "the camera goes on"
    assert len(blocks[1]) > 100, "and so do the thermistors"


def test_a_camera_that_is_not_there_keeps_nobody_from_the_bus() -> None:
    absent = Mlx90640Settings(name="skin", path=(0x34,), rate_hz=16.0)
    pipeline, blocks = run((absent, SPOTS, *others()), 400_000, 10.0)
    assert blocks[0] == [] and pipeline.fault(0)
    assert len(blocks[1]) == pytest.approx(10 * SPOTS.rate_hz, abs=4)
    assert "fifo_overflowed" not in pipeline.counters.snapshot()
