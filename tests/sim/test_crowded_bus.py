"""A camera, sixteen thermometers behind a multiplexer, pulse and motion on one bus at 400 kHz: nothing is lost, in simulated time.

`bench/bus.py` is the same for an hour.
"""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from bundles import KEY

from thermo_core import schema
from thermo_core.errors import BundleError
from thermo_core.image import Version
from thermo_core.sensors.bus_load import bus_load, overload
from thermo_core.wearable.profile import Profile
from thermo_quantize.sign import sign_bundle

pytestmark = pytest.mark.lengthy

MINUTE_S = 60.0
STARTED_S = 3.0
"""In which all chips have started, and the camera's pages have found their time."""


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """bench/bus.py."""
    spec = importlib.util.spec_from_file_location("bench_bus", Path(__file__).parents[2] / "bench/bus.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def faster(profile: Profile, **rates_hz: float) -> Profile:
    """With sensors of some kinds at other rates."""
    plain = schema.to_plain(profile)
    for sensor in plain["sensors"]:
        sensor["rate_hz"] = rates_hz.get(sensor["kind"], sensor["rate_hz"])
    return schema.from_plain(plain, Profile, "profile")


def test_a_minute_of_the_crowded_wearable_loses_nothing(bench: ModuleType) -> None:
    done = bench.run(bench.CROWDED, MINUTE_S)
    faults = set(done.counts) - {"blocks_captured", "page_overlapped", "pages_settling"}
    assert not faults and not any(done.skipped.values())
    assert done.counts["page_overlapped"] <= 3, "before the pages have found their time"
    for number, sensor in enumerate(bench.CROWDED.sensors):
        chip = done.chips[sensor.name]
        if sensor.kind == "mlx90640":
            assert chip.subpages - done.blocks[number] <= 16.0 * STARTED_S
        elif sensor.kind == "mlx90632":
            assert done.blocks[number] >= MINUTE_S - STARTED_S
        else:  # what is not read yet is in the chip's FIFO
            assert 0 <= chip.made - done.samples[number] <= 32
    calculated = bus_load(bench.CROWDED.sensors, bench.BUS_HZ).share
    assert done.busy_s / MINUTE_S == pytest.approx(calculated, rel=0.05)


def test_what_the_bus_cannot_carry_is_refused_at_signing_with_its_load(bench: ModuleType) -> None:
    assert overload(bench.CROWDED.sensors) == ""
    for rates_hz, most in (({"mlx90640": 32.0}, "picture"), ({"mlx90640": 64.0, "mlx90632": 4.0}, "picture")):
        crowded = faster(bench.CROWDED, **rates_hz)
        share = bus_load(crowded.sensors, bench.BUS_HZ).share
        said = rf"crowded cannot be measured: its sensors need {100 * share:.0f} % of the bus's time at 400 kHz.*\"{most}\" alone"
        with pytest.raises(BundleError, match=said):
            sign_bundle(crowded, {}, "a card", Version(1, 0, 0), KEY)


def test_a_camera_that_the_bus_cannot_carry_is_slowed_and_told(bench: ModuleType) -> None:
    """Whoever signs past the calculation still loses nothing silently: the agent lowers the rate, counts it and says so."""
    done = bench.run(faster(bench.CROWDED, mlx90640=32.0), 10.0)
    assert done.counts["rate_lowered"] == 1
    assert not any(done.skipped.values())
    assert 150 <= done.blocks[0] <= 170


def test_a_fifo_that_overflows_while_a_camera_is_read_is_refused(bench: ModuleType) -> None:
    def bursts(of: int) -> Profile:
        rates_hz = {"mlx90640": 8.0, "mlx90632": 16.0, "max3010x": 400.0, "lis3dh": 400.0}
        plain = schema.to_plain(faster(bench.CROWDED, **rates_hz))
        for sensor in plain["sensors"]:
            if sensor["kind"] in ("max3010x", "lis3dh"):
                sensor["burst"] = of
        return schema.from_plain(plain, Profile, "profile")

    said = overload(bursts(16).sensors)
    assert said.startswith('"pulse" has room for 40 ms beyond a burst and may have to wait 4')
    assert 'most of it for "picture"' in said
    assert bench.run(bursts(16), 15.0).counts["fifo_overflowed"] > 10
    assert overload(bursts(8).sensors) == ""
    alone = [sensor for sensor in bursts(31).sensors if sensor.name == "pulse"]
    assert overload(alone) == "", "nobody keeps it waiting"
    # While the camera's EEPROM is read at the start nobody has come to the FIFOs yet.
    assert bench.run(bursts(8), 15.0).counts.get("fifo_overflowed", 0) <= 2
