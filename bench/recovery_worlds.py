"""Time constants as the shipped wearable says them, where curves are not as they were taught: off, drifting, noisy otherwise, or none.

Least squares stand beside it: multi-start, told the number of parts, without offset or drift. `python bench/recovery_worlds.py [CURVES]`.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thermo_core.signals import Signal
from thermo_core.stages import OPS
from thermo_core.stages.stage import Elementwise
from thermo_core.wearable import file, library
from thermo_models import foster, projection
from thermo_models.evaluation import open_model
from thermo_models.features import network_inputs
from thermo_models.tasks import find
from thermo_models.tasks import time_constants as task
from thermo_models.templates import stage_of

Array = NDArray[np.float64]
FOLDER = Path(__file__).resolve().parents[1] / "models/thermo_models/wearables/time-constants"
T = foster.times()
SHARE = T / T[-1]
NOISE = 0.005
GRID = 20


def main() -> None:
    """Print errors, coverage and refusals by world, then refusals by shape."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    rng = np.random.default_rng(0)
    print(f"{3 * count} curves of 1 to 3 parts a row; error of tau, median / p90 in %; coverage of 90 % intervals")
    print(
        "world                      least squares     network alone     wearable          coverage  parts right  refused"
    )
    for number, (name, noise, change) in enumerate(WORLDS):
        made = [foster.make(count, 0.0, 3_000_000 + 10 * number + k, k) for k in range(1, foster.LARGEST_K + 1)]
        clean, tau, parts = (
            np.concatenate([getattr(one, field) for one in made]) for field in ("values", "tau_s", "parts")
        )
        values = change(clean, rng) + noise * rng.standard_normal(clean.shape)
        classical = np.full(tau.shape, np.nan)
        for i in range(0, len(values), max(1, len(values) // (3 * GRID))):
            k = int(parts[i])
            classical[i, :k] = foster.least_squares_tau(values[i], k, task.STARTS, rng)
        network, fitted = said(values)
        guessed = network[:, task.NUMBER :].argmax(1) + 1
        rows = [np.abs(classical - tau) / tau, task.errors(network, guessed, tau), errors(fitted[:, 1:4], tau)]
        cells = [f"{100 * np.nanmedian(e):6.2f} / {100 * np.nanquantile(e, 0.9):6.2f}" for e in rows]
        told = fitted[:, 0] > 0
        print(
            f"{name:25}  {'   '.join(cells)}   {covered(fitted, tau):8.3f}  {np.mean(fitted[told, 0] == parts[told]):11.3f}  "
            f"{1 - told.mean():7.3f}",
            flush=True,
        )
    print("\nshapes that are no such curve: refused")
    for name, make in SHAPES:
        shape = np.concatenate([make(rng) for _ in range(count)])
        _, fitted = said(shape + NOISE * rng.standard_normal(shape.shape))
        print(f"{name:40}  {np.mean(fitted[:, 0] == 0):.3f}", flush=True)


def said(values: Array) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What the network says (n, outputs) and what the wearable says (n, 10) of curves."""
    profile = file.read(library.resolve("time-constants")).profile
    opened = open_model(find("time-constants"), FOLDER / "model.tflite")
    means = projection.of_curves(values)
    raw = opened.network.predict([network_inputs(opened.stages, means)])
    foster, fit = OPS["foster"], OPS["foster_fit"]
    assert isinstance(foster, Elementwise) and isinstance(fit, Elementwise)
    begun = foster.apply(stage_of(profile, "constants"), (), [raw])
    inputs = [Signal(name, one.shape[1:], "", 1.0, "x") for name, one in (("means", means), ("constants", begun))]
    fitted = fit.apply(stage_of(profile, "fitted"), inputs, [means, begun])
    return task.undithered(raw), fitted


def errors(found: NDArray[np.float32], tau: Array) -> Array:
    """(n, parts) relative error against the nearest that is said."""
    apart = np.abs(found[:, None, :] - tau[:, :, None]) / tau[:, :, None]
    nearest = np.where(np.isnan(apart), np.inf, apart).min(2)
    return np.where(np.isnan(tau) | ~np.isfinite(nearest), np.nan, nearest)


def covered(fitted: NDArray[np.float32], tau: Array) -> float:
    """Share of time constants within the interval of the nearest that is said."""
    found, half = fitted[:, 1:4].astype(np.float64), fitted[:, 7:10].astype(np.float64)
    apart = np.abs(found[:, None, :] - tau[:, :, None])
    place = np.where(np.isnan(apart), np.inf, apart).argmin(2)
    known = np.isfinite(tau) & (fitted[:, :1] > 0)
    within = np.take_along_axis(apart, place[:, :, None], 2)[:, :, 0] <= np.take_along_axis(half, place, 1)
    return float(within[known].mean())


def _either(values: Array, rng: np.random.Generator) -> Array:
    return np.asarray(rng.choice([-1.0, 1.0], (len(values), 1)))


def _late(values: Array, rng: np.random.Generator) -> Array:
    """The first five seconds lack, and the sixth counts as the start."""
    moved = np.concatenate([values[:, 5:], np.repeat(values[:, -1:], 5, axis=1)], axis=1)
    return np.asarray(moved / moved[:, :1])


def _outliers(values: Array, rng: np.random.Generator) -> Array:
    far: Array = np.where(rng.random(values.shape) < 0.01, 0.1 * rng.standard_normal(values.shape), 0.0)
    return values + far


def _coloured(values: Array, rng: np.random.Generator) -> Array:
    slow = np.zeros(values.shape)
    for row in range(1, values.shape[1]):
        slow[:, row] = 0.8 * slow[:, row - 1] + 0.6 * NOISE * rng.standard_normal(len(values))
    return values + slow


WORLDS: tuple[tuple[str, float, Callable[[Array, np.random.Generator], Array]], ...] = (
    ("as taught, no noise", 0.0, lambda v, rng: v),
    ("as taught, 0.5 % noise", 0.005, lambda v, rng: v),
    ("as taught, 1 % noise", 0.01, lambda v, rng: v),
    ("as taught, 2 % noise", 0.02, lambda v, rng: v),
    ("drift of 1 %", NOISE, lambda v, rng: v + 0.01 * _either(v, rng) * SHARE),
    ("asymptote 1 % off", NOISE, lambda v, rng: v + 0.01 * _either(v, rng)),
    ("amplitude 10 % off", NOISE, lambda v, rng: v * (1 + 0.1 * _either(v, rng))),
    ("5 s late", NOISE, _late),
    ("1 % of samples 10 % off", NOISE, _outliers),
    ("coloured noise of 0.5 %", 0.0, _coloured),
    ("every other second", NOISE, lambda v, rng: np.repeat(v[:, ::2], 2, axis=1)),
)
"""Names, white noise on top, and what is done to clean curves."""

SHAPES: tuple[tuple[str, Callable[[np.random.Generator], Array]], ...] = (
    ("a ramp", lambda rng: 1 - SHARE[None] * rng.uniform(0.3, 1.0)),
    ("a constant", lambda rng: np.full((1, len(T)), rng.uniform(-0.2, 1.0))),
    ("a step", lambda rng: (rng.uniform(10, 550) > T)[None].astype(np.float64)),
    ("white noise of 10 to 100 %", lambda rng: rng.uniform(0.1, 1) * rng.standard_normal((1, len(T)))),
    ("a wave of one to ten minutes", lambda rng: 0.5 + 0.5 * np.cos(2 * np.pi * T[None] / rng.uniform(60, 600))),
    ("a random walk", lambda rng: np.cumsum(rng.normal(0, 0.04, (1, len(T))), 1)),
    ("a line to 0, then nothing", lambda rng: np.clip(1 - T[None] / rng.uniform(60, 500), 0, 1)),
    ("a Gaussian bell", lambda rng: np.exp(-np.square(T[None] / rng.uniform(40, 300)))),
    ("one time constant of 1000 to 4000 s", lambda rng: np.exp(-T[None] / rng.uniform(1000, 4000))),
)
"""Names, and a curve of each."""


if __name__ == "__main__":
    main()
