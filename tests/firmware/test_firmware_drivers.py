"""Drivers of chips that are asked again and again, in the firmware's main loop on simulated chips: core's readers judge what comes."""

import ctypes
from collections.abc import Callable
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from chip_bus import MAKE, SETTINGS, TRUTH, bus_of
from firmware_library import build, everything
from firmware_wearable import FirmwareWearable
from sensor_bytes import ADDRESS

from thermo_core import schema
from thermo_core.graph.engine import Engine
from thermo_core.graph.plan import plan
from thermo_core.quality import Quality
from thermo_core.sensors.correction import Stamp, to_bytes
from thermo_core.sensors.kind import Block, SensorConstants
from thermo_core.sensors.linear_correction import Line
from thermo_core.sensors.lis3dh.correction import AxesCorrection
from thermo_core.sensors.mlx90632.correction import Mlx90632Correction
from thermo_core.sensors.tmp117.correction import Tmp117Correction
from thermo_core.signals import Sample
from thermo_core.wearable.profile import Profile
from thermo_core.wire.management import Hello, SelfTest
from thermo_core.wire.management import read as message
from thermo_core.wire.records import Record, SignalRecord
from thermo_core.wire.smp import Op
from thermo_core.wire.table import Command, GroupError
from thermo_quantize.firmware import generate_bare

KINDS = list(SETTINGS)
FIFOS = ("max3010x", "lis3dh")
PROFILE = schema.from_plain(
    {
        "name": "chips",
        "version": "1.0.0",
        "sensors": [
            {"kind": kind, "name": kind, "path": [ADDRESS[kind]], **settings} for kind, settings in SETTINGS.items()
        ],
        "stages": [{"op": "resample", "of": "lis3dh", "gives": "motion", "rate_hz": 5.0, "by": "mean"}],
    },
    Profile,
    "profile",
)
PLAN = plan(PROFILE)
NAMES = list(PLAN.signals)


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The whole firmware with one chip of each kind."""
    folder = tmp_path_factory.mktemp("chips")
    for name, text in generate_bare(PROFILE).files.items():
        (folder / name).write_text(text)
    return build(folder, "wearable", [], *everything(), *sorted(folder.glob("*.c")))


class Chips:
    """A wearable with a chip of each kind."""

    def __init__(self, library: ctypes.CDLL, faults: str = "", seed: int = 1, keep_flash: bool = False) -> None:
        self.chips = {kind: MAKE[kind](ADDRESS[kind], seed) for kind in KINDS}
        self.bus = bus_of(*self.chips.values(), frequency_hz=100_000, faults=faults)
        self.bus.clock.sleep_until_us(10_000)  # chips are deaf when they have just got power
        hardware: Any = SimpleNamespace(bus=self.bus, clock=self.bus.clock)
        self.wearable = FirmwareWearable(library, hardware, keep_flash=keep_flash)
        self.records: list[Record] = []

    def run(self, seconds: float) -> list[Record]:
        """Listen and let time pass; what came meanwhile."""
        before = len(self.wearable.telemetry)
        while seconds > 0:
            self.wearable.listen(lease_ms=10_000)
            self.wearable.run(min(seconds, 8.0))
            seconds -= 8.0
        found = [record for _, record in self.wearable.telemetry[before:]]
        self.records += found
        return found

    def hello(self) -> Hello:
        return message(Hello, self.wearable.ask(Command.HELLO))

    def counts(self) -> dict[str, int]:
        return dict(self.wearable.ask(Command.COUNTERS)["counters"])

    def engine(self, corrections: dict[str, Any] | None = None) -> Engine:
        """Core's way from blocks to signals, with what the wearable says of itself."""
        engine = Engine(PLAN, {}, flags=int(Quality.SIMULATED))
        for number, state in enumerate(self.hello().sensors):
            data = b""
            answer = self.wearable.ask(Command.CONSTANTS, {"sensor": number})
            assert answer["constants"] == state.constants
            while len(data) < answer["len"]:
                data += self.wearable.ask(Command.CONSTANTS, {"sensor": number, "off": len(data)})["data"]
            engine.open(number, SensorConstants(state.constants, data), (corrections or {}).get(state.kind))
        return engine

    def write(self, kind: str, correction: Any) -> dict[str, Any]:
        blob = to_bytes(correction)
        part = {"sensor": KINDS.index(kind), "off": 0, "len": len(blob), "data": blob}
        return self.wearable.ask(Command.CORRECTION, part, Op.WRITE)

    def identity(self, kind: str) -> bytes:
        return self.hello().sensors[KINDS.index(kind)].id


Make = Callable[..., Chips]


@pytest.fixture
def make(library: ctypes.CDLL) -> Make:
    return lambda **options: Chips(library, **options)


def blocks(found: list[Record], kind: str) -> list[Block]:
    return [one for one in found if isinstance(one, Block) and one.sensor == KINDS.index(kind)]


def samples(engine: Engine, found: list[Record], signal: str) -> list[Sample]:
    """What core makes of the blocks, of one signal."""
    made = []
    for block in found:
        if isinstance(block, Block):
            made += [produced[signal] for produced in engine.push(block).passes if signal in produced]
    return made


def test_each_says_what_is_there_at_its_rate(make: Make) -> None:
    chips = make()
    found = chips.run(16.0)
    for kind in KINDS:
        ours = blocks(found, kind)
        assert [block.index for block in ours] == list(range(len(ours)))
        assert all(a.time_us < b.time_us for a, b in pairwise(ours))
        seen = samples(chips.engine(), found, kind)
        wanted = 16 * PLAN.signals[kind].rate_hz
        assert wanted * 0.85 - 32 <= len(seen) <= wanted * 1.12 + 1
        assert not any(sample.flags & ~(Quality.UNCALIBRATED | Quality.SIMULATED) for sample in seen[-8:])
        if kind in TRUTH:
            truth, within = TRUTH[kind]
            assert [float(sample.values) for sample in seen[-6:]] == pytest.approx([truth] * 6, abs=within)
    assert all(state.fault == "" and state.id for state in chips.hello().sensors)
    assert [state.kind for state in chips.hello().sensors] == KINDS
    results = message(SelfTest, chips.wearable.ask(Command.SELF_TEST, {}, Op.WRITE)).results
    assert all(result.passed for result in results)
    assert {result.name for result in results} >= {f"{kind}: answers" for kind in KINDS}


def test_signals_are_those_core_makes_of_the_same_blocks_to_the_last_bit(make: Make) -> None:
    chips = make()
    chips.wearable.listen(lease_ms=10_000)
    chips.wearable.run(1.5)
    corrections = {
        "tmp117": Tmp117Correction((Line(0.25, 1.01),), Stamp(chips.identity("tmp117"))),
        "lis3dh": AxesCorrection(
            (0.01, -0.02, 0.03), (1.01, 0.001, 0, 0, 0.99, 0, 0.002, 0, 1.02), Stamp(chips.identity("lis3dh"))
        ),
    }
    for kind, correction in corrections.items():
        assert "err" not in chips.write(kind, correction)
    assert {state.kind for state in chips.hello().sensors if state.corrected} == set(corrections)
    theirs: dict[tuple[int, int], Sample] = {}
    ours: dict[tuple[int, int], tuple[list[float], int]] = {}
    for names in (NAMES[:6], NAMES[6:]):
        wanted = [NAMES.index(name) for name in names]
        chips.wearable.run(3.0)
        chips.wearable.listen(lease_ms=10_000)
        chips.wearable.ask(Command.SIGNALS, {"signals": wanted}, Op.WRITE)
        found = chips.wearable.run(6.0)
        engine = chips.engine(corrections)
        for block in found:
            if isinstance(block, Block):
                for produced in engine.push(block).passes:
                    theirs |= {(NAMES.index(name), sample.time_us): sample for name, sample in produced.items()}
        for part in found:
            if isinstance(part, SignalRecord):
                ours[part.signal, part.time_us] = (part.values.tolist(), part.flags)
    shared = ours.keys() & theirs.keys()
    assert {NAMES[number] for number, _ in shared} == set(NAMES)
    assert len(shared) > 0.9 * len(ours)
    first = {number: min(time_us for other, time_us in shared if other == number) for number, _ in shared}
    for number, time_us in shared:
        if NAMES[number] == "motion" and time_us < first[number] + 1_000_000:
            continue  # the firmware had begun this step with blocks from before
        sample = theirs[number, time_us]
        np.testing.assert_array_equal(
            np.asarray(ours[number, time_us][0], np.float32), np.asarray(sample.values, np.float32).ravel()
        )
        assert ours[number, time_us][1] == sample.flags


@pytest.mark.parametrize("kind", KINDS)
def test_a_chip_that_is_not_there_is_found_when_it_comes_and_keeps_no_other_waiting(make: Make, kind: str) -> None:
    chips = make()
    chips.bus.unplug(address=ADDRESS[kind])
    found = chips.run(4.0)
    assert not blocks(found, kind)
    state = chips.hello().sensors[KINDS.index(kind)]
    assert state.id == b"" and "check its address" in state.fault
    assert all(len(blocks(found, other)) >= 3 for other in KINDS if other != kind)
    results = message(SelfTest, chips.wearable.ask(Command.SELF_TEST, {}, Op.WRITE)).results
    assert {result.name for result in results if not result.passed} == {f"{kind}: answers", f"{kind}: speaks"}
    chips.bus.plug()
    found = chips.run(5.0)
    assert blocks(found, kind) and chips.hello().sensors[KINDS.index(kind)].fault == ""


@pytest.mark.parametrize("kind", KINDS)
def test_unplugging_costs_the_blocks_of_that_time(make: Make, kind: str) -> None:
    chips = make()
    chips.run(6.0)
    chips.bus.unplug(4_000_000, ADDRESS[kind])
    found = chips.run(12.0)
    per_s = PLAN.profile.sensors[KINDS.index(kind)].visits[0].per_second
    lost = chips.counts()["blocks_lost"]
    assert lost == pytest.approx(4 * per_s, abs=4 + 1.5 * per_s)
    indices = [block.index for block in blocks(chips.records, kind)]
    assert indices == sorted(set(indices)) and indices[-1] + 1 == len(indices) + lost
    seen = samples(chips.engine(), found, kind)
    assert not any(sample.flags & ~(Quality.UNCALIBRATED | Quality.SIMULATED) for sample in seen[-3:])


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in FIFOS])
def test_another_chip_brings_its_own_identity_and_a_higher_number(make: Make, kind: str) -> None:
    chips = make()
    first = blocks(chips.run(4.0), kind)
    before = chips.identity(kind)
    chips.bus.unplug(address=ADDRESS[kind])
    chips.run(1.0)
    chips.bus.exchange(chips.chips[kind], MAKE[kind](ADDRESS[kind], 9))
    found = chips.run(6.0)
    later = blocks(found, kind)
    assert chips.identity(kind) != before
    assert len({block.constants for block in first}) == 1 and later
    assert later[-1].constants > first[-1].constants
    assert chips.counts()["sensor_changed"] == 1


@pytest.mark.parametrize("kind", ["mlx90632", "max3010x", "lis3dh", "tmp117"])
def test_a_brown_out_is_seen_and_the_chip_set_up_again(make: Make, kind: str) -> None:
    chips = make()
    chips.run(4.0)
    chips.chips[kind].power_on(chips.bus.clock.now_us())
    found = chips.run(8.0)
    assert chips.counts()["sensor_reset"] == 1
    per_s = PLAN.profile.sensors[KINDS.index(kind)].visits[0].per_second
    assert len(blocks(found, kind)) > 0.6 * 8 * per_s - 5


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_that_never_changes_is_told(make: Make, kind: str) -> None:
    chips = make()
    chips.run(4.0)
    assert "sensor_frozen" not in chips.counts()
    chips.bus.add_faults(f"freeze:addr={ADDRESS[kind]}")
    left_s = 320.0
    while left_s > 0 and "sensor_frozen" not in chips.counts():
        chips.run(8.0)
        left_s -= 8.0
    assert chips.counts()["sensor_frozen"] >= 1


@pytest.mark.parametrize("frozen_after_s", [3.0, 9.2, 9.45])
def test_a_tmp117_that_hangs_is_told_in_seconds_and_believed_again(make: Make, frozen_after_s: float) -> None:
    chips = make()
    chips.run(frozen_after_s)
    chips.bus.add_faults(f"freeze+40s:addr={ADDRESS['tmp117']}")
    hung = chips.run(16.0)
    assert chips.counts()["sensor_frozen"] == 1
    hung += chips.run(8.0)
    assert all(sample.flags & Quality.STALE for sample in samples(chips.engine(), hung, "tmp117")[-24:])
    chips.run(24.0)
    after = samples(chips.engine(), chips.run(16.0), "tmp117")
    assert not any(sample.flags & Quality.STALE for sample in after)
    every = [float(one.values) for one in samples(chips.engine(), chips.records, "tmp117") if not np.isnan(one.values)]
    assert every == pytest.approx([TRUTH["tmp117"][0]] * len(every), abs=TRUTH["tmp117"][1])
    assert chips.counts()["sensor_frozen"] == 1


@pytest.mark.parametrize("fault", ["nack", "stuck", "short", "flip"])
def test_each_fault_at_many_transactions_leaves_all_running_and_honest(make: Make, fault: str) -> None:
    chips = make()
    chips.run(3.0)
    transactions = chips.bus.transactions
    for at in range(0, transactions, max(1, transactions // 16)):
        chips = make(faults=f"{fault}@{at}")
        found = chips.run(8.0)
        assert all(state.fault == "" for state in chips.hello().sensors), (fault, at, chips.counts())
        assert all(len(blocks(found, kind)) >= 3 for kind in KINDS), (fault, at, chips.counts())


@pytest.mark.parametrize("kind", ["mlx90614", "sht4x"])
def test_a_wrong_checksum_is_asked_for_again(make: Make, kind: str) -> None:
    chips = make()
    found = chips.run(3.0)
    for _ in range(5):
        chips.bus.add_faults("checksum@+0")
        found += chips.run(1.0)
    assert chips.counts()["reading_corrupt"] >= 3
    assert "sensor_lost" not in chips.counts()
    truth, within = TRUTH[kind]
    assert all(
        float(sample.values) == pytest.approx(truth, abs=within) for sample in samples(chips.engine(), found, kind)
    )


@pytest.mark.parametrize("kind", FIFOS)
def test_an_overflow_is_counted_and_what_is_lost_is_said(make: Make, kind: str) -> None:
    chips = make()
    found = chips.run(5.0)
    chips.bus.clock.sleep_until_us(chips.bus.clock.now_us() + 3_000_000)
    found += chips.run(5.0)
    assert chips.counts()["fifo_overflowed"] >= 1
    seen = samples(chips.engine(), found, kind)
    assert any(sample.fresh for sample in seen[1:]), "what came before the gap does not count any more"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "max3010x"])
def test_a_correction_of_another_chip_or_another_kind_is_refused(make: Make, kind: str) -> None:
    chips = make()
    chips.run(1.5)
    other = "tmp117" if kind != "tmp117" else "mlx90632"
    correction: dict[str, Any] = {
        "tmp117": Tmp117Correction((Line(0.25),), Stamp(chips.identity(kind))),
        "mlx90632": Mlx90632Correction((Line(0.25),), Stamp(chips.identity(kind))),
    }
    assert chips.write(kind, correction[other])["err"]["rc"] == GroupError.WRONG_SENSOR
    assert not chips.hello().sensors[KINDS.index(kind)].corrected


def test_a_correction_is_kept_over_a_restart_and_only_for_its_chip(make: Make) -> None:
    chips = make()
    chips.run(1.5)
    assert "err" not in chips.write("tmp117", Tmp117Correction((Line(0.5),), Stamp(chips.identity("tmp117"))))
    again = make(keep_flash=True)
    again.run(1.5)
    assert again.hello().sensors[KINDS.index("tmp117")].corrected
    other = make(keep_flash=True, seed=7)
    other.run(1.5)
    assert not other.hello().sensors[KINDS.index("tmp117")].corrected
    assert other.counts()["correction_mismatch"] == 1


def test_a_rate_that_the_profile_sets_is_not_changed(make: Make) -> None:
    chips = make()
    answer = chips.wearable.ask(Command.RATE, {"sensor": KINDS.index("tmp117"), "rate_hz": 1.0}, Op.WRITE)
    assert answer["err"]["rc"] == GroupError.BAD_RATE
