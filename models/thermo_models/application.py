"""`thermo-models`: wearables, tasks and networks: check, look at data, train, evaluate, measure again, export."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from thermo_core import command_line
from thermo_core.errors import UsageError
from thermo_core.exit_codes import LABORATORY
from thermo_models import wearable_command

app = command_line.application(
    "thermo-models", "Train the networks of thermo-edge wearables. They inform; they are no medical device.", LABORATORY
)
app.add_typer(wearable_command.app, name="wearable")

TaskName = Annotated[str, typer.Argument(metavar="TASK", help="A name that `thermo-models list` shows.")]
Data = Annotated[
    Path | None, typer.Option(help="The task's data file; breast-patch keeps its simulated samples there.")
]
Groups = Annotated[str, typer.Option(help="Groups of the file to use, as 0,1; all of them by default.")]
Quick = Annotated[bool, typer.Option("--quick", help="A part of the data and few epochs: tries the path.")]
Force = Annotated[bool, typer.Option("--force", help="Replace files that are there.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]


@app.command("list")
def list_(as_json: Json = False) -> None:
    """Tasks with their variants, and networks."""
    from thermo_models.networks import NETWORKS
    from thermo_models.tasks import TASKS

    if as_json:
        tasks = {task.name: {"summary": task.summary, "variants": list(task.variants)} for task in TASKS.values()}
        print(json.dumps({"tasks": tasks, "networks": list(NETWORKS)}))
        return
    for task in TASKS.values():
        print(f"{task.name:18}{task.summary}; variants {', '.join(task.variants)}")
    print(f"networks          {', '.join(NETWORKS)}")


@app.command()
def data(task: TaskName, data: Data = None, groups: Groups = "", quick: Quick = False, as_json: Json = False) -> None:
    """What a task's data hold: samples, people, groups, shape, and the folds of the protocol."""
    import numpy as np

    from thermo_models.evaluation import check_data
    from thermo_models.tasks import find

    found = find(task)
    check_data(found, data)
    samples = found.load(data, found.settings, quick).of_groups(_groups(groups))
    folds = [fold.checked(samples) for fold in found.folds(samples, found.settings)]
    described = {
        "task": found.name,
        "sha256": samples.digest,
        "samples": len(samples),
        "people": len(np.unique(samples.people)),
        "groups": np.unique(samples.groups).tolist(),
        "shape": list(found.prepare(samples.features[:1]).shape[1:]),
        "folds": [
            {"name": fold.name, "train": len(fold.train), "validation": len(fold.validation), "test": len(fold.test)}
            | ({"note": fold.note} if fold.note else {})
            for fold in folds
        ],
    }
    if as_json:
        print(json.dumps(described))
        return
    print(
        f"{len(samples)} samples of {described['people']} {found.whom}, each {described['shape']}; groups {described['groups']}"
    )
    for fold in folds:
        print(
            f"{fold.name}: {len(fold.train)} to learn from, {len(fold.validation)} to validate, {len(fold.test)} to test on"
        )
        if fold.note:
            print(f"  {fold.note}")


@app.command()
def train(
    task: TaskName,
    out: Annotated[Path, typer.Option(help="Run folder: configuration, figures, curves, model, card.")],
    data: Data = None,
    groups: Groups = "",
    config: Annotated[Path | None, typer.Option(help="TOML file of settings, as a run folder's config.toml.")] = None,
    change: Annotated[list[str] | None, typer.Option("--set", help="A setting as name=value; may be repeated.")] = None,
    seed: Annotated[
        int, typer.Option(help="First seed of weights and shuffling; --set seeds=N trains with N of them.")
    ] = 0,
    labels: Annotated[
        Path | None, typer.Option(help="Labels of recordings to learn from too, as `thermo-hub labels export` writes.")
    ] = None,
    quick: Quick = False,
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Cross-validate a task in int8, train the model that is kept, and write the run folder."""
    from rich.console import Console
    from rich.progress import Progress

    from thermo_core.files import refuse_overwriting
    from thermo_models import runs, settings
    from thermo_models.tasks import find
    from thermo_models.tasks.task import Varied

    found = find(task)
    by_variant = found.by_variant if isinstance(found, Varied) else {}
    chosen = settings.read(found.settings, config, change or [], by_variant)
    refuse_overwriting({out / name: None for name in ("model.tflite", "metrics.json")}, force)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(f"{task}: data", total=None)

        def epochs(what: str, done: int, total: int, loss: float) -> None:
            progress.update(bar, description=f"{what}, loss {loss:.4g}", completed=done, total=total)

        def report(line: str) -> None:
            progress.console.print(line, highlight=False)

        metrics = runs.run(found, data, _groups(groups), chosen, out, quick, report, epochs, seed, labels)
    _tell(metrics, as_json)


@app.command()
def evaluate(
    task: TaskName,
    model: Annotated[
        Path, typer.Argument(help="An int8 .tflite file in its run folder, or in the folder of its wearable.")
    ],
    data: Data = None,
    groups: Groups = "",
    quick: Quick = False,
    as_json: Json = False,
) -> None:
    """Measure a trained int8 model on data, and say whether it has learnt from them or from their people."""
    from thermo_models.evaluation import evaluate as measure
    from thermo_models.tasks import find

    found = measure(find(task), model, data, _groups(groups), quick)
    if as_json:
        print(json.dumps(found))
        return
    _tell(found, as_json)
    if "seen" in found:
        seen = found["seen"]
        print(
            f"The model learnt from {seen['samples']} of these {found['samples']} samples and {seen['people']} of {found['people']} people."
        )
    if "strangers" in found:
        print(f"Of the {found['strangers']['people']} people it has not met:")
        _tell(found["strangers"], as_json)


@app.command()
def remeasure(
    task: TaskName,
    folder: Annotated[Path, typer.Argument(help="A run folder or shipped artefact.")],
    data: Data = None,
    probe: Annotated[
        bool,
        typer.Option("--probe", help="Only what the model says of other worlds, and what parts of its inputs tell."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Measure a run folder's model again, and write its metrics.json, card and charts anew; nothing is trained."""
    import sys

    from thermo_models.remeasure import remeasure as measure
    from thermo_models.tasks import find

    _tell(measure(find(task), folder, data, lambda line: print(line, file=sys.stderr), probe=probe), as_json)


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    out: Annotated[Path, typer.Argument(help="Folder for wearable, model, figures and card.")],
    force: Force = False,
    as_json: Json = False,
) -> None:
    """Copy what a wearable needs from a run folder, where the data's licence allows it."""
    from thermo_models import runs

    names = runs.export(run, out, force)
    if as_json:
        print(json.dumps({"files": [str(out / name) for name in names]}))
        return
    for name in names:
        print(out / name)


def _tell(metrics: dict[str, Any], as_json: bool) -> None:
    """The figures of int8 with their intervals, a line each, and the goals."""
    if as_json:
        print(json.dumps(metrics))
        return
    sure = metrics["intervals"]["int8"]
    for name, value in metrics["int8"].items():
        if isinstance(value, float):
            interval = (
                f", {100 * metrics['intervals']['level']:.0f} %: {sure[name][0]:.4g} to {sure[name][1]:.4g}"
                if name in sure
                else ""
            )
            print(f"{name:32}{value:.4g}{interval}")
    for goal in metrics.get("goals", []):
        print(f"goal {goal['metric']} {goal['goal']}: {'met' if goal['met'] else 'not met'}")


def _groups(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in text.split(",") if word.strip())
    except ValueError as error:
        raise UsageError(f"--groups {text} is no list of numbers, so write it like 0,1.") from error


def run(words: list[str]) -> int:
    """Run one command; returns its exit code."""
    return command_line.run("thermo-models", lambda: app, words)
