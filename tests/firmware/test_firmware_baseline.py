"""What is learned of a wearer outlives resets and kills, is shown, told to who listens, and forgotten: agent, program, emulated M4."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from running import KINDS, Running, hear, of, started

from thermo_core.errors import RefusedError
from thermo_core.graph.learned import learnings, unpack
from thermo_core.graph.plan import plan
from thermo_core.recording.session import Session
from thermo_core.sensors.correction import Stamp
from thermo_core.sensors.kind import Block
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.wire.events import NOTICES
from thermo_core.wire.records import EventRecord, Record, SignalRecord
from thermo_host.flash import flash, load
from thermo_host.link.session import fetch
from thermo_host.link.wearable import Wearable

pytestmark = pytest.mark.lengthy

WORN = """
name = "worn"
version = "1.0.0"
card = "CARD.md"
sensors = [
    { name = "skin", kind = "mlx90640", path = [0x33], rate_hz = 16.0 },
    { name = "spots", kind = "ads1115-ntc", path = [0x48], rate_hz = 2.0, channels = [{ name = "one" }, { name = "two" }] },
]
stages = [
    { op = "resize", of = "skin", gives = "small", rows = 12, columns = 16, by = "area" },
    { op = "reference", of = "small", gives = "unusual", give = ["difference"], most_shift = 2.0, least_s = 1.0 },
    { op = "reference", of = "spots", gives = "warmer", least_s = 1.0 },
]
"""
REST_S = 2.5
ATTEMPTS = 10
"""After this a wearable that nobody listens to has come to rest."""
CAMERA = 0


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    (tmp_path / "CARD.md").write_text("A wearable of a test.")
    (tmp_path / "wearable.toml").write_text(WORN)
    yield request.param, tmp_path


def run(place: tuple[str, Path]) -> Any:
    kind, folder = place
    return started(kind, folder, "--state", str(folder / "state"), wearable=str(folder / "wearable.toml"))


def worn(host: Wearable, least: int) -> list[Record]:
    """A stream of so many scans of the thermistors."""
    return hear(host, lambda records: sum(one.sensor == 1 for one in of(Block, records)) >= least, "scans")


def rested(host: Wearable) -> bytes:
    """What is learned, once nobody listens."""
    time.sleep(REST_S)
    return host.learned()


def test_what_was_learned_stands_over_resets_and_kills_until_it_is_forgotten(place: tuple[str, Path]) -> None:
    with run(place) as running, running.open() as host:
        flash(host, load_of(running))
        time.sleep(REST_S)
        assert [one.samples for one in host.forget()] == [0, 0]
        worn(host, 10)
        first = rested(host)
        spots, picture = host.baselines()
        assert picture.samples > spots.samples >= 8 and (picture.ready, picture.parts, spots.ready) == (1, 1, 1)
        assert 3_000_000 < spots.learned_us <= spots.age_us + 500_000, (
            "each sample stands for the time since the one before"
        )
        host.reset()
        assert host.learned() == first, "kept before the reset"
        worn(host, 4)
        second = rested(host)
        assert unpack(second).keys() == unpack(first).keys() and second != first
    with run(place) as running, running.open() as host:
        assert host.learned() == first, "the kill takes what was not kept yet, and no more"
        worn(host, 4)
        assert min(one.samples for one in host.baselines()) > spots.samples
        names = list(plan(running.bundle.profile).signals)
        with pytest.raises(RefusedError, match="no stage that learns"):
            host.forget(names.index("small"))
        time.sleep(REST_S)
        left, gone = host.forget(names.index("unusual"))
        assert left.samples > 0 and gone.samples == 0
        assert all(one.samples == 0 for one in host.forget())
    with run(place) as running, running.open() as host:
        assert [one.samples for one in host.baselines()] == [0, 0], "forgotten for good"


def load_of(running: Running) -> Any:
    path = running.link.with_suffix(".img")
    path.write_bytes(running.image)
    return load(path)


def test_a_host_that_begins_later_shows_what_the_wearable_does(place: tuple[str, Path]) -> None:
    """Signals of stages that learned before the host came are what its own engine makes of the session it fetched."""
    with run(place) as running, running.open() as host:
        flash(host, load_of(running))
        worn(host, 6)
        time.sleep(REST_S)
        for _ in range(ATTEMPTS):
            compared, unlike = begin_later(host)
            if compared >= 10:
                break
        assert compared >= 10 and unlike >= compared // 2, "without what was learned before it would be another"


def begin_later(host: Wearable) -> tuple[int, int]:
    """`compare` of what is heard from now on. Which two subpages are a picture, a host that begins later cannot know: half of the time
    it makes other ones of them than the device, at other times."""
    session = fetch(host)
    assert session.learned and session == Session(**vars(session))
    names = list(session.plan.signals)
    heard: list[Record] = []
    with host.stream() as stream:
        host.choose_signals([names.index("unusual"), names.index("warmer")])
        while len(of(SignalRecord, heard)) < 30:
            seen = stream.get(5.0)
            assert seen is not None
            heard.append(seen.record)
    theirs = {(one.signal, one.time_us): np.asarray(one.values) for one in of(SignalRecord, heard)}
    return compare(session, of(Block, heard), theirs)


def compare(
    session: Session, blocks: list[Block], theirs: Mapping[tuple[int, int], NDArray[np.float32]]
) -> tuple[int, int]:
    """How many samples of the device a host's engine makes too, which are then equal; and how many it would not without what was learned."""
    engine, empty = session.engine(), replace(session, learned=b"").engine()
    names = list(session.plan.signals)
    compared = unlike = 0
    for block in blocks:
        made = [engine.push(block), empty.push(block)]
        for ours, anew in zip(made[0].passes, made[1].passes, strict=True):
            for name in ("unusual", "warmer"):
                if name in ours and (key := (names.index(name), ours[name].time_us)) in theirs:
                    compared += 1
                    within = 1e-4 if name == "warmer" else 0.02  # a camera's numbers are its own in C
                    np.testing.assert_allclose(theirs[key], ours[name].values.ravel(), atol=within)
                    unlike += not np.allclose(theirs[key], anew[name].values.ravel(), atol=0.02)
    return compared, unlike


def test_another_correction_makes_it_learn_anew_and_says_so(place: tuple[str, Path]) -> None:
    with run(place) as running, running.open() as host:
        flash(host, load_of(running))
        worn(host, 12)
        before = host.baselines()
        mine = PixelCorrection.identity(Stamp(host.hello().sensors[CAMERA].id))
        host.write_correction(CAMERA, replace(mine, offset=np.full((24, 32), 0.4, np.float32)))
        heard = worn(host, 2)
        told = [one for one in of(EventRecord, heard) if one.code == NOTICES["baseline"].code]
        assert any("learned anew" in one.text for one in told)
        after = host.baselines()
        assert after[0].samples > before[0].samples, "the thermistors' went on"
        assert after[1].samples < before[1].samples, "the camera's began anew"


def test_what_is_kept_is_what_the_profile_says(place: tuple[str, Path]) -> None:
    with run(place) as running, running.open() as host:
        flash(host, load_of(running))
        found = unpack(host.learned())
        wanted = learnings(plan(running.bundle.profile))
        assert {key: len(entry.state) for key, entry in found.items()} == {one.key: one.size for one in wanted}
        assert [one.signal for one in host.baselines()] == [one.signal for one in wanted]
