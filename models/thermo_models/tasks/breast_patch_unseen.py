"""What breast-patch says of wearers of another simulator than it learnt from, and of what is no skin with or without a lesion."""

import numpy as np
from numpy.typing import NDArray

from thermo_core.stages.stage import Stage
from thermo_core.wearable.profile import Profile
from thermo_models.features import through
from thermo_models.metrics import expected_calibration_error
from thermo_models.patch_weeks import KIND_NAMES, Watched, draw_disturbance, draw_lump
from thermo_models.tasks.breast_patch_domain import refused
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


def classes(names: NDArray[np.str_]) -> NDArray[np.int64]:
    """(n,) which of the network's scores is right for looks with nothing or a lesion."""
    return np.asarray(names == LESION, np.int64)


def probe(profile: Profile, stages: tuple[Stage, ...], said: Said, threshold: float, wearers: int) -> Probe:
    """See `tasks.task.Probed`.

    Args:
        profile: of the wearable.
        stages: to the network's input.
        said: the network.
        threshold: of the wearable's alert.
        wearers: how many.
    """
    pictures, names = looks(wearers)
    scores = said(through(stages, pictures[..., np.newaxis]))
    unlike = refused(profile, pictures)
    called = (scores[:, 1] >= threshold) & ~unlike
    own = np.isin(names, OWN) & ~unlike
    calls = ", ".join(f"{name} {100 * called[names == name].mean():.0f} %" for name in KIND_NAMES)
    raised = {name: 100 * called[names == name].mean() for name in OWN}
    return Probe(
        "wearers of another simulator, with bioheat lesions",
        "What is unlike pictures it learnt from it flags `OUT_OF_DOMAIN`, and no alert goes by that. Of single looks it flags",
        {name: float(unlike[names == name].mean()) for name in (*OWN, *KIND_NAMES)},
        expected_calibration_error(scores[own], classes(names[own])),
        (
            "Its scores are scaled by wearers with skin of yet another generator, so that on skin which it has not learnt they are about as sure as "
            "they are right (`python bench/score_scaling.py --wearable breast-patch`); they seldom come near 0 or 1.",
            f"What it does not refuse it may call a lesion. Of single looks at other skin it calls {raised[NOTHING]:.0f} % with nothing beneath and "
            f"{raised[LESION]:.0f} % with a lesion of {LEAST_K:g} K and more; of looks at what is none: {calls}. `breast-watch`, on the same sensors, goes by "
            "its wearer's own past.",
            "Whatever a sensor that is not calibrated shows is flagged too.",
        ),
    )
