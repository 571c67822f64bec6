"""`thermo-hub export`: what this hub keeps of a wearable of another hub, as a recording."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from thermo_core.errors import UsageError
from thermo_core.recording.layout import LATEST_NS
from thermo_host.console import PlainConsole
from thermo_hub.commands.common import FolderOption
from thermo_hub.ingest.part import FOLDER
from thermo_hub.ingest.recording import place_of, write_recording
from thermo_hub.settings import Settings, read_settings, with_changes
from thermo_hub.store.store import open_store


def command(
    wearable: Annotated[str, typer.Argument(metavar="WEARABLE@SITE", help="As it stands on the wall.")],
    recording: Annotated[Path, typer.Argument(help="A new file, as night.mcap.")],
    file: Annotated[
        Path | None, typer.Argument(metavar="[hub.toml]", help="Settings with which the hub runs, where it has any.")
    ] = None,
    folder: FolderOption = None,
    begin: Annotated[
        str, typer.Option("--from", help='Since when, as "2026-01-31T22:00" in UTC.', show_default="all")
    ] = "",
    end: Annotated[str, typer.Option("--to", help="Until when.", show_default="all")] = "",
) -> None:
    """Write what this hub keeps of a wearable of another hub as a recording; the hub may run meanwhile."""
    settings = Settings() if file is None else read_settings(file)
    settings = with_changes(settings, folder=None if folder is None else str(folder))
    place = place_of(wearable)
    from_ns = _moment(begin, 0)
    to_ns = _moment(end, LATEST_NS)
    store = open_store(settings)
    try:
        count = write_recording(store, settings.place / FOLDER, place, recording, from_ns, to_ns)
    finally:
        store.close()
    PlainConsole(soft_wrap=True).print(f"{recording}: {count} records of {wearable}.")


def _moment(text: str, otherwise: int) -> int:
    """Nanoseconds since 1970 of a moment in UTC."""
    if not text:
        return otherwise
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f'{text!r:.40} is no moment; write one as "2026-01-31T22:00", in UTC.') from error
    seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return min(max(0, round(seconds) * 1_000_000_000), LATEST_NS)
