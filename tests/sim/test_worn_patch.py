"""A patch that is worn for weeks: its skins, what changes, lumps that grow, and what happens to it."""

import numpy as np
import pytest

from thermo_core.errors import UsageError
from thermo_sim.bioheat import Tissue, Tumour, surface_rise
from thermo_sim.disturbances import KINDS, Disturbance, Disturbed, Event
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.laboratory import laboratory_commands
from thermo_sim.scenes import WHOLE, Still
from thermo_sim.skins import SKINS, WANDERS
from thermo_sim.worn_patch import DAY_S, HARSH, HOUR_S, MILD, Days, Habits, Lump, WornPatch, rise_of

CALM = Habits(vessels=0.0, shift_px=0.0, turn_deg=0.0, wander_k=0.0, room_k=0.0, tilt_k=0.0)


@pytest.mark.parametrize("name", SKINS)
def test_skin_is_uneven_by_some_tenths_and_vessels_warm_it(name: str) -> None:
    for seed in range(12):
        skin = SKINS[name](seed)
        count = len(skin.vessels)
        bare = skin.seen(WHOLE, 1.0, np.zeros(count), np.zeros(WANDERS))
        whole = skin.seen(WHOLE, 1.0, np.ones(count), np.zeros(WANDERS))
        assert 0.1 < bare.std() < 1.0
        assert (whole - bare).min() >= -1e-9 and 0.1 < (whole - bare).max() < 2.5
        assert np.array_equal(SKINS[name](seed).field, skin.field)


@pytest.mark.parametrize("name", SKINS)
def test_a_life_without_change_is_one_picture_and_a_harsh_one_changes_more_than_a_mild_one(name: str) -> None:
    def unrest(habits: Habits) -> float:
        found = []
        for seed in range(4):
            scene = WornPatch(Days(seed, name, habits))
            seen = np.stack([scene.celsius(hour * HOUR_S) for hour in range(0, 96, 7)])
            seen -= np.median(seen, axis=(1, 2), keepdims=True)
            found.append((seen - seen.mean(0)).std())
        return float(np.mean(found))

    assert unrest(CALM) < 1e-12
    assert 0.03 < unrest(MILD) < unrest(HARSH) < 0.5


def test_shifts_stay_within_what_is_said_and_are_those_of_a_day() -> None:
    days = Days(3, "branches", HARSH)
    shifts = np.array([days.at(day * DAY_S + 100).shift for day in range(60)])
    assert np.abs(shifts).max() <= HARSH.shift_px and np.abs(shifts).max() > 0.8 * HARSH.shift_px
    assert days.at(5 * DAY_S).shift == days.at(5.9 * DAY_S).shift != days.at(6 * DAY_S).shift
    vessels = np.array([days.at(hour * HOUR_S).vessels for hour in range(0, 2000, 3)])
    assert vessels.std(0).mean() == pytest.approx(HARSH.vessels, rel=0.2)


def test_a_lump_grows_to_what_pennes_equation_says_of_it() -> None:
    lump = Lump(12.0, 16.0, Tumour(depth_mm=9.0, radius_mm=6.0), from_s=5 * DAY_S, grows_s=20 * DAY_S)
    full = surface_rise(lump.tumour, Tissue(), np.zeros(1))[0]
    tops = [rise_of(lump, WHOLE, day * DAY_S)[12, 16] for day in range(41)]
    assert tops[:6] == [0.0] * 6 and tops[25:] == pytest.approx([full] * 16, rel=1e-3)
    assert (np.diff(tops) >= -1e-9).all()
    seen = WornPatch(Days(1, "ridges", CALM), lump).celsius(30 * DAY_S) - WornPatch(Days(1, "ridges", CALM)).celsius(0)
    assert seen == pytest.approx(rise_of(lump, WHOLE), abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_what_happens_comes_and_goes(kind: str) -> None:
    event = Event(Disturbance(kind, from_s=100.0, seed=4))
    end = 100.0 + event.lasts_s
    assert event.share(99.9) == 0.0 and event.share(end) > 0.5
    assert event.share(end + 20 * KINDS[kind].falls_s) < 1e-6
    rise = event.rise(WHOLE)
    assert np.isfinite(rise).all() and 0.2 < np.ptp(rise) < 12
    assert not np.array_equal(rise, Event(Disturbance(kind, seed=5)).rise(WHOLE))
    assert Event(Disturbance(kind, strength=2.0, seed=4)).rise(WHOLE) == pytest.approx(2 * rise)
    scene = Disturbed(Still(np.full((24, 32), 33.0)), Disturbance(kind, from_s=100.0, seed=4))
    assert (scene.celsius(50.0) == 33.0).all()
    assert scene.celsius(end) - 33.0 == pytest.approx(event.share(end) * rise)


def test_an_unknown_event_is_refused_with_the_list() -> None:
    with pytest.raises(UsageError, match="cold-fingers"):
        Event(Disturbance("earthquake"))


def test_a_laboratory_presses_cold_fingers_on_a_patch_and_takes_them_away() -> None:
    hardware = SimulatedHardware.from_profile()
    commands = laboratory_commands(hardware, lambda seconds: None, dict)
    before = hardware.scene.celsius(hardware.clock.now_us() / 1e6)
    assert "cold fingers" in commands["disturb"]({"kind": "cold-fingers", "seconds": 30})["about"]
    hardware.clock.sleep_until_us(hardware.clock.now_us() + 30_000_000)
    assert (hardware.scene.celsius(hardware.clock.now_us() / 1e6) - before).min() < -0.5
    commands["scene"]({})
    assert np.array_equal(hardware.scene.celsius(hardware.clock.now_us() / 1e6), before)
    with pytest.raises(UsageError, match="lifted-edge"):
        commands["disturb"]({"kind": "earthquake"})
