"""The firmware's scores of labels against thermo_core's, and both against what a person would say of an output."""

import ctypes
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thermo_core.contract import OutputContract
from thermo_core.scores import scores_of

SIGMOID = OutputContract(1 / 256, -128)


def in_c(numerics: Any, output: np.ndarray, labels: int, contract: OutputContract) -> tuple[int, list[int]]:
    found = np.zeros(labels, np.uint16)
    label = numerics.c.shim_scores(
        ctypes.c_void_p(output.ctypes.data),
        len(output),
        labels,
        ctypes.c_float(contract.scale),
        ctypes.c_int8(contract.zero_point),
        ctypes.c_void_p(found.ctypes.data),
    )
    return label, found.tolist()


@pytest.mark.parametrize(
    ("output", "label", "scores"),
    [([-128], 0, [1.0, 0.0]), ([-1], 0, [129 / 256, 127 / 256]), ([0], 0, [0.5, 0.5]), ([1], 1, [127 / 256, 129 / 256]),
     ([127], 1, [1 / 256, 255 / 256]), ([-100, -90], 0, [218 / 256, 28 / 256, 38 / 256]),
     ([20, 90], 2, [38 / 256, 148 / 256, 218 / 256])],
)  # fmt: skip
def test_a_low_sigmoid_is_a_finding_like_a_high_one(
    numerics: Any, output: list[int], label: int, scores: list[float]
) -> None:
    raw = np.array(output, np.int8)
    found = scores_of(SIGMOID.dequantize(raw), len(scores))
    assert found.tolist() == scores
    assert int(found.argmax()) == label
    assert in_c(numerics, raw, len(scores), SIGMOID) == (label, [round(65535 * score) for score in scores])


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), outputs=st.integers(1, 63), none=st.booleans())
def test_every_output_scores_alike_on_both(numerics: Any, seed: int, outputs: int, none: bool) -> None:
    rng = np.random.default_rng(seed)
    raw = rng.integers(-128, 128, outputs).astype(np.int8)
    labels = outputs + none
    found = scores_of(SIGMOID.dequantize(raw), labels)
    label = int((found if none else raw).argmax())
    assert in_c(numerics, raw, labels, SIGMOID) == (label, [round(65535 * float(score)) for score in found])
