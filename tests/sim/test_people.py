"""People: a body by its script, what befalls it, and that what is asked is one and the same whenever it is asked."""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from examples import few
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_sim.people import AREA, SEGMENTS, Person, Truth, course, happening, motion, parse_happenings, pulse_wave
from thermo_sim.people.activities import ACTIVITIES, NAMES
from thermo_sim.people.happenings import EFFECTS, Happening
from thermo_sim.people.places import SITES, place
from thermo_sim.people.relaxation import Relaxation, Ripple, share
from thermo_sim.people.scripts import SCRIPTS
from thermo_sim.people.table import MIRROR, OUTFITS

SOMEBODY = Person.drawn(11)
MINUTES = np.arange(0.0, 90 * 60, 60.0)
ARRAYS = [one.name for one in fields(Truth) if one.name != "course"]


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_course_is_a_person_and_stays_one(script: str) -> None:
    went = course(script, 5, SOMEBODY)
    truth = went.at(np.arange(0, went.hours * 3600, 300.0))
    assert np.isfinite(np.concatenate([np.ravel(getattr(truth, name)) for name in ARRAYS])).all()
    assert ((truth.core_celsius > 35.8) & (truth.core_celsius < 41)).all()
    assert ((truth.heart_bpm > 35) & (truth.heart_bpm < 210)).all()
    assert (truth.skin_celsius < truth.core_celsius[:, np.newaxis] + 1.5).all()
    assert ((truth.mean_skin_celsius > 24) & (truth.mean_skin_celsius < 38)).all()
    for name in ("humidity", "microclimate_humidity"):
        assert ((getattr(truth, name) >= 0) & (getattr(truth, name) <= 100)).all()
    air = truth.air_celsius[:, np.newaxis]
    low, high = np.minimum(air, truth.skin_celsius), np.maximum(air, truth.skin_celsius)
    assert ((truth.microclimate_celsius >= low - 1e-9) & (truth.microclimate_celsius <= high + 1e-9)).all()


@settings(max_examples=12, deadline=None)
@given(
    st.sampled_from(sorted(set(SCRIPTS) - {"day"})),
    st.integers(0, 999),
    st.lists(st.floats(-3600, 2e5), min_size=1, max_size=8),
)
def test_what_is_true_at_a_time_depends_on_nothing_but_the_time(script: str, seed: int, times: list[float]) -> None:
    went = course(script, seed, SOMEBODY)
    together = went.at(times)
    for place_, time_s in enumerate(times):
        alone = course(script, seed, SOMEBODY).at([time_s])
        for name in ARRAYS:
            np.testing.assert_allclose(getattr(together, name)[place_], getattr(alone, name)[0], atol=1e-9)


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(sorted(EFFECTS)), st.floats(600, 4000), st.integers(0, 99))
def test_nothing_that_happens_reaches_back(kind: str, start_s: float, seed: int) -> None:
    before = course("workout", seed, SOMEBODY)
    after = before.with_happenings([happening(kind, start_s)])
    times = np.linspace(0, start_s - 1e-3, 7)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(before.at(times), name), getattr(after.at(times), name))
    for felt in ("Chest", "LHand"):
        np.testing.assert_array_equal(before.felt(felt, times), after.felt(felt, times))


@pytest.mark.parametrize("script", ["day", "workout", "outdoors"])
def test_nothing_of_a_body_jumps(script: str) -> None:
    """A step of a third of a kelvin in a second is a node that lifts, and must be nothing else."""
    went = course(script, 3, SOMEBODY)
    changes = [spell.start_s for spell in went.spells if spell.start_s >= 1]
    times = np.unique(np.concatenate([np.array(changes) + offset for offset in (-1.0, -1e-6, 1e-6, 1.0)]))
    truth = went.at(times)
    seconds = np.maximum(np.diff(times), 1e-3)
    near = np.diff(times) < 2.1
    for name, most in (
        ("skin_celsius", 0.15),
        ("core_celsius", 0.01),
        ("heart_bpm", 4.0),
        ("microclimate_celsius", 0.3),
    ):
        steps = np.abs(np.diff(getattr(truth, name), axis=0))
        steps = steps.reshape(len(steps), -1).max(axis=1)
        assert (steps[near] < most * np.maximum(seconds[near], 1)).all(), name
        # At the very change, within microseconds, nothing moves at all.
        assert steps[seconds < 0.01].max() < 0.01, name


def test_people_of_other_seeds_share_nothing_and_one_seed_is_one_person() -> None:
    people = [Person.drawn(seed) for seed in range(200)]
    assert Person.drawn(7) == people[7]
    for name in ("resting_bpm", "side_log", "light_na", "skin_k", "height_m", "recovery_s"):
        assert len({getattr(one, name) for one in people}) > 150
    assert {one.sex for one in people} == {"female", "male"}
    sides = np.array([[one.skin_k[SEGMENTS.index("LFoot")] - one.skin_k[SEGMENTS.index("RFoot")]] for one in people])
    # Uematsu 1988: |left - right| of feet 0.38 +- 0.31 K, which a normal distribution of 0.38 to 0.5 K has.
    assert 0.28 < np.std(sides) < 0.5
    assert 0.09 < np.std([one.side_log for one in people]) < 0.15


def test_two_people_or_two_seeds_have_other_courses() -> None:
    one, person, seed = (
        course("workout", *of).at(MINUTES) for of in ((1, SOMEBODY), (1, Person.drawn(12)), (2, SOMEBODY))
    )
    for other in (person, seed):
        assert np.abs(one.skin_celsius - other.skin_celsius).max() > 0.2
        assert np.abs(one.heart_bpm - other.heart_bpm).max() > 2


def test_the_heart_follows_work_and_recovers() -> None:
    went = course("workout", 3, SOMEBODY)
    truth = went.at(np.arange(0, 5400, 10.0))
    hard = np.isin(truth.activity, [NAMES.index("run"), NAMES.index("sprint")])
    rest = truth.times_s < 600
    assert truth.heart_bpm[hard].mean() > truth.heart_bpm[rest].mean() + 35
    assert abs(truth.heart_bpm[rest].mean() - SOMEBODY.resting_bpm) < 8
    assert truth.heart_bpm[-1] < truth.heart_bpm[hard].max() - 30
    assert truth.core_celsius[-60] > truth.core_celsius[0] + 0.2


def test_beats_are_the_heart_rate_and_strides_the_cadence() -> None:
    went = course("workout", 3, SOMEBODY)
    times = np.arange(0, 5400, 1.0)
    truth = went.at(times)
    np.testing.assert_allclose(np.diff(truth.beats) * 60, truth.heart_bpm[:-1], rtol=0.02)
    inside = np.diff(truth.activity) == 0
    np.testing.assert_allclose(np.diff(truth.strides)[inside], truth.steps_hz[1:][inside], atol=1e-6)


def test_nights_and_days_are_told_by_the_hour() -> None:
    went = course("day", 4, SOMEBODY)
    truth = went.at(np.arange(0, 86400, 60.0))
    asleep = truth.activity == NAMES.index("sleep")
    assert 5 < asleep.sum() / 60 < 10
    assert truth.heart_bpm[asleep].mean() < truth.heart_bpm[~asleep].mean() - 5
    assert truth.core_celsius[asleep].mean() < truth.core_celsius[~asleep].mean()
    two = course("day", 4, SOMEBODY, 48.0)
    assert two.spells[-1].start_s > 86400
    assert (two.at([100_000.0]).activity >= 0).all()


@pytest.mark.parametrize("side", ["L", "R"])
def test_recovery_is_the_network_that_is_told(side: str) -> None:
    slow = replace(SOMEBODY, slow_right=1.6, vasomotion_k=(0.0,) * 17)
    went = course("challenge", 8, slow, happenings=[])
    calm = replace(went, happenings=())
    (known,) = went.recoveries
    times = known.end_s + np.arange(0.0, 600.0, 1.0)
    apart = went.felt(f"{side}Hand", times) - calm.felt(f"{side}Hand", times)
    taus = known.left_s if side == "L" else known.right_s
    wanted = known.distance_k * sum(
        part * np.exp(-np.arange(0.0, 600.0) / tau) for part, tau in zip(known.share, taus, strict=True)
    )
    np.testing.assert_allclose(apart, wanted, atol=1e-6)
    assert known.log_ratio == pytest.approx(np.log(1.6) + SOMEBODY.side_log)


def test_a_weak_challenge_and_a_warm_one_are_what_they_are_called() -> None:
    weak, warm = (
        replace(course("rest", 8, SOMEBODY), happenings=(happening("challenge", 100, size=size),)) for size in (1.5, -5)
    )
    assert -2 < weak.recoveries[0].distance_k < -1
    assert warm.recoveries[0].distance_k > 4
    hand = np.array([SEGMENTS.index("LHand")])
    assert warm.skin(np.array([159.0]))[0, hand] > warm.skin(np.array([99.0]))[0, hand] + 3


def _changed(kind: str, script: str = "rest", **given: Any) -> tuple[Truth, Truth]:
    """Without it, and half an hour into it."""
    before = replace(course(script, 6, SOMEBODY), happenings=())
    after = before.with_happenings([happening(kind, 600, 3600, **given)])
    return before.at([2400.0]), after.at([2400.0])


@pytest.mark.parametrize(
    ("kind", "segment", "low", "high"),
    [
        ("lies-on-arm", "LArm", 1.0, 1.3),
        ("warm-cup", "RHand", 3.9, 4.1),
        ("cold-hand", "LHand", -4.1, -3.5),
        ("warm-side", "LArm", 0.6, 0.8),
        ("cool-side", "LArm", -0.7, -0.6),
        ("warm-spot", "Chest", 0.25, 0.34),
        ("shaded-side", "RLeg", -0.55, -0.4),
        ("heated-seat", "Pelvis", 1.9, 2.1),
        ("sun", "Head", 1.9, 2.1),
    ],
)
def test_local_happenings_change_what_they_say(kind: str, segment: str, low: float, high: float) -> None:
    before, after = _changed(kind)
    change = (after.skin_celsius - before.skin_celsius)[0]
    assert low < change[SEGMENTS.index(segment)] < high
    where = EFFECTS[kind].at
    if where in SEGMENTS:
        assert np.count_nonzero(change) <= 2
    if where in ("L", "R"):
        other = [place_ for place_, name in enumerate(SEGMENTS) if name[0] != where or not name[1].isupper()]
        assert not change[other].any()


def test_fever_warms_the_core_and_cools_hands_while_it_rises() -> None:
    before = replace(course("rest", 6, SOMEBODY), happenings=())
    after = before.with_happenings([happening("fever", 600, 20_000, size=2.0)])
    hand = SEGMENTS.index("LHand")
    times = np.array([600.0 + 900, 600 + 15_000, 20_600 + 1800])
    core = after.core(times) - before.core(times)
    hands = (after.skin(times) - before.skin(times))[:, hand]
    assert core[0] < 1
    assert core[1] == pytest.approx(2, abs=0.1)
    assert hands[0] < -0.8
    assert hands[2] > 0.5
    assert (after.heart_bpm(times) - before.heart_bpm(times))[1] > 8


def test_an_opened_jacket_cools_and_closes_again() -> None:
    before = replace(course("outdoors", 6, SOMEBODY), happenings=())
    walk = next(spell for spell in before.spells if spell.activity == "walk")
    after = before.with_happenings([happening("jacket-open", walk.start_s + 600, 600)])
    chest = SEGMENTS.index("Chest")
    times = walk.start_s + np.array([1150.0, 2 * 3600.0])
    change = (after.skin(times) - before.skin(times))[:, chest]
    assert -6 < change[0] < -0.8
    assert abs(change[1]) < 0.35
    assert (after.at(times[:1]).microclimate_celsius < before.at(times[:1]).microclimate_celsius)[0, chest]


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [("sensor-off", "air"), ("node-off", "inside"), ("outside-shirt", "outside"), ("strap-loose", "air")],
)
def test_without_contact_a_sensor_feels_something_else(kind: str, wanted: str) -> None:
    went = replace(course("rest", 6, SOMEBODY), happenings=())
    lost = went.with_happenings([happening(kind, 600, 3600, "nodes/2", 1.0)])
    times, me = np.array([500.0, 2400.0]), frozenset({"nodes/2"})
    skin, air = went.felt("Chest", times), went.air(times)
    inside, _ = went.beside("Chest", times)
    felt = lost.felt("Chest", times, me)
    assert felt[0] == skin[0]
    media = {"air": air, "inside": inside, "outside": air + 0.22 * (skin - air)}
    assert felt[1] == pytest.approx(media[wanted][1], abs=0.01)
    assert air[1] < media["outside"][1] < media["inside"][1] < skin[1]
    assert (lost.felt("Chest", times, frozenset({"nodes/1"})) == skin).all()
    assert lost.contact(times, me).tolist() == pytest.approx([1, 0], abs=1e-6)


def test_wet_cloth_and_sweat_make_a_sensor_read_low_in_damp_air() -> None:
    went = replace(course("rest", 6, SOMEBODY), happenings=())
    times = np.array([3000.0])
    for kind in ("wet-cloth", "sweat-under-band"):
        wet = went.with_happenings([happening(kind, 600, 3600)])
        assert wet.felt("Chest", times) < went.felt("Chest", times) - 0.9
        assert wet.beside("Chest", times)[1] > went.beside("Chest", times)[1] + 10


def test_a_beta_blocker_holds_the_heart_and_stress_drives_it() -> None:
    went = replace(course("workout", 3, SOMEBODY), happenings=())
    held = went.with_happenings([happening("beta-blocker", 0)])
    times = np.array([550.0, 2400.0])
    assert (held.heart_bpm(times) < went.heart_bpm(times) - 5).all()
    stressed = went.with_happenings([happening("stress", 100, 900)])
    assert stressed.heart_bpm(times)[0] > went.heart_bpm(times)[0] + 14
    assert stressed.at(times).metabolic_w[0] == went.at(times).metabolic_w[0]


def test_air_of_a_room_changes_for_all() -> None:
    before, after = _changed("room", size=3.0)
    assert after.air_celsius[0] - before.air_celsius[0] == pytest.approx(3)
    assert after.mean_skin_celsius[0] > before.mean_skin_celsius[0] + 0.2


def _rate_hz(wave: NDArray[Any], hz: float, low: float, high: float) -> float:
    spectrum = np.abs(np.fft.rfft((wave - wave.mean()) * np.hanning(len(wave))))
    rates = np.fft.rfftfreq(len(wave), 1 / hz)
    inside = (rates >= low) & (rates <= high)
    return float(rates[inside][np.argmax(spectrum[inside])])


def test_the_pulse_wave_beats_as_the_heart_and_steps_move_it() -> None:
    went = course("workout", 3, SOMEBODY)
    rest = went.at(np.array([100.0, 160.0]))
    wave = pulse_wave(rest, 25, 1, "green")
    assert 60 * _rate_hz(wave, 25, 0.6, 3.5) == pytest.approx(rest.heart_bpm.mean(), abs=4)
    run = next(spell for spell in went.spells if spell.activity == "run")
    running = went.at(np.array([run.start_s + 60, run.start_s + 120]))
    felt = motion(running, 25, 1)
    along = np.linalg.norm(felt, axis=1)
    assert _rate_hz(along, 25, 1.5, 3.5) == pytest.approx(running.steps_hz[0], abs=0.06)
    assert np.std(along) > 10 * np.std(np.linalg.norm(motion(rest, 25, 1), axis=1))
    loose = went.with_happenings([happening("strap-loose", run.start_s, 600, size=0.8)])
    share = np.std(pulse_wave(running, 25, 1)), np.std(pulse_wave(loose.at(running.times_s), 25, 1))
    assert pulse_wave(loose.at(running.times_s), 25, 1).mean() < 0.4 * pulse_wave(running, 25, 1).mean()
    assert min(share) > 0


def test_waves_are_one_whoever_asks_and_noise_is_seeded() -> None:
    truth = course("rest", 3, SOMEBODY).at([0.0, 30.0])
    np.testing.assert_array_equal(pulse_wave(truth, 25, 1), pulse_wave(truth, 25, 1))
    assert (pulse_wave(truth, 25, 1) != pulse_wave(truth, 25, 2)).any()
    np.testing.assert_allclose(pulse_wave(truth, 25, 1)[::2], pulse_wave(truth, 12.5, 1), rtol=2e-3)
    assert motion(truth, 25.0).shape == (751, 3)


def test_an_irregular_heart_has_other_beats_but_the_same_rate() -> None:
    went = replace(course("rest", 3, replace(SOMEBODY, variability=0.0)), happenings=())
    odd = went.with_happenings([happening("arrhythmia", 0)])
    sharp = []
    for one in (went, odd):
        truth = one.at([60.0, 120.0])
        wave = pulse_wave(truth, 25, 1)
        power = np.square(np.abs(np.fft.rfft((wave - wave.mean()) * np.hanning(len(wave)))))
        rates = np.fft.rfftfreq(len(wave), 1 / 25)
        usual = truth.heart_bpm.mean() / 60
        beating = (rates > 0.55 * usual) & (rates < 1.6 * usual)
        sharp.append(power[np.abs(rates - usual) < 0.06].sum() / power[beating].sum())
    np.testing.assert_array_equal(went.beats(MINUTES), odd.beats(MINUTES))
    assert sharp[1] < 0.7 * sharp[0]


@few(80, of=200)
@given(st.text(max_size=40))
def test_any_text_parses_or_is_refused(text: str) -> None:
    try:
        found = parse_happenings(text)
    except UsageError as error:
        assert "\n" not in str(error)
    else:
        assert all(isinstance(one, Happening) for one in found)


@pytest.mark.parametrize(
    ("specification", "said"),
    [
        ("cup@3", "cup"),
        ("warm-cup", "parse"),
        ("warm-cup@3:size=99", "0 to 12"),
        ("warm-cup@3:size=nan", "nan"),
        ("warm-cup@3:at=Chest", "LHand|RHand"),
        ("warm-cup@3:at=", None),
        ("node-off@60+30:at=nodes/2:size=0.5,sun@0", None),
    ],
)
def test_happenings_are_read_or_refused_by_their_part(specification: str, said: str | None) -> None:
    if said is None:
        assert parse_happenings(specification)
    else:
        with pytest.raises(UsageError, match=said):
            parse_happenings(specification)


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(UsageError, match="workout"):
        course("wrkout", 1)
    with pytest.raises(UsageError, match="hours"):
        course("rest", 1, hours=0)
    with pytest.raises(UsageError, match="LWrist"):
        course("rest", 1).felt("LWrits", MINUTES)
    with pytest.raises(UsageError, match="green"):
        pulse_wave(course("rest", 1).at(MINUTES), 25, led="blue")
    with pytest.raises(UsageError, match="samples"):
        motion(course("rest", 1).at([3.0]), 25)


def test_tables_fit_each_other() -> None:
    assert AREA.sum() == pytest.approx(1)
    assert all(SEGMENTS[MIRROR[place_]][1:] == name[1:] for place_, name in enumerate(SEGMENTS))
    assert all(len(clo) == 17 for clo in OUTFITS.values())
    for site in SITES:
        assert place(site).share.sum() == pytest.approx(1)
    assert {ACTIVITIES[name].kind for name in NAMES} == {"sitting", "aerobic", "sprint"}


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(1, 500), min_size=1, max_size=6),
    st.lists(st.floats(-5, 5), min_size=14, max_size=14),
    st.floats(1, 300),
)
def test_a_relaxation_is_its_differential_equation(gaps: list[float], values: list[float], tau_s: float) -> None:
    starts = np.concatenate([[0.0], np.cumsum(gaps)])
    targets = np.array(values[: 2 * len(starts)]).reshape(len(starts), 2, 1)
    relaxation = Relaxation(starts, targets, np.array([0.0, tau_s]))
    step, state = 0.01 * tau_s, targets[0, 1, 0]
    times = np.arange(0, starts[-1] + 2 * tau_s, step)
    if len(times) > 20_000:
        return
    found = relaxation.at(times)[:, 0]
    for time_s, here in zip(times, found, strict=True):
        piece = np.searchsorted(starts, time_s, side="right") - 1
        assert abs(state + targets[piece, 0, 0] - here) < 0.35
        state += step / tau_s * (targets[piece, 1, 0] - state)


@pytest.mark.parametrize("count", [513, 1000, 4096])
def test_a_ripple_is_the_same_at_even_times_as_at_each_alone(count: int) -> None:
    ripple = Ripple(np.random.default_rng(3), 3, 600.0, 0.12, 12)
    times = 80_000 + np.arange(1, count + 1) / 25
    alone = np.concatenate([ripple.at(times[place : place + 1]) for place in range(count)])
    np.testing.assert_allclose(ripple.at(times), alone, atol=1e-9)
    uneven = times + 0.03 * (np.arange(count) == count // 2)
    other = ripple.at(uneven)
    np.testing.assert_allclose(np.delete(other, count // 2, 0), np.delete(alone, count // 2, 0), atol=1e-9)
    np.testing.assert_allclose(other[[count // 2]], ripple.at(uneven[[count // 2]]), atol=1e-9)
    assert np.abs(other[count // 2] - alone[count // 2]).max() > 1e-3


def test_a_share_comes_and_goes() -> None:
    times = np.array([-1.0, 0.0, 10.0, 1000.0, 1010.0, 5000.0])
    found = share(times, 0.0, 1000.0, 10.0, 10.0)
    np.testing.assert_allclose(found, [0, 0, 1 - np.exp(-1), 1, np.exp(-1), 0], atol=1e-9)
