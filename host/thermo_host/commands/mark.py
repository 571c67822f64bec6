"""`thermo-host mark`: mark a moment of a recording that is being made."""

import time
from pathlib import Path
from typing import Annotated

import typer

from thermo_core.errors import UsageError
from thermo_core.recording.layout import Marker
from thermo_host.commands.common import JsonOption, Output
from thermo_host.moments import utc
from thermo_host.sinks import marks

LONGEST = 500


def command(
    path: Annotated[Path, typer.Argument(metavar="FILE", help="The .mcap file that is being recorded.")],
    words: Annotated[list[str] | None, typer.Argument(metavar="[TEXT]...", help="What happens now.")] = None,
    wait: Annotated[float, typer.Option(help="Seconds in which the recorder must take it.", min=0.1, max=60.0)] = 3.0,
    as_json: JsonOption = False,
) -> None:
    """Mark this moment in a recording that is being made, as the m key of `thermo-host record` does."""
    at_ns = time.time_ns()
    text = " ".join(words or ())
    if len(text) > LONGEST or not text.isprintable():
        raise UsageError(f"A marker's text is one line of at most {LONGEST} characters; shorten it.")
    output = Output(as_json)
    marks.leave(path, Marker(at_ns=at_ns, text=text), wait)
    output.result({"file": str(path), "utc": utc(at_ns), "text": text}, f"Marked {utc(at_ns)[:23]}Z in {path}.")
