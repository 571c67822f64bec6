"""Signals made without a bus are those that drivers read from the chips: the same body, as much noise, the same steps."""

import numpy as np
import pytest
from sensor_bytes import NEEDED, PATH
from sensor_says import moments_of

from thermo_core import schema
from thermo_core.errors import UsageError
from thermo_core.graph.plan import plan
from thermo_core.graph.series import run
from thermo_core.signals import Series
from thermo_core.wearable.profile import Profile
from thermo_sim.chips.kinds import KINDS
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.worn import CALIBRATED, Stretch, says

SLOW = {"mlx90640": {"rate_hz": 2.0}}
OFF_K = {"mlx90640": 0.6, "mlx90632": 0.4, "mlx90614": 0.5, "sht4x": 0.4, "tmp117": 0.15, "ads1115-ntc": 0.6}


def _profile(*kinds: str, **more: object) -> Profile:
    sensors = [
        {"kind": kind, "name": kind, "path": [PATH[kind]], **NEEDED.get(kind, {}), **SLOW.get(kind, {})}
        for kind in kinds
    ]
    return schema.from_plain({"name": "w", "version": "1", "sensors": sensors, **more}, Profile, "profile")


def _rough(values: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """Standard deviation of what changes from sample to sample."""
    found: np.ndarray = np.nanstd(np.diff(values.reshape(len(values), -1), axis=0), axis=0) / np.sqrt(2)  # type: ignore[type-arg]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_made_without_a_bus_is_what_drivers_read(kind: str) -> None:
    profile = _profile(kind)
    hardware = SimulatedHardware.from_profile(profile, seed=1, script="rest", warm_up_tau_s=0)
    seconds = 12.0 if kind == "mlx90640" else 60.0
    read = np.stack([moment[kind].values for moment in moments_of(hardware, seconds)[kind]])
    made = says(profile, hardware.around, 3, Stretch(0.0, seconds), 1.0)
    assert set(made) == {signal.name for signal in profile.sensors[0].signals}
    said = made[kind].values
    assert said.shape[1:] == read.shape[1:]
    assert abs(len(said) - len(read)) <= 0.05 * len(said) + 2
    if kind in OFF_K:
        assert np.nanmean(said) == pytest.approx(np.nanmean(read), abs=OFF_K[kind])
    elif kind == "lis3dh":
        np.testing.assert_allclose(said.mean(axis=0), np.nanmean(read, axis=0), atol=0.15)
    else:
        np.testing.assert_allclose(said.mean(axis=0), np.nanmean(read, axis=0), rtol=0.02)
    assert 0.4 < np.median(_rough(said)) / np.median(_rough(read)) < 2.5


def test_of_two_calibrated_chips_less_differs() -> None:
    profile = _profile("tmp117", "ads1115-ntc")
    around = SimulatedHardware.from_profile(profile, seed=1, script="rest").around
    spread = []
    for errors in (1.0, CALIBRATED):
        all_ = [
            says(profile, around, seed, Stretch(0.0, 30.0), errors)["ads1115-ntc"].values.mean() for seed in range(12)
        ]
        spread.append(np.std(all_))
    assert spread[1] < 0.3 * spread[0]


def test_a_graph_runs_over_what_is_made_and_moments_are_in_order() -> None:
    profile = _profile(
        "tmp117",
        "lis3dh",
        stages=[{"op": "hold", "of": "tmp117", "on": "lis3dh", "gives": "held"}],
    )
    around = SimulatedHardware.from_profile(profile, seed=1, script="workout").around
    made = says(profile, around, 3, Stretch(600.0, 20.0))
    found = run(plan(profile), made, {})
    assert len(found["held"]) > 400
    assert float(found["held"].values[-1]) == float(made["tmp117"].values[-1])
    everything = sorted((int(order), name) for name, one in made.items() for order in one.order)
    assert len({order for order, _ in everything}) == len(everything)
    for one in made.values():
        assert (np.diff(one.times_us) > 0).all() and (np.diff(one.order) > 0).all()
        assert one.times_us[0] > 600_000_000


def test_chance_is_seeded_and_a_stretch_has_its_own_noise() -> None:
    profile = _profile("tmp117")
    around = SimulatedHardware.from_profile(profile, seed=1, script="rest").around

    def values(seed: int, start_s: float) -> Series:
        return says(profile, around, seed, Stretch(start_s, 30.0))["tmp117"]

    np.testing.assert_array_equal(values(1, 0.0).values, values(1, 0.0).values)
    assert (values(1, 0.0).values != values(2, 0.0).values).any()


def test_nobody_and_nothing_are_said() -> None:
    with pytest.raises(UsageError, match="--script"):
        says(_profile("tmp117"), SimulatedHardware.from_profile(_profile("tmp117")).around, 1, Stretch(0.0, 1.0))
    outside = schema.from_plain(
        {"name": "w", "version": "1", "sensors": [{"kind": "external", "name": "x", "rate_hz": 1.0}]},
        Profile,
        "profile",
    )
    around = SimulatedHardware.from_profile(_profile("tmp117"), script="rest").around
    for profile, lasts_s in ((outside, 60.0), (_profile("tmp117"), 0.5)):
        with pytest.raises(UsageError, match="No chip"):
            says(profile, around, 1, Stretch(0.0, lasts_s))
    assert set(says(_profile("tmp117", "lis3dh"), around, 1, Stretch(0.0, 0.5))) == {"lis3dh"}
