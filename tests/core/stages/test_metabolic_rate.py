"""metabolic_rate: the formulas in float64, and who is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stage_runs import run, samples, sensor, wearable

from thermo_core.errors import ProfileError
from thermo_core.quality import Quality
from thermo_core.signals import Series

MINUTE = [{"op": "select", "of": "x", "gives": "rate", "places": [0]}, {"op": "select", "of": "x", "gives": "rest", "places": [1]},
          {"op": "select", "of": "x", "gives": "wearer", "places": [2, 3, 4, 5]}]  # fmt: skip
STAGE = {"op": "metabolic_rate", "of": "rate", "resting": "rest", "wearer": "wearer", "gives": "y"}


def said(rows: object, **fields: object) -> Series:
    made = wearable(sensor(shape=(6,), rate_hz=0.1), *MINUTE, STAGE | fields)
    values = np.asarray(rows, np.float32)
    return run(made, x=samples(values, np.arange(len(values)) * 10_000_000))["y"]


@given(
    st.floats(40, 200), st.floats(45, 80), st.integers(18, 75), st.floats(45, 120), st.floats(1.5, 2.0), st.booleans()
)
def test_the_share_of_the_reserve_is_that_of_uptake(
    rate: float, rest: float, age: int, weight: float, height: float, male: bool
) -> None:
    reserve = min(max((rate - rest) / (208 - 0.7 * age - rest), 0), 1)
    # FRIEND's equation in the units it is printed in: pounds and inches, 1 male and 2 female, 1 on a treadmill.
    most = 45.2 - 0.35 * age - 10.9 * (1 if male else 2) - 0.15 * weight * 2.20462 + 0.68 * height / 0.0254 - 0.46
    litres = (3.5 + reserve * max(most - 3.5, 0)) / 1000
    kcal = litres * (3.941 + 1.106 * 0.849)
    row = [rate, rest, age, weight, height, float(male)]
    assert said([row]).values[0] == pytest.approx(kcal * 4184 / 60, rel=2e-3)
    assert said([row], per="body").values[0] == pytest.approx(kcal * 4184 / 60 * weight, rel=2e-3)


def test_somebody_unknown_gets_no_number_and_is_told_why() -> None:
    known = [120.0, 60.0, 30.0, 70.0, 1.75, 1.0]
    rows = [known, *([*known[:place], np.nan, *known[place + 1 :]] for place in range(6))]
    found = said(rows)
    assert np.isfinite(found.values).tolist() == [True] + [False] * 6
    assert ((found.flags & Quality.MISSING) != 0).tolist() == [False] * 3 + [True] * 4


def test_a_resting_rate_near_the_largest_is_none() -> None:
    found = said([[150.0, 175.0, 30.0, 70.0, 1.75, 1.0]])
    assert np.isnan(found.values[0]) and found.flags[0] & Quality.OUT_OF_DOMAIN


def test_what_is_no_wearer_is_refused() -> None:
    with pytest.raises(ProfileError, match="takes 4 numbers"):
        wearable(sensor(shape=(6,), rate_hz=0.1), *MINUTE, STAGE | {"wearer": "rate"})
