"""neuro-band: made windows, what its graph makes of them live, its alerts, and pairs after the calibration that a user types."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from thermo_core.graph import series
from thermo_core.graph.plan import plan
from thermo_core.quality import Quality
from thermo_core.signals import Series
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wearable import file, library
from thermo_models.features import moments, network_inputs, signal_over
from thermo_models.metrics import auc
from thermo_models.samples import Samples
from thermo_models.tasks import neuro_band as task
from thermo_models.tasks import neuro_band_bodies as bodies
from thermo_models.tasks import neuro_band_curves as curves
from thermo_models.tasks import neuro_band_unseen

QUIET = curves.World((1e-6, 1e-6), 0.0, False, 0.0, 0.0, False, 0.0, 0.0, False)
PROFILE = task.WEARABLE.profile


def recorded(nodes: NDArray[np.floating[Any]], moving: NDArray[np.bool_] | None = None) -> dict[str, Series]:
    """Sensors over a recording of (n, 8) nodes, a second apart; the wearer sits but where it is moving."""
    count = len(nodes)
    still = np.tile(np.array([0.0, 0.0, 1.0], np.float32), (25 * count, 1))
    if moving is not None:
        shaken = np.repeat(moving, 25)
        still[shaken, 2] += np.random.default_rng(0).normal(0, 0.3, shaken.sum()).astype(np.float32)
    made = moments({"arms": nodes[:, :4].astype(np.float32), "hands": nodes[:, 4:].astype(np.float32)})
    made |= moments({"motion": still}, 40_000)
    return made | moments(
        {"air": np.full(count // 10, 24.0, np.float32), "air.rh": np.full(count // 10, 40.0, np.float32)}, 10_000_000
    )


def over(nodes: NDArray[np.floating[Any]], name: str, moving: NDArray[np.bool_] | None = None) -> Series:
    return signal_over(PROFILE, recorded(nodes, moving), name)


def challenged(windows: curves.Windows, number: int) -> NDArray[np.float32]:
    """A recording whose last window is one of these, with the level before it."""
    before = np.repeat(windows.before[number : number + 1], 260, axis=0)
    water = np.repeat(windows.values[number, :1], 40, axis=0)
    return np.concatenate([before, water, windows.values[number]])


def test_sides_differ_as_is_said_and_nothing_else_tells_them_apart() -> None:
    made = curves.make(4000, 3, QUIET, slowing=1.6, challenged=True)
    alike, right = (made.log_ratio[made.classes == k] for k in (curves.ALIKE, curves.SLOWED_RIGHT))
    assert alike.mean() == pytest.approx(0, abs=0.02)
    assert curves.SIDES_LOG < alike.std() < np.hypot(curves.SIDES_LOG, curves.PARTS_LOG)
    assert right.mean() == pytest.approx(np.log(1.6), abs=0.03)
    assert (made.amplitude_k[made.classes != curves.NO_CHALLENGE] >= curves.LEAST_K).all()


def test_a_window_without_noise_is_the_foster_curve_that_is_told() -> None:
    made = curves.make(40, 4, QUIET, challenged=True)
    for number in np.flatnonzero(made.classes != curves.NO_CHALLENGE)[:10]:
        for hand in range(2):
            # Air moves all nodes alike.
            hand_less_finger = (made.values[number, :, 4 + hand] - made.values[number, :, 6 + hand]).astype(np.float64)
            known = made.tau_s[number, hand][np.isfinite(made.tau_s[number, hand])]
            since = np.arange(curves.ROWS)[:, np.newaxis]
            basis = np.column_stack([np.exp(-since / known), np.ones(curves.ROWS)])
            found = basis @ np.linalg.lstsq(basis, hand_less_finger, rcond=None)[0]
            np.testing.assert_allclose(found, hand_less_finger, rtol=0, atol=2e-5)


def test_simulated_people_recover_as_their_truth_says() -> None:
    made = bodies.make(12, 77, 0.0, 1.6)
    ratio, known = task.fitted_of(made.values)
    assert known.sum() >= 8
    assert np.corrcoef(ratio[known], made.log_ratio[known])[0, 1] > 0.4
    assert (np.sign(made.log_ratio[2::3]) > 0).all()


def test_what_the_graph_makes_live_is_what_training_saw() -> None:
    made = curves.make(6, 5, curves.JUDGED, slowing=1.6, challenged=True)
    for number in range(3):
        nodes = challenged(made, number)
        seen = over(nodes, "seen").values[-1]
        expected = task.seen_of(made.values[number : number + 1], made.before[number : number + 1])[0]
        np.testing.assert_allclose(seen[:264], expected[:264], rtol=0, atol=0)
        np.testing.assert_allclose(seen[264:272], expected[264:272], rtol=0, atol=1e-4)
        # A fit of many steps, from a level before that differs in its last bits.
        np.testing.assert_allclose(seen[272:], expected[272:], rtol=0, atol=5e-3)


def test_exchanged_sides_are_seen_as_exchanged() -> None:
    made = curves.make(4, 6, curves.JUDGED, slowing=1.6, challenged=True)
    places = np.arange(curves.NODES).reshape(-1, 2)[:, ::-1].ravel()
    other = task.seen_of(made.values[..., places], made.before[:, places])
    found = task.exchanged(task.seen_of(made.values, made.before))
    np.testing.assert_array_equal(found[:, :272], other[:, :272])
    np.testing.assert_allclose(found[:, 272:], other[:, 272:], rtol=0, atol=5e-3)


def test_the_shipped_network_tells_a_slowed_hand_better_than_one_exponential_on_hands_of_no_side() -> None:
    network = Int8Network((library.resolve("neuro-band").parent / "model.tflite").read_bytes())
    shipped = file.read(library.resolve("neuro-band")).profile
    stages = tuple(stage for stage in shipped.stages if stage.gives in ("standard", "known"))
    made = curves.make(400, 77_000_001, curves.JUDGED, slowing=1.6, challenged=True)
    said = network.predict([network_inputs(stages, task.seen_of(made.values, made.before))])
    of = made.classes != curves.NO_CHALLENGE
    slowed = made.classes[of] >= curves.SLOWED_LEFT
    own, other = auc(task.slowed_score(said)[of], slowed), auc(np.abs(task.fitted_of(made.values)[0])[of], slowed)
    assert own > other + 0.03
    rest = curves.make(200, 77_000_002, replace(curves.JUDGED, amplitude_k=(0.0, 1e-3)))
    quiet = network.predict([network_inputs(stages, task.seen_of(rest.values, rest.before))])
    assert (quiet.argmax(1) == curves.NO_CHALLENGE).mean() > 0.9


def test_what_no_recovery_of_two_hands_fits_is_flagged_and_hands_after_water_are_not() -> None:
    path = library.resolve("neuro-band")
    whole, networks = (
        plan(file.read(path).profile),
        {"recovery": Int8Network((path.parent / "model.tflite").read_bytes())},
    )

    def flagged(nodes: NDArray[np.floating[Any]]) -> bool:
        return bool(series.run(whole, recorded(nodes), networks)["told"].flags[-1] & Quality.OUT_OF_DOMAIN)

    made = curves.make(4, 8, curves.CALM, slowing=1.6, challenged=True)
    assert not any(flagged(challenged(made, number)) for number in range(4))
    rng, t = np.random.default_rng(9), np.arange(900.0)
    still = 33.0 + rng.normal(0, 0.02, (900, 8))
    assert not flagged(still)
    assert flagged(still + 4 * np.cos(2 * np.pi * t[:, np.newaxis] / rng.uniform(100, 300, 8)))
    assert flagged(still + 6 * (t[:, np.newaxis] < rng.uniform(400, 800, 8)))


def test_windows_that_are_no_hands_are_of_every_kind_and_the_same_each_time() -> None:
    found = neuro_band_unseen.windows(30)
    assert len(found) == 8
    for values, before in found.values():
        assert values.shape == (30, curves.ROWS, curves.NODES) and before.shape == (30, curves.NODES)
        assert np.isfinite(values).all() and np.isfinite(before).all()
    again = neuro_band_unseen.windows(30)
    assert all((again[name][0] == values).all() for name, (values, _) in found.items())


def test_warmth_of_one_side_alerts_after_ten_minutes_and_neither_motion_nor_a_moved_node_does() -> None:
    rng = np.random.default_rng(2)
    level = np.array([32.5, 32.4, 31.0, 31.1, 33.0, 33.1, 32.0, 31.9])
    nodes = level + rng.normal(0, 0.01, (3600, 8))
    nodes[1200:, 0::2] += 1.4 * (1 - np.exp(-np.arange(2400) / 200.0))[:, None]
    apart = over(nodes, "asymmetry")
    minutes = apart.times_us / 60e6
    assert np.abs(apart.values[minutes < 20, 0]).max() < 0.2
    assert apart.values[-1] == pytest.approx([1.4, -1.4], abs=0.1)
    lifted = level + rng.normal(0, 0.01, (1200, 8))
    lifted[600:, 6] -= 3.0
    firm = over(lifted, "pairs").values
    assert np.isnan(firm).any() or np.abs(firm[:9]).max() < 0.3


def test_a_curve_is_told_with_its_time_constants_and_none_where_there_is_none() -> None:
    t = np.arange(600.0)
    curve = np.stack([33 - 8 * np.exp(-t / (80 if node % 2 == 0 else 130)) for node in range(8)], axis=1)
    curve += np.random.default_rng(3).normal(0, 0.01, curve.shape)
    for side, tau in (("left", 80), ("right", 130)):
        assert over(curve, f"{side}-tau").values.ravel()[-1] == pytest.approx(tau, rel=0.01)
        still = 33.0 + np.random.default_rng(4).normal(0, 0.01, (600, 8))
        assert np.isnan(over(still, f"{side}-tau").values).all()


def test_figures_of_a_perfect_and_a_blind_network() -> None:
    groups = np.repeat(np.arange(1, 6), 30)
    truth = np.tile(np.arange(1, 4), 50).astype(np.int64)
    ratio = np.where(truth == curves.ALIKE, 0.0, np.where(truth == curves.SLOWED_LEFT, -0.47, 0.47))
    samples = Samples(
        np.zeros((150, 1), np.float32), truth, np.arange(150), groups, {"log_ratio": ratio, "paired": ratio}
    )
    perfect = task.NeuroBand().metrics(samples, np.eye(4, dtype=np.float32)[truth], task.NeuroBand.settings)
    assert perfect["auc_steps"] == perfect["ceiling_steps"] == perfect["right_side_named"] == 1.0
    assert perfect["alike_called_slowed"] == 0.0
    blind = task.NeuroBand().metrics(samples, np.full((150, 4), 0.25, np.float32), task.NeuroBand.settings)
    assert blind["auc_steps"] == pytest.approx(0.5)
