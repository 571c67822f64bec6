"""Ten minutes of a neuro band's eight nodes after a challenge, or without one, made at random: what the band is taught and judged on.

A hand comes back from cold or warm water as a sum of one to three exponentials (a Foster network). The other hand does so with its
own time constants: in health both sides together differ by a factor whose logarithm has a standard deviation of 0.12, and each time
constant by itself by more. A slowed side has all of its time constants longer by one factor. Nodes see a share of the hand's change;
upon it come noise, slow drift, changes of contact, and air that moves.

Two worlds that differ in the shape of noise, drift and steps, so that a network which has learnt from one is judged on another.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermo_models import foster

Array = NDArray[np.float64]

ROWS, NODES = 600, 8
"""Seconds, and nodes: left and right of forearm, wrist, back of the hand, finger."""
LEFT, RIGHT = slice(0, NODES, 2), slice(1, NODES, 2)
SHARES = (0.15, 0.5, 1.0, 1.0)
"""Of the hand's change that the nodes of a pair see."""
CLASSES = ("no challenge", "alike", "slowed left", "slowed right")
NO_CHALLENGE, ALIKE, SLOWED_LEFT, SLOWED_RIGHT = range(len(CLASSES))
SIDES_LOG, PARTS_LOG = 0.17, 0.12
"""Standard deviation in health of the logarithm of right over left time constants: of all alike, and of each by itself."""
LEAST_K = 1.0
"""Change of a hand, K, below which a window holds no challenge."""
BEFORE_S = (270.0, 150.0)
"""From when to when before the window's first row the band takes the level from which hands went into the water."""
LATEST_S = 30.0
"""From the end of the challenge to the window's first row, at most: a window comes that often."""


@dataclass(frozen=True, slots=True)
class World:
    """How curves are disturbed.

    Attributes:
        noise_k: least and greatest standard deviation of a reading, K.
        colour: share of that which stays from second to second; with `pink` it falls by the root of frequency instead.
        pink: noise of all frequencies alike by octave.
        drift_k: standard deviation of what a node drifts by in a window, K.
        vessels_k: greatest standard deviation of what a hand's vessels do by themselves, with all of its nodes, K.
        wander: drift is a random walk; a part of a slow wave otherwise.
        steps: mean number of changes of contact of a node in a window.
        step_k: typical size of one, K, at skin 8 K above air.
        heavy: sizes have a heavy tail of both signs; of one sign and even otherwise.
        amplitude_k: least and greatest change of the hand by the water, K.
    """

    noise_k: tuple[float, float]
    colour: float
    pink: bool
    drift_k: float
    vessels_k: float
    wander: bool
    steps: float
    step_k: float
    heavy: bool
    amplitude_k: tuple[float, float] = (3.0, 15.0)


TAUGHT = World((0.005, 0.06), 0.6, False, 0.06, 0.5, False, 0.6, 0.6, False)
JUDGED = World((0.01, 0.05), 0.0, True, 0.06, 0.1, True, 0.5, 0.3, True)
VALIDATION = World((0.008, 0.055), 0.3, False, 0.06, 0.15, False, 0.5, 0.4, True)
"""Neither taught nor judged on: what is chosen between."""
CALM = World((0.01, 0.03), 0.0, True, 0.03, 0.0, True, 0.0, 0.0, True)
"""As judged, without changes of contact."""


@dataclass(frozen=True, slots=True)
class Windows:
    """What nodes read, and what is true of it.

    Attributes:
        values: (n, ROWS, NODES) degC, float32.
        before: (n, NODES) mean over `BEFORE_S`, degC, float32.
        classes: (n,) number in `CLASSES`.
        log_ratio: (n,) mean logarithm of right over left time constants, by their shares; NaN without a challenge.
        slowing: (n,) factor of the slowed side, 1 where both are alike.
        tau_s: (n, 2, LARGEST_K) time constants of left and right, s; NaN without a challenge and beyond their number.
        share: (n, LARGEST_K) of each.
        amplitude_k: (n,) change of the hand that is left at the first row, K.
    """

    values: NDArray[np.float32]
    before: NDArray[np.float32]
    classes: NDArray[np.int64]
    log_ratio: Array
    slowing: Array
    tau_s: Array
    share: Array
    amplitude_k: Array


def make(
    count: int,
    seed: int,
    world: World,
    slowing: float | None = None,
    challenged: bool = False,
    parts_log: float = PARTS_LOG,
) -> Windows:
    """Windows at random; the same arguments give the same windows.

    Args:
        count: how many.
        seed: of all chance.
        world: how they are disturbed.
        slowing: factor of a slowed side; from 1.25 to 2.6 where None.
        challenged: each after a challenge; every fourth without one otherwise.
        parts_log: what healthy sides differ by in each time constant by itself.
    """
    rng = np.random.default_rng([seed, 0xBA2D])
    t = np.arange(ROWS, dtype=np.float64)
    tau, share, _ = foster.draw(count, rng)
    by_part = parts_log * rng.standard_normal(tau.shape)
    sides_log = SIDES_LOG * rng.standard_normal(count)
    side = rng.integers(0, 3, count)
    factor = np.exp(rng.uniform(np.log(1.25), np.log(2.6), count)) if slowing is None else np.full(count, slowing)
    slow_log = np.log(factor) * np.array([0.0, -1.0, 1.0])[side]
    ratio_log = sides_log[:, None] + by_part
    left = tau * np.exp(-ratio_log / 2 + np.maximum(-slow_log, 0)[:, None])
    right = tau * np.exp(ratio_log / 2 + np.maximum(slow_log, 0)[:, None])
    taus = np.stack([left, right], axis=1)
    size = rng.uniform(*world.amplitude_k, count) * np.where(rng.random(count) < 0.75, -1.0, 1.0)
    begin = _begin(count, rng, challenged)
    since = t + begin[:, None]
    values, before = np.empty((count, ROWS, NODES)), np.empty((count, NODES))
    level = 33.0 + rng.normal(0, 1.2, count)
    step_scale = rng.uniform(0.6, 1.4, count)
    kept = np.empty((count, 2))
    middle = -sum(BEFORE_S) / 2
    for hand in range(2):
        curve = _curve(since, taus[:, hand], share)
        earlier = _curve(begin[:, None] + middle, taus[:, hand], share)[:, 0]
        vessels = rng.uniform(0, world.vessels_k, count)[:, None] * _vessels(count, rng, world.wander, middle)
        kept[:, hand] = _curve(np.maximum(begin, 0.0)[:, None], taus[:, hand], share)[:, 0]
        for pair, seen in enumerate(SHARES):
            node = 2 * pair + hand
            own = seen * np.exp(rng.normal(0, 0.12, count)) * size
            resting = level + np.array([0.0, -1.5, 0.5, -0.5])[pair] + rng.normal(0, 0.3, count)
            values[:, :, node] = resting[:, None] + own[:, None] * curve + seen * vessels[:, 1:]
            before[:, node] = resting + own * earlier + seen * vessels[:, 0]
            values[:, :, node] += _disturbance(count, rng, world, step_scale)
    values += _air(count, rng)[:, :, None]
    change = np.abs(size) * kept.min(1)
    some = (begin >= 0) & (begin <= LATEST_S) & (change >= LEAST_K)
    classes = np.where(some, ALIKE + side, NO_CHALLENGE)
    known = np.where(np.isnan(tau), 0.0, np.log(right / left))
    log_ratio = np.where(some, (share * known).sum(1), np.nan)
    taus[~some] = np.nan
    slowed = np.where(some & (side > 0), factor, 1.0)
    return Windows(
        values.astype(np.float32), before.astype(np.float32), classes, log_ratio, slowed, taus, share, change
    )


def _begin(count: int, rng: np.random.Generator, challenged: bool) -> Array:
    """Seconds from the end of the challenge to the first row; below 0 the water is within the window, or after it."""
    begin = rng.uniform(0, LATEST_S, count)
    if challenged:
        return begin
    kind = rng.random(count)
    begin = np.where(kind < 0.09, rng.uniform(-600, -5, count), begin)
    begin = np.where((kind >= 0.09) & (kind < 0.12), rng.uniform(600, 3000, count), begin)
    rest = (kind >= 0.12) & (kind < 0.25)
    return np.where(rest, 1e9, begin)


def _curve(since: Array, tau: Array, share: Array) -> Array:
    """(n, m) what is left of the change: full within the minute of the challenge, nothing before it."""
    left = np.zeros(since.shape)
    after = np.maximum(since, 0.0)
    for part in range(tau.shape[1]):
        known = np.where(np.isnan(tau[:, part]), 1.0, tau[:, part])[:, None]
        left += share[:, part, None] * np.exp(-after / known)
    into = np.clip((since + 60.0) / 60.0, 0.0, 1.0)
    return np.where(since < 0, 1 - np.exp(-5 * into), left)


def _air(count: int, rng: np.random.Generator) -> Array:
    """(n, ROWS) what all nodes follow of air that becomes warmer or colder, K."""
    t = np.arange(ROWS)
    moved = np.where(rng.random(count) < 0.3, rng.normal(0, 0.3, count), 0.0)
    at = rng.uniform(0, ROWS, count)
    since = np.maximum(t - at[:, None], 0.0)
    followed: Array = moved[:, None] * (1 - np.exp(-since / 120.0))
    return followed


def _disturbance(count: int, rng: np.random.Generator, world: World, scale: Array) -> Array:
    """(n, ROWS) noise, drift and changes of contact of one node, K."""
    noise = np.exp(rng.uniform(np.log(world.noise_k[0]), np.log(world.noise_k[1]), count))
    found = noise[:, None] * (_pink(count, rng) if world.pink else _coloured(count, rng, world.colour))
    found += world.drift_k * _drift(count, rng, world.wander)
    disturbed: Array = found + _steps(count, rng, world, scale)
    return disturbed


def _coloured(count: int, rng: np.random.Generator, stays: float) -> Array:
    """(n, ROWS) of standard deviation 1: white, and a part of it that stays from second to second."""
    white = rng.standard_normal((count, ROWS))
    slow = np.empty((count, ROWS))
    slow[:, 0] = rng.standard_normal(count)
    fresh = rng.standard_normal((count, ROWS)) * np.sqrt(1 - 0.9**2)
    for row in range(1, ROWS):
        slow[:, row] = 0.9 * slow[:, row - 1] + fresh[:, row]
    both: Array = np.sqrt(1 - stays**2) * white + stays * slow
    return both


def _pink(count: int, rng: np.random.Generator) -> Array:
    """(n, ROWS) of standard deviation 1 whose power falls with frequency."""
    spectrum = np.fft.rfft(rng.standard_normal((count, ROWS)))
    spectrum[:, 0] = 0
    spectrum[:, 1:] /= np.sqrt(np.arange(1, spectrum.shape[1]))
    noise = np.fft.irfft(spectrum, ROWS)
    scaled: Array = noise / noise.std(1, keepdims=True)
    return scaled


def _drift(count: int, rng: np.random.Generator, wander: bool) -> Array:
    """(n, ROWS) from 0 on, about 1 at the end."""
    u = np.arange(ROWS) / ROWS
    if wander:
        walk: Array = np.cumsum(rng.standard_normal((count, ROWS)), axis=1) / np.sqrt(ROWS)
        return walk
    size, turns, phase = rng.normal(0, 1, count), rng.uniform(0.05, 0.6, count), rng.uniform(0, 2 * np.pi, count)
    wave: Array = np.sin(2 * np.pi * turns[:, None] * u + phase[:, None])
    return size[:, None] * (wave - wave[:, :1])


def _vessels(count: int, rng: np.random.Generator, walks: bool, before_s: float) -> Array:
    """(n, 1 + ROWS) of standard deviation about 1 a window, before it and at its rows: a random walk, or six slow waves."""
    if walks:
        earlier = np.sqrt(-before_s / ROWS) * rng.standard_normal((count, 1))
        return np.concatenate([earlier, _drift(count, rng, True)], axis=1)
    t = np.concatenate([[before_s], np.arange(ROWS)])
    found = np.zeros((count, 1 + ROWS))
    for slowest in np.geomspace(60.0, 3600.0, 6):
        period = slowest * rng.uniform(1.0, 2.2, count)
        angle = 2 * np.pi * (t / period[:, None] + rng.random(count)[:, None])
        found += np.sqrt(2 / 6) * np.sin(angle)
    return found


def _steps(count: int, rng: np.random.Generator, world: World, scale: Array) -> Array:
    """(n, ROWS) changes of contact, K; some last for a while, others for good."""
    found = np.zeros((count, ROWS))
    if not world.steps:
        return found
    t = np.arange(ROWS)
    for _ in range(4):
        there = rng.random(count) < world.steps / 4
        if world.heavy:
            size = world.step_k * rng.standard_t(3, count)
        else:
            size = -2 * world.step_k * rng.random(count) * np.where(rng.random(count) < 0.8, 1.0, -1.0)
        at = rng.uniform(0, ROWS, count)
        lasts = np.where(rng.random(count) < 0.5, rng.exponential(90.0, count), ROWS)
        on = (t >= at[:, None]) & (t < (at + lasts)[:, None])
        found += np.where(there[:, None] & on, (size * scale)[:, None], 0.0)
    return found
