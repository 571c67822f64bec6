"""Transfer: pre-train on simulated breast-patch pictures, learn still postures of `nagoya-actions` from few clips.

`python bench/transfer.py DATA.npz`: accuracy of sit / stand / lie on a day that was left out, by number of clips learnt from,
against the same training from scratch; pre-trained with the lesion as label, and without labels (which way a picture was turned).
"""

import sys
from pathlib import Path

import numpy as np

from thermo_models import networks, patch
from thermo_models.augment import Augmentation
from thermo_models.settings import Settings
from thermo_models.tasks.nagoya_actions import NagoyaActions
from thermo_models.transfer import compare, turned

STILL = {5: 0, 6: 1, 7: 2}
SIZES = (12, 48, 192)
AUGMENTATION = Augmentation(noise_k=0.04, shift=1, flip_rows=True, flip_columns=True, turn=True)


def main() -> None:
    """Print the two curves."""
    task = NagoyaActions()
    samples = task.load(Path(sys.argv[1]), task.settings, quick=False)
    still = samples.pick(np.isin(samples.targets, list(STILL)))
    pictures = np.median(still.features, axis=3, keepdims=True).astype(np.float32)
    classes = np.array([STILL[int(label)] for label in still.targets])
    held_out = still.groups == 2
    simulated = patch.measure(700_000, patch.Size(sensors=32, bodies=60), (16,))
    seen = simulated.pictures[:, 0, ..., np.newaxis]
    settings = Settings("mobilenet_v1", epochs=40, batch=64, seeds=3)
    sources = {"lesion or none": (seen, simulated.has_lesion.astype(np.int64)), "turned": turned(seen, 0)}
    for name, source in sources.items():
        print(f"pre-trained on {len(source[1])} simulated pictures, {name}")
        points = compare(
            lambda shape, outputs: networks.build("mobilenet_v1", shape, outputs),
            source,
            (pictures[~held_out], classes[~held_out]),
            (pictures[held_out], classes[held_out]),
            SIZES,
            settings,
            AUGMENTATION.apply,
        )
        print("clips  from scratch      transferred      (mean and range over seeds)")
        for point in points:
            cells = [f"{np.mean(f):.3f} ({min(f):.3f}-{max(f):.3f})" for f in (point.scratch, point.transferred)]
            print(f"{point.samples:5}  {'  '.join(cells)}", flush=True)


if __name__ == "__main__":
    main()
