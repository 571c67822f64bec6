"""The breast-watch task: looks against a wearer's own reference, its figures, its months of alerts, and the model that is committed."""

import json
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs
from typer.testing import CliRunner

from thermo_core import image
from thermo_core.bundle import Bundle
from thermo_core.graph import series
from thermo_core.graph.plan import plan
from thermo_core.quality import Quality
from thermo_core.signals import Series
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wearable.profile import NOTICE
from thermo_device.development_key import DEVELOPMENT_PUBLIC_KEY
from thermo_models import patch_weeks
from thermo_models.application import app
from thermo_models.features import network_inputs, through
from thermo_models.metrics import auc
from thermo_models.patch import Size
from thermo_models.patch_days import FIRST_SEED, LIVES, Said, Watch
from thermo_models.patch_weeks import DISTURBED, LESION, NONE, Looks
from thermo_models.samples import Samples
from thermo_models.tasks import breast_watch
from thermo_sim.disturbances import Disturbance, Disturbed
from thermo_sim.hardware import SimulatedHardware
from thermo_sim.worn import Stretch, says
from thermo_sim.worn_patch import DAY_S, HOUR_S, Days, WornPatch

ARTIFACT = breast_watch.WEARABLE.path.parent
PROFILE = breast_watch.WEARABLE.profile
TASK = breast_watch.BreastWatch()
STAGES = (breast_watch.CENTRE, breast_watch.REFERENCE)
UNSEEN = 900_000
SMALL = {"train": Size(2, 12), "validation": Size(2, 12), "test": Size(2, 12)}


@pytest.fixture(scope="module")
def seen() -> Looks:
    """A mild and a harsh wearer of skin that no network learnt from."""
    return patch_weeks.looks(UNSEEN, Size(2, 30), "branches", STAGES, alone=False)


def test_the_reference_takes_away_what_is_the_wearers_own(seen: Looks) -> None:
    quiet = (seen.what == NONE) & (seen.flags == 0)
    assert quiet.any()
    assert np.nanstd(seen.difference[quiet]) < 0.6 * seen.above[quiet].std()


def test_a_lesion_is_in_the_difference_as_large_as_it_is_in_the_picture(seen: Looks) -> None:
    clear = (seen.what == LESION) & (seen.flags == 0) & (seen.rise.max((1, 2)) > 0.6)
    assert clear.any()
    gains = []
    for difference, rise in zip(seen.difference[clear], seen.rise[clear], strict=True):
        own, known = rise - np.median(rise), np.isfinite(difference)
        gains.append((difference[known] * own[known]).sum() / np.square(own[known]).sum())
    assert np.median(gains) == pytest.approx(1.0, abs=0.3)


def test_the_same_seed_gives_the_same_looks_and_parts_are_given_apart(seen: Looks) -> None:
    again = patch_weeks.looks(UNSEEN, Size(1, 6), "branches", STAGES, alone=False)
    np.testing.assert_array_equal(again.difference, seen.difference[:6])
    apart = patch_weeks.looks(UNSEEN + 1, Size(1, 6), "ridges", STAGES, alone=True)
    assert sorted(set(apart.what.tolist())) == [NONE, LESION, DISTURBED]
    assert apart.rise.max((1, 2)).min() > 0.05 and np.abs(apart.disturbance).max((1, 2)).min() > 0.3


def test_what_is_added_is_in_both_channels() -> None:
    rng = np.random.default_rng(5)
    features = rng.normal(0, 0.3, (4, 24, 32, 4)).astype(np.float32)
    features[..., 1] -= np.median(features[..., 1], axis=(1, 2), keepdims=True)
    features[0, 0, :, 0] = np.nan
    pairs = TASK.prepare(features)
    assert np.median(pairs[..., 1], axis=(1, 2)) == pytest.approx(0, abs=1e-6)
    added = pairs - features[..., :2]
    np.testing.assert_allclose(added[1:, ..., 0], added[1:, ..., 1], atol=1e-6)
    assert np.isnan(pairs[0, 0, :, 0]).all()
    assert (through((breast_watch.SEEN,), pairs)[0, 0, :, 0] == 0).all()


def test_the_graph_makes_of_pictures_what_training_saw() -> None:
    """The wearable's graph over a camera's pictures, with a reference that is ready after a minute, and the trainer's learner."""
    rng = np.random.default_rng(8)
    base = 33 + rng.normal(0, 0.3, (24, 32))
    pictures = (base + rng.normal(0, 0.05, (16 * 60, 24, 32))).astype(np.float32)
    times_us = 125_000 * np.arange(1, len(pictures) + 1)
    soon = structs.replace(breast_watch.REFERENCE, least_s=60.0)
    stages = tuple(soon if stage.gives == soon.gives else stage for stage in PROFILE.stages)
    bare = structs.replace(
        PROFILE, stages=tuple(stage for stage in stages if stage.gives not in ("doubt", "told")), models=(), alerts=()
    )
    zeros = np.zeros(len(pictures), np.uint16), np.zeros(len(pictures), np.bool_)
    sources = {
        signal.name: Series(
            times_us,
            pictures if signal.name == "skin" else np.zeros((len(pictures), *signal.shape), np.float32),
            *zeros,
            series.order_of_blocks(len(pictures)),
        )
        for sensor in PROFILE.sensors
        for signal in sensor.signals
    }
    live = series.run(plan(bare), sources, {})
    calm = live["calm"]
    learner = patch_weeks.Learner(breast_watch.CENTRE, soon, 2.0)
    difference, above, _ = learner.push(calm.times_us / 1e6, calm.values)
    trained = through((breast_watch.SEEN,), np.stack([difference, above], axis=-1))
    np.testing.assert_array_equal(live["seen"].values, trained)
    flags = live["seen"].flags & Quality.UNCALIBRATED
    assert flags[:25].all() and not flags[35:].any()
    assert np.abs(trained[35:, ..., 0]).max() > 0


def test_metrics_are_of_looks_that_are_not_refused() -> None:
    rng = np.random.default_rng(2)
    count = 400
    targets = rng.integers(0, 3, count)
    score = np.where(targets == LESION, 0.6, 0.4) + rng.normal(0, 0.1, count)
    doubt = np.where(targets == DISTURBED, 1.0, 0.0)
    extra = {name: rng.normal(size=count) for name in ("filter", "today", "today_difference")}
    extra |= {
        "contrast_k": np.full(count, 0.7), "depth_mm": np.full(count, 9.0), "kind": np.zeros(count),
        "flags": np.where(np.arange(count) < 40, float(Quality.OUT_OF_DOMAIN), 0.0), "harsh": (np.arange(count) % 2).astype(float),
    }  # fmt: skip
    samples = Samples(np.zeros((count, 1), np.float32), targets, np.arange(count), np.full(count, 2), extra)
    outputs = np.stack([1 - score, score, doubt], axis=1).astype(np.float32)
    figures = TASK.metrics(samples, outputs, TASK.settings)
    of = (targets != DISTURBED) & (np.arange(count) >= 40)
    assert figures["auc_0.6_1_k"] == pytest.approx(auc(score[of], targets[of] == LESION), abs=1e-6)
    assert figures["refused_disturbed"] == 1.0
    assert figures["refused_healthy"] == pytest.approx(
        np.mean((targets == NONE) & (np.arange(count) < 40)) / np.mean(targets == NONE)
    )
    alerted = TASK.alerted(samples, outputs, 0.5)
    assert alerted["above_cold-fingers"] == 0.0 and alerted["specificity"] > 0.6


def said(scores: list[float], trusted: list[bool] | None = None) -> Said:
    count = len(scores)
    times = 8 * DAY_S + 2 * HOUR_S + HOUR_S * np.arange(count)
    return Said(
        times,
        np.array(scores),
        np.ones(count, np.bool_) if trusted is None else np.array(trusted),
        np.full(count, -1),
        np.zeros(count),
    )


def test_means_are_of_the_trusted_looks_so_far_back() -> None:
    scores, trusted = [0.1, 0.9, 0.4, 0.8, 0.2], [True, False, True, True, True]
    for hours, means in (
        (0, scores),
        (1, [0.1, 0.4, 0.6, 0.5]),
        (2, [0.1, 0.25, 0.6, 1.4 / 3]),
        (9, [0.1, 0.25, 1.3 / 3, 0.375]),
    ):
        expected = means if hours else [0.1, 0.4, 0.8, 0.2]
        found, rises = said(scores, trusted).means(hours)
        assert found == pytest.approx(expected) and len(rises) == 4


def test_an_alert_needs_hours_and_doubt_neither_counts_nor_ends_it() -> None:
    watch = Watch(PROFILE, Int8Network((ARTIFACT / "model.tflite").read_bytes()), HOUR_S)
    hours = PROFILE.alerts[0].after.seconds / HOUR_S
    high, low = [0.99] * 5, [0.0]
    assert watch.raised(said(high + low + high), hours=6) == []
    (at,) = watch.raised(said(low + high * 3), hours=6)
    assert at == pytest.approx(8 * DAY_S + 2 * HOUR_S + 7 * HOUR_S)
    assert watch.raised(said(high + low + high, [True] * 5 + [False] + [True] * 5), hours=6)
    assert watch.raised(said([0.99] * 20, [False] * 20), hours=1) == []
    assert hours >= 3


def test_a_week_of_a_wearer_is_lived_and_the_hour_without_the_patch_is_left_out() -> None:
    watch = Watch(PROFILE, Int8Network((ARTIFACT / "model.tflite").read_bytes()), 3 * HOUR_S)
    lived = watch.lived(FIRST_SEED + 500, "branches", LIVES["mild"], 2)
    assert len(lived.scores) == 2 * 7 and (lived.times_s >= patch_weeks.REFERENCE_DAYS * DAY_S).all()
    assert ((lived.scores >= 0) & (lived.scores <= 1)).all() and (lived.rises_k == 0).all()


def test_the_committed_model_tells_lesions_on_skin_of_another_generator(seen: Looks) -> None:
    network = Int8Network((ARTIFACT / "model.tflite").read_bytes())
    pairs = np.stack([seen.difference, seen.above], axis=-1)
    outputs = network.predict([network_inputs((breast_watch.SEEN,), pairs)])
    of = (seen.flags == 0) & ((seen.what == NONE) | ((seen.what == LESION) & (seen.contrast_k >= 0.6)))
    assert auc(outputs[of, 1].astype(float), seen.what[of] == LESION) > 0.9


def test_bundle_card_and_figures_belong_to_the_committed_model() -> None:
    key = image.load_public_key(DEVELOPMENT_PUBLIC_KEY.read_bytes())
    bundle = Bundle.from_payload(image.verify((ARTIFACT / "bundle.img").read_bytes(), [key]).payload)
    model = (ARTIFACT / "model.tflite").read_bytes()
    metrics = json.loads((ARTIFACT / "metrics.json").read_text())
    card = (ARTIFACT / "CARD.md").read_text()
    assert bundle.networks == {"lesion": model} and bundle.card == card and NOTICE in card
    assert metrics["bytes"] == len(model) and f"{len(model):,} bytes" in card
    assert bundle.profile == PROFILE
    assert TASK.threshold_of(bundle.profile.alerts[0].when) == pytest.approx(metrics["alert"]["threshold"], abs=1e-9)
    assert card.splitlines()[4].startswith("**What it cannot see.**") and "0.5 is chance" in card


def test_training_goes_its_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breast_watch, "QUICK", SMALL)
    run, kept = tmp_path / "run", str(tmp_path / "kept.npz")
    words = ["train", "breast-watch", "--quick", "--out", str(run), "--data", kept, "--json"]
    printed = CliRunner().invoke(app, words, catch_exceptions=False)
    metrics = json.loads((run / "metrics.json").read_text())
    assert json.loads(printed.stdout) == metrics
    assert Int8Network((run / "model.tflite").read_bytes()).inputs[0].shape == (24, 32, 2)
    words = [
        "train",
        "breast-watch",
        "--quick",
        "--set",
        "variant=difference-alone",
        "--out",
        str(run),
        "--data",
        kept,
        "--force",
    ]
    CliRunner().invoke(app, words, catch_exceptions=False)
    network = Int8Network((run / "model.tflite").read_bytes())
    rng = np.random.default_rng(1)
    one = rng.normal(0, 1, (1, 24, 32, 2)).astype(np.float32)
    other = one.copy()
    other[..., 1] = rng.normal(0, 1, (1, 24, 32))
    np.testing.assert_array_equal(network.predict([one]), network.predict([other]))


def test_from_the_chips_to_a_flag_a_patch_learns_is_touched_and_recovers() -> None:
    """The simulated camera of the shipped world, with a reference that is ready after a minute; cold fingers press at 100 s."""
    soon = structs.replace(breast_watch.REFERENCE, least_s=60.0)
    profile = structs.replace(
        PROFILE, stages=tuple(soon if stage.gives == soon.gives else stage for stage in PROFILE.stages)
    )
    around = SimulatedHardware.from_profile("breast-watch", seed=2, script="rest").around
    scene = WornPatch(Days(2, "branches"), day=10.0)
    around.set_scene(Disturbed(scene, Disturbance("cold-fingers", from_s=100.0, lasts_s=30.0, seed=1)), 0.0)
    network = Int8Network((ARTIFACT / "model.tflite").read_bytes())
    found = series.run(plan(profile), says(profile, around, 2, Stretch(0.0, 130.0)), {"lesion": network})["told"]
    at_s = found.times_us / 1e6
    flags = found.flags
    learning, ready, touched = at_s < 58, (at_s > 70) & (at_s < 98), (at_s > 110) & (at_s < 130)
    assert (flags[learning] & Quality.UNCALIBRATED).all() and (flags[learning] & Quality.OUT_OF_DOMAIN).all()
    assert not (flags[ready] & (Quality.UNCALIBRATED | Quality.OUT_OF_DOMAIN)).any()
    assert (flags[touched] & Quality.OUT_OF_DOMAIN).all()
    assert found.values[ready, 0].min() > 0.5


def test_a_patch_that_has_slipped_says_so_and_is_no_lesion() -> None:
    network = Int8Network((ARTIFACT / "model.tflite").read_bytes())
    refused, alerting = [], []
    for seed in range(950_000, 950_003):
        rng = np.random.default_rng(seed)
        watched = patch_weeks.Watched(seed, "branches", LIVES["mild"].habits, rng)
        learner = patch_weeks.Learner(*STAGES, 6 * HOUR_S)
        times = np.arange(0, patch_weeks.REFERENCE_DAYS * DAY_S, 6 * HOUR_S)
        learner.push(times, np.stack([watched.look(time_s) for time_s in times]))
        for place, angle in enumerate(rng.uniform(0, 2 * np.pi, 6)):
            time_s = (7.2 + 0.3 * place) * DAY_S
            off = (6 * np.sin(angle), 6 * np.cos(angle))
            difference, above, flags = learner.push([time_s], watched.look(time_s, off=off)[np.newaxis], doubtful=True)
            (said,) = network.predict([network_inputs((breast_watch.SEEN,), np.stack([difference, above], axis=-1))])
            refused.append(bool(flags[0] & Quality.OUT_OF_DOMAIN) or said[2] > breast_watch.TOLD.high)
            alerting.append(not refused[-1] and said[1] >= TASK.threshold_of(PROFILE.alerts[0].when))
    assert np.mean(refused) > 0.6 and not any(alerting)
