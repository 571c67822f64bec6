"""What neuro-band says of windows of nodes that are no hands after cold or warm water."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from thermo_core.stages.stage import Stage
from thermo_models.features import refused
from thermo_models.tasks import neuro_band_bodies as bodies
from thermo_models.tasks import neuro_band_curves as curves
from thermo_models.tasks.task import Probe

FIRST = 9_900_000
"""Seed of the first; no training has met any of them."""
SIZE_K = 3.0, 15.0
"""Of what is no recovery, as that of hands after water."""
NOISE_K = 0.02
OWN = "hands after cold or warm water, of the world it is judged in"
Array = NDArray[np.float64]
Values = NDArray[np.float32]
Seen = Callable[[Values, Values], tuple[Values, Values]]


def probe(stages: tuple[Stage, ...], limit: float, seen: Seen, count: int) -> Probe:
    """See `tasks.task.Probed`.

    Args:
        stages: to the network's input.
        limit: greatest misfit that is not flagged.
        seen: values (n, rows, nodes) and the level before (n, nodes) -> what the stages take (n, numbers), and the misfit (n,).
        count: windows of each kind.
    """
    shares = {}
    for name, (values, before) in windows(count).items():
        features, misfit = seen(values, before)
        shares[name] = float((refused(stages, features) | ~(misfit <= limit)).mean())
    return Probe(
        "windows of nodes that are no hands after water",
        f"What no recovery of two hands fits within {limit:g} times what noise and vessels are believed to do (the misfit of `paired_recovery`) it flags "
        "`OUT_OF_DOMAIN`; nothing alerts on these findings. Of windows it flags",
        shares,
    )


def windows(count: int) -> dict[str, tuple[Values, Values]]:
    """By what they are: (count, rows, nodes) degC, and (count, nodes) the level before."""
    rng = np.random.default_rng([FIRST, 0x0DD])
    hands = curves.make(count, FIRST, curves.JUDGED, challenged=True)
    people = bodies.make(count, FIRST, bodies.STEPS, 1.0)
    found: dict[str, tuple[Values, Values]] = {
        OWN: (hands.values, hands.before),
        "simulated people's after water": (people.values, people.before),
    }
    for whose, made in (("made hands", hands), ("simulated people", people)):
        whom = [rng.permutation(count) for _ in range(curves.NODES)]
        found[f"a band whose nodes are on different {whose}"] = (
            np.stack([made.values[one, :, node] for node, one in enumerate(whom)], axis=-1),
            np.stack([made.before[one, node] for node, one in enumerate(whom)], axis=-1),
        )
        found[f"curves of {whose} from their end to their beginning"] = (made.values[:, ::-1], made.before)
    pairs = np.repeat(curves.SHARES, 2)
    together = others(count, rng)[..., np.newaxis] * pairs
    alone = np.stack([share * others(count, rng) for share in pairs], axis=-1)
    for name, changes in (
        ("waves, lines, steps, bumps and walks that all nodes follow", together),
        ("the same, of each node for itself", alone),
    ):
        resting = np.repeat(33.0 + rng.normal(0, 1.2, (count, 1)), curves.NODES, axis=1).astype(np.float32)
        noise = NOISE_K * rng.standard_normal(changes.shape)
        found[name] = (resting[:, np.newaxis] + (changes + noise).astype(np.float32), resting)
    return found


def others(count: int, rng: np.random.Generator) -> Array:
    """(n, rows) K, of `SIZE_K`: by turns a wave, a line, a step, a bump, a random walk."""
    t = np.arange(curves.ROWS, dtype=np.float64)
    size = rng.uniform(*SIZE_K, count) * rng.choice((-1.0, 1.0), count)
    period, phase = rng.uniform(60, 900, count), rng.uniform(0, 2 * np.pi, count)
    at, width = rng.uniform(60, curves.ROWS - 60, count), rng.uniform(30, 250, count)
    walk = np.cumsum(rng.standard_normal((count, curves.ROWS)), axis=1)
    shapes = (
        0.5 * np.cos(2 * np.pi * t / period[:, None] + phase[:, None]),
        np.broadcast_to(1 - t / curves.ROWS, (count, curves.ROWS)),
        (t < at[:, None]).astype(np.float64),
        np.exp(-np.square((t - at[:, None]) / width[:, None])),
        walk / np.abs(walk).max(1, keepdims=True),
    )
    kind = np.arange(count) % len(shapes)
    found: Array = size[:, None] * np.select([kind[:, None] == number for number in range(len(shapes))], shapes)
    return found
