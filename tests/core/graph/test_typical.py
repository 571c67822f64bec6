"""What sensors typically say: of every kind, the same each time, within what a body gives, at moments that a graph can run on."""

from typing import Any

import numpy as np
import pytest

from thermo_core.graph import typical
from thermo_core.graph.plan import plan
from thermo_core.graph.series import run
from thermo_core.schema import from_plain
from thermo_core.sensors.kinds import KINDS
from thermo_core.wearable.profile import Profile

CAMERA = {"kind": "mlx90640", "name": "skin", "path": [0x33]}
SENSORS: dict[str, dict[str, Any]] = {
    "mlx90640": {"path": [0x33]},
    "ads1115-ntc": {"path": [0x48], "channels": [{"name": "a"}, {"name": "b"}]},
    "mlx90632": {"path": [0x3A]},
    "mlx90614": {"path": [0x5A]},
    "max3010x": {"path": [0x57], "leds": ["red", "ir"]},
    "lis3dh": {"path": [0x18]},
    "sht4x": {"path": [0x44]},
    "tmp117": {"path": [0x49]},
    "external": {"shape": [3], "unit": "lux", "low": 100, "high": 200},
}
WITHIN = {"degC": (20, 45), "V": (3, 3.6), "nA": (100, 4000), "g": (-1.5, 1.5), "%": (0, 100), "lux": (100, 200)}


def of(*sensors: dict[str, Any], **parts: Any) -> Any:
    data = {"name": "any", "version": "1", "sensors": list(sensors), **parts}
    return plan(from_plain(data, Profile, "profile"))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scene", typical.SCENES)
def test_every_kind_of_sensor_says_something_that_can_be(kind: str, scene: str) -> None:
    checked = of({"kind": kind, "name": "one"} | SENSORS[kind])
    found = typical.typical_series(checked, scene, 10)
    assert set(found) == set(checked.signals)
    for name, series in found.items():
        signal = checked.signals[name]
        assert series.values.shape == (len(series), *signal.shape) and series.values.dtype == np.float32
        assert len(series) == max(1, round(10 * (signal.rate_hz or 1 / typical.EVENT_S)))
        assert not series.flags.any()
        low, high = WITHIN[signal.unit]
        assert low <= series.values.min() <= series.values.max() <= high
        again = typical.typical_series(checked, scene, 10)[name]
        assert again.values.tobytes() == series.values.tobytes()


def test_moments_of_several_sensors_come_in_the_order_of_time() -> None:
    fast = {"kind": "external", "name": "fast", "rate_hz": 8.0, "low": 0, "high": 1}
    slow = {"kind": "external", "name": "slow", "rate_hz": 2.0, "low": 0, "high": 1}
    checked = of(slow, fast, person=["age_years"])
    found = typical.typical_series(checked, "skin", 3)
    moments = sorted(
        (int(order), int(time_us), name)
        for name, series in found.items()
        for order, time_us in zip(series.order, series.times_us, strict=True)
    )
    assert [time_us for _, time_us, _ in moments] == sorted(time_us for _, time_us, _ in moments)
    assert len({order for order, _, _ in moments}) == len(moments) == 24 + 6 + 1
    assert moments[0][2] == "person.age_years" and float(found["person.age_years"].values[0]) == 60.5


def test_what_bounds_say_outweighs_what_is_usual_of_a_unit() -> None:
    """A heart rate is that of rest; one that is bounded elsewhere, or of a unit nobody knows, lies between its bounds."""
    for bounds, low, high in (({}, 55, 90), ({"low": 120, "high": 200}, 120, 200)):
        checked = of({"kind": "external", "name": "hr", "unit": "bpm", "rate_hz": 1.0, **bounds})
        values = typical.typical_series(checked, "skin", 120)["hr"].values
        assert low <= values.min() < values.max() <= high


def pictures(**stage: Any) -> dict[str, Any]:
    stages = [{"op": "average", "of": "skin", "gives": "calm", "pictures": stage["pictures"]}]
    if stage.get("centre"):
        stages.append({"op": "centre", "of": "calm", "gives": "above"})
    checked = of(CAMERA, stages=stages)
    name = "above" if stage.get("centre") else "calm"
    return {
        scene: run(checked, typical.typical_series(checked, scene, 40), {})[name].values[0] for scene in typical.SCENES
    }


def test_typical_pictures_are_those_of_skin() -> None:
    """Kelvin above the median: a spot of 1.5 K stands out, noise is that of 16 pictures; degrees without centring."""
    above = pictures(pictures=16, centre=True)
    assert all(abs(float(np.median(features))) < 1e-2 for features in above.values())
    assert 1.0 < above["skin with a warm spot"].max() < 2.0
    assert above["skin"].max() < 0.8
    single, many = (pictures(pictures=n)["skin"] for n in (1, 255))
    assert 31 < single.mean() < 36
    assert np.std(single - many) == pytest.approx(typical.NOISE_K, abs=0.03)
    clean = typical.typical_pictures()
    assert clean["skin"].shape == (24, 32) and np.std(clean["skin"] - many) < 0.03
