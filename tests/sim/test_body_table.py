"""The table of a body against figures of JOS-3 that others noted, and against scenes that it was not fitted to."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from thermo_sim.people import table

HALF_CLO = (0.4, 0.6, 0.0, 0.0, 0.0)
"""Between sport and indoor clothes."""


def _settled(air: float, par: float, worn: tuple[float, ...]) -> NDArray[np.float64]:
    one = np.ones(1)
    middle = np.array([0.5, 0.0, 0.0, 0.0, 0.0])
    known = table.shipped()
    wants = known.targets(middle, air * one, par * one, np.array([worn]), 50 * one, 0.1 * one)
    outputs: NDArray[np.float64] = (wants.sum(axis=1) + known.mean)[0]
    outputs[:17] = known.corrected(outputs[np.newaxis, :17], outputs[34:35])[0]
    return outputs


@pytest.mark.parametrize(("air", "mean"), [(10, 28.7), (15, 30.5), (20, 32.4), (25, 34.36), (30, 35.4), (35, 35.8)])
def test_mean_skin_at_rest_is_that_of_jos3_with_half_a_clo(air: float, mean: float) -> None:
    assert _settled(air, 1.25, HALF_CLO)[:17] @ table.AREA == pytest.approx(mean, abs=0.5)


def test_segments_at_rest_are_those_of_jos3() -> None:
    known = {
        "Head": 34.8,
        "Chest": 34.1,
        "Pelvis": 35.8,
        "LArm": 34.6,
        "LHand": 35.4,
        "LThigh": 33.7,
        "LLeg": 33.7,
        "LFoot": 34.6,
    }
    skin = _settled(25, 1.25, HALF_CLO)[:17]
    for name, celsius in known.items():
        assert skin[table.SEGMENTS.index(name)] == pytest.approx(celsius, abs=1.0), name


@pytest.mark.parametrize(
    ("par", "watt", "flow"),
    [(1.1, 97, 275), (1.3, 111, 300), (1.8, 153, 337), (2.6, 219, 387), (3.5, 296, 462), (5.0, 412, 567)],
)
def test_work_and_blood_are_those_of_jos3(par: float, watt: float, flow: float) -> None:
    said = _settled(23, par, (0.0, 1.0, 0.0, 0.0, 0.0))
    assert said[table.OUTPUTS["metabolic"]][0] == pytest.approx(watt, rel=0.13)
    assert said[table.OUTPUTS["cardiac"]][0] == pytest.approx(flow, rel=0.17)


def test_both_sides_of_the_table_are_one() -> None:
    known = table.shipped()
    mirror = list(table.MIRROR)
    for numbers in (known.mean_head, known.own_mean, known.own_head):
        np.testing.assert_array_equal(numbers, numbers[mirror])
    skin = slice(0, 17)
    # Stored as half floats, fitted to a symmetric model.
    np.testing.assert_allclose(known.main[..., skin], known.main[..., skin][..., mirror], atol=0.02)


def test_scenes_of_another_hand_are_followed(shared_dir: Path) -> None:
    """A hundred bodies of 90 minutes, whose clothing is not told: what changes within a scene, and heart and work."""
    path = shared_dir / "datasets" / "jos3_body" / "jos3_scenes.npz"
    if not path.is_file():
        pytest.skip("shared/datasets/jos3_body is not there")
    with np.load(path) as file:
        flow, work, par, person = (file[name].astype(float) for name in ("cardiac", "met", "par", "person"))
        air, damp = file["ta"].astype(float), file["rh"].astype(float)
    known, one, found = table.shipped(), np.ones(1), []
    indoor = np.array([[0.0, 1.0, 0.0, 0.0, 0.0]])
    for place, (height, weight, age, fat, male) in enumerate(person):
        wants = known.targets(
            table.features(male, height, weight, age, fat),
            air[place] * one,
            par[place, -1:],
            indoor,
            damp[place] * one,
            0.1 * one,
        )
        found.append((wants.sum(axis=1) + known.mean)[0, 36:38])
    said = np.array(found)
    assert np.corrcoef(said[:, 0], flow[:, -1])[0, 1] > 0.93
    assert np.sqrt(np.square(said[:, 1] - work[:, -1]).mean()) < 0.25 * work[:, -1].std()
