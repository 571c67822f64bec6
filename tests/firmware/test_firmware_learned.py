"""What is learned of a wearer outlives a reset: the same bytes in C and Python, whatever moment power fails at and whatever flash holds."""

import ctypes
import zlib
from typing import Any

import numpy as np
import pytest
from firmware_library import FIRMWARE, HARNESS, NOR_FLASH, build
from hypothesis import given
from hypothesis import strategies as st
from stage_runs import sensor, wearable

from thermo_core.graph.learned import Entry, Learning, learnings, pack, packed_bytes, unpack
from thermo_core.graph.learners import Learners
from thermo_core.graph.live import LiveGraph
from thermo_core.graph.plan import Plan
from thermo_core.signals import Sample
from thermo_device.learned_store import EVERY_US, FIRST_US, LearnedStore
from thermo_quantize.compiler.graph.generate import generate

MODULES = ["learned", "learner", "elapsed", "store", "flash", "crc", "float32", "graph", "history"]
STAGES = ["reference", "registration", "own_baseline", "select"]


def worn(bins: int) -> Plan:
    return wearable(
        [sensor("x", shape=(3,)), sensor("z", shape=(2,))],
        {"op": "select", "of": "x", "gives": "air", "places": [2]},
        {"op": "reference", "of": "x", "ambient": "air", "gives": "one", "bins": bins, "least_s": 5.0},
        {"op": "own_baseline", "of": "z", "gives": "two", "learn_s": 8.0},
    )


PLANS = (worn(3), worn(2))
PLACES: tuple[tuple[Learning, ...], ...] = tuple(learnings(one) for one in PLANS)


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("learned")
    files: dict[str, str] = {}
    for number, made in enumerate(PLANS):
        files |= generate(made, {}, f"worn{number}").files
    files["learned_graphs.h"] = (
        '#include "worn0.h"\n#include "worn1.h"\n#define LEARNED_PLANS &worn0_plan, &worn1_plan\n'
    )
    for name, text in files.items():
        (folder / name).write_text(text)
    sources = [FIRMWARE / "stages" / f"{name}.c" for name in STAGES] + [folder / "worn0.c", folder / "worn1.c"]
    found = build(folder, "learned", MODULES, NOR_FLASH, HARNESS / "failing_flash.c", *sources)
    found.flash_operations.restype = ctypes.c_long
    found.learned_measured.restype = ctypes.c_uint32
    return found


class Firmware:
    """Calls of the harness."""

    def __init__(self, library: Any, block: tuple[int, int] = (128, 6), units: tuple[int, int] = (1, 8)) -> None:
        self.library = library
        library.learned_new(*map(ctypes.c_size_t, (*block, *units)))
        library.flash_cut_after(ctypes.c_long(-1), 0, ctypes.c_uint32(0))

    def open(self, which: int = 0, now_us: int = 0) -> tuple[int, int]:
        """As after a reset: blocks used, and stages whose knowledge does not fit."""
        self.which, unfit = which, ctypes.c_uint32()
        size = packed_bytes(PLACES[which])
        blocks = self.library.learned_open(
            ctypes.c_uint8(which), ctypes.c_uint32(size), ctypes.c_uint64(now_us), ctypes.byref(unfit)
        )
        return blocks, unfit.value

    def put(self, packed: bytes) -> None:
        """Know what Python learned."""
        for number, place in enumerate(PLACES[self.which]):
            assert self.library.learned_put(ctypes.c_uint8(number), unpack(packed)[place.key].state)

    def packed(self) -> bytes:
        size = packed_bytes(PLACES[self.which])
        whole = ctypes.create_string_buffer(size)
        for at in range(0, size, 50):  # as a host reads it
            self.library.learned_read(ctypes.c_size_t(at), ctypes.byref(whole, at), ctypes.c_size_t(min(50, size - at)))
        return whole.raw

    def keep(self, now_us: int, at_once: bool = False) -> bool:
        return bool(self.library.learned_keep(ctypes.c_uint64(now_us), int(at_once)))

    def measured(self, sensor: int, constants: int, correction: int) -> int:
        numbers = ctypes.c_uint8(sensor), ctypes.c_uint32(constants), ctypes.c_uint32(correction)
        return int(self.library.learned_measured(*numbers))

    def cut(self, after: int, kind: int = 0) -> None:
        self.library.flash_cut_after(ctypes.c_long(after), kind, ctypes.c_uint32(after & 0xFF))


class Agent:
    """The same on the agent."""

    def __init__(self, which: int = 0) -> None:
        self.graph, self.dropped = LiveGraph(PLANS[which], {}), list[str]()
        self.learners = Learners(PLANS[which], self.graph, self.dropped.append)

    def live(self, seconds: int, seed: int = 0) -> bytes:
        rng = np.random.default_rng(seed)
        for second in range(seconds):
            for name, usual in (("x", (33, 32, 22)), ("z", (30, 31))):
                values = rng.normal(usual, 0.5).astype(np.float32)
                list(self.graph.push([{name: Sample(1_000_000 * second, values)}]))
        return self.learners.save()


def at(seconds: int, which: int = 0) -> bytes:
    return Agent(which).live(seconds, seconds)


def test_what_is_read_and_known_again_are_the_bytes_of_python(library: Any) -> None:
    firmware, agent = Firmware(library), Agent()
    assert firmware.open() == (6, 0) and firmware.packed() == agent.learners.save()
    learned = agent.live(20)
    firmware.put(learned)
    assert firmware.packed() == learned and firmware.keep(0, at_once=True)
    assert firmware.open() == (6, 0) and firmware.packed() == learned


@pytest.mark.parametrize(("block", "units"), [((128, 6), (1, 8)), ((512, 3), (32, 32)), ((256, 3), (4, 4))], ids=str)
@pytest.mark.parametrize("kind", range(4))
def test_a_cut_in_any_operation_leaves_what_was_known_before_or_after(
    library: Any, kind: int, block: tuple[int, int], units: tuple[int, int]
) -> None:
    history = [at(seconds) for seconds in range(1, 7)]
    firmware = Firmware(library, block, units)
    firmware.open()
    for learned in history:
        firmware.put(learned)
        assert firmware.keep(0, at_once=True)
    operations = library.flash_operations()
    assert operations > 3 * len(history)
    for operation in range(operations):
        firmware = Firmware(library, block, units)
        firmware.open()
        before = firmware.packed()
        firmware.cut(operation, kind)
        cut = False
        for learned in history:
            firmware.put(learned)
            firmware.keep(0, at_once=True)
            if not cut and library.flash_operations() > operation:
                cut = True
                firmware.cut(-1)
                assert firmware.open()[1] == 0 and firmware.packed() in (before, learned)
                firmware.put(learned)
                assert firmware.keep(0, at_once=True)
            before = learned
        assert cut and firmware.open()[1] == 0 and firmware.packed() == history[-1]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("learn"), st.integers(0, 12)),
        st.tuples(st.just("keep"), st.sampled_from([1, FIRST_US // 2, FIRST_US, EVERY_US // 2, EVERY_US])),
        st.tuples(st.just("stop"), st.just(0)),
        st.tuples(st.just("reset"), st.integers(0, 1)),
    ),
    max_size=25,
)


@given(STEPS)
def test_it_keeps_when_and_what_the_agent_keeps(
    library: Any, tmp_path_factory: pytest.TempPathFactory, steps: Any
) -> None:
    firmware, now_us, which = Firmware(library), 0, 0
    store = LearnedStore(tmp_path_factory.mktemp("agent"))
    agent = Agent()
    firmware.open()
    store.open(0)
    learned = agent.learners.save()
    for what, number in steps:
        if what == "learn":
            learned = at(number, which)
            firmware.put(learned)
        elif what == "keep":
            now_us += number
            firmware.keep(now_us)
            if store.is_due(now_us):
                store.keep(learned, now_us)
        elif what == "stop":
            firmware.keep(now_us, at_once=True)
            store.keep(learned, now_us)
        else:
            which, agent = number, Agent(number)
            agent.learners.load(store.open(now_us) or learned[:0] or agent.learners.save())
            learned = agent.learners.save()
            assert firmware.open(which, now_us)[1] == len(agent.dropped)
            assert firmware.packed() == learned


def test_only_changes_are_written_and_not_too_often(library: Any) -> None:
    firmware = Firmware(library)
    firmware.open()
    firmware.put(at(9))

    def writes(now_us: int, at_once: bool = False) -> bool:
        before = library.flash_operations()
        assert firmware.keep(now_us, at_once)
        return bool(library.flash_operations() > before)

    assert not writes(FIRST_US - 1) and writes(FIRST_US)
    assert not writes(FIRST_US, at_once=True), "nothing has changed"
    firmware.put(at(10))
    assert not writes(FIRST_US + EVERY_US - 1) and writes(FIRST_US + EVERY_US)
    firmware.put(at(11))
    assert writes(FIRST_US + EVERY_US + 1, at_once=True)


def test_what_another_profile_learned_is_dropped(library: Any) -> None:
    firmware = Firmware(library)
    firmware.open()
    firmware.put(at(20))
    firmware.keep(0, at_once=True)
    other = Agent(1)
    other.learners.load(at(20))
    assert firmware.open(1) == (6, 1) and len(other.dropped) == 1
    assert firmware.packed() == other.learners.save(), "what both have they know, the other nothing"


@given(st.binary(max_size=120), st.integers(0, 255), st.integers(0, 2**32 - 1), st.integers(0, 1))
def test_whatever_flash_holds_it_is_known_as_in_python_or_not_at_all(
    library: Any, noise: bytes, count: int, basis: int, number: int
) -> None:
    """Bytes with a good CRC that nobody honest wrote."""
    firmware, agent = Firmware(library), Agent()
    firmware.open()
    place = PLACES[0][number]
    packed = bytearray(pack({place.key: Entry(basis, (noise + bytes(place.size))[: place.size])})[:-4])
    packed[5] = count % 3
    whole = bytes(packed) + zlib.crc32(packed).to_bytes(4, "little")
    assert library.learned_inject(whole, ctypes.c_size_t(len(whole))) == 0
    _, unfit = firmware.open()
    agent.learners.load(whole)
    if count % 3 == 1:
        assert unfit == len(agent.dropped) and firmware.packed() == agent.learners.save()
    size = packed_bytes(PLACES[0])
    assert len(firmware.packed()) == size and unpack(firmware.packed())


def test_other_sensors_or_corrections_make_it_learn_anew(library: Any) -> None:
    firmware, agent = Firmware(library), Agent()
    learned = agent.live(20)
    firmware.open()
    firmware.put(learned)
    for sensor_, constants, correction in ((0, 5, 0), (1, 6, 7), (0, 5, 0), (1, 6, 8), (0, 4, 0)):
        dropped = len(agent.dropped)
        agent.learners.measured_by(sensor_, constants, correction)
        assert firmware.measured(sensor_, constants, correction) == len(agent.dropped) - dropped
        assert firmware.packed() == agent.learners.save()
    assert len(agent.dropped) == 2


def test_one_stage_or_all_forget(library: Any) -> None:
    firmware = Firmware(library)
    firmware.open()
    first, second = PLACES[0]
    agent = Agent()
    firmware.put(agent.live(20))
    assert not library.learned_forget(ctypes.c_uint32(0))
    assert library.learned_forget(ctypes.c_uint32(second.signal))
    agent.learners.forget([second.signal])
    assert firmware.packed() == agent.learners.save()
    assert library.learned_forget(ctypes.c_uint32(0xFFFFFFFF))
    agent.learners.forget()
    assert firmware.packed() == agent.learners.save() and first.signal != second.signal


def test_flash_without_room_or_worn_is_told(library: Any) -> None:
    firmware = Firmware(library, (128, 5))
    assert firmware.open()[0] == 0
    firmware.put(at(9))
    assert not firmware.keep(0, at_once=True)
    firmware = Firmware(library)
    firmware.open()
    library.flash_wear_out(ctypes.c_size_t(0))
    firmware.put(at(9))
    assert not firmware.keep(0, at_once=True)
