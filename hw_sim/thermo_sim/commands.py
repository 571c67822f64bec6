"""What the commands of `thermo-sim` do."""

import json
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Annotated, Any

import numpy as np
import typer

from thermo_core.errors import ThermoError, UsageError
from thermo_core.exit_codes import ExitCode
from thermo_core.files import refuse_overwriting, write_file
from thermo_core.text import clean
from thermo_core.wearable.file import read
from thermo_core.wearable.library import names, resolve
from thermo_sim import control
from thermo_sim.any_board import AnyBoard, board_of
from thermo_sim.board import BoardOptions
from thermo_sim.faults import ABOUT, OPTIONS
from thermo_sim.options import (
    BOARDS,
    Happenings,
    Json,
    Link,
    OfAgent,
    OfBoard,
    Seed,
    Simulated,
    WearerNumber,
    expanded,
    known_board,
)
from thermo_sim.people import Person, course
from thermo_sim.people.happenings import EFFECTS
from thermo_sim.people.said import table_of
from thermo_sim.people.scripts import SCRIPTS
from thermo_sim.wearable import Wearable, WearableOptions, said_of
from thermo_sim.world_file import load_world, world_names, world_of

NO_COMMAND = 127
MOST_ROWS = 1_000_000


OnBoard = Annotated[
    str | None,
    typer.Option("--board", parser=known_board, metavar="BOARD", help="Run the firmware on it instead of the agent."),
]


@expanded
def wearable(link: Link, simulated: Simulated, agent: OfAgent, board: OnBoard = None, *, how: OfBoard) -> int:
    """Run one wearable until Ctrl-C or SIGTERM. A host opens LINK as a serial port."""
    return _serve(_making(simulated, agent, board, how)(link))


@expanded
def board(
    board: Annotated[str, typer.Argument(metavar="BOARD", parser=known_board, help=BOARDS)],
    link: Link,
    simulated: Simulated,
    how: OfBoard,
) -> int:
    """Run the wearable's firmware on an emulated microcontroller until Ctrl-C or SIGTERM. A host opens LINK as a serial port."""
    return _serve(board_of(BoardOptions(kind=board, **simulated.options(link), **how.options())))


@expanded
def execute(
    *,
    command: Annotated[
        list[str] | None, typer.Argument(metavar="-- CMD", help="The command and its arguments.")
    ] = None,
    simulated: Simulated,
    agent: OfAgent,
    board: OnBoard = None,
    how: OfBoard,
) -> int:
    """Start a fresh wearable, run a command, remove the wearable, and return the command's exit code.

    In the command {port} and {control} stand for the wearable's port and its control socket.
    """
    if not command:
        raise UsageError("There is no command to run; write it after --, for example: thermo-host info {port}")
    make = _making(simulated, agent, board, how)
    _on_termination(lambda: sys.exit(ExitCode.TERMINATED))
    with (
        tempfile.TemporaryDirectory(prefix="thermo-sim-exec-") as directory,
        make(Path(directory) / "thermo") as running,
    ):
        for place, path in (("{port}", running.options.link), ("{control}", running.control_path)):
            command = [word.replace(place, str(path)) for word in command]
        code = _run_child(command)
        if code:
            try:
                running.wait(0.0)
            except ThermoError as error:
                typer.echo(f"thermo-sim: {clean(str(error))}", err=True)
        return code


def steer(
    link: Annotated[Path, typer.Argument(metavar="LINK", help="The wearable's port, such as /tmp/thermo0.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="The command.")],
    fields: Annotated[list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Its arguments.")] = None,
) -> int:
    """Send one command to a running wearable and print its answer as JSON."""
    request: dict[str, Any] = {"cmd": name}
    for pair in fields or ():
        key, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"The argument {pair!r} is no KEY=VALUE; write for example celsius=37.")
        try:
            request[key] = json.loads(value)
        except ValueError:
            request[key] = value
    typer.echo(json.dumps(control.request(link.with_name(link.name + ".ctl"), request), indent=2))
    return ExitCode.OK


def wearables(as_json: Json = False) -> int:
    """List the wearables that come with the product and the world each is in."""
    found = {}
    for name in names():
        profile = read(resolve(name)).profile
        found[name] = {
            "version": profile.version,
            "sensors": {sensor.name: sensor.kind for sensor in profile.sensors},
            "world": world_of(name),
        }
        if not as_json:
            outside = sum(sensor.bus_path is None for sensor in profile.sensors)
            more = f", {outside} from outside" if outside else ""
            typer.echo(f"{name:18} {profile.version:8} {said_of(profile)}{more}; world {world_of(name)}")
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    return ExitCode.OK


def worlds(as_json: Json = False) -> int:
    """List what a wearable can be in."""
    found = {name: load_world(name).about for name in world_names()}
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        for name, about in found.items():
            typer.echo(f"{name:18} {about}")
    return ExitCode.OK


def happenings(as_json: Json = False) -> int:
    """List what can befall a wearer, for --happenings, worlds and the command `happen` of `thermo-sim control`."""
    if as_json:
        found = {
            name: {"about": one.about, "at": one.at, "size": one.size, "low": one.low, "high": one.high}
            for name, one in EFFECTS.items()
        }
        typer.echo(json.dumps(found, indent=2))
        return ExitCode.OK
    for name, one in EFFECTS.items():
        where = f" at {one.at}" if one.at else ""
        about = f"{one.about}; {one.size:g} ({one.low:g} to {one.high:g}){where}"
        typer.echo(textwrap.fill(f"{name:16} {about}", 120, subsequent_indent=" " * 17))
    return ExitCode.OK


def scripts(as_json: Json = False) -> int:
    """List what a wearer can do, for --script."""
    if as_json:
        typer.echo(
            json.dumps({name: {"about": one.about, "hours": one.hours} for name, one in SCRIPTS.items()}, indent=2)
        )
        return ExitCode.OK
    for name, one in SCRIPTS.items():
        typer.echo(
            f"{name:12} {one.about}; {one.hours:g} h from {int(one.clock_h):02}:{int(60 * (one.clock_h % 1)):02} on"
        )
    return ExitCode.OK


def truth(
    script: Annotated[str, typer.Argument(metavar="SCRIPT", help="See `thermo-sim scripts`.")],
    person: WearerNumber = None,
    seed: Seed = 0,
    happenings: Happenings = "",
    hours: Annotated[float | None, typer.Option("--hours", help="How long.", show_default="the script's")] = None,
    every: Annotated[float, typer.Option("--every", help="Seconds from one row to the next.")] = 60.0,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Instead of the terminal.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE.")] = False,
) -> int:
    """Write what is true of a wearer through a script, as CSV: what a wearable of that seed, script and person feels."""
    if not 0.01 <= every <= 86400:
        raise UsageError(f"A row every {every:g} s is not possible; give 0.01 to 86400.")
    went = course(script, seed, Person.drawn(seed if person is None else person), hours, happenings)
    if went.hours * 3600 / every > MOST_ROWS:
        raise UsageError(f"That makes more than {MOST_ROWS} rows; give fewer hours, or a greater --every.")
    text = table_of(went, np.arange(0, went.hours * 3600, every))
    if out is None:
        typer.echo(text, nl=False)
    else:
        refuse_overwriting({out: text.encode()}, force)
        write_file(out, text.encode())
    return ExitCode.OK


def faults(as_json: Json = False) -> int:
    """List what can go wrong, for --faults and the command `fault` of `thermo-sim control`."""
    found = {where: {kind.value: about for kind, about in kinds.items()} for where, kinds in ABOUT.items()}
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return ExitCode.OK
    for where, kinds in found.items():
        typer.echo(f"{where}:")
        for kind, about in kinds.items():
            typer.echo(textwrap.fill(about, 100, initial_indent=f"  {kind:10}", subsequent_indent=" " * 12))
    typer.echo(OPTIONS)
    return ExitCode.OK


def _making(
    simulated: Simulated, agent: OfAgent, board: str | None, how: OfBoard
) -> Callable[[Path], Wearable | AnyBoard]:
    """What makes the wearable that options ask for, at a link: its agent, or its firmware on a board."""
    if board is None and how != OfBoard():
        given = {"--firmware": how.firmware, "--line-noise": how.line_noise, "--gdb": how.gdb}
        named = ", ".join(name for name, value in given.items() if value)
        raise UsageError(f"{named} is for boards; add --board, or leave it out.")
    if board is not None and agent != OfAgent():
        raise UsageError("A board runs in real time what it was built with; leave out --speed, --trust and --kernels.")

    def make(link: Path) -> Wearable | AnyBoard:
        if board is not None:
            return board_of(BoardOptions(kind=board, **simulated.options(link), **how.options()))
        return Wearable(WearableOptions(**simulated.options(link), **agent.options()))

    return make


def _on_termination(act: Callable[[], None]) -> None:
    def handle(number: int, frame: FrameType | None) -> None:
        act()

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, handle)


def _serve(simulated: Wearable | AnyBoard) -> int:
    ended = False  # no Event: a signal that comes while another's handler sets it would wait for its lock for ever

    def end() -> None:
        nonlocal ended
        ended = True

    _on_termination(end)
    with simulated:
        print(simulated.describe(), flush=True)
        while not ended and not simulated.wait(0.25):
            pass
    return ExitCode.OK


def _run_child(command: list[str]) -> int:
    """Run to the end and pass SIGTERM on; Ctrl-C reaches the child by itself."""
    try:
        child = subprocess.Popen(command)
    except OSError as error:
        typer.echo(f"thermo-sim: {command[0]} cannot be run ({error.strerror}); check the command.", err=True)
        return NO_COMMAND
    _on_termination(child.terminate)
    while True:
        try:
            code = child.wait()
            break
        except KeyboardInterrupt:
            continue
    return code if code >= 0 else 128 - code
