"""The card of a model trained by `thermo-models train`: data, protocol, figures with their goals, limits."""

from typing import Any

from thermo_core.wearable.profile import NOTICE
from thermo_models.day_card import section
from thermo_models.intervals import LEVEL
from thermo_models.labels import sentence
from thermo_models.metrics import MOST_OFF
from thermo_models.tasks.task import Alerting, Charted, Foretold, Task

INTERVAL = f"{100 * LEVEL:.0f} % interval"
COLUMNS = ("float", "int8", INTERVAL, "int8_spread", "baseline")
"""Beside each other in the table of figures."""

FLAGS = "What it is not made for it flags `OUT_OF_DOMAIN`, and no alert goes by that"
ITSELF = "These figures are of the model itself. "
LAST = "The model that is kept is that of the last training. "
KEPT = """The model that is kept learnt from everybody, so these figures are of its siblings, each of which had not seen those it was
measured on. """


def card(task: Task, metrics: dict[str, Any]) -> str:
    """Markdown; every figure comes from `metrics`."""
    names = [name for name, value in metrics["int8"].items() if isinstance(value, float)]
    sure = metrics["intervals"]
    columns = {name: _cells(metrics.get(name, {})) for name in COLUMNS}
    columns |= {name: _cells(figures) for name, figures in metrics.get("others", {}).items()}
    columns[INTERVAL] = {name: _interval(ends) for name, ends in sure["int8"].items()}
    columns = {name: cells for name, cells in columns.items() if cells}
    figures = "\n".join(
        f"| {name} | " + " | ".join(cells.get(name, "-") for cells in columns.values()) + " |" for name in names
    )
    goals = "\n".join(
        f"| {goal['metric']} | {goal['goal']} | {_figure(goal['reached'])} | {'yes' if goal['met'] else 'no'} |"
        for goal in metrics["goals"]
    )
    settings = metrics["settings"]
    file = f"; file with SHA-256 {metrics['data_sha256'][:16]}" if task.needs_data else ""
    told = [*task.limits(metrics), *([sentence(metrics["labels"])] if "labels" in metrics else [])]
    sentences = "\n".join(f"- {one}" for one in told)
    quick = "\n**A quick run on a part of the data: the figures mean nothing.**\n" if metrics.get("quick") else ""
    single = len(metrics["folds"]) == 1
    kept = KEPT if task.needs_data else ITSELF if single else LAST
    table = "\n".join(_table(metrics["int8"].get("table", []), metrics.get("baseline", {}).get("table", [])))
    beside = "\n".join(against(metrics.get("against", {})))
    unknown = "\n".join(_told(_refused(metrics), _calibrated(metrics), _parts(metrics.get("parts", []))))
    alert = "\n".join(_alert(metrics["alert"], sure.get("alert", {}), task)) if "alert" in metrics else ""
    charts = "".join(f"![{name}]({name})\n\n" for name in task.chart_files) if isinstance(task, Charted) else ""
    day = "\n".join(section(metrics["day"])) if "day" in metrics else ""
    foremost = f"\n{task.first_lines(metrics)}\n" if isinstance(task, Foretold) else ""
    first = f" --seed {metrics['seed']}" if metrics.get("seed") else ""
    return f"""# {task.name}

**{NOTICE}** {task.summary[0].upper()}{task.summary[1:]}.
{foremost}{quick}
| | |
|---|---|
| network | {settings["network"]}, {metrics["parameters"]:,} parameters, {metrics["macs"]:,} MACs, {metrics["bytes"]:,} bytes, int8 |
| data | {task.source}{file} |
| variant | {settings["variant"]} |
| samples | {metrics["samples"]:,} of {metrics["people"]:,} {task.whom} |

## Measured on {"what it has not seen" if single else f"the test sides of {len(metrics['folds'])} trainings, pooled"}
| | {" | ".join(columns)} |
|---|{"---|" * len(columns)}
{figures}

{INTERVAL}: percentiles of {sure["resamples"]:,} bootstrap draws of {sure["drawn"]:,} {task.whom}, seed {sure["seed"]}.

| goal | | int8 | met |
|---|---|---|---|
{goals}
{beside}{table}{alert}{unknown}
{charts}{kept}`thermo-models train {task.name}{first}` prints them; int8 figures are of tflite-runtime's reference kernels.
{day}
## Limits
{sentences}
"""


def _cells(figures: dict[str, Any]) -> dict[str, str]:
    return {name: _figure(value) for name, value in figures.items()}


def against(others: dict[str, dict[str, Any]]) -> list[str]:
    """By how much the network is better than each other method, and whether that is more than luck."""
    rows = [
        f"| {figure} | {name} | {_figure(one['by'])} | {_interval(one['interval'])} | {_verdict(one['interval'])} |"
        for name, figures in others.items()
        for figure, one in figures.items()
    ]
    if not rows:
        return []
    return [
        "",
        "Better than another method by, on the same draws; what the interval does not exclude is not claimed:",
        "",
        f"| | against | better by | {INTERVAL} | |",
        "|---|---|---|---|---|",
        *rows,
        "",
    ]


def _verdict(interval: Any) -> str:
    low, high = interval
    return "better" if low > 0 else "worse" if high < 0 else "not shown"


def _refused(metrics: dict[str, Any]) -> list[str]:
    probe = metrics.get("probe")
    tables = [(FLAGS, metrics["refused"])] if "refused" in metrics else []
    tables += [(probe["answer"], probe["refused"])] if probe else []
    lines = []
    for answer, shares in tables:
        lines += [
            "",
            f"{answer}:",
            "",
            "| | share |",
            "|---|---|",
            *(f"| {name} | {100 * share:.1f} % |" for name, share in shares.items()),
            "",
        ]
    return lines


def _told(*sections: list[str]) -> list[str]:
    """One after the other, an empty line around each."""
    lines = [""]
    for one in (line for lines_of in sections for line in lines_of):
        if one or lines[-1]:
            lines.append(one)
    return lines if len(lines) > 1 else []


def _calibrated(metrics: dict[str, Any]) -> list[str]:
    """How far scores are from the share of times they are right, wherever that was measured."""
    probe = metrics.get("probe") or {}
    places = [("what it was measured on", metrics["int8"].get("ece")), (probe.get("world"), probe.get("ece"))]
    rows = [
        f"| {place} | {_figure(ece)} | {'yes' if ece <= MOST_OFF else 'no'} |"
        for place, ece in places
        if ece is not None
    ]
    if not rows:
        return []
    table = ["", f"| expected calibration error of scores, goal <= {MOST_OFF:g} | | met |", "|---|---|---|", *rows, ""]
    if scaling := metrics.get("scaling"):
        table += [
            f"Scores are scaled in a world that neither training nor any figure has: logits over {scaling['temperature']:.2f}, and "
            f"{scaling['nothing']:+.2f} for the first class (`thermo_models.scaling`).",
            "",
        ]
    return table


def _parts(rows: list[dict[str, Any]]) -> list[str]:
    if not rows:
        return []
    names = [name for name in rows[0] if name not in ("part", "interval")]
    return [
        "",
        "What parts of the inputs tell by themselves, by a simple method, people left out:",
        "",
        f"| | {names[0]} | {INTERVAL} |" + "".join(f" {name} |" for name in names[1:]),
        "|---|---|---|" + "---|" * len(names[1:]),
        *(
            f"| {row['part']} | {_figure(row[names[0]])} | {_interval(row['interval'])} |"
            + "".join(f" {_figure(row[name])} |" for name in names[1:])
            for row in rows
        ),
        "",
    ]


def _alert(figures: dict[str, Any], sure: dict[str, Any], task: Task) -> list[str]:
    specificity = f", {100 * task.specificity:.0f} % specificity on validation" if isinstance(task, Alerting) else ""
    return [
        "",
        f"At the bundle's threshold{specificity}:",
        "",
        f"| | | {INTERVAL} |",
        "|---|---|---|",
        *(f"| {name} | {_figure(value)} | {_interval(sure.get(name))} |" for name, value in figures.items()),
        "",
    ]


def _interval(ends: Any) -> str:
    return "-" if ends is None else f"{ends[0]:.4g} to {ends[1]:.4g}"


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
