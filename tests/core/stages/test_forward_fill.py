"""forward_fill: what is kept, for how long, and what says so."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from stage_runs import run, samples, sensor, wearable

from thermo_core.quality import Quality


@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.integers(1, 6))
def test_each_element_keeps_its_last_value_for_a_while(seed: int, lacking: float, oldest_s: int) -> None:
    rng = np.random.default_rng(seed)
    values = rng.normal(70, 5, (60, 3)).astype(np.float32)
    values[rng.random(values.shape) < lacking] = np.nan
    made = wearable(
        sensor(shape=(3,), rate_hz=1.0), {"op": "forward_fill", "of": "x", "gives": "y", "oldest_s": oldest_s}
    )
    found = run(made, x=samples(values, np.arange(60) * 1_000_000))["y"]
    for moment in range(60):
        filled = False
        for element in range(3):
            past = [n for n in range(max(0, moment - oldest_s), moment + 1) if not np.isnan(values[n, element])]
            wanted = values[past[-1], element] if past else np.nan
            np.testing.assert_array_equal(found.values[moment, element], wanted)
            filled |= bool(past) and past[-1] != moment
        assert bool(found.flags[moment] & Quality.FILLED) == filled


def test_a_gap_forgets_and_flags_go_on() -> None:
    made = wearable(sensor(rate_hz=1.0), {"op": "forward_fill", "of": "x", "gives": "y", "oldest_s": 100.0})
    flags = [0, int(Quality.OFF_SKIN), 0, 0]
    found = run(made, x=samples([60.0, np.nan, np.nan, np.nan], [0, 1_000_000, 2_000_000, 30_000_000], flags))["y"]
    np.testing.assert_array_equal(found.values, np.array([60, 60, 60, np.nan], np.float32))
    assert found.flags[1] == Quality.OFF_SKIN | Quality.FILLED and found.flags[3] == 0
