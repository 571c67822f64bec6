"""What a model's figures do not show, as sentences of its card; every number in them comes from the metrics or the code."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from thermo_models import foster, patch

Metrics = Mapping[str, Any]


def limits(task: str, metrics: Metrics) -> tuple[str, ...]:
    """The sentences of a task's card."""
    return _LIMITS[task](metrics)


def _breast_patch(metrics: Metrics) -> tuple[str, ...]:
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
        "The wearable must be calibrated: pixel errors of an uncalibrated sensor look like small lesions.",
        *hardly,
        "The filter that is told place and width of the lesion is a limit for nobody who has to look for it; the other one takes "
        "the background for Gaussian, which vessels are not, so a network can pass it.",
    )  # fmt: skip


def _core_temperature(metrics: Metrics) -> tuple[str, ...]:
    found = metrics["examined"]["data"]
    campaigns, cameras = len(metrics["groups"]), len(found["cameras"])
    cases = {row["case"]: row for row in metrics["examined"]["cases"]}
    sentences = [
        f"{_count(campaigns, 'campaign')}, {_count(cameras, 'camera').lower()} ({', '.join(found['cameras'])}); {100 * found['young_share']:.0f} % "
        f"of the people of 25 or younger; {found['fever']} of {metrics['samples']} readings at 37.5 degC or above. "
        + ("Another campaign was not measured." if campaigns == 1 else "Campaigns are left out one by one."),
        "Weights and lengths of the prior were chosen on the data set's first campaign, by person: figures on that campaign are a "
        "little better than they would be on another.",
    ]
    if "periods" in cases:
        one = cases["periods"]
        sentences.append(
            f"The nearest to another campaign that the data hold, quarters of the days left out, gives RMSE {one['rmse']:.3f}, MAE "
            f"{one['mae']:.3f}, AUC {one['auc_fever']:.3f} where ridge regression gives {one['ridge_rmse']:.3f}, {one['ridge_mae']:.3f}, "
            f"{one['ridge_auc_fever']:.3f}."
        )
    if "camera 0.1 K more" in cases and "camera 0.3 K more" in cases:
        raised = [cases[f"camera {k} K more"]["bias"] - cases["periods"]["bias"] for k in ("0.1", "0.3")]
        sentences.append(
            f"A camera that reads 0.1 K more raises what is said by {raised[0]:.2f} K, one that reads 0.3 K more by {raised[1]:.2f} K: "
            "calibrate it, nothing here can tell an offset from a fever."
        )
    if "no round 4" in cases:
        sentences.append(f"Without round 4, in which the mouth is open, RMSE is {cases['no round 4']['rmse']:.2f}.")
    for variant, told in (
        ("without-mouth", "Without the mouth regions"),
        ("without-face-maximum", "Without them and the face's maximum, which often is the mouth"),
    ):
        if variant in metrics.get("variants", {}):
            figure = metrics["variants"][variant]["int8"]["rmse"]
            sentences.append(f"{told} (`--set variant={variant}`) RMSE is {figure:.3f}.")
    return (
        *sentences,
        f"Needs the radiometric regions of the data set, taken at {_range(found['distance_m'])} m by a calibrated thermograph; round 4 has the "
        "mouth open.",
        f"The reference limits it: its two modes of oral reading differ by SD {found['modes_apart_k']:.2f} degC, so errors much smaller "
        "cannot be shown.",
        "The half-width around what is said is set on months left out, of the same data; it says nothing of people unlike them.",
    )


def _wrist_stress(metrics: Metrics) -> tuple[str, ...]:
    single = [fold["int8"]["auc"] for fold in metrics["folds"]]
    sentences = [
        "Every person followed the same order of tasks. A clock alone, which knows no physiology, does better than any model here: "
        "see the baseline's AUC. No statistic reaches back more than 120 s, but what drifts over the session (conductance, skin "
        "temperature) still tells part of the time. The time-matched AUC, over pairs at most 60 s apart in elapsed time, where the "
        "clock is at chance, is what the signals themselves show. Such a pair is of two people, so it also holds how people differ.",
        f"Task against rest in a laboratory, in {metrics['people']} people whose single AUC goes from {min(single):.2f} to "
        f"{max(single):.2f}: not stress in daily life, and no diagnosis. Motion and speech belong to the tasks, and part of what is "
        "told is them.",
    ]
    variants = metrics.get("variants", {})
    if {"without-temperature", "temperature-only"} <= set(variants):
        without, only = (variants[name]["int8"] for name in ("without-temperature", "temperature-only"))
        own = metrics["int8"]["auc_time_matched"]
        low, high = metrics["intervals"]["int8"].get("auc_time_matched", (own, own))
        verdict = "adds nothing that could be shown" if low <= without["auc_time_matched"] <= high else "changes it"
        sentences.append(
            f"Skin temperature {verdict}: without it AUC {without['auc']:.3f} and time-matched {without['auc_time_matched']:.3f} (`--set "
            f"variant=without-temperature`), from it alone {only['auc']:.3f} and {only['auc_time_matched']:.3f} (`--set "
            "variant=temperature-only`); 0.5 is chance."
        )
    return tuple(sentences)


def _time_constants(metrics: Metrics) -> tuple[str, ...]:
    sentences = [
        "Synthetic Foster curves with white noise alone: real cooling curves drift and are not sums of three exponentials.",
        f"Time constants of {foster.TAU_S[0]:g}-{foster.TAU_S[1]:g} s whose neighbours differ by a factor of {foster.LEAST_RATIO:g} or more, each "
        f"with at least {100 * foster.LEAST_SHARE:g} % of the amplitude.",
        "The baseline is multi-start least squares on all 600 samples, told the number of parts.",
    ]
    theirs = {row["noise"]: row for row in metrics.get("baseline", {}).get("table", []) if row["parts"] == "all"}
    pairs = [
        (row, theirs[row["noise"]])
        for row in metrics["int8"].get("table", [])
        if row["parts"] == "all" and row["noise"] in theirs
    ]
    if pairs:
        said = ", ".join(
            f"{100 * own['unknown_median']:.1f} ({100 * own['unknown_p90']:.1f}) against {100 * other['known_median']:.1f} "
            f"({100 * other['known_p90']:.1f}) % at {100 * own['noise']:g} % noise"
            for own, other in pairs
        )
        sentences.append(
            f"Median (and 90th percentile) of the error of tau over all curves, the number of parts unknown to the network: {said}. Without "
            "noise, rounding within the network is what is left."
        )
    return (*sentences, "One training: the interval is of curves alone, and another training differs too.")


def _nagoya_actions(metrics: Metrics) -> tuple[str, ...]:
    return (
        "Data and weights are CC BY-NC-SA 4.0 and are not shipped.",
        f"{len(metrics['groups'])} recording days, {metrics['people']} people, one room and one sensor height.",
    )


def _count(number: int, what: str) -> str:
    return f"One {what}" if number == 1 else f"{number} {what}s"


def _range(ends: Sequence[float]) -> str:
    return f"{ends[0]:g}" if ends[0] == ends[1] else f"{ends[0]:g}-{ends[1]:g}"


_LIMITS: dict[str, Callable[[Metrics], tuple[str, ...]]] = {
    "breast-patch": _breast_patch,
    "core-temperature": _core_temperature,
    "wrist-stress": _wrist_stress,
    "time-constants": _time_constants,
    "nagoya-actions": _nagoya_actions,
}
