"""What the figures of `wrist-stress` do not show, as sentences of its card; every number in them comes from the metrics or the code."""

from collections.abc import Mapping
from typing import Any

from thermo_models.day_card import an_hour


def limits(metrics: Mapping[str, Any]) -> tuple[str, ...]:
    """The sentences, from the figures of a run."""
    single = [fold["int8"]["auc"] for fold in metrics["folds"]]
    sentences = [
        *_beside(metrics),
        "Every person followed the same order of tasks. A clock alone, which knows no physiology, does better than any model here: "
        "see the baseline's AUC. No statistic reaches back more than 120 s, but what drifts over the session (conductance, skin "
        "temperature) still tells part of the time. The time-matched AUC, over pairs at most 60 s apart in elapsed time, where the "
        "clock is at chance, is what the signals themselves show. Such a pair is of two people, so it also holds how people differ.",
        f"Task against rest in a laboratory, in {metrics['people']} people whose single AUC goes from {min(single):.2f} to "
        f"{max(single):.2f}: not stress in daily life, and no diagnosis. Motion and speech belong to the tasks, and part of what is "
        "told is them.",
    ]
    return tuple(sentences)


def _beside(metrics: Mapping[str, Any]) -> list[str]:
    """How it stands beside trees, and as an alarm; nothing of a run that measured neither."""
    own = metrics["int8"]
    if "others" not in metrics:
        return []
    trees = metrics["others"]["trees"]
    better = metrics["against"]["trees"]["auc_time_matched"]["interval"]
    verdict = "which is shown" if better[0] > 0 else "which may be luck"
    return [
        f"Extra trees on the same numbers give AUC {trees['auc']:.3f} and time-matched {trees['auc_time_matched']:.3f}; the network is better by "
        f"{own['auc_time_matched'] - trees['auc_time_matched']:.3f} ({better[0]:.2f} to {better[1]:.2f}) there, {verdict}.",
        f"As an alarm over a session, of four moments in a row that are more likely than not a task, it finds {100 * own['alarms_found']:.0f} % of the "
        f"tasks after {own['alarms_delay_s'] / 60:.1f} minutes (median) and calls {own['alarms_false_an_hour']:.1f} times an hour for nothing, over "
        f"{own['alarms_hours']:.0f} hours of moments whose last minute is all task or all rest; trees find {100 * trees['alarms_found']:.0f} % and call "
        f"{trees['alarms_false_an_hour']:.1f} times.",
        an_hour(
            own["alarms_false_an_hour"], metrics["intervals"]["int8"].get("alarms_false_an_hour"), own["alarms_hours"]
        ),
        f"The chance that is said is off by {own['ece']:.3f} (expected calibration error), where tasks are as common as here.",
    ]


def first_lines(metrics: Mapping[str, Any]) -> str:
    """What skin temperature is worth here, and how sure that is; "" where it was not measured."""
    variants = metrics.get("variants", {})
    if not {"without-temperature", "temperature-only"} <= set(variants):
        return ""
    without, only = (variants[name]["int8"] for name in ("without-temperature", "temperature-only"))
    own = metrics["int8"]["auc_time_matched"]
    low, high = metrics["intervals"]["int8"].get("auc_time_matched", (own, own))
    verdict = "adds nothing that could be shown" if low <= without["auc_time_matched"] <= high else "changes it"
    return (
        f"**Skin temperature {verdict}:** without it AUC {without['auc']:.3f} and time-matched {without['auc_time_matched']:.3f} (`--set "
        f"variant=without-temperature`), from it alone {only['auc']:.3f} and {only['auc_time_matched']:.3f} (`--set variant=temperature-only`); "
        f"0.5 is chance. With {metrics['people']} people the time-matched AUC of {own:.3f} may as well be {low:.2f} or {high:.2f}."
    )
