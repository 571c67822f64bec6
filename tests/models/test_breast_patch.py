"""The breast-patch task: its data, its figures, and the model that is committed."""

import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from thermo_core import image
from thermo_core.bundle import Bundle
from thermo_core.contract import InputContract
from thermo_core.profile import NOTICE
from thermo_models.metrics import auc, threshold_at_specificity
from thermo_models.tasks import breast_patch
from thermo_quantize.reference import Reference
from thermo_sim.keys import DEVELOPMENT_PUBLIC_KEY

ARTIFACT = Path(breast_patch.__file__).parents[1] / "artifacts" / "breast-patch"
UNSEEN = 900_000
"""First seed of sensors that are in no split."""
VALIDATION = breast_patch.FIRST_SEED["validation"]


def test_auc_is_the_share_of_pairs_in_the_right_order() -> None:
    rng = np.random.default_rng(1)
    scores = rng.integers(0, 12, 80).astype(float)
    positive = rng.random(80) < 0.4
    pairs = [(p > n) + 0.5 * (p == n) for p in scores[positive] for n in scores[~positive]]
    assert auc(scores, positive) == pytest.approx(np.mean(pairs))


def test_the_threshold_leaves_the_wanted_share_of_negatives_below() -> None:
    rng = np.random.default_rng(2)
    scores, positive = rng.random(4000), rng.random(4000) < 0.5
    threshold = threshold_at_specificity(scores, positive, 0.95)
    assert np.mean(scores[~positive] <= threshold) == pytest.approx(0.95, abs=2e-3)


def test_splits_share_no_sensor() -> None:
    starts = sorted(breast_patch.FIRST_SEED.items(), key=lambda item: item[1])
    for (split, first), (_, following) in itertools.pairwise(starts):
        assert first + breast_patch.FULL[split].sensors <= following


def test_the_same_arguments_give_the_same_samples() -> None:
    size = breast_patch.Size(sensors=1, bodies=2)
    first, second = breast_patch.make(VALIDATION, size), breast_patch.make(VALIDATION, size)
    np.testing.assert_array_equal(first.features, second.features)
    np.testing.assert_array_equal(first.contrast_k, second.contrast_k)


def test_a_strong_lesion_raises_the_features_where_it_is() -> None:
    samples = breast_patch.make(VALIDATION, breast_patch.Size(sensors=2, bodies=40))
    strong = samples.contrast_k > 1.5
    healthy = samples.labels == 0
    assert strong.sum() >= 3
    assert (
        samples.features[strong].max(axis=(1, 2, 3)).mean() > samples.features[healthy].max(axis=(1, 2, 3)).mean() + 0.5
    )


def test_the_committed_model_finds_clear_lesions_it_never_saw() -> None:
    reference = Reference((ARTIFACT / "model.tflite").read_bytes())
    assert max(breast_patch.FIRST_SEED.values()) + max(size.sensors for size in breast_patch.FULL.values()) < UNSEEN
    samples = breast_patch.make(UNSEEN, breast_patch.Size(sensors=3, bodies=60))
    scores = reference.scores(samples.features)[:, 1]
    clear = (samples.labels == 0) | (samples.contrast_k >= 1.2)
    assert auc(scores[clear].astype(float), samples.labels[clear] == 1) > 0.9


def test_bundle_card_and_figures_belong_to_the_committed_model() -> None:
    bundle = Bundle.from_payload(
        image.verify(
            (ARTIFACT / "bundle.img").read_bytes(), [image.load_public_key(DEVELOPMENT_PUBLIC_KEY.read_bytes())]
        ).payload
    )
    model = (ARTIFACT / "model.tflite").read_bytes()
    metrics = json.loads((ARTIFACT / "metrics.json").read_text())
    card = (ARTIFACT / "CARD.md").read_text()
    assert bundle.model == model and bundle.card == card
    assert metrics["bytes"] == len(model)
    assert bundle.input == Reference(model).input == InputContract.from_dict(bundle.input.to_dict())
    assert bundle.profile == breast_patch.profile(metrics["threshold"])
    assert f"{metrics['int8']['test_auc']:.4f}" in card and NOTICE in card


def test_training_goes_from_nothing_to_files_of_a_bundle(tmp_path: Path) -> None:
    command = [Path(sys.executable).parent / "thermo-models", "train", "breast-patch", "--quick", "--out", tmp_path]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert {path.name for path in tmp_path.iterdir()} >= {"model.tflite", "contract.json", "profile.json", "CARD.md"}
    printed = json.loads(run.stdout)
    assert printed == json.loads((tmp_path / "metrics.json").read_text())
    assert Reference((tmp_path / "model.tflite").read_bytes()).input.shape == (24, 32, 1)


def test_an_unknown_task_is_refused_in_a_sentence(tmp_path: Path) -> None:
    command = [Path(sys.executable).parent / "thermo-models", "train", "brest-patch", "--out", tmp_path / "x"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "brest-patch" in run.stderr and "Traceback" not in run.stderr
