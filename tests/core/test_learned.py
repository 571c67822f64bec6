"""What is learned of a wearer: kept as bytes, known again from them, dropped where it does not fit, whatever the bytes are."""

import struct
import zlib
from typing import Any

import numpy as np
import pytest
from examples import few
from graph_plans import single
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sensor_recordings import plain_bytes, recording
from stage_runs import sensor, wearable
from wearable_draft import Seeded, Unfit

from thermo_core import schema
from thermo_core.errors import DamagedFileError, ProfileError
from thermo_core.graph.learned import Entry, basis_of, learnings, pack, packed_bytes, unpack
from thermo_core.graph.learners import Learners
from thermo_core.graph.live import LiveGraph
from thermo_core.graph.plan import Plan, plan
from thermo_core.signals import Sample
from thermo_core.stages import OPS
from thermo_core.wearable.profile import Profile

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

LEARN = sorted(name for name, op in OPS.items() if getattr(op, "kept", None))
ENTRIES = st.dictionaries(
    st.binary(min_size=8, max_size=8),
    st.builds(Entry, st.integers(0, 2**32 - 1), st.binary(max_size=300)),
    max_size=8,
)


def worn(**fields: Any) -> Plan:
    """Two thermistors and the air beside them, of which the thermistors' usual level is learned."""
    return wearable(
        sensor(shape=(3,)),
        {"op": "select", "of": "x", "gives": "nodes", "places": [0, 1]},
        {"op": "select", "of": "x", "gives": "air", "places": [2]},
        {"op": "reference", "of": "nodes", "ambient": "air", "gives": "y", "bins": 3, "least_s": 5.0} | fields,
    )


class Body:
    """A wearable at work, its learners, and what was dropped."""

    def __init__(self, made: Plan) -> None:
        self.graph, self.dropped = LiveGraph(made, {}), list[str]()
        self.learners = Learners(made, self.graph, self.dropped.append)

    def push(self, blocks: Any) -> list[dict[str, tuple[int, bool, bytes]]]:
        return [
            {name: (one.flags, one.fresh, plain_bytes(one.values)) for name, one in produced.items()}
            for name, moments in blocks
            for produced in self.graph.push([{name: moment} for moment in moments])
        ]


def days(seed: int, count: int = 60) -> list[tuple[str, list[Sample]]]:
    rng = np.random.default_rng(seed)
    values = rng.normal((33, 32, 20), (0.3, 0.3, 5), (count, 3)).astype(np.float32)
    return [("x", [Sample(1_000_000 * at, one)]) for at, one in enumerate(values)]


@given(ENTRIES)
def test_bytes_say_what_was_packed(entries: dict[bytes, Entry]) -> None:
    assert unpack(pack(entries)) == entries


@given(ENTRIES, st.data())
def test_bytes_that_are_cut_or_changed_are_none(entries: dict[bytes, Entry], data: st.DataObject) -> None:
    whole = pack(entries)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(DamagedFileError, match="learned anew"):
        unpack(whole[:cut])
    turned = bytearray(whole)
    turned[cut] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(DamagedFileError):
        unpack(bytes(turned))


@pytest.mark.parametrize("op", LEARN)
@few(30)
@given(st.integers(0, 2**32 - 1))
def test_who_knows_it_from_bytes_goes_on_as_who_learned_it(op: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    try:
        made = single(Seeded(rng), op)
    except Unfit:
        return
    sensors = {one.name: (one.shape, one.rate_hz) for part in made.profile.sensors for one in part.signals}
    blocks = recording(rng, 60, sensors)
    learned = Body(made)
    learned.push(blocks[: len(blocks) // 2])
    learned.graph.reset()
    kept = learned.learners.save()
    assert len(kept) == packed_bytes(learnings(made))
    other = Body(made)
    other.learners.load(kept)
    assert not other.dropped and other.learners.save() == kept
    rest = blocks[len(blocks) // 2 :]
    assert other.push(rest) == learned.push(rest)


@few(30)
@given(st.integers(0, 9), st.binary(max_size=400), st.integers(0, 2**32 - 1), st.booleans())
def test_whatever_a_state_is_the_wearable_goes_on(seed: int, noise: bytes, basis: int, whole: bool) -> None:
    """Bytes with a good CRC that nobody honest wrote: taken or dropped, and then it measures and learns as ever."""
    made = worn()
    (one,) = learnings(made)
    state = (noise + bytes(one.size))[: one.size] if whole else noise
    body = Body(made)
    body.learners.load(pack({one.key: Entry(basis, state)}))
    body.learners.measured_by(0, 1, 2)
    passes = body.push(days(seed))
    assert len(passes) == 60
    ((_, progress),) = body.learners.progress()
    assert 0 <= progress.ready <= progress.parts == 3
    assert unpack(body.learners.save())[one.key].basis == basis_of([(1, 2)])


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_sentence(data: bytes) -> None:
    body = Body(worn())
    body.learners.load(data)
    assert len(body.dropped) == 1 and body.dropped[0].endswith("it is learned anew.")


def test_a_state_of_other_lengths_times_or_parts_is_dropped() -> None:
    made = worn()
    (one,) = learnings(made)
    body = Body(made)
    body.push(days(1))
    sound = unpack(body.learners.save())[one.key].state
    age, learned, samples, ready, parts = struct.unpack_from("<qqIHH", sound)
    wrong = [
        sound + b"\0",
        struct.pack("<qqIHH", -1, learned, samples, ready, parts) + sound[24:],
        struct.pack("<qqIHH", age, 1 << 61, samples, ready, parts) + sound[24:],
        struct.pack("<qqIHH", age, learned, samples, parts + 1, parts) + sound[24:],
        struct.pack("<qqIHH", age, learned, samples, ready, parts + 1) + sound[24:],
        sound[:24] + struct.pack("<q", -5) + sound[32:],
    ]
    for state in wrong:
        other = Body(made)
        other.learners.load(pack({one.key: Entry(0, state)}))
        assert len(other.dropped) == 1 and "does not fit this wearable's profile" in other.dropped[0]
        assert other.learners.progress()[0][1].samples == 0


def test_what_another_wearable_learned_is_dropped_and_told() -> None:
    body, other = Body(worn()), Body(worn(bins=4))
    body.push(days(1))
    other.learners.load(body.learners.save())
    assert other.dropped == ["What 1 stage had learned does not fit this wearable's profile; it is learned anew."]
    nothing = Body(worn(bins=4))
    nothing.learners.load(Body(worn()).learners.save())
    assert nothing.dropped == [], "nothing was learned that could be lost"


def test_a_key_is_of_all_that_decides_what_numbers_mean() -> None:
    def key(profile: Profile) -> bytes:
        return learnings(plan(profile))[0].key

    base = worn().profile
    (first,) = base.sensors
    other_stages = [
        worn(bins=4).profile,
        worn(least_s=6.0).profile,
        replace(base, name="other"),
        replace(base, sensors=(replace(first, low=10.0),)),
        schema.from_plain(
            schema.to_plain(base)
            | {"stages": [{"op": "select", "of": "x", "gives": "nodes", "places": [1, 0]}]
            + [schema.to_plain(stage) for stage in base.stages[1:]]},
            Profile,
            "profile",
        ),
    ]  # fmt: skip
    assert len({key(one) for one in [base, *other_stages]}) == 1 + len(other_stages)
    alerted = schema.to_plain(base) | {"alerts": [{"name": "warm", "when": "y[0] > 1"}]}
    same = [
        replace(base, version="2"),
        schema.from_plain(alerted, Profile, "profile"),
        replace(base, sensors=(replace(first, rate_hz=4.0),)),
    ]
    assert {key(one) for one in [base, *same]} == {key(base)}


def test_another_correction_or_chip_is_learned_anew() -> None:
    made = wearable(
        [sensor("x"), sensor("z")],
        {"op": "reference", "of": "x", "gives": "one", "least_s": 1.0},
        {"op": "reference", "of": "z", "gives": "two", "least_s": 1.0},
    )
    body = Body(made)
    body.learners.measured_by(0, 11, 0)
    body.learners.measured_by(1, 12, 0)
    blocks = [(name, [Sample(1_000_000 * at, np.array(33, np.float32))]) for at in range(10) for name in ("x", "z")]
    body.push(blocks)
    kept = body.learners.save()
    body.learners.measured_by(0, 11, 0)
    assert not body.dropped
    body.learners.measured_by(0, 11, 7)
    assert [one.samples for _, one in body.learners.progress()] == [0, 10]
    assert body.dropped == ['What "one" had learned was of other sensors or corrections; it is learned anew.']
    later = Body(made)
    later.learners.load(kept)
    later.learners.measured_by(1, 99, 0)
    assert [one.samples for _, one in later.learners.progress()] == [10, 0] and '"two"' in later.dropped[0]
    later.learners.forget([later.learners.progress()[0][0].signal])
    assert [one.samples for _, one in later.learners.progress()] == [0, 0]


def test_no_wearable_learns_more_than_can_be_kept() -> None:
    picture = {"op": "reference", "of": "x", "gives": "y", "ambient": "air", "bins": 16}
    air = {"op": "select", "of": "x", "gives": "air", "places": [0]}
    wearable(sensor(shape=(256,)), air, picture)
    many = [picture | {"gives": f"y{number}"} for number in range(4)]
    with pytest.raises(ProfileError, match=r"keep \d+ bytes of a wearer and may keep 61440; lower bins"):
        wearable(sensor(shape=(256,)), air, *many)
    with pytest.raises(ProfileError, match="9 stages learn of the wearer and 8 may"):
        wearable(sensor(), *({"op": "reference", "of": "x", "gives": f"y{number}"} for number in range(9)))


def test_the_end_of_the_bytes_is_their_crc() -> None:
    data = pack({b"12345678": Entry(3, b"abc")})
    assert data[-4:] == zlib.crc32(data[:-4]).to_bytes(4, "little") and data[:4] == b"TLRN"
