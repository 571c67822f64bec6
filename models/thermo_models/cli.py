"""`thermo-models`: train a task and write what a wearable needs of it."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from thermo_core.errors import ThermoError

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Train the networks of thermo-edge wearables.")


@app.callback()
def _options() -> None:
    """Train the networks of thermo-edge wearables. They inform; they are no medical device."""


@app.command()
def train(
    task: Annotated[str, typer.Argument(help="Task to train: breast-patch.")],
    out: Annotated[Path, typer.Option(help="Folder for the model, its card, profile, contract and figures.")],
    seed: Annotated[int, typer.Option(help="Seed of weights and shuffling.")] = 0,
    quick: Annotated[bool, typer.Option("--quick", help="A few samples and epochs: tries the path.")] = False,
) -> None:
    """Simulate the data, train, quantise to int8 and measure on unseen sensors."""
    from thermo_models.card import card
    from thermo_models.tasks import breast_patch
    from thermo_models.train import metrics_json
    from thermo_models.train import train as train_task
    from thermo_quantize.files import write_file

    if task != breast_patch.NAME:
        raise typer.BadParameter(f"There is no task {task!r}; use {breast_patch.NAME}.", param_hint="TASK")
    trained = train_task(seed, quick, lambda line: typer.echo(line, err=True))
    out.mkdir(parents=True, exist_ok=True)
    contract = {"input": trained.input.to_dict(), "output": trained.output.to_dict()}
    profile = breast_patch.profile(trained.threshold).to_dict()
    for name, data in {
        "model.tflite": trained.model,
        "contract.json": json.dumps(contract, indent=2).encode() + b"\n",
        "profile.json": json.dumps(profile, indent=2).encode() + b"\n",
        "CARD.md": card(trained).encode(),
        "metrics.json": metrics_json(trained).encode(),
    }.items():
        write_file(out / name, data)
    typer.echo(metrics_json(trained), nl=False)


def main() -> None:
    """Entry point: one sentence and exit code 1 instead of a traceback."""
    try:
        app()
    except ThermoError as error:
        print(f"error: {error}", file=sys.stderr)
        raise SystemExit(1) from None
