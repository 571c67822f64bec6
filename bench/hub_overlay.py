"""What the hub outlines of a warm spot that is new on simulated skin: `python bench/hub_overlay.py [PEOPLE]`, 60 by default.

Each person's skin is learned for a minute through a camera with fixed faults of 0.3 K and noise of 0.4 K a pixel; then a lesion of
known place, radius 2 to 4 pixels and contrast appears. Found: something was outlined within five seconds; right: its peak lies
within 1.2 radii of the lesion's middle. False: something was outlined on the same skin before.

Then what the breast patch's finding rests on, of the same lesions seen through a calibrated camera's mean of 16 pictures (noise of 0.1 K):
said: the network says lesion; right: the part that carries most of it lies within 1.2 radii of the lesion's middle.
"""

import sys
import time

import numpy as np
from numpy.typing import NDArray

from thermo_core import image
from thermo_core.signals import Signal, Values
from thermo_core.wearable import library
from thermo_hub.anomaly.deviation import Deviation, Overlay
from thermo_hub.anomaly.occlusion import rests_on, squares
from thermo_hub.wearables.bundles import Bundles
from thermo_sim.scenes import Lesion, breast_patch

PEOPLE = 60
CONTRASTS_K = ((0.3, 0.7), (0.7, 1.2), (1.2, 2.0))
LEARN_S = 60.0
SKIN = Signal("skin", (24, 32), "degC", 8.0, "skin")


def shown(
    deviation: Deviation, scene: NDArray[np.float64], fixed: Values, random: np.random.Generator, first: int, count: int
) -> Overlay:
    """The last overlay of so many pictures of a scene."""
    found = None
    for number in range(first, first + count):
        seen = (scene + fixed + random.normal(0, 0.4, SKIN.shape)).astype(np.float32)
        found = deviation.push(10**18 + number * 125_000_000, seen, 0) or found
    assert found is not None
    return found


def resting(people: int) -> None:
    """Print where findings rest."""
    bundles = Bundles(library.folder() / "none")
    sha256 = image.parse((library.folder() / "breast-patch" / library.BUNDLE_NAME).read_bytes()).sha256
    networks = bundles.networks(sha256)
    assert networks is not None
    print("\ncontrast       said  right of said  inferences  ms of CPU")
    for low, high in CONTRASTS_K:
        random = np.random.default_rng(round(10 * low))
        said = right = 0
        began = time.process_time()
        for seed in range(people):
            row, column, radius = random.uniform(4, 19), random.uniform(4, 27), random.uniform(2, 4)
            lesion = Lesion(row=row, column=column, radius=radius, contrast_k=float(random.uniform(low, high)))
            seen = breast_patch(seed, lesion).celsius(0.0) + random.normal(0, 0.1, SKIN.shape)
            above = (seen - np.median(seen)).astype(np.float32)
            found = rests_on(networks["lesion"], (above,), 0, ("no lesion", "lesion"))
            if found.label == "lesion":
                said += 1
                x, y = found.peak
                right += bool(np.hypot(y - 0.5 - row, x - 0.5 - column) <= 1.2 * radius)
        spent_ms = 1000 * (time.process_time() - began) / people
        shares = (
            f"{said / people:6.1%}  {right / max(said, 1):13.1%}  {len(squares(SKIN.shape)) + 1:10}  {spent_ms:9.1f}"
        )
        print(f"{low:.1f}-{high:.1f} K  {shares}", flush=True)


def main() -> None:
    people = int(sys.argv[1]) if len(sys.argv) > 1 else PEOPLE
    print("contrast      found  right of found  right of all  false")
    for low, high in CONTRASTS_K:
        random = np.random.default_rng(round(10 * low))
        found = right = false = 0
        for seed in range(people):
            row, column, radius = random.uniform(4, 19), random.uniform(4, 27), random.uniform(2, 4)
            lesion = Lesion(row=row, column=column, radius=radius, contrast_k=float(random.uniform(low, high)))
            fixed = random.normal(0, 0.3, SKIN.shape).astype(np.float32)
            deviation = Deviation(SKIN, LEARN_S)
            learned = int(8 * (LEARN_S + 6))
            false += bool(shown(deviation, breast_patch(seed).celsius(0.0), fixed, random, 0, learned).own)
            new = shown(deviation, breast_patch(seed, lesion).celsius(0.0), fixed, random, learned, 40).own
            found += bool(new)
            if new:
                x, y = new[0].peak
                right += bool(np.hypot(y - 0.5 - row, x - 0.5 - column) <= 1.2 * radius)
        shares = f"{found / people:5.1%}  {right / max(found, 1):14.1%}  {right / people:12.1%}  {false / people:5.1%}"
        print(f"{low:.1f}-{high:.1f} K  {shares}", flush=True)
    resting(people)


if __name__ == "__main__":
    main()
