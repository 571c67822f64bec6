"""Scores that are as sure as they are right: found again where it is known by how much they are off, and in the int8 network byte for byte."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from compiled_models import host_run, reference
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wearable import library
from thermo_models.metrics import expected_calibration_error
from thermo_models.scaling import OFF_THERE, Scaling, fitted, scaled
from thermo_models.tasks import clothing, clothing_days
from thermo_quantize.compiler.compile import compile_model
from thermo_quantize.flatfile import with_logits, without_head

CLASSES = 4
STEP = 1 / 256


def softmax(logits: NDArray[Any]) -> NDArray[np.float64]:
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(raised / raised.sum(1, keepdims=True))


def world(seed: int, temperature: float, nothing: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Logits that are right once scaled so, and classes drawn by their chances."""
    rng = np.random.default_rng(seed)
    chances = softmax(rng.normal(0, 1.5, (20_000, CLASSES)) + np.eye(1, CLASSES) * 1.5)
    classes = np.array([rng.choice(CLASSES, p=of) for of in chances])
    wanted = np.log(chances)
    wanted[:, 0] -= nothing
    return wanted * temperature, classes


def off(logits: NDArray[np.float64], classes: NDArray[np.int64]) -> float:
    return expected_calibration_error(softmax(logits), classes)


def model_of(name: str) -> bytes:
    return (library.resolve(name).parent / "model.tflite").read_bytes()


def inputs_of(model: bytes, count: int = 400) -> NDArray[np.float32]:
    (end,) = Int8Network(model).inputs
    return np.random.default_rng(1).normal(0, 1, (count, *end.shape)).astype(np.float32)


@pytest.mark.parametrize(("temperature", "nothing"), [(3.0, 0.0), (2.0, 2.0), (0.6, 0.0)])
def test_a_network_that_is_too_sure_or_learnt_other_shares_is_mended_for_those_it_was_not_fitted_on(
    temperature: float, nothing: float
) -> None:
    found = fitted(*world(0, temperature, nothing))
    logits, classes = world(1, temperature, nothing)
    assert off(logits, classes) > 0.07
    assert off(found.logits(logits), classes) < OFF_THERE + 0.01
    assert found.nothing == 0 or found.nothing <= nothing


def test_scores_that_are_right_keep_what_they_say() -> None:
    logits, classes = world(2, 1.0, 0.0)
    found = fitted(logits, classes)
    assert found.nothing == 0 and found.temperature == pytest.approx(1.0, abs=0.06)
    scores = softmax(logits).astype(np.float32)
    np.testing.assert_allclose(Scaling(1.0, 0.0).of(scores), np.maximum(scores, 1 / 512), atol=0.01)


def test_chance_alone_is_sure_of_little() -> None:
    rng = np.random.default_rng(3)
    logits, classes = rng.normal(0, 3, (4000, CLASSES)), rng.integers(CLASSES, size=4000)
    assert softmax(fitted(logits, classes).logits(logits)).max(1).mean() < 0.4


@pytest.mark.parametrize("name", ["clothing", "breast-patch"])
@pytest.mark.parametrize(("temperature", "nothing"), [(1.0, 0.0), (5.0, 0.0), (1.5, 2.0)])
def test_the_int8_network_says_the_softmax_of_scaled_logits(name: str, temperature: float, nothing: float) -> None:
    model = model_of(name)
    inputs, headless = inputs_of(model), without_head(model)
    assert headless is not None
    logits = Int8Network(headless).predict([inputs]).astype(np.float64)
    shift = np.zeros(logits.shape[1])
    shift[0] = nothing
    said = Int8Network(with_logits(model, temperature, shift)).predict([inputs])
    # A step of the scores, and what half a step of the logits moves these by where a shift has widened it, which also brings back what
    # was beyond their ends.
    span = float(np.ptp(logits)) / temperature + nothing
    slack = STEP if nothing == 0 else STEP + span / 255
    within = ((logits > logits.min()) & (logits < logits.max())).all(1) | (nothing == 0)
    assert within.sum() > 20
    assert np.abs(said - softmax(logits / temperature + shift))[within].max() < slack


@pytest.mark.parametrize("name", ["clothing", "clothing-8"])
def test_c_says_the_same_logits_of_a_scaled_network_byte_for_byte(name: str, tmp_path: Path) -> None:
    """Scaling concerns the dense layer alone."""
    shift = np.array([1.5, 0, 0, 0, 0])
    for number, model in enumerate((model_of(name), with_logits(model_of(name), 3.0, shift))):
        (end,), headless = Int8Network(model).inputs, without_head(model)
        assert headless is not None
        inputs = np.random.default_rng(5).integers(-128, 128, (2000, *end.shape)).astype(np.int8)
        [expected] = reference(headless, inputs)
        said = host_run(compile_model(headless, "net").files, "net", inputs, tmp_path / str(number))
        assert len(np.unique(expected)) > 50 and np.array_equal(said, expected)


def test_a_scaled_network_is_as_sure_as_it_is_right() -> None:
    model = model_of("clothing")
    inputs, headless = inputs_of(model, 2000), without_head(model)
    assert headless is not None
    sure = Int8Network(headless).predict([inputs]).astype(np.float64)
    rng = np.random.default_rng(4)
    classes = np.array([rng.choice(5, p=of) for of in softmax(sure / 3)])
    before = expected_calibration_error(Int8Network(model).predict([inputs[1000:]]), classes[1000:])
    made, found = scaled(model, inputs[:1000], classes[:1000])
    after = expected_calibration_error(Int8Network(made).predict([inputs[1000:]]), classes[1000:])
    assert before > 0.15 and after < 0.08 and 2 < found.temperature < 4.5


def test_a_network_that_ends_in_no_softmax_is_left_alone() -> None:
    headless = without_head(model_of("clothing"))
    assert headless is not None
    with pytest.raises(UsageError, match="softmax"):
        with_logits(headless, 2.0, np.zeros(5))
    with pytest.raises(UsageError, match="softmax"):
        scaled(headless, inputs_of(headless), np.zeros(400, np.int64))


def test_nobody_by_whom_scores_are_scaled_was_learnt_from_or_is_judged() -> None:
    scripts = len(clothing_days.SCRIPTS)

    def people(first: int, each: int) -> set[int]:
        return {first + 1000 * script + number for script in range(scripts) for number in range(each)}

    held = people(clothing.HELD_OUT, clothing.HELD_OUT_PEOPLE)
    assert not held & people(clothing.UNSEEN, 100) and not held & people(clothing_days.SEED, 100)


def test_shipped_scores_are_as_sure_as_their_cards_say() -> None:
    """Of what the held-out world has, the shipped network is off by no more than was asked for."""
    task = clothing.EIGHT
    inputs, classes = task.held_out(task.wearable.profile.stages, task.settings)
    said = Int8Network(model_of(task.name)).predict([inputs])
    assert len(classes) > 1000 and expected_calibration_error(said, classes) < OFF_THERE + 0.01
