"""The breast-patch task: its simulated data, its limits, its figures, and the model that is committed."""

import itertools
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from typer.testing import CliRunner

from thermo_core import image
from thermo_core.bundle import Bundle
from thermo_core.errors import UsageError
from thermo_core.graph.alerts import AlertMachine
from thermo_core.graph.live import LiveGraph
from thermo_core.quality import Quality
from thermo_core.signals import Sample
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wearable.profile import NOTICE
from thermo_device.development_key import DEVELOPMENT_PUBLIC_KEY
from thermo_models import matched, patch
from thermo_models.application import app
from thermo_models.features import network_inputs, through
from thermo_models.metrics import auc, threshold_at_specificity
from thermo_models.patch import Size
from thermo_models.patch_weeks import KIND_NAMES
from thermo_models.tasks import breast_patch, breast_patch_unseen
from thermo_models.tasks.breast_patch_domain import refused
from thermo_quantize.cli import main as thermo_quantize

pytestmark = pytest.mark.lengthy

ARTIFACT = breast_patch.WEARABLE.path.parent
UNSEEN = 900_000
"""First seed of sensors that are in no split."""
SMALL = {"train": Size(2, 20), "validation": Size(1, 8), "test": Size(1, 12)}
TASK = breast_patch.BreastPatch()
PUBLIC_KEY = image.load_public_key(DEVELOPMENT_PUBLIC_KEY.read_bytes())


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
    assert np.mean(scores[~positive] < threshold) == pytest.approx(0.95, abs=2e-3)


@given(
    st.lists(st.integers(0, 256), min_size=4, max_size=60),
    st.lists(st.integers(0, 256), max_size=20),
    st.sampled_from([0.5, 0.9, 0.95, 0.99]),
)
def test_a_threshold_of_scores_of_int8_is_none_of_them(negative: list[int], lesions: list[int], wanted: float) -> None:
    scores = np.array([*negative, *lesions], np.float32) / 256
    positive = np.arange(len(scores)) >= len(negative)
    threshold = threshold_at_specificity(scores, positive, wanted)
    as_in_its_file = np.float32(threshold)
    reached = scores >= as_in_its_file
    assert np.array_equal(reached, scores > as_in_its_file) or reached.all()
    assert np.mean(reached[~positive]) <= 1 - wanted + 1e-9
    lower = scores[scores < as_in_its_file]
    if lower.size:
        assert np.mean(scores[~positive] >= lower.max()) > 1 - wanted


def test_splits_share_no_sensor() -> None:
    for sizes in (breast_patch.FULL, breast_patch.QUICK):
        starts = sorted(breast_patch.FIRST_SEED.items(), key=lambda item: item[1])
        for (split, first), (_, following) in itertools.pairwise(starts):
            assert first + sizes[split].sensors <= following
        assert starts[-1][1] + sizes[starts[-1][0]].sensors < UNSEEN


def test_parts_add_up_to_what_a_device_measures() -> None:
    size = Size(sensors=1, bodies=12)
    parts = patch.parts(UNSEEN, size)
    measured = patch.measure(UNSEEN, size, (1, 64))
    pictures = through((breast_patch.ABOVE,), measured.pictures.reshape(-1, 24, 32)).reshape(measured.pictures.shape)
    whole = (parts.healthy + parts.rise).astype(np.float64)
    whole -= np.median(whole, axis=(1, 2), keepdims=True)
    apart = pictures[:, 1] - whole
    alone = pictures[:, 1] - parts.healthy
    noise = float(np.std(parts.noise.astype(np.float64)))
    assert np.array_equal(parts.rise.any((1, 2)), measured.has_lesion)
    assert np.std(apart) < 1.5 * noise / 8
    assert np.std(pictures[:, 0] - whole) == pytest.approx(noise, rel=0.1)
    assert np.std(alone[measured.has_lesion]) > 2 * np.std(apart[measured.has_lesion])


def test_the_same_arguments_give_the_same_pictures() -> None:
    first, second = (patch.measure(UNSEEN, Size(sensors=1, bodies=2), (1, 4)) for _ in range(2))
    np.testing.assert_array_equal(first.pictures, second.pictures)
    np.testing.assert_array_equal(first.lesions, second.lesions)


def test_matched_filters_do_what_theory_says_of_a_gaussian_background() -> None:
    rng = np.random.default_rng(3)
    variance, contrast, place = 0.25, 0.4, (11.0, 15.0, 2.0)

    def healthy(count: int) -> NDArray[Any]:
        smooth = rng.standard_normal((count, 12, 16)).repeat(2, 1).repeat(2, 2)
        return (0.3 * smooth + 0.1 * rng.standard_normal((count, 24, 32))).astype(np.float32)

    known, noise = healthy(6000), np.full((10, 24, 32), variance**0.5, np.float32)
    filters = matched.MatchedFilters(known, noise, averages=4)
    template = matched.template(*place)
    block = np.kron(np.eye(192), np.ones((4, 4)))
    order = np.arange(768).reshape(12, 2, 16, 2).transpose(0, 2, 1, 3).ravel()
    covariance = np.zeros((768, 768))
    covariance[np.ix_(order, order)] = 0.09 * block
    covariance += (0.01 + variance / 4) * np.eye(768)
    separation = contrast * np.sqrt(template @ np.linalg.solve(covariance, template))
    tested = healthy(3000) + (variance / 4) ** 0.5 * rng.standard_normal((3000, 24, 32))
    has = np.arange(3000) % 2 == 1
    tested[has] += contrast * template.reshape(24, 32)
    told = auc(filters.told(tested, np.tile(place, (3000, 1))), has)
    assert told == pytest.approx(NormalDist().cdf(float(separation) / 2**0.5), abs=0.03)
    assert 0.5 < auc(filters.anywhere(tested), has) < told


def test_kept_samples_are_those_that_are_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breast_patch, "QUICK", SMALL)
    path = tmp_path / "kept.npz"
    made, read, again = (TASK.load(at, TASK.settings, quick=True) for at in (path, path, None))
    assert made.digest == read.digest == again.digest
    np.testing.assert_array_equal(made.features, read.features)
    fold = TASK.folds(made, TASK.settings)[0].checked(made)
    assert len(fold.train) == 40 and len(fold.test) == 12 * len(breast_patch.AVERAGES)

    content = path.read_bytes()
    with np.load(path) as file:
        broken = {name: file[name] for name in file.files}
    broken["healthy"] = broken["healthy"].copy()
    broken["healthy"][0, 3, 4] = np.nan
    for number, bad in enumerate((content[: len(content) // 2], b"", b"no samples")):
        (other := tmp_path / f"bad{number}.npz").write_bytes(bad)
        with pytest.raises(UsageError, match="bad"):
            TASK.load(other, TASK.settings, quick=True)
    np.savez(tmp_path / "nan.npz", **broken)
    with pytest.raises(UsageError, match="finite in healthy"):
        TASK.load(tmp_path / "nan.npz", TASK.settings, quick=True)
    with pytest.raises(UsageError, match="another version or in another size"):
        TASK.load(path, TASK.settings, quick=False)


def test_training_batches_hold_their_lesions_before_other_bodies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breast_patch, "QUICK", SMALL)
    samples = TASK.load(None, TASK.settings, quick=True)
    train = samples.pick(TASK.folds(samples, TASK.settings)[0].train)
    augment = TASK.plan(train, TASK.settings, 0).augment
    assert augment is not None
    lesion = train.features[train.targets == 1][:1].copy()
    lesion[..., 1] *= 20
    batch = augment(np.repeat(lesion, 64, axis=0), np.random.default_rng(0))
    assert batch.shape == (64, 24, 32, 1)
    peaks = {tuple(np.unravel_index(picture.argmax(), (24, 32))) for picture in batch[..., 0]}
    row, column = np.unravel_index(lesion[0, ..., 1].argmax(), (24, 32))
    mirrored = {(r, c) for r in (row, 23 - row) for c in (column, 31 - column)}
    assert all(min(max(abs(p[0] - m[0]), abs(p[1] - m[1])) for m in mirrored) <= 1 for p in peaks)
    assert len(peaks) >= 4
    assert len({round(float(np.median(np.abs(np.diff(picture[..., 0])))), 3) for picture in batch}) > 16


def test_figures_say_how_far_below_the_filters_scores_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breast_patch, "QUICK", SMALL | {"test": Size(2, 40)})
    samples = TASK.load(None, TASK.settings, quick=True)
    test = samples.pick(TASK.folds(samples, TASK.settings)[0].test)
    perfect = np.stack([1.0 - test.targets, test.targets], axis=1).astype(np.float32)
    figures = TASK.metrics(test, perfect, TASK.settings)
    assert figures["auc"] == figures["auc_64"] == 1 and figures["below_filter_anywhere"] <= 0
    assert len(figures["table"]) == len(breast_patch.AVERAGES) * len(breast_patch.CONTRAST_BINS_K)
    blind = TASK.metrics(test, np.zeros_like(perfect), TASK.settings)
    worst = max(row["filter_told"] - 0.5 for row in figures["table"])
    assert blind["auc"] == 0.5 and blind["below_filter_told"] == pytest.approx(worst)
    filtered = TASK.metrics(test, TASK.baseline(test, test, TASK.settings), TASK.settings)
    assert filtered["below_filter_anywhere"] == pytest.approx(0, abs=1e-6)
    charts = TASK.charts({"int8": figures})
    assert set(charts) == set(TASK.chart_files)
    lines = ElementTree.fromstring(charts["limit.svg"]).findall(".//{*}polyline")
    assert len(lines) == 3 * len(breast_patch.AVERAGES)
    assert "nan" not in charts["limit.svg"]


def test_the_committed_model_finds_clear_lesions_it_never_saw() -> None:
    network = Int8Network((ARTIFACT / "model.tflite").read_bytes())
    measured = patch.measure(UNSEEN, Size(sensors=3, bodies=60), (1, breast_patch.PICTURES))
    clear = ~measured.has_lesion | (measured.lesions[:, 3] >= 1.2)
    inputs = network_inputs((breast_patch.ABOVE,), measured.pictures[clear, 1, ..., np.newaxis])
    scores = network.predict([inputs])[:, 1]
    assert auc(scores.astype(float), measured.has_lesion[clear]) > 0.9


def test_what_it_learnt_from_is_not_refused_and_what_it_did_not_is() -> None:
    profile = breast_patch.WEARABLE.profile
    measured = patch.measure(UNSEEN + 10, Size(sensors=4, bodies=60), (breast_patch.PICTURES,))
    pictures = measured.pictures[:, 0]
    assert refused(profile, pictures).mean() < 0.05
    assert refused(profile, pictures + np.float32(9)).all() and refused(profile, pictures - np.float32(9)).all()
    assert refused(profile, 33 + 4 * (pictures - 33)).mean() > 0.9
    strange, names = breast_patch_unseen.looks(20, UNSEEN + 20, strange=KIND_NAMES)
    shares = {name: refused(profile, strange[names == name]).mean() for name in KIND_NAMES}
    assert np.mean(list(shares.values())) > 0.5 and min(shares.values()) > refused(profile, pictures).mean()


@pytest.mark.parametrize("said", ["usual", "uncalibrated", "strange", "cold"])
def test_no_alert_goes_by_what_is_refused(said: str) -> None:
    """A picture with a lesion that is called, and the same one crossed by something hot, cold as a table, or of a sensor without a calibration."""
    wearable = breast_patch.WEARABLE
    measured = patch.measure(UNSEEN + 40, Size(sensors=2, bodies=60), (breast_patch.PICTURES,))
    network = Int8Network(wearable.networks["lesion"].read_bytes())
    scores = network.predict([network_inputs((breast_patch.ABOVE,), measured.pictures[:, 0, ..., np.newaxis])])[:, 1]
    picture = measured.pictures[np.argmax(scores), 0].copy()
    if said == "strange":
        picture[:, :6] += 8
    if said == "cold":
        picture -= 9
    flags = int(Quality.UNCALIBRATED) if said == "uncalibrated" else 0
    plan = wearable.plan()
    graph, alert = LiveGraph(plan, {"lesion": network}), AlertMachine(plan.alerts[0], 0)
    findings = changes = 0
    for number in range(12 * breast_patch.PICTURES):
        for made in graph.push([{"skin": Sample(62_500 * number, picture, flags)}]):
            if (told := made.get("told")) is not None:
                findings += 1
                assert bool(told.flags & Quality.OUT_OF_DOMAIN) == (said != "usual")
                assert told.values.tobytes() == made["lesion.raw"].values.tobytes(), "what it is worth goes by the flag"
                changes += alert.push(float(told.values[1]), told.flags, told.time_us) is not None
    assert findings == 11 * breast_patch.PICTURES + 1 and (changes > 0) == (said == "usual")


def test_bundle_card_and_figures_belong_to_the_committed_model() -> None:
    bundle = Bundle.from_payload(image.verify((ARTIFACT / "bundle.img").read_bytes(), [PUBLIC_KEY]).payload)
    model = (ARTIFACT / "model.tflite").read_bytes()
    metrics = json.loads((ARTIFACT / "metrics.json").read_text())
    card = (ARTIFACT / "CARD.md").read_text()
    assert bundle.networks == {"lesion": model} and bundle.card == card and NOTICE in card
    assert metrics["bytes"] == len(model) and f"{len(model):,} bytes" in card
    assert bundle.profile == breast_patch.WEARABLE.profile
    assert TASK.threshold_of(bundle.profile.alerts[0].when) == pytest.approx(metrics["alert"]["threshold"], abs=1e-9)


def test_training_goes_from_nothing_to_a_signed_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(breast_patch, "QUICK", SMALL)
    monkeypatch.setattr(breast_patch, "SCALED_ON", 4)
    run, kept, shipped = tmp_path / "run", str(tmp_path / "kept.npz"), tmp_path / "shipped"
    words = ["train", "breast-patch", "--quick", "--out", str(run), "--data", kept, "--seed", "4", "--json"]
    printed = CliRunner().invoke(app, words, catch_exceptions=False)
    metrics = json.loads((run / "metrics.json").read_text())
    assert json.loads(printed.stdout) == metrics and metrics["seed"] == 4
    model = run / "model.tflite"
    assert Int8Network(model.read_bytes()).inputs[0].shape == (24, 32, 1)

    words = ["evaluate", "breast-patch", str(model), "--quick", "--data", kept, "--json"]
    measured = json.loads(CliRunner().invoke(app, words, catch_exceptions=False).stdout)
    assert measured["int8"]["auc"] == metrics["int8"]["auc"] and not measured["seen_in_training"]

    CliRunner().invoke(app, ["export", str(run), str(shipped)], catch_exceptions=False)
    assert {path.name for path in shipped.iterdir()} >= {"wearable.toml", "training.json", "limit.svg", "CARD.md"}
    words = ["remeasure", "breast-patch", str(shipped), "--data", kept, "--json"]
    (shipped / "CARD.md").write_text("an old card")
    again = json.loads(CliRunner().invoke(app, words, catch_exceptions=False).stdout)
    assert again["int8"] == metrics["int8"] and again["alert"] == metrics["alert"]
    assert json.loads((shipped / "metrics.json").read_text()) == again and again["float"] == metrics["float"]
    low, high = again["intervals"]["int8"]["auc"]
    assert low <= again["int8"]["auc"] <= high and f"{low:.4g} to {high:.4g}" in (shipped / "CARD.md").read_text()

    key = DEVELOPMENT_PUBLIC_KEY.with_name("development_ed25519.pem")
    with pytest.raises(SystemExit) as ended:
        words = ["--key", str(key), "--version", "1.0.0", "--out", str(tmp_path / "bundle.img")]
        thermo_quantize(["sign", "--wearable", str(shipped), *words])
    assert not ended.value.code
    bundle = Bundle.from_payload(image.verify((tmp_path / "bundle.img").read_bytes(), [PUBLIC_KEY]).payload)
    assert bundle.networks == {"lesion": model.read_bytes()}
    assert TASK.threshold_of(bundle.profile.alerts[0].when) == pytest.approx(metrics["alert"]["threshold"], abs=1e-7)
    shipped_profile = breast_patch.WEARABLE.profile
    assert bundle.profile.sensors == shipped_profile.sensors
    for stage, as_shipped in zip(bundle.profile.stages, shipped_profile.stages, strict=True):
        learnt = stage.gives.endswith(("-standard", "-known"))
        assert (stage.op, stage.gives) == (as_shipped.op, as_shipped.gives) and (stage == as_shipped) != learnt
