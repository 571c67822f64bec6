"""Graphs of sensors that run at other rates than their profile asks for."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from thermo_core import schema
from thermo_core.graph import series
from thermo_core.graph.live import LiveGraph
from thermo_core.graph.plan import plan
from thermo_core.graph.rates import plan_at
from thermo_core.quality import Quality
from thermo_core.signals import Sample, Series
from thermo_core.stages.resample import Resample
from thermo_core.wearable.profile import Profile

PROFILE = schema.from_plain(
    {
        "name": "two",
        "version": "1",
        "sensors": [
            {"kind": "mlx90640", "name": "skin", "path": [0x33], "rate_hz": 16.0},
            {"kind": "sht4x", "name": "air", "path": [0x44], "rate_hz": 1.0},
            {"kind": "external", "name": "room"},
        ],
        "stages": [{"op": "average", "of": "skin", "gives": "calm", "pictures": 4}],
    },
    Profile,
    "profile",
)


def test_signals_have_the_rates_that_sensors_are_set_to() -> None:
    slow = plan_at(PROFILE, [2.0, 1.0, 0.0])
    assert slow.signals["skin"].rate_hz == slow.signals["calm"].rate_hz == 1.0
    assert slow.signals["skin"].gap_us == 4_000_000
    assert slow.signals["air"].rate_hz == 1.0
    assert list(slow.signals) == list(plan(PROFILE).signals), "signals keep their numbers"


def test_rates_that_are_not_known_or_cannot_be_are_the_profile_s() -> None:
    whole = plan(PROFILE)
    for rates_hz in ([], [16.0, 1.0, 0.0], [0.0, 0.0, 0.0], [3.0, 1.0, 0.0]):
        assert plan_at(PROFILE, rates_hz) == whole


@given(st.floats(0.001, 20))
def test_a_rate_that_firmware_tells_in_single_precision_is_the_profile_s(rate_hz: float) -> None:
    """Of 0.2 a second single precision makes more than once in five seconds, and filters would be of another rate."""
    stages = [{"op": "bandpass", "of": "air", "gives": "wave", "low_hz": 0.05 * rate_hz, "high_hz": 0.3 * rate_hz}]
    parts = {
        "name": "one",
        "version": "1",
        "sensors": [{"kind": "sht4x", "name": "air", "path": [0x44], "rate_hz": rate_hz}],
        "stages": stages,
    }
    profile = schema.from_plain(parts, Profile, "profile")
    assert plan_at(profile, [float(np.float32(rate_hz))]) == plan(profile)


def test_a_graph_that_does_not_fit_at_other_rates_is_the_profile_s() -> None:
    stage = schema.from_plain(
        {"op": "resample", "of": "skin.ta", "gives": "steady", "rate_hz": 4.0, "by": "mean"}, Resample, "stage"
    )
    profile = replace(PROFILE, stages=(stage,))
    assert plan_at(profile, [8.0, 1.0, 0.0]).signals["skin"].rate_hz == 4.0
    assert plan_at(profile, [2.0, 1.0, 0.0]) == plan(profile), "no mean makes it faster"


def test_constants_that_are_made_for_one_rate_give_nothing_at_another() -> None:
    """A filter for 0.7 to 3.5 Hz would let another band through, and a heart rate would be off by as much."""
    stages = [
        {"op": "bandpass", "of": "pulse", "gives": "wave", "low_hz": 0.7, "high_hz": 3.5},
        {"op": "window", "of": "wave", "gives": "waves", "length": 32},
    ]
    parts = {
        "name": "band",
        "version": "1",
        "sensors": [{"kind": "external", "name": "pulse", "rate_hz": 25.0}],
        "stages": stages,
    }
    profile = schema.from_plain(parts, Profile, "profile")
    slow = plan_at(profile, [5.0])  # at which the filter could not even be
    assert slow.signals["wave"].rate_hz == 5.0 and slow.signals["waves"].spacing_s == 0.2
    graph = LiveGraph(slow, {})
    for number in range(40):
        sample = Sample(200_000 * number, np.array(np.sin(number), np.float32), Quality.SIMULATED)
        (produced,) = graph.push([{"pulse": sample}])
        assert np.isnan(produced["wave"].values)
        assert produced["wave"].flags == Quality.OUT_OF_DOMAIN | Quality.SIMULATED
    found = series.run(slow, {"pulse": Series.of([sample], ())}, {})["wave"]
    assert np.isnan(found.values).all() and found.flags[0] == Quality.OUT_OF_DOMAIN | Quality.SIMULATED
    assert LiveGraph(plan_at(profile, [25.0]), {}).push([{"pulse": sample}])
