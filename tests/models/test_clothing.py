"""The garments: what training saw is what their graphs say, nobody is on two sides, and a node that is off is told and made good for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from thermo_core.errors import StorageError, UsageError
from thermo_core.quality import DOUBTFUL, Quality
from thermo_models.features import through
from thermo_models.garment import STEP_S, Array, Garment
from thermo_models.tasks.clothing import EIGHT, MINUTES, SIXTEEN, Clothing, in_mirror
from thermo_models.tasks.clothing_days import SCRIPTS, days
from thermo_models.tasks.clothing_scenes import ARRAYS, TESTED, Scenes
from thermo_models.templates import chain
from thermo_sim.people import Person, course
from thermo_sim.people.table import AREA, MIRROR, SEGMENTS

MINUTE = round(60 / STEP_S)


@pytest.fixture(scope="module", params=[SIXTEEN, EIGHT], ids=lambda task: str(task.name))
def task(request: pytest.FixtureRequest) -> Clothing:
    found = request.param
    assert isinstance(found, Clothing)
    return found


@pytest.fixture(scope="module")
def garment(task: Clothing) -> Garment:
    return Garment.read(task.name)


def worn(garment: Garment, minutes: int, script: str = "rest", seed: int = 3) -> tuple[Array, Array]:
    """(n, nodes + 1) without noise and (n, 17) skin of somebody who was not learnt from."""
    went = course(script, seed, Person.drawn(880_000 + seed), hours=max(1.0, minutes / 60))
    truth = went.at(STEP_S * np.arange(minutes * MINUTE))
    said = np.concatenate([truth.skin_celsius[:, garment.nodes], truth.air_celsius[:, np.newaxis]], axis=1)
    return said, truth.skin_celsius


def scenes(count: int = 101) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.generic]]]:
    """A file's arrays."""
    rng = np.random.default_rng(0)
    levels = 33 + rng.normal(0, 1, (count, 1, 17)) + rng.normal(0, 0.2, (count, 90, 1))
    return {
        "tsk": (levels + rng.normal(0, 0.05, (count, 90, 17))).astype(np.float32),
        "event": np.array(["none", "jacket_open", "heat_one_side", "cool_one_side", "warm_spot_trunk"])[
            np.arange(count) % 5
        ],
        "t0": np.where(np.arange(count) % 5, 30, -1).astype(np.float32),
        "ta": rng.uniform(10, 30, count).astype(np.float32),
        "par": np.full((count, 90), 1.3, np.float32),
        "segments": np.array(SEGMENTS),
    }


def saved(folder: Path, **changes: object) -> Path:
    path = folder / "scenes.npz"
    kept: dict[str, Any] = {name: value for name, value in (scenes() | changes).items() if value is not None}
    np.savez(path, **kept)
    return path


def test_what_its_graph_says_live_is_what_training_saw(task: Clothing, garment: Garment) -> None:
    said, _ = worn(garment, MINUTES + 5, "workout")
    found = garment.run(said)
    minutes = found["minute"].values
    windows = np.stack([minutes[end - MINUTES : end] for end in range(MINUTES, len(minutes) + 1)])
    numbers = task._numbers(windows)
    assert numbers.tobytes() == found["numbers"].values.tobytes()
    stages = chain(task.wearable.profile, task.entry)
    assert through(stages, numbers).tobytes() == found["known"].values.tobytes()
    raw = garment.networks["event"].predict([found["known"].values.reshape(len(windows), 1, 1, -1)])
    assert raw.tobytes() == found["event.raw"].values.tobytes()


def test_a_body_in_a_mirror_has_the_numbers_of_one_in_a_mirror(task: Clothing) -> None:
    windows = np.random.default_rng(1).normal(33, 1, (5, MINUTES, 17)).astype(np.float32)
    numbers = task._numbers(windows)
    np.testing.assert_allclose(in_mirror(numbers), task._numbers(windows[:, :, list(MIRROR)]), rtol=0, atol=2e-5)
    np.testing.assert_array_equal(in_mirror(in_mirror(numbers)), numbers)


def test_bodies_that_are_tested_teach_nothing(task: Clothing, tmp_path: Path) -> None:
    before = Scenes.read(saved(tmp_path))
    arrays = scenes()
    arrays["tsk"] = arrays["tsk"].copy()
    arrays["tsk"][list(TESTED)] = 20.0
    after = Scenes.read(saved(tmp_path, **arrays))
    first, second = (task._body_of(one, np.arange(len(one)))[1] for one in (before, after))
    np.testing.assert_array_equal(first.matrix.array, second.matrix.array)
    assert before.learnt.sum() == len(before) - len(TESTED)


def test_a_garment_that_nobody_wears_is_refused_and_bodies_never_met_are_not() -> None:
    profile = SIXTEEN.wearable.profile
    (network,) = Garment.read("clothing").networks.values()

    def said(values: np.ndarray[Any, np.dtype[np.float32]]) -> np.ndarray[Any, np.dtype[np.float32]]:
        return network.predict([values.reshape(len(values), 1, 1, -1)])

    found = SIXTEEN.probe(profile, chain(profile, SIXTEEN.entry), said, quick=True)
    own, *_ = found.refused.values()
    assert own < 0.2 and found.refused["a garment on a chair"] > 0.95
    assert found.ece is not None and 0 < found.ece < 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"tsk": None}, "tsk"),
        ({"segments": np.array(SEGMENTS[::-1])}, "17 segments"),
        ({"ta": np.zeros(3, np.float32)}, "bodies"),
        ({"event": np.full(101, "earthquake")}, "earthquake"),
    ],
)
def test_a_file_that_holds_no_scenes_is_refused(changes: dict[str, object], said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said):
        Scenes.read(saved(tmp_path, **changes))
    with pytest.raises(StorageError):
        Scenes.read(tmp_path / "nowhere.npz")
    assert "segments" in ARRAYS


def test_days_are_the_same_each_time_and_hold_bare_hands_in_the_cold() -> None:
    people = dict.fromkeys(SCRIPTS, 1)
    first, second = days(people), days(people)
    np.testing.assert_array_equal(first.skin, second.skin)
    hands = first.skin[:, :, [SEGMENTS.index("LHand"), SEGMENTS.index("RHand")]]
    assert hands.min() < 22 and first.room.min() < 12
    assert ((first.begun >= 0) == (first.event > 0)).all()


def test_a_healthy_body_has_its_map_and_no_node_is_taken_away(garment: Garment) -> None:
    said, skin = worn(garment, 60)
    found = garment.run(said)
    assert np.sqrt(np.square(found["segments"].values - skin).mean()) < (0.35 if len(garment.nodes) == 16 else 0.8)
    assert np.abs(found["mean-skin"].values.ravel() - skin @ AREA).max() < 0.5
    assert not found["off"].values.any()
    assert not sum(garment.raised(found).values())


def test_a_node_that_comes_off_is_told_and_filled_in_while_alerts_go_on(garment: Garment) -> None:
    said, skin = worn(garment, 25)
    node, gone = 1, 10 * MINUTE
    said[gone:, node] = said[gone:, -1]
    found = garment.run(said)
    off = found["off"].values[:, node] > 0
    assert not off[:gone].any() and off[gone:].all()
    assert found["off"].values.sum() == off.sum(), "no other node goes with it"
    body = found["segments"]
    assert np.abs(body.values[gone:, garment.nodes[node]] - skin[gone:, garment.nodes[node]]).max() < 3.0
    assert (body.flags[gone:] & int(Quality.FILLED)).all() and not (body.flags & int(DOUBTFUL)).any()
    assert garment.raised(found)["node-off"] == 1
    said[gone:, node] = np.nan
    assert garment.raised(garment.run(said))["node-off"] == 1, "a node that is silent is off likewise"


def test_a_cold_hand_calls_after_five_minutes_and_a_short_one_does_not(garment: Garment) -> None:
    said, _ = worn(garment, 30)
    names = [SEGMENTS[segment][1:] for segment in garment.nodes]
    place = names.index("Hand")
    arm = [at for at, name in enumerate(names) if name in ("Arm", "Hand", "Foot")]
    for minutes, calls in ((4, 0), (12, 1)):
        cold = said.copy()
        during = slice(10 * MINUTE, (10 + minutes) * MINUTE)
        cold[during, -1] = 2.0
        cold[during, arm] -= 14.0
        cold[during, place] = 12.0
        counts = garment.raised(garment.run(cold))
        # Eight nodes know too little of hands to tell a cold one from one whose node is off: either calls.
        if calls and len(garment.nodes) < 16:
            assert counts["cold"] or counts["node-off"]
        else:
            assert counts["cold"] == calls


def test_sides_are_measured_by_the_wearers_own_difference(garment: Garment) -> None:
    """An hour is learnt from first; a side that has always been warmer is usual."""
    said, _ = worn(garment, 110)
    left = garment.nodes.tolist().index(SEGMENTS.index("LThigh"))
    said[:, left] += 0.8
    usual = garment.run(said)
    assert not garment.raised(usual)["left-warmer"]
    assert np.isnan(usual["asymmetry"].values[: 50 * MINUTE]).all() and np.isfinite(usual["asymmetry"].values[-1]).all()
    said[90 * MINUTE :, left] += 2.2
    counts = garment.raised(garment.run(said))
    assert counts["left-warmer"] == 1 and not counts["right-warmer"]
