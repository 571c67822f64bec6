"""What breast-patch says of wearers of another simulator than it learnt from, and of what is no skin with or without a lesion."""

import numpy as np
from numpy.typing import NDArray

from thermo_core.stages.stage import Stage
from thermo_models.features import through
from thermo_models.metrics import expected_calibration_error
from thermo_models.patch_weeks import KIND_NAMES, Watched, draw_disturbance, draw_lump
from thermo_models.tasks.task import Probe, Said
from thermo_sim.worn_patch import DAY_S, HARSH, MILD

FIRST = 760_000
"""Seed of the first wearer; no training has met any of them."""
SKIN = "branches"
LEAST_K = 0.3
"""Fainter lesions were not learnt."""
EACH = 6
"""Looks of each wearer with nothing, and with a lesion."""
OWN = NOTHING, LESION = "nothing, on other skin", f"a lesion of {LEAST_K:g} K and more, on other skin"


def looks(
    wearers: int, first: int = FIRST, skin: str = SKIN, strange: tuple[str, ...] = KIND_NAMES
) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    """(n, 24, 32) degC of wearers with a mild and a harsh life by turns, and (n,) what is in each.

    Args:
        wearers: how many.
        first: seed of the first.
        skin: generator of their skin.
        strange: what they are looked at with, beside nothing and a lesion.
    """
    pictures, names = [], []
    for seed in range(first, first + wearers):
        rng = np.random.default_rng([seed, 0xB9])
        watched = Watched(seed, skin, (MILD, HARSH)[seed % 2], rng)
        for name in (*[NOTHING] * EACH, *[LESION] * EACH, *strange):
            lump, contrast_k = draw_lump(rng)
            while name == LESION and contrast_k < LEAST_K:
                lump, contrast_k = draw_lump(rng)
            added = draw_disturbance(KIND_NAMES.index(name), rng) if name in KIND_NAMES else 0.0
            pictures.append(watched.look(rng.uniform(0, 10) * DAY_S, lump if name == LESION else None, added))
            names.append(name)
    return np.stack(pictures), np.array(names)


def probe(stages: tuple[Stage, ...], said: Said, threshold: float, wearers: int) -> Probe:
    """See `tasks.task.Probed`.

    Args:
        stages: to the network's input.
        said: the network.
        threshold: of the wearable's alert.
        wearers: how many.
    """
    pictures, names = looks(wearers)
    scores = said(through(stages, pictures[..., np.newaxis]))
    called = scores[:, 1] >= threshold
    own = np.isin(names, OWN)
    return Probe(
        "wearers of another simulator, with bioheat lesions",
        "It refuses nothing. Of single looks at what is no lesion like those it learnt it calls a lesion in",
        {name: float(called[names == name].mean()) for name in (*OWN, *KIND_NAMES)},
        expected_calibration_error(scores[own], (names[own] == LESION).astype(np.int64)),
        (
            "Scores are too sure on skin that it has not learnt. By wearers with skin of yet another generator, a temperature alone, a temperature and a "
            "shift and the least shift all bring the error there within the goal (`python bench/score_scaling.py --wearable breast-patch`); the network "
            "that ships has none of them, since its alert and its days were measured with the scores it says.",
            "It has no way to say that it cannot tell: the table above has how often it calls what is no lesion. `breast-watch`, on the same sensors, "
            "refuses such pictures and goes by its wearer's own past.",
        ),
    )
