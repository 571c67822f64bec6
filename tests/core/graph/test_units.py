"""What stages say of units is true, and a rule in degrees is refused where what it looks at is in none."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from graph_plans import single
from msgspec.structs import replace
from stage_runs import run, samples
from wearable_draft import Seeded, Unfit

from thermo_core.errors import ProfileError
from thermo_core.graph.plan import Plan, plan
from thermo_core.signals import Values
from thermo_core.stages import OPS
from thermo_core.wearable.profile import Alert

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

STEP = 4.0
CONSTANTS_SAY: Mapping[str, str] = {
    "body_map": "a model of a body, whose constants are made of degrees",
    "domain": "held within limits, which stay where they are",
    "enmo": "of accelerations",
    "expectile": "a level that begins where it is told to",
    "kalman_core": "of a heart rate",
    "metabolic_rate": "of a heart rate",
}
"""Operations with a unit that do not warm as much as what they are given, and why."""


def random_plans(op: str) -> Iterator[Plan]:
    """Wearables of one operation on signals in degC, which is called "made"."""
    for seed in range(10):
        try:
            yield single(Seeded(np.random.default_rng([seed, *op.encode()])), op)
        except Unfit:
            continue


def made_of(made: Plan, warmer: float) -> Values:
    """What an operation gives of noise about 33 degC, or so much more."""
    rng = np.random.default_rng(0)
    given = {}
    for sensor in made.profile.sensors:
        signal = made.signals[sensor.name]
        values = 33 + rng.normal(0, 1, (150, *signal.shape)) + warmer
        given[sensor.name] = samples(values, np.arange(150) * round(1e6 / signal.rate_hz))
    return run(made, **given)["made"].values


@pytest.mark.parametrize("op", [op for op in OPS if op not in CONSTANTS_SAY])
def test_what_is_in_degrees_warms_with_what_it_is_made_of_and_what_is_in_kelvin_does_not(op: str) -> None:
    for made in random_plans(op):
        unit = made.signals["made"].unit
        if unit not in ("degC", "K", "K/s", "K/min", "K/h", "K/px"):
            assert unit == "", "of degrees there is nothing else"
            continue
        before, after = made_of(made, 0.0), made_of(made, STEP)
        both = np.isfinite(before) & np.isfinite(after)
        wanted = before + STEP if unit == "degC" else before
        steps = getattr(made.nodes[-1].what, "step", 0.0)
        near = steps + 0.02 * max(1.0, float(np.nanstd(before))) if both.any() else 0.0
        np.testing.assert_allclose(after[both], wanted[both], rtol=0, atol=near)


@pytest.mark.parametrize("op", OPS)
def test_a_rule_holds_for_the_unit_of_what_it_looks_at_and_for_no_other(op: str) -> None:
    for made in random_plans(op):
        unit = made.signals["made"].unit
        for said in ("degC", "K", "bpm"):
            for field in ("when", "clear"):
                rules: dict[str, Any] = {"when": "made[0] > 38"} | {field: f"made[0] > 38 {said}"}
                profile = replace(made.profile, alerts=(Alert("hot", **rules),))
                if said == unit:
                    assert plan(profile).alerts[0].watch.unit == unit
                    continue
                with pytest.raises(
                    ProfileError, match=r'"made", which is ' + (f"in {unit}" if unit else "without")
                ) as caught:
                    plan(profile)
                assert caught.value.path == f".alerts[0].{field}"


def test_what_destroys_degrees_is_told_from_what_keeps_them() -> None:
    """A list of its own, so that the property above is about more than nothing."""
    destroys = "bins canny equalise glcm hot_spots logarithm normalise normalise_percentiles spectrum_peak recovery lacking paired_recovery"
    keeps = "average contact_correction contact_gate crop gaussian hold median3 motion_gate node_check resample resize select step_removal window"
    for names, wanted in ((destroys, ""), (keeps, "degC")):
        for op in names.split():
            units = {made.signals["made"].unit for made in random_plans(op)}
            assert units == {wanted}, op
