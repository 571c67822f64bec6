"""Kept findings: the firmware's ring is the agent's, whatever comes, outlives resets and never gives what is damaged; and none is missing."""

import ctypes
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import seldom
from firmware_library import build, everything
from firmware_wearable import FirmwareWearable
from hypothesis import given, settings
from hypothesis import strategies as st

from thermo_core.graph.findings import SCORE_STEPS
from thermo_core.graph.plan import plan
from thermo_core.image import load_public_key, parse
from thermo_core.wearable.file import read as read_wearable
from thermo_core.wire import kept
from thermo_core.wire.keeping import ring_bytes
from thermo_core.wire.management import Kept
from thermo_core.wire.management import read as message
from thermo_core.wire.records import FindingRecord, Record
from thermo_core.wire.smp import Op
from thermo_core.wire.table import Command, OutputKind
from thermo_device.development_key import DEVELOPMENT_PUBLIC_KEY
from thermo_device.kept_findings import KeptFindings
from thermo_quantize.firmware import generate
from thermo_sim.hardware import SimulatedHardware

MODELS = 0b101
BUNDLE = 7


@pytest.fixture(scope="module")
def ring(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    library = build(tmp_path_factory.mktemp("kept"), "kept", ["kept", "crc", "findings", "float32"])
    library.ring_read.restype = ctypes.c_size_t
    return library


@dataclass
class Agents(KeptFindings):
    """The agent's ring at any size."""

    capacity: int = 64
    models: tuple[int, ...] = field(default=(0, 2))

    def __post_init__(self) -> None:
        super().__init__()
        self._models, self._capacity, self._bundle = frozenset(self.models), self.capacity, BUNDLE

    def __hash__(self) -> int:
        return id(self)


@st.composite
def finding(draw: st.DrawFn) -> tuple[int, int, int, OutputKind, tuple[float, ...]]:
    """Model, flags, seconds since the one before, and what is said."""
    kind = draw(st.sampled_from(OutputKind))
    steps = st.integers(0, SCORE_STEPS).map(lambda step: float(np.float32(step) / np.float32(SCORE_STEPS)))
    value = steps if kind is OutputKind.SCORES else st.floats(-1e6, 1e6, width=32)
    values = () if kind is OutputKind.NONE else tuple(draw(st.lists(value, min_size=1, max_size=6)))
    return draw(st.integers(0, 2)), draw(st.integers(0, 0xFFFF)), draw(st.sampled_from([0, 5, 60, 1700])), kind, values


Step = tuple[int, int, int, OutputKind, tuple[float, ...]] | str
STEPS = st.lists(st.one_of(finding(), finding(), st.sampled_from(["forget", "begin", "reset"])), max_size=40)


def read_firmware(library: ctypes.CDLL, first: int, room: int) -> Kept:
    number, end = ctypes.c_uint32(first), ctypes.c_uint32()
    data = (ctypes.c_uint8 * 9000)()
    size = library.ring_read(ctypes.byref(number), ctypes.byref(end), data, ctypes.c_size_t(room))
    return Kept(bundle=BUNDLE, first=number.value, end=end.value, data=bytes(data[:size]))


def open_ring(library: ctypes.CDLL, capacity: int, now_us: int, bundle: int = BUNDLE) -> None:
    library.ring_open(ctypes.c_uint32(capacity), ctypes.c_uint8(MODELS), bundle, ctypes.c_uint64(now_us))


def add(library: ctypes.CDLL, record: FindingRecord) -> None:
    values = (ctypes.c_float * 64)(*record.values)
    library.ring_add(
        ctypes.c_uint8(record.model), ctypes.c_uint16(record.flags), ctypes.c_int64(record.time_us), values,
        ctypes.c_uint8(len(record.values)), ctypes.c_bool(record.kind is OutputKind.QUANTITIES),
    )  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(STEPS, st.integers(12, 200), st.integers(0, 60), st.integers(12, 120))
def test_both_rings_give_the_same(ring: ctypes.CDLL, steps: list[Step], capacity: int, first: int, room: int) -> None:
    open_ring(ring, capacity, 0, bundle=BUNDLE + 1)
    ring.ring_forget()
    open_ring(ring, capacity, 0)
    agents, now_us = Agents(capacity), 0
    ring.ring_begin()
    agents.begin()
    for step in steps:
        if step == "forget":
            ring.ring_forget()
            agents.forget()
        elif step == "begin":
            ring.ring_begin()
            agents.begin()
        elif step == "reset":  # which ends a stream, so nothing is kept before the next start
            open_ring(ring, capacity, now_us)
            agents._wanted = False
        else:
            assert not isinstance(step, str)
            model, flags, seconds, kind, values = step
            now_us += seconds * 1_000_000
            record = FindingRecord(now_us, model, flags, BUNDLE, 1, 1, ((0, 1),), kind, values)
            add(ring, record)
            agents.take([record])
        assert read_firmware(ring, first, room) == agents.read(first, room)
    whole = read_firmware(ring, 0, 9000)
    assert len(whole.data) <= capacity
    times = [one.time_us for one in kept.decode(whole.data, BUNDLE)]
    assert all(times[-1] - one <= 3600 * 1_000_000 for one in times)


@settings(max_examples=60, deadline=None)
@given(st.lists(finding(), min_size=1, max_size=12), st.data())
def test_after_a_reset_what_is_damaged_of_another_bundle_or_of_the_future_is_gone(
    ring: ctypes.CDLL, findings: list[tuple[int, int, int, OutputKind, tuple[float, ...]]], data: st.DataObject
) -> None:
    open_ring(ring, 200, 0, bundle=BUNDLE + 1)
    open_ring(ring, 200, 0)
    ring.ring_begin()
    now_us = 1
    for _, flags, seconds, kind, values in findings:
        now_us += seconds * 1_000_000
        add(ring, FindingRecord(now_us, 0, flags, BUNDLE, 0, 0, (), kind, values))
    before = read_firmware(ring, 0, 9000)
    assert before.data
    open_ring(ring, 200, now_us)
    assert read_firmware(ring, 0, 9000) == before
    what = data.draw(st.sampled_from(["bit", "bundle", "time"]))
    if what == "bit":
        ring.ring_flip(data.draw(st.integers(0, ring.ring_bytes_that_count() - 1)), data.draw(st.integers(0, 7)))
    open_ring(ring, 200, 0 if what == "time" else now_us, BUNDLE + (what == "bundle"))
    assert read_firmware(ring, 0, 9000).data == b""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> tuple[ctypes.CDLL, Path]:
    folder = tmp_path_factory.mktemp("seldom")
    for name, text in generate(
        seldom.signed(folder), load_public_key(DEVELOPMENT_PUBLIC_KEY.read_bytes())
    ).files.items():
        (folder / name).write_text(text)
    return build(folder, "wearable", [], *everything(), *sorted(folder.glob("*.c"))), folder


def fetch(wearable: FirmwareWearable) -> list[FindingRecord]:
    found: list[FindingRecord] = []
    first = 0
    while True:
        part = message(Kept, wearable.ask(Command.KEPT, {"first": first}))
        entries = list(kept.decode(part.data, part.bundle))
        found += entries
        first = part.first + len(entries)
        if first >= part.end:
            return found


def of(records: list[Record]) -> list[FindingRecord]:
    return [one for one in records if isinstance(one, FindingRecord)]


def times(found: list[FindingRecord], model: int = 0) -> list[int]:
    return [one.time_us for one in found if one.model == model]


def wearable_of(library: tuple[ctypes.CDLL, Path]) -> FirmwareWearable:
    profile = read_wearable(library[1] / "wearable.toml").profile
    hardware = SimulatedHardware.from_profile(profile, seed=6, bus_hz=1_000_000, warm_up_tau_s=0)
    return FirmwareWearable(library[0], hardware)


def test_of_ten_minutes_without_a_host_no_estimate_is_missing_and_none_doubled(
    library: tuple[ctypes.CDLL, Path],
) -> None:
    wearable = wearable_of(library)
    wearable.listen(lease_ms=10000)
    heard = of(wearable.run(600.0))
    assert 0 < len(times(heard)) <= 2, "the lease ran out"
    wearable.listen(lease_ms=10000)
    heard += of(wearable.run(9.0))
    fetched = fetch(wearable)
    assert all(one.fetched for one in fetched) and not any(one.fetched for one in heard)
    for model in (0, 1):
        both = {one.time_us: one.values for one in fetched if one.model == model}
        assert len(both) == len(times(fetched, model)), "none is kept twice"
        assert set(times(heard, model)) <= set(both)
        assert all(both[one.time_us] == one.values for one in heard if one.model == model)
        assert len(both) >= 120
        apart = [later - earlier for earlier, later in pairwise(sorted(both))]
        assert all(abs(one / 1e6 - seldom.EVERY_S) < 0.5 for one in apart), "none is missing"


def test_sensors_rest_an_hour_after_a_host_fell_silent_and_at_once_after_a_stop(
    library: tuple[ctypes.CDLL, Path],
) -> None:
    wearable = wearable_of(library)
    wearable.listen(lease_ms=3000)
    wearable.run(3600.0 + 600.0)
    fetched = fetch(wearable)
    used = sum(len(kept.encode(one)) for one in fetched)
    assert room_of(library[1]) - 40 < used <= room_of(library[1]), "as far as there is room"
    assert times(fetched)[-1] >= 3590e6, "they worked an hour"
    now_us = wearable.hardware.clock.now_us()
    assert times(fetched)[-1] < now_us - 500e6, "they rest"
    wearable.listen(lease_ms=3000)
    wearable.run(2.0)
    wearable.ask(Command.STREAM, {"op": 0}, Op.WRITE)
    assert fetch(wearable) == []
    wearable.run(60.0)
    assert fetch(wearable) == []


def room_of(folder: Path) -> int:
    return ring_bytes(plan(read_wearable(folder / "wearable.toml").profile))


def test_what_was_kept_outlives_a_reset(library: tuple[ctypes.CDLL, Path]) -> None:
    wearable = wearable_of(library)
    wearable.listen(lease_ms=3000)
    wearable.run(60.0)
    before = fetch(wearable)
    assert before and before[0].bundle == int.from_bytes(parse(seldom.signed(library[1])).sha256[:4], "little")
    wearable.ask(5, {}, Op.WRITE, group=0)
    wearable.run(1.0)
    assert fetch(wearable) == before
