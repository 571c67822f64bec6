"""How far scores are off by ways of scaling them, on people that no scaling has met.

Run `python bench/score_scaling.py [--wearable clothing|clothing-8|breast-patch]`; it takes some minutes. Of a garment, the people by whom its scores are
scaled are halved eight times, and each half is scaled by the other; of `breast-patch`, wearers of its card are scaled by others with skin of another
generator. Scaled are they not at all, by a temperature alone, by a temperature and a shift of "nothing" that make what happened
likeliest, and by the least shift that brings the calibration error to a limit (`thermo_models.scaling`). The network is the shipped one, its
own scaling undone. For each: mean and most of the calibration error, and the mean share of each kind of moments that is told right.
"""

import argparse
import json
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from thermo_core.files import read_file
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wearable.file import Wearable
from thermo_models.features import network_inputs, refused
from thermo_models.metrics import expected_calibration_error
from thermo_models.scaling import Scaling, fitted
from thermo_models.tasks import find
from thermo_models.tasks.breast_patch import FIRST_SCALED_ON, SCALED_ON, SCALED_ON_SKIN, BreastPatch
from thermo_models.tasks.breast_patch_domain import refused as unlike
from thermo_models.tasks.breast_patch_unseen import FIRST, SKIN, classes, looks
from thermo_models.tasks.clothing import HELD_OUT, HELD_OUT_PEOPLE, Clothing
from thermo_models.tasks.clothing_days import SCRIPTS, days
from thermo_models.templates import chain
from thermo_quantize.flatfile import without_head

Floats = NDArray[np.float64]
Classes = NDArray[np.int64]
Judged = tuple[Floats, Classes, list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]]
"""Logits (n, classes), classes (n,), and by whom to scale whom."""
HALVINGS = 8
BLOCKS = len(SCRIPTS) * HELD_OUT_PEOPLE
"""Pieces of these days that are kept together, about as many as people."""


def likeliest(shifted: bool) -> Callable[[Floats, Classes], Scaling]:
    """By a temperature, and where `shifted` a shift, under which classes are likeliest."""

    def found(logits: Floats, classes: Classes) -> Scaling:
        def scaling(chosen: Floats) -> Scaling:
            return Scaling(float(np.exp(chosen[0])), float(chosen[1]) if shifted else 0.0)

        def unlikely(chosen: Floats) -> float:
            scores = softmax(scaling(chosen).logits(logits))
            return float(-np.log(scores[np.arange(len(classes)), classes] + 1e-12).mean())

        return scaling(minimize(unlikely, np.zeros(2), method="Nelder-Mead").x)

    return found


def softmax(logits: Floats) -> Floats:
    """(n, classes) scores."""
    raised = np.exp(logits - logits.max(1, keepdims=True))
    return np.asarray(raised / raised.sum(1, keepdims=True))


WAYS: dict[str, Callable[[Floats, Classes], Scaling]] = {
    "not at all": lambda logits, classes: Scaling(1.0, 0.0),
    "temperature": likeliest(False),
    "temperature and shift": likeliest(True),
    "least shift": fitted,
}


def garment(task: Clothing) -> Judged:
    """Days of the people by whom it is scaled, halved."""
    scenes, last = (
        days(dict.fromkeys(SCRIPTS, HELD_OUT_PEOPLE), first=HELD_OUT),
        chain(task.wearable.profile, task.entry),
    )
    made = task.worn(scenes, task.wearable.profile.stages)
    kept = ~refused(last, made["features"])
    block = made["people"][kept] * BLOCKS // len(scenes)
    halves = [
        np.isin(block, np.random.default_rng(halving).permutation(BLOCKS)[: BLOCKS // 2]) for halving in range(HALVINGS)
    ]
    sides = [side for half in halves for side in ((~half, half), (half, ~half))]
    return logits_of(task.wearable, network_inputs(last, made["features"][kept])), made["event"][kept], sides


def patch(task: BreastPatch) -> Judged:
    """Wearers with skin of one generator to scale by, and those of the card, with skin of another one; what is refused is left out."""
    profile = task.wearable.profile
    found = []
    for first, skin in ((FIRST_SCALED_ON, SCALED_ON_SKIN), (FIRST, SKIN)):
        pictures, names = looks(SCALED_ON, first, skin, strange=())
        kept = ~unlike(profile, pictures)
        found.append((pictures[kept], names[kept]))
    pictures, names = (np.concatenate(both) for both in zip(*found, strict=True))
    own = np.arange(len(names)) >= len(found[0][1])
    inputs = network_inputs(chain(profile, task.entry), pictures[..., np.newaxis])
    return logits_of(task.wearable, inputs), classes(names), [(~own, own)]


def logits_of(wearable: Wearable, inputs: NDArray[np.float32]) -> Floats:
    """(n, classes) of its network, its own scaling undone."""
    (path,) = wearable.networks.values()
    headless = without_head(read_file(path))
    assert headless is not None
    logits = Int8Network(headless).predict([inputs]).astype(np.float64)
    if before := json.loads(read_file(path.with_name("metrics.json"))).get("scaling"):
        logits[:, 0] -= before["nothing"]
        logits *= before["temperature"]
    return logits


def main() -> None:
    """Print all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wearable", choices=("clothing", "clothing-8", "breast-patch"), default="clothing")
    task = find(parser.parse_args().wearable)
    assert isinstance(task, Clothing | BreastPatch)
    logits, classes, sides = garment(task) if isinstance(task, Clothing) else patch(task)
    for name, way in WAYS.items():
        off, told = [], []
        for others, own in sides:
            scores = softmax(way(logits[others], classes[others]).logits(logits[own]))
            off.append(expected_calibration_error(scores, classes[own]))
            right = scores.argmax(1) == classes[own]
            told.append(np.mean([right[classes[own] == one].mean() for one in np.unique(classes[own])]))
        print(f"{name:22} error {np.mean(off):.3f}, at most {np.max(off):.3f}; told right {np.mean(told):.2f}")


if __name__ == "__main__":
    main()
