"""`thermo-models`: list tasks and networks, look at data, train, evaluate, export."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from thermo_core.errors import ThermoError, UsageError
from thermo_core.exit_codes import exit_code
from thermo_core.text import clean
from thermo_core.version import software_version


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"thermo-models {software_version()}")
        raise typer.Exit


app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Train the networks of thermo-edge wearables.",
    epilog="Exit codes: 0 done, 1 bug, 2 wrong arguments or data, 7 model refused, 9 file error, 130 interrupted.",
)

TaskName = Annotated[str, typer.Argument(metavar="TASK", help="A name that `thermo-models list` shows.")]
Data = Annotated[
    Path | None, typer.Option(help="The task's data file; breast-patch keeps its simulated samples there.")
]
Groups = Annotated[str, typer.Option(help="Groups of the file to use, as 0,1; all of them by default.")]
Quick = Annotated[bool, typer.Option("--quick", help="A part of the data and few epochs: tries the path.")]


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Say which version this is.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """Train the networks of thermo-edge wearables. They inform; they are no medical device."""


@app.command("list")
def list_() -> None:
    """Tasks with their variants, and networks."""
    from thermo_models.networks import NETWORKS
    from thermo_models.tasks import TASKS

    for task in TASKS.values():
        typer.echo(f"{task.name:18}{task.summary}; variants {', '.join(task.variants)}")
    typer.echo(f"networks          {', '.join(NETWORKS)}")


@app.command()
def data(task: TaskName, data: Data = None, groups: Groups = "", quick: Quick = False) -> None:
    """What a task's data hold: samples, people, groups, shape, and the folds of the protocol."""
    import numpy as np

    from thermo_models import runs
    from thermo_models.tasks import find

    found = find(task)
    runs.check_data(found, data)
    samples = found.load(data, found.settings, quick).of_groups(_groups(groups))
    description = {
        "task": found.name,
        "sha256": samples.digest,
        "samples": len(samples),
        "people": len(np.unique(samples.people)),
        "groups": np.unique(samples.groups).tolist(),
        "shape": list(found.prepare(samples.features[:1]).shape[1:]),
        "folds": [
            {"name": fold.name, "train": len(fold.train), "validation": len(fold.validation), "test": len(fold.test)}
            for fold in found.folds(samples, found.settings)
        ],
    }
    typer.echo(json.dumps(description, indent=2))


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
    quick: Quick = False,
) -> None:
    """Cross-validate a task in int8, train the model that is kept, and write the run folder."""
    from rich.console import Console
    from rich.progress import Progress

    from thermo_models import runs, settings
    from thermo_models.tasks import find
    from thermo_models.tasks.task import Varied

    found = find(task)
    by_variant = found.by_variant if isinstance(found, Varied) else {}
    chosen = settings.read(found.settings, config, change or [], by_variant)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task(f"{task}: data", total=None)

        def epochs(what: str, done: int, total: int, loss: float) -> None:
            progress.update(bar, description=f"{what}, loss {loss:.4g}", completed=done, total=total)

        def report(line: str) -> None:
            progress.console.print(line, highlight=False)

        metrics = runs.run(found, data, _groups(groups), chosen, out, quick, report, epochs, seed)
    typer.echo(json.dumps(metrics, indent=2))


@app.command()
def evaluate(
    task: TaskName,
    model: Annotated[Path, typer.Argument(help="An int8 .tflite file with its preprocessing.json beside it.")],
    data: Data = None,
    groups: Groups = "",
    quick: Quick = False,
) -> None:
    """Measure a trained int8 model on data, and say whether it has learnt from them."""
    from thermo_models import runs
    from thermo_models.tasks import find

    typer.echo(json.dumps(runs.evaluate(find(task), model, data, _groups(groups), quick), indent=2))


@app.command()
def export(
    run: Annotated[Path, typer.Argument(help="A run folder.")],
    out: Annotated[Path, typer.Argument(help="Folder for model, contract, preprocessing, figures and card.")],
) -> None:
    """Copy what a wearable needs from a run folder, where the data's licence allows it."""
    from thermo_models import runs

    for name in runs.export(run, out):
        typer.echo(out / name)


def _groups(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(word) for word in text.split(",") if word.strip())
    except ValueError as error:
        raise UsageError(f"--groups {text} is no list of numbers, so write it like 0,1.") from error


def main() -> None:
    """Entry point: one sentence and an exit code, the same numbers as thermo-quantize's, instead of a traceback."""
    try:
        app()
    except ThermoError as error:
        print(f"thermo-models: {clean(str(error))}", file=sys.stderr)
        raise SystemExit(exit_code(error)) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
