"""Each bus fault at each transaction of start-up and of a picture: recovery, counts, and no wrong page taken for good.

The agent's acquisition and the firmware's stand the same tests. What the simulated chip really measured is written
down at its source, so that a page can be told from any other.
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from examples import some
from firmware_camera import FirmwareCamera
from numpy.typing import NDArray
from smbus2 import i2c_msg

from thermo_core.sensors.mlx90640.frames import Subpage
from thermo_core.sensors.mlx90640.registers import subpage_mask
from thermo_core.sensors.mlx90640.settings import Mlx90640Settings
from thermo_core.wire.events import COUNTS, FAULTS
from thermo_device.counters import Counters
from thermo_device.sensors.driver import Place
from thermo_device.sensors.mlx90640.acquisition import PictureSensor
from thermo_device.sensors.mlx90640.plausibility import AUXILIARY_JUMP, SMALLEST_JUMP
from thermo_sim.hardware import SimulatedHardware

pytestmark = pytest.mark.lengthy

UNSEEN = 2 * SMALLEST_JUMP
"""Counts that a flipped bit may change a pixel by unseen: up to the smallest jump, and the noise of two pages."""
USED_AUXILIARY = np.array([0x700, 0x708, 0x70A, 0x720, 0x728, 0x72A]) - 0x400
NOTICED = {"nack": "bus_nack", "stuck": "bus_stuck", "short": "bus_short_read", "unplug": "bus_nack"}
"""Counters of the faults that a transaction cannot fail to notice; short reads only where it reads."""


@dataclass
class Measured:
    """One subpage as it left the simulated chip."""

    power_cycle: int
    index: int
    number: int
    time_us: int
    pixels: NDArray[np.uint16]


class Bench:
    """A sensor on a simulated bus that keeps a list of what its chip measured."""

    def __init__(
        self,
        make: Callable[..., PictureSensor | FirmwareCamera],
        rate_hz: float = 16,
        bus_hz: int = 1_000_000,
        faults: str = "",
        **settings: Any,
    ) -> None:
        self.hardware = SimulatedHardware.from_profile(seed=3, bus_hz=bus_hz, faults=faults, warm_up_tau_s=0)
        self.counters = Counters()
        self.sensor = make(
            Mlx90640Settings(name="skin", path=(0x33,), rate_hz=rate_hz, **settings),
            Place(0, self.hardware.bus, self.hardware.clock, self.counters),
        )
        self.chess = settings.get("pattern", "chess") == "chess"
        self.measured: list[Measured] = []
        self.period_us = 1e6 / rate_hz
        scene, times = self.hardware.scene.celsius, [0.0]

        def watched(time_s: float) -> NDArray[np.floating[Any]]:
            times.append(time_s)
            return scene(time_s)

        self.hardware.chip.set_scene(watched, 0)
        radiometry = self.hardware.chip.radiometry
        measure = radiometry.measure

        def observed(scene: Any, number: Any, index: Any, control: Any, conditions: Any, power_cycle: Any) -> Any:
            result = measure(scene, number, index, control, conditions, power_cycle)
            time_us = round(times[-1] * 1e6)
            self.measured.append(Measured(power_cycle, index, number, time_us, result.pixels.copy().ravel()))
            return result

        radiometry.measure = observed

    def capture(self, pages: int, at_most_s: float = 30.0) -> list[Subpage]:
        """`pages` subpages, by capture alone, as the pipeline does it."""
        clock = self.hardware.clock
        end_us = clock.now_us() + round(at_most_s * 1e6)
        captured: list[Subpage] = []
        while len(captured) < pages:
            assert clock.now_us() < end_us, f"only {len(captured)} pages came; {self.counters.snapshot()}"
            subpage = self.sensor.capture(clock.now_us() + 250_000)
            if subpage is not None:
                captured.append(subpage)
        return captured

    def source(self, subpage: Subpage, tolerance: float = 0) -> Measured:
        """What the chip measured that this page is; fails where it is nothing the chip measured."""
        number = subpage.number
        pixels = subpage.words[:768][subpage_mask(number, self.chess).ravel()].astype(np.int16)
        # Of equal ones the last: auxiliary words measured while the chip boots come with pixels nobody can read.
        candidates = [measured for measured in reversed(self.measured) if measured.number == number]
        all_pixels = np.array([measured.pixels for measured in candidates]).astype(np.int16)
        best = int(np.argmin(np.count_nonzero(all_pixels != pixels, axis=1)))
        off = np.abs(pixels.astype(int) - all_pixels[best])
        assert off.max() <= tolerance, f"page {subpage.index} is {off.max()} off anything the chip measured"
        assert abs(subpage.time_us - candidates[best].time_us) < self.period_us / 2
        return candidates[best]

    def check(self, pages: list[Subpage], tolerance: float = 0) -> None:
        """Pages are the chip's, none twice, with numbering that shows every loss, and the counters add up."""
        sources = [self.source(page, tolerance) for page in pages]
        for (before, earlier), (after, later) in pairwise(zip(pages, sources, strict=True)):
            assert after.time_us > before.time_us
            if earlier.power_cycle == later.power_cycle:
                assert after.index - before.index == later.index - earlier.index
            else:
                assert after.index > before.index
        counts = self.counters.snapshot()
        handled = sum(counts.get(name, 0) for name in ("blocks_captured", "blocks_lost", "pages_settling"))
        assert handled == pages[-1].index + 1
        assert set(counts) <= set(FAULTS) | set(COUNTS)


MakeBench = Callable[..., Bench]


@pytest.fixture(params=["agent", "firmware"])
def make_bench(request: pytest.FixtureRequest) -> MakeBench:
    """A bench with the acquisition of the agent, or with that of the firmware compiled for this machine."""
    if request.param == "agent":
        return partial(Bench, PictureSensor)
    if shutil.which("gcc") is None:
        pytest.skip("gcc not found; install it")
    return partial(Bench, partial(FirmwareCamera, request.getfixturevalue("camera_library")))


def _reads(make_bench: MakeBench, rate_hz: float, pages: int) -> list[bool]:
    """Whether each transaction up to the end of so many pages reads, in a run without faults."""
    bench = make_bench(rate_hz)
    bus: Any = bench.hardware.bus
    transfer, reads = bus.i2c_rdwr, []

    def watched(*messages: i2c_msg) -> None:
        reads.append(any(message.flags & 1 for message in messages))
        transfer(*messages)

    bus.i2c_rdwr = watched
    bench.capture(pages)
    return reads


KINDS = ["nack", "stuck", "flip", "short", "stale", "eeprom", "unplug"]


@pytest.mark.campaign
@pytest.mark.parametrize("pattern", ["chess", "interleaved"])
@pytest.mark.parametrize("kind", KINDS)
def test_start_up_survives_the_fault_at_each_of_its_transactions(
    make_bench: MakeBench, kind: str, pattern: str
) -> None:
    make_bench = partial(make_bench, pattern=pattern)
    reads = _reads(make_bench, 16, 1)
    assert len(reads) > 20
    true_eeprom = make_bench().hardware.chip.cells.words
    for at in some(range(len(reads)), 8, f"start {kind} {pattern}"):
        fault = f"{kind}@{at}" + ("+40ms" if kind == "unplug" else "")
        bench = make_bench(faults=fault)
        pages = bench.capture(6)
        bench.check(pages, UNSEEN if kind == "flip" else 0)
        assert bench.sensor.eeprom is not None
        np.testing.assert_array_equal(bench.sensor.eeprom, true_eeprom, err_msg=fault)
        assert bench.sensor.running
        assert not bench.sensor.fault
        assert bench.counters.get("rate_lowered") == 0
        _check_noticed(kind, reads[at], bench)


def _check_noticed(kind: str, reads: bool, bench: Bench) -> None:
    if kind in NOTICED:
        noticed = bench.counters.get(NOTICED[kind]) > 0
        assert noticed == (reads or kind != "short"), bench.counters.snapshot()


@pytest.mark.campaign
@pytest.mark.parametrize(("pattern", "rate_hz"), [("chess", 16), ("chess", 64), ("interleaved", 64)])
@pytest.mark.parametrize("kind", [*KINDS, "flip:bits=30"])
def test_a_picture_survives_the_fault_at_each_of_its_transactions(
    make_bench: MakeBench, kind: str, pattern: str, rate_hz: float
) -> None:
    make_bench = partial(make_bench, pattern=pattern)
    first, reads = len(_reads(make_bench, rate_hz, 20)), _reads(make_bench, rate_hz, 22)
    pieces = 1 if pattern == "chess" else 12
    kind = kind.replace("bits=30", f"bits={round(30 / pieces)}")  # as many of what a page reads
    assert 8 + 2 * pieces <= len(reads) - first <= 18 + 2 * pieces + 1
    name, _, options = kind.partition(":")
    for at in some(range(first, len(reads)), 7, f"picture {kind} {pattern} {rate_hz}"):
        fault = f"{name}@{at}" + ("+40ms" if name == "unplug" else "") + (f":{options}" if options else "")
        bench = make_bench(rate_hz, faults=fault)
        pages = bench.capture(40)
        bench.check(pages, 4 * UNSEEN if name == "flip" else 0)
        assert bench.sensor.running
        assert abs(pages[-1].time_us - bench.source(pages[-1]).time_us) < bench.period_us / 20
        _check_noticed(name, reads[at], bench)
        lost = bench.counters.get("blocks_lost")
        limit = {"stuck": rate_hz * 1.1 + 2, "unplug": rate_hz * 0.9 + 3}.get(name, 2)
        assert lost <= limit, f"{fault}: {bench.counters.snapshot()}"


@pytest.mark.parametrize("pattern", ["chess", "interleaved"])
def test_flipped_bits_are_put_right_or_small(make_bench: MakeBench, pattern: str) -> None:
    per_read = 0.1 if pattern == "chess" else 0.1 / 12
    bench = make_bench(16, faults=f"flip:p={per_read:.4f}", pattern=pattern)
    pages = bench.capture(800, at_most_s=60.0)
    bench.check(pages, UNSEEN)
    sources = [bench.source(page, UNSEEN) for page in pages]
    wrong = sum(
        bool((page.words[:768][subpage_mask(page.number, bench.chess).ravel()] != source.pixels).any())
        for page, source in zip(pages, sources, strict=True)
    )
    assert bench.counters.get("word_corrected") > 10
    assert wrong < 0.08 * len(pages), "of the flips in RAM, only those in the lowest bits pass"


def test_a_used_auxiliary_word_is_never_far_off(make_bench: MakeBench) -> None:
    bench = make_bench(16, faults="flip:p=0.2:bits=60")
    true = make_bench(16).capture(2)
    for page in bench.capture(150):
        change = page.words[USED_AUXILIARY].astype(np.int16).astype(int) - true[0].words[USED_AUXILIARY].astype(
            np.int16
        ).astype(int)
        assert np.abs(change).max() <= 2 * AUXILIARY_JUMP


def test_pages_that_never_change_are_told_and_a_still_scene_is_none(make_bench: MakeBench) -> None:
    bench = make_bench(16, faults="freeze@300+10s")
    pages = bench.capture(60)
    assert bench.counters.get("sensor_frozen") == 0
    bench.capture(150)
    told = bench.counters.get("sensor_frozen")
    assert 2 <= told <= 5
    bench.capture(100)
    assert bench.counters.get("sensor_frozen") == told
    assert bench.sensor.running and pages
