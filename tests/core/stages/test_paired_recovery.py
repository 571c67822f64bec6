"""paired_recovery against what curves were made of, and against scipy's least squares on the same beliefs."""

from typing import Any

import numpy as np
import pytest
import scipy.optimize
from numpy.typing import NDArray
from stage_runs import run, samples, sensor, wearable

from thermo_core.errors import ProfileError
from thermo_core.schema import Floats
from thermo_core.signals import Values
from thermo_core.stages import paired_recovery
from thermo_core.stages.paired_recovery import PairedRecovery
from thermo_core.widening import edges

Array = NDArray[np.float64]
SECONDS = np.arange(600.0)
SHARES = (0.15, 0.5, 1.0, 1.0)
USUAL = np.array([30.0, 30.0, 31.0, 31.0, 33.0, 33.0, 32.0, 32.0])


def hands(ratio: float, size: float = -8.0, delay: float = 10.0) -> Array:
    """(600, 8) of two time constants, the right side's longer."""
    columns = []
    for share in SHARES:
        for side in (-0.5, 0.5):
            tau = np.array([15.0, 120.0]) * np.exp(side * ratio)
            columns.append(size * share * (np.array([0.4, 0.6]) * np.exp(-(SECONDS[:, None] + delay) / tau)).sum(1))
    return USUAL + np.stack(columns, axis=1)


def said(nodes: Array, before: Array = USUAL, **fields: Any) -> Values:
    """The four numbers."""
    made = wearable(
        [sensor(shape=(8,)), sensor("level", shape=(8,), rate_hz=1 / 600)],
        {"op": "window", "of": "x", "gives": "w", "length": 600, "every": 600},
        {"op": "bins", "of": "w", "gives": "sums", "bins": 32},
        {"op": "hold", "of": "level", "on": "sums", "gives": "before"},
        {"op": "paired_recovery", "of": "sums", "before": "before", "gives": "y", "samples": 600, "shares": SHARES}
        | fields,
    )
    return run(made, x=samples(nodes, first=1), level=samples(before[np.newaxis], np.array([0]), first=0))["y"].values[
        0
    ]


@pytest.mark.parametrize("ratio", [-0.6, 0.0, np.log(1.6)])
@pytest.mark.parametrize("size", [-8.0, 5.0])
def test_the_factor_between_sides_is_found(ratio: float, size: float) -> None:
    noise = np.random.default_rng(1).normal(0, 0.02, (600, 8))
    found, spread, amplitude, misfit = said(hands(ratio, size) + noise)
    assert found == pytest.approx(ratio, abs=0.06)
    assert 0.01 < spread < 0.2
    assert amplitude == pytest.approx(abs(size), rel=0.4)
    assert misfit < 1


def test_least_squares_of_scipy_end_where_it_does() -> None:
    walk = np.cumsum(np.random.default_rng(2).normal(0, 0.004, (600, 8)), axis=0)
    nodes = hands(0.4) + walk
    stage = PairedRecovery(of="x", before="b", gives="y", samples=600, shares=Floats(SHARES))
    borders = np.array(edges(600, 32))
    white = np.linalg.inv(np.linalg.cholesky(paired_recovery.covariance(stage, 32)))

    def binned(x: Array) -> Array:
        return np.add.reduceat(x, borders[:-1], axis=0) / np.sqrt(np.diff(borders))[:, None]

    usual = np.array([*paired_recovery.USUAL, np.log(stage.size), *[0] * 8])
    spreads = np.array([*paired_recovery.SPREAD, paired_recovery.SIZE_SPREAD, *[paired_recovery.OWN_SPREAD] * 8])
    made = binned(USUAL - nodes)

    def left(p: Array) -> Array:
        part = 0.15 + 0.7 / (1 + np.exp(-p[2]))
        since = SECONDS[:, None] + stage.delay_s / (1 + np.exp(-p[3]))
        sides = [
            (np.array([part, 1 - part]) * np.exp(-since / np.exp(p[:2] + half * p[4]))).sum(1) for half in (-0.5, 0.5)
        ]
        curves = np.stack([SHARES[i // 2] * np.exp(p[5] + p[6 + i]) * sides[i % 2] for i in range(8)], axis=1)
        return np.concatenate([(white @ (made - binned(curves))).ravel(), (p - usual) / spreads])

    best = scipy.optimize.least_squares(left, usual)
    jacobian = np.asarray(best.jac)
    spread = np.sqrt(np.linalg.inv(jacobian.T @ jacobian)[4, 4])
    assert said(nodes)[:3] == pytest.approx([best.x[4], spread, np.exp(best.x[5])], rel=0.02, abs=0.004)


def test_hands_without_a_challenge_say_nothing_of_sides() -> None:
    found, spread, amplitude, _ = said(USUAL + np.random.default_rng(3).normal(0, 0.01, (600, 8)))
    assert abs(found) < 0.2 and spread > 0.3 and amplitude < 1.5


def test_nodes_without_a_value_do_not_count() -> None:
    nodes, before = hands(0.4), USUAL.copy()
    nodes[300, 7] = np.nan
    before[2] = np.nan
    assert said(nodes, before)[0] == pytest.approx(0.4, abs=0.05)
    before[0::2] = np.nan
    assert np.isnan(said(nodes, before)).all()


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"shares": [1.0]}, "has shares of 1 pairs"),
        ({"shares": [1.0, 1.0, 0.0, 1.0]}, "shares of 0 or less"),
        ({"samples": 32}, "8 bins or more of 32 samples"),
    ],
)
def test_what_does_not_fit_is_refused(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(ProfileError, match=says):
        said(hands(0.0), **fields)
