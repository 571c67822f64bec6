"""How a wrist is held while people do things."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from thermo_sim.people.activities import ACTIVITIES
from thermo_sim.people.scripts import Spell

Array = NDArray[np.float64]

_HANGS = (-0.9, 0.1, 0.25)
_LIES_BEFORE = (0.15, 0.1, 0.95)
_MOST_TURNS = 20_000


def turns(spells: Sequence[Spell], end_s: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """When it is held otherwise, ascending from long before the beginning, and what is up then; (k,), (k, 3)."""
    starts, held = [np.array([-1e9])], [np.array([[0.0, 0.0, 1.0]])]
    ends = [*(spell.start_s for spell in spells[1:]), end_s]
    for spell, until_s in zip(spells, ends, strict=True):
        kind = ACTIVITIES[spell.activity]
        lasts_s = max(until_s - spell.start_s, 1e-3)
        count = 1 + min(int(rng.poisson(lasts_s / kind.turns_s)), _MOST_TURNS)
        at = np.sort(rng.uniform(spell.start_s, spell.start_s + lasts_s, count))
        at[0] = spell.start_s
        usual = _HANGS if kind.steps_hz and kind.swing > 0.2 else _LIES_BEFORE
        spread = 1.0 if kind.lying else (0.12 if kind.steps_hz else 0.35)
        starts.append(at)
        held.append(np.asarray(usual) + spread * rng.normal(0, 1, (count, 3)))
    return np.concatenate(starts), np.concatenate(held)
