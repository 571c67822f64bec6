"""What the figures of `breast-patch` do not show, as sentences of its card; every number in them comes from the metrics or the code."""

from collections.abc import Mapping
from typing import Any

from thermo_models import patch


def first_lines(metrics: Mapping[str, Any]) -> str:
    """What becomes of who wears it day after day, where that was simulated."""
    day = metrics.get("day")
    if day is None:
        return ""
    stands = 100 * max(row["raised"] for row in day["alerts"] if row["factor"] == 1.0)
    return (
        f"**Not for wearing day after day.** It knows one picture at a time, and healthy wearers whose skin it has not learnt are called "
        f"{day['a_week']:.0f} times a week; its alert stands for {stands:.0f} % of their time. `breast-watch`, on the same sensors, learns its wearer."
    )


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
        "Temperatures of one picture are all it sees: without them, or by a clock alone, AUC is 0.5 by construction.",
        "The wearable must be calibrated: pixel errors of an uncalibrated sensor look like small lesions.",
        *hardly,
        *metrics.get("probe", {}).get("told", ()),
        "The filter that is told place and width of the lesion is a limit for nobody who has to look for it; the other one takes "
        "the background for Gaussian, which vessels are not, so a network can pass it.",
    )  # fmt: skip
