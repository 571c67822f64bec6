"""The shipped breast-patch model beside matched filters: AUC by number of averaged pictures and by lesion contrast.

Two limits: a filter that knows where and how large the lesion would be, and one that tries every place and size. Both whiten by
the covariance of healthy scenes plus that of the sensor's errors and noise (Van Trees 1968, section 2.6). `python bench/breast_patch_limit.py [SENSORS]`.
"""

import itertools
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thermo_models.metrics import auc
from thermo_models.tasks import breast_patch
from thermo_models.tasks.breast_patch import _lesion, _two_point_correction
from thermo_quantize.reference import Reference
from thermo_sim.dataset import PictureSource
from thermo_sim.radiometry import Conditions
from thermo_sim.scenes import Lesion
from thermo_sim.scenes import breast_patch as scene_of

ARTIFACT = Path(breast_patch.__file__).parents[1] / "artifacts" / "breast-patch" / "model.tflite"
AVERAGES = (1, 4, 16, 64)
BINS_K = (0.3, 0.6, 1.0, 2.0)
BODIES = 50
SCENES = 6_000
Array = NDArray[np.float64]


def simulate(first_seed: int, sensors: int) -> tuple[dict[int, Array], list[Lesion], NDArray[np.bool_]]:
    """Features by number of averaged pictures, the lesion each sample has or could have had, and whether it has it."""
    features: dict[int, list[Array]] = {n: [] for n in AVERAGES}
    shapes, has = [], []
    for seed in range(first_seed, first_seed + sensors):
        rng = np.random.default_rng([seed, 0x1A])
        conditions = Conditions(
            ta=rng.uniform(24, 40),
            vdd=rng.normal(3.3, 0.02),
            reflected=rng.uniform(16, 32),
            emissivity=breast_patch.EMISSIVITY,
        )
        source = PictureSource(seed, conditions=conditions)
        gain, offset = _two_point_correction(source)
        for body in range(BODIES):
            lesion = _lesion(rng)
            shapes.append(lesion)
            has.append(bool(body % 2))
            scene = scene_of(seed * 1_000 + body, lesion if has[-1] else None, mean_celsius=rng.uniform(31.0, 35.0))
            total = np.zeros((24, 32))
            for n in range(1, max(AVERAGES) + 1):
                total += offset + gain * source.picture(scene.celsius(0.0))
                if n in features:
                    features[n].append(total / n - np.median(total / n))
    return {n: np.stack(pictures) for n, pictures in features.items()}, shapes, np.array(has)


def sensor_variance(first_seed: int, sensors: int) -> dict[int, float]:
    """Variance of a pixel about its scene by number of averaged pictures: pixel errors left by calibration, and noise."""
    features, shapes, has = simulate(first_seed, sensors)
    scenes = [
        scene_of((first_seed + i // BODIES) * 1_000 + i % BODIES, shape if there else None).celsius(0.0)
        for i, (shape, there) in enumerate(zip(shapes, has, strict=True))
    ]
    truth = np.stack([scene - np.median(scene) for scene in scenes])
    return {n: float(np.var(pictures - truth)) for n, pictures in features.items()}


def template(lesion: Lesion) -> Array:
    """(768,) what a lesion of 1 K adds."""
    rise = Lesion(lesion.row, lesion.column, lesion.radius, 1.0).rise()
    return (rise - np.median(rise)).ravel()


def healthy_scenes() -> tuple[Array, Array]:
    """Mean (768,) and covariance (768, 768) of healthy bodies without a sensor, the median taken away."""
    pictures = np.stack([scene_of(seed).celsius(0.0) for seed in range(50_000_000, 50_000_000 + SCENES)])
    flat = (pictures - np.median(pictures, axis=(1, 2), keepdims=True)).reshape(SCENES, -1)
    return flat.mean(0), np.cov(flat.T)


def main() -> None:
    """Print the table."""
    sensors = int(sys.argv[1]) if len(sys.argv) > 1 else 24
    mean, covariance = healthy_scenes()
    errors = sensor_variance(1_000, max(2, sensors // 4))
    tested, shapes, has = simulate(400_000, sensors)
    contrast = np.where(has, [shape.contrast_k for shape in shapes], 0.0)
    own = np.stack([template(shape) for shape in shapes])
    grid = np.stack(
        [
            template(Lesion(row, column, radius))
            for row in range(3, 21)
            for column in range(3, 29)
            for radius in (1.75, 2.75, 3.75)
        ]
    )
    network = Reference(ARTIFACT.read_bytes())
    print(f"{len(has)} samples of {sensors} unseen sensors; AUC of lesions by contrast against all healthy samples")
    print("pictures  contrast     network  filter, any place  filter, place known")
    for n in AVERAGES:
        inverse = np.linalg.inv(covariance + errors[n] * np.eye(len(mean)))
        flat = (tested[n].reshape(len(has), -1) - mean) @ inverse
        known = (flat * own).sum(1) / np.sqrt(np.einsum("ij,jk,ik->i", own, inverse, own))
        anywhere = (flat @ grid.T / np.sqrt(np.einsum("ij,jk,ik->i", grid, inverse, grid))).max(1)
        said = network.scores(tested[n].astype(np.float32)[..., np.newaxis])[:, 1].astype(np.float64)
        for low, high in [*itertools.pairwise(BINS_K), (BINS_K[0], BINS_K[-1])]:
            of = ~has | ((contrast >= low) & (contrast < high))
            cells = [f"{auc(scores[of], has[of]):.3f}" for scores in (said, anywhere, known)]
            print(f"{n:8}  {low:.1f}-{high:.1f} K  {cells[0]:>10}  {cells[1]:>17}  {cells[2]:>19}", flush=True)


if __name__ == "__main__":
    main()
