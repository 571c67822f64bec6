"""Findings of quantities: their ranges, and numbers that float32 does not hold."""

import math

import numpy as np
import pytest

from thermo_core.graph.findings import finding
from thermo_core.quality import Quality
from thermo_core.signals import Sample
from thermo_core.wearable.profile import Model, Quantity

MODEL = Model(
    name="heat",
    inputs=("skin",),
    quantities=(Quantity(name="flow", unit="W/m2", low=-10.0, high=10.0, offset=1.0, factor=2.0),),
)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("said", "value", "flags"),
    [
        (2.0, 5.0, 0),
        (4.5, 10.0, 0),
        (4.75, 10.5, Quality.OUT_OF_RANGE),
        (-6.0, -11.0, Quality.OUT_OF_RANGE),
        (3e38, math.inf, Quality.OUT_OF_RANGE),
        (-3e38, -math.inf, Quality.OUT_OF_RANGE),
    ],
)
def test_a_quantity_beyond_its_range_is_flagged(said: float, value: float, flags: int) -> None:
    found = finding(MODEL, 0, Sample(7, np.array([said], np.float32), 0))
    assert (found.values, found.flags) == ((value,), flags)


def test_a_quantity_without_a_value_is_missing() -> None:
    found = finding(MODEL, 0, Sample(7, np.array([np.nan], np.float32), 0))
    assert (found.values, found.flags) == ((), Quality.MISSING)
