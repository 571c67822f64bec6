"""lacking: alerts on what is gone move although what is gone cannot be trusted."""

import numpy as np
from stage_runs import run, samples, sensor, wearable

from thermo_core.quality import DOUBTFUL, NO_VALUE, Quality


def test_it_tells_what_has_no_value_and_alerts_may_go_by_it() -> None:
    x = np.array([[33.0, 31.0, 30.0], [33.0, np.nan, np.inf]])
    found = run(
        wearable(sensor(shape=(3,), unit="degC"), {"op": "lacking", "of": "x", "gives": "y"}),
        x=samples(x, flags=[Quality.UNCALIBRATED, Quality.STALE | Quality.IMPLAUSIBLE]),
    )["y"]
    np.testing.assert_array_equal(found.values, [[0, 0, 0], [0, 1, 1]])
    assert found.flags.tolist() == [Quality.UNCALIBRATED, 0]


def test_motion_and_domain_are_no_reason_for_a_missing_value() -> None:
    """What is settled is why a number lacks; what makes numbers doubtful that are there goes on."""
    assert not NO_VALUE & (Quality.MOVING | Quality.OUT_OF_DOMAIN | Quality.OUT_OF_RANGE) and NO_VALUE & ~DOUBTFUL == 0
