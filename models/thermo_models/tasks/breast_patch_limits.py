"""What the figures of `breast-patch` do not show, as sentences of its card; every number in them comes from the metrics or the code."""

from collections.abc import Mapping
from typing import Any

from thermo_models import patch


def limits(metrics: Mapping[str, Any]) -> tuple[str, ...]:
    """The sentences, from the figures of a run."""
    least = patch.CONTRAST_K[0]
    faint = [
        row for row in metrics["int8"].get("table", []) if row["from_k"] == least and row["to_k"] < patch.CONTRAST_K[1]
    ]
    said = ", ".join(f"{row['auc']:.2f}" for row in faint)
    pictures = ", ".join(str(row["pictures"]) for row in faint)
    hardly = (
        [
            f"Contrasts below {least} K were not trained. With the place unknown, contrasts of {least} to {faint[0]['to_k']} K give an AUC of "
            f"{said} with {pictures} pictures averaged: skin's own unevenness hides them."
        ]
        if faint
        else []
    )
    return (
        "Simulated scenes alone: no skin, no person, no disease. Contrast, vessels and shapes are assumptions, not measurements of "
        "people.",
        "Temperatures of one picture are all it sees, so there is nothing beside temperature to leave out.",
        "The wearable must be calibrated: pixel errors of an uncalibrated sensor look like small lesions.",
        *hardly,
        "The filter that is told place and width of the lesion is a limit for nobody who has to look for it; the other one takes "
        "the background for Gaussian, which vessels are not, so a network can pass it.",
    )  # fmt: skip
