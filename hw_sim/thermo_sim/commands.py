"""What the commands of `thermo-sim` do."""

import json
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Literal

import typer

from thermo_core.errors import ThermoError, UsageError
from thermo_core.exit_codes import ExitCode
from thermo_core.text import clean
from thermo_core.wearable.file import read
from thermo_core.wearable.library import names, resolve
from thermo_sim import control
from thermo_sim.board import Board, BoardOptions
from thermo_sim.hardware import DEFAULT_WEARABLE
from thermo_sim.launch import KINDS
from thermo_sim.pump import LineNoise
from thermo_sim.wearable import Wearable, WearableOptions, said_of
from thermo_sim.world_file import load_world, world_names, world_of

NO_COMMAND = 127


def _whole(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = -1
    if number < 0:
        raise UsageError(f"The seed {text} is none; give a whole number from 0.")
    return number


def _speed(text: str) -> str:
    if text != "max":
        try:
            float(text)
        except ValueError:
            raise UsageError(f"The speed {text!r} is no number; give one such as 1 or 10, or max.") from None
    return text


Link = Annotated[Path, typer.Option("--link", metavar="PATH", help="Name of the port, such as /tmp/thermo0.")]
WearableName = Annotated[
    str, typer.Option("--wearable", metavar="NAME|FILE", help="Which wearable, see `thermo-sim wearables`.")
]
WorldName = Annotated[
    str | None,
    typer.Option(
        "--world",
        metavar="NAME|FILE",
        help="What is around it, see `thermo-sim worlds`.",
        show_default="the wearable's own",
    ),
]
Seed = Annotated[int, typer.Option("--seed", parser=_whole, metavar="N", help="Of sensors, noise, scene and body.")]
Eeprom = Annotated[
    Path | None,
    typer.Option(
        "--eeprom",
        metavar="FILE",
        help="EEPROM of a real sensor: .npz, .npy, text, hex, bytes (of a driver or the Linux kernel), or a recording.",
    ),
]
Replay = Annotated[
    Path | None,
    typer.Option(
        "--replay",
        metavar="FILE",
        help="Frames of a real sensor instead of the scene: a recording (.mcap), or a dump with its EEPROM or --eeprom.",
    ),
]
Faults = Annotated[str, typer.Option("--faults", metavar="SPEC", help="What goes wrong on the bus, see below.")]
State = Annotated[
    Path | None,
    typer.Option(
        "--state",
        metavar="DIR",
        help="Keeps bundles, corrections and the wearer.",
        show_default="gone with the wearable",
    ),
]
NoWarmUp = Annotated[bool, typer.Option("--no-warm-up", help="Start with sensors that have settled.")]
Speed = Annotated[str, typer.Option("--speed", parser=_speed, metavar="X", help="Simulated seconds a second, or max.")]
Trust = Annotated[
    list[Path] | None,
    typer.Option("--trust", metavar="PEM", help="Trust this key, not the development key; may be repeated."),
]
Kernels = Annotated[Literal["reference", "fast"], typer.Option("--kernels", help="How networks are run.")]
Firmware = Annotated[
    Path | None,
    typer.Option("--firmware", metavar="FILE", help="What the board runs.", show_default="by make firmware"),
]
Noise = Annotated[
    str, typer.Option("--line-noise", metavar="SPEC", help="What the serial line does to bytes: flip=1e-4,drop=2e-5")
]
Gdb = Annotated[
    Path | None, typer.Option("--gdb", metavar="PATH", help="Socket at which the emulator awaits a debugger.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
_BOARDS = ", ".join(f"{name}: {kind.summary}" for name, kind in KINDS.items())


def _known_board(name: str) -> str:
    if name not in KINDS:
        raise UsageError(f"There is no board {name!r}; choose one of {', '.join(KINDS)}.")
    return name


def wearable(
    link: Link,
    wearable: WearableName = DEFAULT_WEARABLE,
    world: WorldName = None,
    seed: Seed = 0,
    eeprom: Eeprom = None,
    replay: Replay = None,
    faults: Faults = "",
    state: State = None,
    no_warm_up: NoWarmUp = False,
    speed: Speed = "1",
    trust: Trust = None,
    kernels: Kernels = "reference",
) -> int:
    """Run one wearable until Ctrl-C or SIGTERM. A host opens LINK as a serial port."""
    options = WearableOptions(
        link=link.absolute(),
        wearable=wearable,
        world=world,
        seed=seed,
        eeprom=eeprom,
        replay=replay,
        faults=faults,
        speed=None if speed == "max" else float(speed),
        state=state,
        trust=tuple(trust or ()),
        kernels=kernels,
        warm_up=not no_warm_up,
    )
    return _serve(Wearable(options))


def board(
    board: Annotated[str, typer.Argument(metavar="BOARD", parser=_known_board, help=_BOARDS)],
    link: Link,
    wearable: WearableName = DEFAULT_WEARABLE,
    world: WorldName = None,
    seed: Seed = 0,
    eeprom: Eeprom = None,
    replay: Replay = None,
    faults: Faults = "",
    state: State = None,
    no_warm_up: NoWarmUp = False,
    firmware: Firmware = None,
    line_noise: Noise = "",
    gdb: Gdb = None,
) -> int:
    """Run the wearable's firmware on an emulated microcontroller until Ctrl-C or SIGTERM. A host opens LINK as a serial port."""
    options = BoardOptions(
        link=link.absolute(),
        kind=board,
        wearable=wearable,
        world=world,
        seed=seed,
        eeprom=eeprom,
        replay=replay,
        faults=faults,
        firmware=firmware,
        state=state,
        noise=LineNoise.parse(line_noise),
        warm_up=not no_warm_up,
        gdb=gdb,
    )
    return _serve(Board(options))


def execute(
    command: Annotated[
        list[str] | None, typer.Argument(metavar="-- CMD", help="The command and its arguments.")
    ] = None,
    wearable: WearableName = DEFAULT_WEARABLE,
    world: WorldName = None,
    seed: Seed = 0,
    eeprom: Eeprom = None,
    replay: Replay = None,
    faults: Faults = "",
    state: State = None,
    no_warm_up: NoWarmUp = False,
    speed: Speed = "1",
    trust: Trust = None,
    kernels: Kernels = "reference",
    board: Annotated[
        str | None,
        typer.Option(
            "--board", parser=_known_board, metavar="BOARD", help="Run the firmware on it instead of the agent."
        ),
    ] = None,
    firmware: Firmware = None,
    line_noise: Noise = "",
    gdb: Gdb = None,
) -> int:
    """Start a fresh wearable, run a command, remove the wearable, and return the command's exit code.

    In the command {port} and {control} stand for the wearable's port and its control socket.
    """
    if not command:
        raise UsageError("There is no command to run; write it after --, for example: thermo-host info {port}")
    if board is None and (firmware or line_noise or gdb):
        given = {"--firmware": firmware, "--line-noise": line_noise, "--gdb": gdb}
        named = ", ".join(name for name, value in given.items() if value)
        raise UsageError(f"{named} is for boards; add --board, or leave it out.")
    if board is not None and (speed != "1" or trust or kernels != "reference"):
        raise UsageError("A board runs in real time what it was built with; leave out --speed, --trust and --kernels.")

    def make(link: Path) -> Wearable | Board:
        shared: dict[str, Any] = {
            "link": link.absolute(),
            "wearable": wearable,
            "world": world,
            "seed": seed,
            "eeprom": eeprom,
            "replay": replay,
            "faults": faults,
            "state": state,
            "warm_up": not no_warm_up,
        }
        if board is not None:
            noise = LineNoise.parse(line_noise)
            return Board(BoardOptions(**shared, kind=board, firmware=firmware, noise=noise, gdb=gdb))
        pace = None if speed == "max" else float(speed)
        return Wearable(WearableOptions(**shared, speed=pace, trust=tuple(trust or ()), kernels=kernels))

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
            typer.echo(f"{name:18} {profile.version:8} {said_of(profile)}; world {world_of(name)}")
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


def _on_termination(act: Callable[[], None]) -> None:
    def handle(number: int, frame: FrameType | None) -> None:
        act()

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, handle)


def _serve(simulated: Wearable | Board) -> int:
    ended = threading.Event()
    _on_termination(ended.set)
    with simulated:
        print(simulated.describe(), flush=True)
        while not ended.is_set() and not simulated.wait(0.25):
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
