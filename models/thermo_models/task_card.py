"""The card of a model trained by `thermo-models train`: data, protocol, figures with their goals, limits."""

from typing import Any

from thermo_core.profile import NOTICE
from thermo_models.tasks.task import Charted, Task

LIMITS = {
    "breast-patch": (
        "Simulated scenes alone: no skin, no person, no disease. Contrast, vessels and shapes are assumptions, not measurements of "
        "people.",
        "The wearable must be calibrated: pixel errors of an uncalibrated sensor look like small lesions.",
        "Contrasts below 0.3 K were not trained; those below 0.6 K are hardly told from skin's own unevenness, with the place "
        "unknown.",
        "The filter that is told place and width of the lesion is a limit for nobody who has to look for it; the other one takes "
        "the background for Gaussian, which vessels are not, so a network can pass it.",
    ),
    "core-temperature": (
        "One campaign, one camera, mostly students of 18-25; 47 of 544 people at 37.5 degC or above, so the AUC's standard error is "
        "about 0.01. Another campaign or camera was not measured. The nearest to it, quarters of the campaign's days left out, "
        "gives RMSE 0.246, MAE 0.186, AUC 0.971 where ridge regression gives 0.268, 0.202, 0.968 (`bench/core_temperature.py`).",
        "Weights and lengths of the prior were chosen on this campaign, by person: some thirty choices lay between RMSE 0.236 and "
        "0.250. Each test side was left out of all else, the interval included.",
        "A camera that reads 0.1 K more raises what is said by 0.08 K, one that reads 0.3 K more by 0.25 K: calibrate it, nothing "
        "here can tell an offset from a fever. Without round 4 the RMSE is 0.28 (same command).",
        "Without the mouth regions (`--set variant=without-mouth`) RMSE 0.246; without the face's maximum as well, which often is the "
        "mouth (`without-face-maximum`), RMSE 0.268.",
        "Needs the radiometric regions of the data set, taken at 0.6-0.8 m by a calibrated thermograph; "
        "round 4 has the mouth open.",
        "The reference limits it: its two modes of oral reading differ by SD 0.25 degC, so errors much below 0.22 cannot be shown.",
        "The interval is set on months left out, of the same campaign; it says nothing of people unlike them.",
    ),
    "wrist-stress": (
        "Every person followed the same order of tasks. A clock alone, which knows no physiology, does better than any model here: "
        "see the baseline's AUC. No statistic reaches back more than 120 s, but what drifts over the session (conductance, skin "
        "temperature) still tells part of the time. The time-matched AUC, over pairs at most 60 s apart in elapsed time, where the "
        "clock is at chance, is what the signals themselves show. Such a pair is of two people, so it also holds how people differ.",
        "Task against rest in a laboratory, in 24 people whose single AUC goes from 0.64 to 0.99: not stress in daily life, and no "
        "diagnosis. Motion and speech belong to the tasks, and part of what is told is them.",
        "Skin temperature adds nothing: without it AUC 0.792 and time-matched 0.745 (`--set variant=without-temperature`), from it "
        "alone 0.575 and 0.494, chance (`--set variant=temperature-only`).",
    ),
    "time-constants": (
        "Synthetic Foster curves with white noise alone: real cooling curves drift and are not sums of three exponentials.",
        "Time constants of 2-400 s whose neighbours differ by a factor of 3 or more, each with at least 15 % of the amplitude.",
        "The baseline is multi-start least squares on all 600 samples, told the number of parts. At 1 and 2 % noise the network's "
        "90th percentile over all curves is lower (9.3 against 11.1 %, 16 against 23 %), its median lower at 2 % alone (3.1 against "
        "3.5 %) and even at 1 % (1.6 %). It gains with three parts, and loses with one part and with less noise: rounding within the "
        "network leaves about 0.5 % of tau.",
        "One training; others of this kind, of 12 and 16 epochs, gave 0.9 and 0.7 % without noise and 1.8 and 1.6 % at 1 %.",
    ),
    "nagoya-actions": (
        "Data and weights are CC BY-NC-SA 4.0 and are not shipped.",
        "Three recording days, six people, one room and one sensor height.",
    ),
}
DATA = {
    "breast-patch": "simulated by `thermo_models.patch`: scenes of skin with vessels, a smooth field and a dome of warmth, half of "
    "them with one warm spot of 0.3-2.0 K and radius 1.5-4 pixels, through counts, noise, decoder and two-point correction",
    "core-temperature": "PhysioNet face-oral-temp-data 1.0.0 (doi 10.13026/3bhc-9065), CC0",
    "wrist-stress": "italha-d/Stress-Predict-Dataset, commit f49d2ea, MIT",
    "time-constants": "made by `thermo_models.foster`",
    "nagoya-actions": "muralab/Low-Resolution-FIR-Action-Dataset, commit ce5f424, CC BY-NC-SA 4.0",
}

WHOM = {"breast-patch": "simulated sensors"}
"""What a sample is of, where it is of nobody."""

KEPT = """The model that is kept learnt from everybody, so these figures are of its siblings, each of which had not seen those it was
measured on. """


def card(task: Task, metrics: dict[str, Any]) -> str:
    """Markdown; every figure comes from `metrics`."""
    names = [name for name, value in metrics["int8"].items() if isinstance(value, float)]
    columns = ["float", "int8"] + [name for name in ("int8_spread", "baseline") if name in metrics]
    figures = "\n".join(
        f"| {name} | " + " | ".join(_figure(metrics[column].get(name)) for column in columns) + " |" for name in names
    )
    goals = "\n".join(
        f"| {goal['metric']} | {goal['goal']} | {_figure(goal['reached'])} | {'yes' if goal['met'] else 'no'} |"
        for goal in metrics["goals"]
    )
    settings = metrics["settings"]
    limits = "\n".join(f"- {limit}" for limit in LIMITS[task.name])
    quick = "\n**A quick run on a part of the data: the figures mean nothing.**\n" if metrics.get("quick") else ""
    single = len(metrics["folds"]) == 1
    kept = "These figures are of the model itself. " if single else KEPT
    table = "\n".join(_table(metrics["int8"].get("table", []), metrics.get("baseline", {}).get("table", [])))
    alert = "\n".join(_alert(metrics["alert"])) if "alert" in metrics else ""
    charts = "".join(f"![{name}]({name})\n\n" for name in task.chart_files) if isinstance(task, Charted) else ""
    first = f" --seed {metrics['seed']}" if metrics.get("seed") else ""
    return f"""# {task.name}

**{NOTICE}** {task.summary[0].upper()}{task.summary[1:]}.
{quick}
| | |
|---|---|
| network | {settings["network"]}, {metrics["parameters"]:,} parameters, {metrics["macs"]:,} MACs, {metrics["bytes"]:,} bytes, int8 |
| data | {DATA[task.name]} |
| variant | {settings["variant"]} |
| samples | {metrics["samples"]:,} of {metrics["people"]:,} {WHOM.get(task.name, "people or curves")} |

## Measured on {"what it has not seen" if single else f"the test sides of {len(metrics['folds'])} trainings, pooled"}
| | {" | ".join(columns)} |
|---|{"---|" * len(columns)}
{figures}

| goal | | int8 | met |
|---|---|---|---|
{goals}
{table}{alert}
{charts}{kept}`thermo-models train {task.name}{first}` prints them; int8 figures are of tflite-runtime's reference kernels.

## Limits
{limits}
"""


def _alert(figures: dict[str, Any]) -> list[str]:
    return [
        "",
        "At the bundle's threshold, 95 % specificity on validation:",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {_figure(value)} |" for name, value in figures.items()),
        "",
    ]


def _figure(value: Any) -> str:
    if isinstance(value, str):
        return value
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else "-"


def _table(rows: list[dict[str, Any]], baseline: list[dict[str, Any]]) -> list[str]:
    """A table of the metrics, with the columns of the baseline's that have values no other column has beside them."""
    if not rows:
        return []
    if baseline:
        told = [[row[name] for row in rows] for name in rows[0]]
        same = [name for name in rows[0] if [row[name] for row in baseline] in told]
        rows = [
            one | {f"baseline_{name}": value for name, value in other.items() if name not in same}
            for one, other in zip(rows, baseline, strict=True)
        ]
    names = list(rows[0])
    lines = ["", "| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    return [*lines, *("| " + " | ".join(_figure(row[name]) for name in names) + " |" for row in rows), ""]
