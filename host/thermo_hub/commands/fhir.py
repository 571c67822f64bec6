"""`thermo-hub fhir`: what is known of a wearable as a FHIR bundle, from the hub's folder."""

import json
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

import thermo_hub.app  # noqa: F401  brings in the tables of all parts
from thermo_core.files import refuse_overwriting, write_file
from thermo_hub.commands.common import FolderOption
from thermo_hub.fhir.agreed import check_given
from thermo_hub.fhir.bundle import bundle
from thermo_hub.security.consents import Purpose
from thermo_hub.security.pseudonyms import KEY_FILE, key_of
from thermo_hub.settings import Settings, read_settings, with_changes
from thermo_hub.store.store import open_store

HOUR_NS = 3_600_000_000_000


def command(
    wearable: Annotated[str, typer.Argument(help="Id of the wearable, as in the address of its page.")],
    file: Annotated[
        Path | None, typer.Argument(metavar="[hub.toml]", help="Settings with which the hub runs, where it has any.")
    ] = None,
    folder: FolderOption = None,
    hours: Annotated[int, typer.Option("--hours", help="Of the last so many.", min=1, max=24 * 93)] = 24,
    each: Annotated[bool, typer.Option("--each", help="One resource of each kind alone, to look at.")] = False,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File; printed where left out.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Write what is known of a wearable as a FHIR R4 bundle of a pseudonym; its wearer must have agreed to sharing."""
    settings = Settings() if file is None else read_settings(file)
    settings = with_changes(settings, folder=None if folder is None else str(folder))
    with closing(open_store(settings)) as store:
        check_given(store, wearable, Purpose.SHARING)
        now_ns = time.time_ns()
        made = bundle(store, wearable, now_ns - hours * HOUR_NS, now_ns, key_of(settings.place / KEY_FILE))
    text = json.dumps(_one_of_each(made) if each else made, indent=1) + "\n"
    if output is None:
        typer.echo(text, nl=False)
        return
    refuse_overwriting({output: text.encode()}, force)
    write_file(output, text.encode())


def _one_of_each(made: dict[str, Any]) -> list[dict[str, Any]]:
    """The first of each kind, and of observations of each code."""
    found: dict[Any, dict[str, Any]] = {}
    for entry in made["entry"]:
        resource = entry["resource"]
        code = resource["code"]["coding"][0]["code"] if resource["resourceType"] == "Observation" else ""
        found.setdefault((resource["resourceType"], code), resource)
    return list(found.values())
