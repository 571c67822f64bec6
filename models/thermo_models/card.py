"""The card that travels with a model: what it was trained on, what it was measured to do, what it must not be used for."""

from thermo_core.profile import NOTICE
from thermo_models.tasks import breast_patch
from thermo_models.train import Trained


def card(trained: Trained) -> str:
    """Markdown; every figure comes from `trained.metrics`."""
    metrics = trained.metrics
    int8 = metrics["int8"]
    rows = "\n".join(
        f"| {row['from_k']:.1f}-{row['to_k']:.1f} K | {row['lesions']} | {row['auc']:.3f} | {row['sensitivity']:.2f} |"
        for row in int8["by_contrast"]
    )
    return f"""# {breast_patch.NAME}

**{NOTICE}** It has seen simulated scenes alone: no skin, no person, no disease.

Tells `{breast_patch.LABELS[0]}` from `{breast_patch.LABELS[1]}` in the mean of {breast_patch.PREPROCESSING.average_pictures}
pictures of a calibrated MLX90640 at 16 subpages/s (8 pictures/s), median taken away.

| | |
|---|---|
| network | MobileNet v1, {metrics["parameters"]:,} parameters, {metrics["bytes"]:,} bytes, int8 (per-channel weights) |
| input | (24, 32, 1) int8, scale {trained.input.scale:.6g} K, zero point {trained.input.zero_point} |
| output | 2 scores int8, scale {trained.output.scale:.6g}, zero point {trained.output.zero_point} |
| training | {metrics["samples"]["train"]:,} samples of {metrics["sensors"]["train"]} simulated sensors, seed {metrics["seed"]} |
| validation | {metrics["samples"]["validation"]:,} samples of {metrics["sensors"]["validation"]} other sensors; chose the epoch and the threshold |
| test | {metrics["samples"]["test"]:,} samples of {metrics["sensors"]["test"]} sensors, bodies and lesions seen by neither |

## Data
Skin with vessels, a smooth field and a dome of warmth under the patch; half of the bodies with one warm spot of Gaussian profile,
0.3-2.0 K above its surroundings, radius 1.5-4 pixels. Each scene goes through the simulated sensor: counts, noise by NETD,
subpage offset, decoding, and the two-point correction of that very sensor.

## Measured on the test split
| | float | int8 |
|---|---|---|
| AUC | {metrics["float"]["test_auc"]:.4f} | {int8["test_auc"]:.4f} |

At the bundle's threshold {trained.threshold:.3f} (95 % specificity on validation): specificity {int8["test_specificity"]:.3f},
sensitivity {int8["test_sensitivity"]:.3f}.

| lesion's contrast | lesions | AUC | sensitivity |
|---|---|---|---|
{rows}

`thermo-models train {breast_patch.NAME} --seed {metrics["seed"]}` trained this model and printed these figures; int8 figures are of
tflite-runtime's reference kernels.

## Limits
- Simulation only. Contrast, vessels and shapes are assumptions, not measurements of people.
- The wearable must be calibrated: pixel errors of an uncalibrated sensor look like small lesions.
- Contrasts below 0.3 K were not trained.
"""
