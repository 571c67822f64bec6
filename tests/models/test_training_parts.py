"""Samples, splits, scaling, settings, augmentation and figures of merit, against what can be worked out by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_core.stages.average import Average
from thermo_core.stages.select import Select
from thermo_models.augment import Augmentation
from thermo_models.features import network_inputs, standardise, through
from thermo_models.fit import Curves, class_weights
from thermo_models.metrics import auc_matched, f1, rmse
from thermo_models.plot import curves_svg
from thermo_models.random_features import Hidden, Posterior, Prior, Solved
from thermo_models.samples import Fold, Samples, people_folds
from thermo_models.settings import Settings, read


def _samples(people: NDArray[Any]) -> Samples:
    features = np.arange(len(people), dtype=np.float32).reshape(-1, 1, 1, 1)
    return Samples(features, people % 2, people, people // 10)


@given(st.integers(3, 40), st.integers(2, 8), st.integers(0, 99), st.booleans())
def test_every_person_is_tested_once_and_never_on_two_sides(
    count: int, folds: int, seed: int, validation: bool
) -> None:
    people = np.random.default_rng(seed).permutation(np.repeat(np.arange(count), 3))
    if count < folds:
        with pytest.raises(UsageError):
            list(people_folds(people, folds, seed, validation))
        return
    tested: list[int] = []
    for fold in people_folds(people, folds, seed, validation):
        sides = [set(people[side].tolist()) for side in (fold.train, fold.validation, fold.test)]
        assert not (sides[0] & sides[1] or sides[0] & sides[2])
        if folds > 1 and sides[0]:
            fold.checked(_samples(people))
        tested += sides[2]
    assert sorted(tested) == list(range(count))


def test_a_person_on_two_sides_is_refused() -> None:
    nobody = np.zeros(0, np.int64)
    with pytest.raises(UsageError, match="two sides"):
        Fold("x", np.array([0, 1]), nobody, np.array([2])).checked(_samples(np.array([1, 2, 2])))


def test_groups_are_chosen_and_unknown_ones_refused() -> None:
    samples = _samples(np.array([1, 11, 12, 21]))
    assert samples.of_groups((1,)).people.tolist() == [11, 12]
    with pytest.raises(UsageError, match="group 7"):
        samples.of_groups((1, 7))


def test_features_are_standardised_and_gaps_filled() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(5, 3, (500, 4)).astype(np.float32)
    features[::7, 2] = np.nan
    stages = (standardise(features, 4.0, "facts", "standard"),)
    scaled = through(stages, features)
    assert np.allclose(
        np.where(np.isnan(features), np.nan, scaled)[:, 2][~np.isnan(features[:, 2])].std(), 1, atol=0.02
    )
    assert (scaled[::7, 2] == 0).all()
    assert through(stages, np.full((1, 4), 1e9, np.float32)).max() == 4
    assert network_inputs(stages, features).shape == (500, 1, 1, 4)
    features[:, 1] = np.nan
    with pytest.raises(UsageError, match="missing in every training sample"):
        standardise(features, 4.0, "facts", "standard")


def test_a_stage_that_looks_back_or_does_not_fit_is_refused() -> None:
    values = np.zeros((5, 4), np.float32)
    with pytest.raises(UsageError, match='"calm" \\(average\\) needs a recording'):
        through((Average(of="a", gives="calm", pictures=2),), values)
    with pytest.raises(UsageError, match="selects place 4 of 4 elements"):
        through((Select(of="a", gives="some", places=(4,)),), values)


def test_settings_come_from_file_then_words_and_name_what_is_wrong(tmp_path: Path) -> None:
    start = Settings("mobilenet_v1")
    file = tmp_path / "config.toml"
    file.write_text(start.changed({"epochs": 7, "rate": 0.01}).to_toml())
    settings = read(start, file, ["epochs=9", "variant=clips"])
    assert (settings.epochs, settings.rate, settings.variant) == (9, 0.01, "clips")
    for word, said in (("epochs=0", "epochs"), ("speed=1", "speed"), ("epochs=many", "type"), ("epochs", "value")):
        with pytest.raises(UsageError, match=said):
            read(start, None, [word])
    file.write_text("epochs = = 3")
    with pytest.raises(UsageError, match="TOML"):
        read(start, file, [])


def test_a_variant_brings_its_own_defaults_which_file_and_words_still_change(tmp_path: Path) -> None:
    start, own = Settings("clip_cnn", epochs=200), {"streaming": {"epochs": 30, "views": 4}}
    assert read(start, None, [], own) == start
    assert read(start, None, ["variant=streaming"], own) == start.changed(
        {"variant": "streaming", "epochs": 30, "views": 4}
    )
    assert read(start, None, ["epochs=9", "variant=streaming"], own).epochs == 9
    file = tmp_path / "config.toml"
    file.write_text('variant = "streaming"\nviews = 2\n')
    assert (read(start, file, [], own).views, read(start, file, [], own).epochs) == (2, 30)
    with pytest.raises(UsageError, match="views = 3"):
        read(start, None, ["views=3"])


def test_no_augmentation_changes_nothing_and_each_does_what_it_says() -> None:
    rng = np.random.default_rng(1)
    batch = rng.normal(0, 1, (400, 8, 8, 2)).astype(np.float32)
    assert np.array_equal(Augmentation().apply(batch, rng), batch)
    shifted = Augmentation(offset_k=0.5).apply(batch, rng) - batch
    assert np.ptp(shifted.reshape(400, -1), axis=1).max() < 1e-5
    assert shifted.mean((1, 2, 3)).std() == pytest.approx(0.5, rel=0.15)
    noise = Augmentation(noise_k=0.1).apply(batch, rng) - batch
    assert noise.std() == pytest.approx(0.1, rel=0.02)
    chess = Augmentation(subpage_k=0.3).apply(batch, rng) - batch
    assert np.allclose(chess[:, 0, 0], -chess[:, 0, 1], atol=1e-5) and np.allclose(
        chess[:, 0, 0], chess[:, 1, 1], atol=1e-5
    )
    dead = Augmentation(dead_pixels=3).apply(batch, rng) != batch
    assert dead.any(3).sum((1, 2)).mean() == pytest.approx(3, rel=0.1)
    louder = Augmentation(gain=0.2).apply(batch, rng) / batch
    assert np.ptp(louder.reshape(400, -1), axis=1).max() < 1e-4
    assert (louder.mean((1, 2, 3)).mean(), louder.mean((1, 2, 3)).std()) == pytest.approx((1, 0.2), rel=0.15)
    uneven = np.log(Augmentation(uneven=0.2).apply(batch, rng) / batch)
    assert np.ptp(uneven, axis=3).max() < 1e-4 and uneven.std() == pytest.approx(0.2, rel=0.35)
    assert np.abs(np.diff(uneven[..., 0], axis=1)).mean() < 0.7 * uneven[..., 0].std()
    assert uneven[:, ::7, ::7].std() == pytest.approx(0.2, rel=0.1)
    for change in (Augmentation(flip_rows=True), Augmentation(flip_columns=True), Augmentation(turn=True)):
        moved = change.apply(batch, rng)
        assert np.allclose(np.sort(moved, axis=None), np.sort(batch, axis=None)) and not np.array_equal(moved, batch)
    with pytest.raises(UsageError, match="quarter"):
        Augmentation(turn=True).apply(batch[:, :4], rng)
    with pytest.raises(UsageError):
        Augmentation(noise_k=-1)


def test_an_occlusion_is_one_rectangle_at_the_mean_and_a_shift_repeats_the_border() -> None:
    rng = np.random.default_rng(4)
    batch = rng.normal(0, 1, (300, 8, 12, 2)).astype(np.float32)
    hidden = Augmentation(occlusion=0.5).apply(batch, rng)
    changed = (hidden != batch).all(3)
    assert changed.any((1, 2)).mean() == pytest.approx(0.5, abs=0.1)
    for before, after, where in zip(batch, hidden, changed, strict=True):
        rows, columns = np.flatnonzero(where.any(1)), np.flatnonzero(where.any(0))
        assert len(rows) <= 4 and len(columns) <= 6 and where.sum() == len(rows) * len(columns)
        assert np.allclose(after[where], before.mean((0, 1)), atol=1e-6)
    moved = Augmentation(shift=1).apply(batch, rng)
    ways = [
        np.pad(batch, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")[:, r : r + 8, c : c + 12]
        for r in range(3)
        for c in range(3)
    ]
    found = np.array([[np.array_equal(a, b) for a, b in zip(moved, way, strict=True)] for way in ways])
    assert (found.sum(0) == 1).all() and (found.sum(1) > 0).all()


def test_a_zoom_brings_what_is_beside_the_middle_nearer_or_takes_it_further_away() -> None:
    """A slope about the middle, whose steepness is the factor, the same along both sides and in all pictures of a clip."""
    rng = np.random.default_rng(6)
    down, across = (np.arange(count) - (count - 1) / 2 for count in (8, 12))
    slope = np.repeat((2 * down[:, np.newaxis] + 3 * across)[np.newaxis, ..., np.newaxis], 500, axis=0)
    batch = np.concatenate([slope, slope + 7], axis=3).astype(np.float32)
    seen = Augmentation(zoom=0.2).apply(batch, rng)
    factor = np.diff(seen[:, 3:5, 5, 0], axis=1) / 2
    assert np.abs(np.log(factor)).max() <= 0.2 and np.log(factor).std() == pytest.approx(0.2 / np.sqrt(3), rel=0.1)
    assert np.allclose(np.diff(seen[:, 3, 5:7, 0], axis=1) / 3, factor, atol=1e-5)
    assert np.allclose(seen[..., 1] - seen[..., 0], 7, atol=1e-4)
    near = factor[:, 0] < 1
    wanted = factor[near, :, np.newaxis] * slope[0, :, :, 0]
    assert np.allclose(seen[near][..., 0], wanted, atol=1e-3)
    assert np.allclose(seen[~near, 0, 0, 0], slope[0, 0, 0], atol=1e-3), "the border is repeated"


def test_each_flip_turns_the_side_it_names() -> None:
    picture = np.arange(12, dtype=np.float32).reshape(1, 3, 4, 1)
    rng = np.random.default_rng(5)
    for change, flipped in (
        (Augmentation(flip_rows=True), picture[:, ::-1]),
        (Augmentation(flip_columns=True), picture[:, :, ::-1]),
    ):
        seen = {change.apply(picture, rng).tobytes() for _ in range(40)}
        assert seen == {picture.tobytes(), np.ascontiguousarray(flipped).tobytes()}


def test_classes_weigh_the_same() -> None:
    targets = np.array([0] * 90 + [1] * 9 + [2])
    weights = class_weights(targets)
    assert [weights[targets == k].sum() for k in range(3)] == pytest.approx([100 / 3] * 3, rel=1e-5)


def test_matched_auc_takes_out_what_the_clock_tells() -> None:
    rng = np.random.default_rng(2)
    when = rng.uniform(0, 1000, 1500)
    positive = rng.random(1500) < when / 1000
    assert auc_matched(when, positive, when, 1e9) > 0.7
    assert auc_matched(when, positive, when, 20.0) == pytest.approx(0.5, abs=0.03)
    assert auc_matched(positive.astype(float), positive, when, 20.0) == 1.0


def test_f1_by_hand() -> None:
    assert f1(np.array([1, 1, 1, 0], bool), np.array([1, 0, 1, 1], bool)) == pytest.approx(2 / 3)
    assert f1(np.zeros(3, bool), np.zeros(3, bool)) == 0


def _prior(weights: NDArray[Any], noise: float = 0.05) -> Prior:
    return Prior(((weights, 1.0), (weights, 3.0)), smooth=1.0, linear=0.5, noise=noise)


def test_a_solved_network_learns_what_bends_and_leaves_alone_what_it_was_told_to_distrust() -> None:
    rng = np.random.default_rng(5)
    inputs, unseen = rng.normal(0, 1, (300, 4)), rng.normal(0, 1, (300, 4))

    def truth(x: NDArray[Any]) -> NDArray[Any]:
        return np.abs(x[:, 0]) + x[:, 1]

    targets = truth(inputs) + rng.normal(0, 0.1, 300)
    prior = _prior(np.array([1.0, 1.0, 1.0, 0.0]))
    solved = Solved.of(Hidden.draw(prior, 256, 0), prior, inputs, targets)
    assert rmse(solved(unseen) - truth(unseen)) < 0.2 * truth(unseen).std()
    changed = unseen.copy()
    changed[:, 3] = 100
    assert np.allclose(solved(changed), solved(unseen), atol=1e-6)


def test_the_last_layer_is_where_the_penalised_square_is_least() -> None:
    rng = np.random.default_rng(6)
    inputs, targets = rng.normal(0, 1, (40, 3)), rng.normal(0, 1, 40)
    prior = Prior(((np.ones(3), 1.0),), smooth=2.0, linear=0.3, noise=0.2)
    hidden = Hidden.draw(prior, 16, 1)
    solved = Solved.of(hidden, prior, inputs, targets)
    variance = np.concatenate([np.full(3, 0.3 / 3), np.full(16, 2.0 / 16)])

    def cost(weights: NDArray[Any]) -> float:
        # The bias is free, so the best one for these weights is the mean error.
        error = Solved(hidden, weights, 0.0)(inputs) - targets
        return float(np.square(error - error.mean()).sum() + 0.2 * np.sum(np.square(weights) / variance))

    least = cost(solved.weights)
    for _ in range(30):
        assert cost(solved.weights + 0.01 * rng.normal(0, 1, 19)) > least
    assert abs((solved(inputs) - targets).mean()) < 1e-9


def test_a_function_is_as_unsure_as_a_gaussian_process_of_the_same_features() -> None:
    rng = np.random.default_rng(7)
    inputs, targets, asked = rng.normal(size=(40, 3)), rng.normal(size=40), rng.normal(size=(9, 3))
    prior = _prior(np.ones(3), noise=0.3)
    hidden = Hidden.draw(prior, 24, 0)
    known = Posterior.of(hidden, prior, inputs, targets)
    one = Solved.of(hidden, prior, inputs, targets)
    assert np.allclose(known.solved(asked), one(asked))

    def features(x: NDArray[Any]) -> NDArray[Any]:
        hidden_values = np.maximum(x @ hidden.kernel + hidden.bias, 0)
        own = prior.views[0][0] / np.linalg.norm(prior.views[0][0])
        deviation = np.concatenate([np.sqrt(prior.linear) * own, np.full(24, np.sqrt(prior.smooth / 24))])
        return np.concatenate([x, hidden_values], axis=1) * deviation

    centre = features(inputs).mean(0)
    seen, wanted = features(inputs) - centre, features(asked) - centre
    # In the space of weights: the inverse of what samples and prior say of them together.
    spread = np.linalg.inv(seen.T @ seen / prior.noise + np.eye(seen.shape[1]))
    assert np.allclose(known.variance(asked), np.einsum("ij,jk,ik->i", wanted, spread, wanted))
    assert known.variance(inputs).mean() < known.variance(5 * inputs).mean()


def test_solved_classes_weigh_the_same_and_are_told_apart() -> None:
    rng = np.random.default_rng(7)
    inputs = rng.normal(0, 1, (600, 3))
    positive = inputs[:, 0] + rng.normal(0, 0.5, 600) > 1.2
    prior = _prior(np.ones(3))
    logits = Solved.of_classes(Hidden.draw(prior, 32, 0), prior, inputs, positive)(inputs)
    probability = 1 / (1 + np.exp(-logits))
    assert auc_matched(logits, positive, np.zeros(600), 1.0) > 0.9
    # Where the bias is free, the weighed mean of what is said is the weighed share of positives: one half.
    assert 0.5 * probability[positive].mean() + 0.5 * probability[~positive].mean() == pytest.approx(0.5, abs=1e-3)


def test_hidden_weights_stand_on_the_grid_of_eight_bits() -> None:
    kernel = Hidden.draw(_prior(np.array([1.0, 0.2, 3.0])), 50, 0).kernel
    steps = kernel / (np.abs(kernel).max() / 127)
    assert np.allclose(steps, np.rint(steps), atol=1e-9)
    assert kernel[2].std() > 2 * kernel[0].std() > 4 * kernel[1].std()


def test_curves_become_a_picture_even_when_a_loss_is_not_finite() -> None:
    picture = curves_svg("a < b", {"fold": Curves((1.0, 0.5, float("nan")), (0.7,))})
    assert picture.startswith("<svg") and "a &lt; b" in picture and "nan" not in picture
