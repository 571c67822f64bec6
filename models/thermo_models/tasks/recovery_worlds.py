"""Curves that are not as the time constants' network was taught, and shapes that are no such curve; what the wearable makes of them."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from thermo_core.signals import Signal
from thermo_core.stages import OPS
from thermo_core.stages.stage import Elementwise, Stage
from thermo_core.wearable.profile import Profile
from thermo_models import foster, projection
from thermo_models.features import through
from thermo_models.tasks.task import Probe, Said
from thermo_models.templates import stage_of

Array = NDArray[np.float64]
T = foster.times()
SHARE = T / T[-1]
NOISE = 0.005
SEED = 3_000_000
"""Of the first curves; neither side of the task's has it."""


def said_of(
    profile: Profile, stages: tuple[Stage, ...], network: Said, values: Array
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What the network says (n, outputs) and what the wearable says (n, 10) of curves (n, samples)."""
    means = projection.of_curves(values)
    raw = network(through(stages, means))
    begin, fit = OPS["foster"], OPS["foster_fit"]
    assert isinstance(begin, Elementwise) and isinstance(fit, Elementwise)
    begun = begin.apply(stage_of(profile, "constants"), (), [raw])
    inputs = [Signal(name, one.shape[1:], "", 1.0, "x") for name, one in (("means", means), ("constants", begun))]
    return raw, fit.apply(stage_of(profile, "fitted"), inputs, [means, begun])


def curves(number: int, count: int, rng: np.random.Generator) -> tuple[Array, Array, NDArray[np.int64]]:
    """Of world `number`: values (n, samples), time constants (n, parts) and numbers of parts (n,), `count` curves of each number."""
    _, noise, change = WORLDS[number]
    made = [foster.make(count, 0.0, SEED + 10 * number + k, k) for k in range(1, foster.LARGEST_K + 1)]
    clean, tau, parts = (
        np.concatenate([getattr(one, field) for one in made]) for field in ("values", "tau_s", "parts")
    )
    return change(clean, rng) + noise * rng.standard_normal(clean.shape), tau, parts


def shapes(number: int, count: int, rng: np.random.Generator) -> Array:
    """(n, samples) of shape `number`."""
    shape = np.concatenate([SHAPES[number][1](rng) for _ in range(count)])
    return np.asarray(shape + NOISE * rng.standard_normal(shape.shape))


def covered(fitted: NDArray[np.float32], tau: Array) -> float:
    """Share of time constants within the interval of the nearest that is said."""
    found, half = fitted[:, 1:4].astype(np.float64), fitted[:, 7:10].astype(np.float64)
    apart = np.abs(found[:, None, :] - tau[:, :, None])
    place = np.where(np.isnan(apart), np.inf, apart).argmin(2)
    known = np.isfinite(tau) & (fitted[:, :1] > 0)
    within = np.take_along_axis(apart, place[:, :, None], 2)[:, :, 0] <= np.take_along_axis(half, place, 1)
    return float(within[known].mean())


def probe(profile: Profile, stages: tuple[Stage, ...], network: Said, count: int) -> Probe:
    """See `tasks.task.Probed`; `count` curves of each number of parts in each world, and of each shape."""
    rng = np.random.default_rng(0)
    refused: dict[str, float] = {}
    held: dict[str, float] = {}
    for number, (name, _, _) in enumerate(WORLDS):
        values, tau, _ = curves(number, count, rng)
        _, fitted = said_of(profile, stages, network, values)
        refused[f"curves, {name}"] = float(np.mean(fitted[:, 0] == 0))
        held[name] = covered(fitted, tau)
    for number, (name, _) in enumerate(SHAPES):
        _, fitted = said_of(profile, stages, network, shapes(number, count, rng))
        refused[name] = float(np.mean(fitted[:, 0] == 0))
    return Probe(
        "curves that are off, drift, begin late, or have outliers or other noise",
        "Of what it is not made for it says 0 parts, flagged `OUT_OF_DOMAIN`",
        refused,
        told=(
            "What it says is no score, so that its spread stands for calibration: 90 % intervals hold "
            f"{', '.join(f'{share:.0%} ({name})' for name, share in held.items())} of time constants.",
        ),
    )


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
