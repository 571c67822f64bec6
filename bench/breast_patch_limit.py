"""A breast-patch model beside matched filters on sensors no split has: AUC by number of averaged pictures and by contrast.

`python bench/breast_patch_limit.py [SENSORS] [MODEL.tflite]`; 24 sensors and the shipped model by default. `anywhere` is the
filter that has to look everywhere, as a network does; `told` knows place and width of the lesion (`thermo_models.matched`).
The last column is how far the network is below `anywhere`. Ranges are 95 % intervals of a bootstrap over sensors.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thermo_core.tflite.interpreter import Int8Network
from thermo_models import patch
from thermo_models.features import through
from thermo_models.intervals import bootstrap
from thermo_models.matched import MatchedFilters
from thermo_models.metrics import auc
from thermo_models.tasks import breast_patch

ARTIFACT = Path(breast_patch.__file__).parents[1] / "wearables" / "breast-patch" / "model.tflite"
BODIES = 60
HEALTHY = patch.Size(sensors=100, bodies=60)
UNSEEN = 600_000


def main() -> None:
    """Print the table."""
    sensors = int(sys.argv[1]) if len(sys.argv) > 1 else 24
    network = Int8Network((Path(sys.argv[2]) if len(sys.argv) > 2 else ARTIFACT).read_bytes())
    learnt = patch.parts(breast_patch.FIRST_SEED["train"], HEALTHY)
    tested = patch.measure(UNSEEN, patch.Size(sensors, BODIES), breast_patch.AVERAGES)
    has, contrast = tested.has_lesion, tested.lesions[:, 3]
    print(f"{len(has)} samples of {sensors} unseen sensors; AUC of lesions by contrast against all healthy samples")
    print("pictures  contrast  network                filter anywhere  filter told  below anywhere")
    for number, averages in enumerate(breast_patch.AVERAGES):
        pictures = through((breast_patch.ABOVE,), tested.pictures[:, number])
        filters = MatchedFilters(learnt.healthy.astype(np.float32), learnt.noise.astype(np.float32), averages)
        said = network.predict([pictures[..., np.newaxis]])[:, 1].astype(np.float64)
        anywhere, told = filters.anywhere(pictures), filters.told(pictures, tested.lesions[:, :3])
        for low, high in breast_patch.CONTRAST_BINS_K:
            of = np.flatnonzero(~has | ((contrast >= low) & (contrast < high)))
            scores = {"network": said[of], "anywhere": anywhere[of], "told": told[of]}

            def figures(
                index: NDArray[np.intp],
                draw: NDArray[np.intp],
                scores: dict[str, NDArray[np.float64]] = scores,
                lesion: NDArray[np.bool_] = has[of],
            ) -> dict[str, float]:
                found = {name: auc(values[index], lesion[index]) for name, values in scores.items()}
                return {**found, "below": found["anywhere"] - found["network"]}

            found = figures(np.arange(len(of)), np.zeros(0, np.int64))
            sure = bootstrap(figures, tested.sensors[of])
            print(
                f"{averages:8}  {low:.1f}-{high:.1f} K  {found['network']:.3f} ({_range(sure['network'])})  {found['anywhere']:15.3f}"
                f"  {found['told']:11.3f}  {found['below']:+7.3f} ({_range(sure['below'])})",
                flush=True,
            )


def _range(ends: tuple[float, float]) -> str:
    return f"{ends[0]:.3f} to {ends[1]:.3f}"


if __name__ == "__main__":
    main()
