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
        "One campaign, one camera, mostly students of 18-25; 47 of 544 people at 37.5 degC or above. Another campaign or camera "
        "was not measured.",
        "Needs the radiometric regions of the data set, taken at 0.6-0.8 m by a calibrated thermograph; "
        "round 4 has the mouth open.",
        "The reference itself, two oral readings, differs by SD 0.25 degC between modes, so errors much below 0.22 cannot be shown.",
        "The interval covers new people of the same campaign; it says nothing of people unlike them.",
    ),
    "wrist-stress": (
        "Every person followed the same order of tasks. A clock alone, which knows no physiology, does better than any model here: "
        "see the baseline's AUC. The time-matched AUC, where that clock is at chance, is what the signals themselves show.",
        "Task against rest in a laboratory, in 24 people; not stress in daily life, and no diagnosis.",
        "Skin temperature at the wrist adds nothing that these data can show over conductance, heart rate and motion.",
    ),
    "time-constants": (
        "Synthetic Foster curves with white noise alone: real cooling curves drift and are not sums of three exponentials.",
        "Time constants of 2-400 s whose neighbours differ by a factor of 3 or more, each with at least 15 % of the amplitude.",
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


KEPT = """The model that is kept learnt from everybody, so these figures are of its siblings, each of which had not seen those it was
measured on. """


def card(task: Task, metrics: dict[str, Any]) -> str:
    """Markdown; every figure comes from `metrics`."""
    names = [name for name, value in metrics["int8"].items() if isinstance(value, float)]
    columns = ["float", "int8"] + (["baseline"] if "baseline" in metrics else [])
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
    table = "\n".join(_table(metrics["int8"].get("table", [])))
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
| samples | {metrics["samples"]:,} of {metrics["people"]:,} people or curves |

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
    return f"{value:,}" if isinstance(value, int) else f"{value:.4g}" if isinstance(value, float) else "-"


def _table(rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    names = list(rows[0])
    lines = ["", "| " + " | ".join(names) + " |", "|" + "---|" * len(names)]
    return [*lines, *("| " + " | ".join(_figure(row[name]) for name in names) + " |" for row in rows), ""]
