"""`thermo-hub labels`: what physicians said of recordings, for training."""

import contextlib
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from thermo_core.files import refuse_overwriting, write_file
from thermo_core.labels import to_bytes
from thermo_hub.app import PARTS
from thermo_hub.commands.common import FolderOption
from thermo_hub.review.desk import Desk
from thermo_hub.review.labels import labels
from thermo_hub.security.consents import HOW
from thermo_hub.security.pseudonyms import KEY_FILE, key_of
from thermo_hub.settings import Settings, read_settings, with_changes
from thermo_hub.store.store import open_store


def command(
    action: Annotated[Literal["export"], typer.Argument(help="export: write them into a file.")],
    out: Annotated[Path, typer.Argument(metavar="FILE.npz", help="What `thermo-models train --labels` takes.")],
    wearable: Annotated[str, typer.Option(help="Name of the kind of wearable, such as breast-patch.")],
    model: Annotated[str, typer.Option(help="Its model; may be left out where only one was read.")] = "",
    decided: Annotated[
        bool, typer.Option("--decided", help="Only what two readers agreed on or a third decided.")
    ] = False,
    settings_file: Annotated[
        Path | None, typer.Option("--settings", metavar="hub.toml", help="Settings with which the hub runs.")
    ] = None,
    folder: FolderOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file.")] = False,
) -> None:
    """Write what physicians said of recordings into a file that training takes; a hub may run meanwhile."""
    assert PARTS  # whose tables, of alerts and consents, the desk looks into
    settings = Settings() if settings_file is None else read_settings(settings_file)
    settings = with_changes(settings, folder=None if folder is None else str(folder))
    refuse_overwriting({out: None}, force)
    with contextlib.closing(open_store(settings)) as store:
        key = key_of(settings.place / KEY_FILE)
        desk = Desk(store, settings.recordings)
        found = labels(desk, settings.recordings, key, wearable, model, decided, left_out=_tell_left_out)
    write_file(out, to_bytes(found))
    about = found.about
    people, decided_of = len({one.person for one in about.items}), sum(one.adjudicated for one in about.items)
    unsure = sum(one.opinion.label is None for one in about.items)
    print(
        f"{out}: {len(about.items)} windows of {people} wearers by {about.profile}, {decided_of} agreed on or decided, "
        f"{unsure} of which nobody could tell; {len(found.items)} moments."
    )
    print(about.notice)


def _tell_left_out(windows: int, wearers: int) -> None:
    if windows:
        print(f"{windows} windows of {wearers} wearers are left out: no consent to training; {HOW}.", file=sys.stderr)
