"""Graphs of sensors that run at other rates than their profile asks for."""

from msgspec.structs import replace

from thermo_core import schema
from thermo_core.graph.plan import plan
from thermo_core.graph.rates import plan_at
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


def test_a_graph_that_does_not_fit_at_other_rates_is_the_profile_s() -> None:
    stage = {"op": "concatenate", "of": ["skin.ta", "other.ta"], "gives": "both"}
    sensors = [
        {"kind": "mlx90640", "name": "skin", "path": [0x33], "rate_hz": 16.0},
        {"kind": "mlx90640", "name": "other", "path": [0x34], "rate_hz": 16.0},
    ]
    held = {"op": "hold", "of": "other.ta", "on": "skin.ta", "gives": "late", "oldest_s": 1.0}
    joined = {**stage, "of": ["skin.ta", "late"]}
    plain = {"name": "pair", "version": "1", "sensors": sensors, "stages": [held, joined]}
    profile = schema.from_plain(plain, Profile, "profile")
    assert plan_at(profile, [2.0, 16.0]).signals["both"].rate_hz in (1.0, 8.0)
    assert plan_at(replace(profile, stages=()), [2.0, 16.0]).signals["skin.ta"].rate_hz == 1.0
