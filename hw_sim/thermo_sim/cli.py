"""`thermo-sim`: simulated wearables for a terminal, for scripts and for CI."""

import argparse
import errno
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from thermo_core.errors import ThermoError, UsageError
from thermo_core.exit_codes import ExitCode, exit_code, meanings
from thermo_core.text import clean
from thermo_core.version import software_version
from thermo_sim import control
from thermo_sim.board import Board, BoardOptions
from thermo_sim.faults import OVERVIEW
from thermo_sim.hardware import load_profile, profile_names
from thermo_sim.launch import KINDS
from thermo_sim.pump import LineNoise
from thermo_sim.wearable import Wearable, WearableOptions

EXIT_CODES = f"""exit codes:
{os.linesep.join(meanings())}
`exec` returns the command's own code, and 127 where the command does not exist."""
NO_COMMAND = 127

FAULTS = f"""faults: a list such as nack@120,stuck:p=0.001,unplug@300+2s,drift:addr=0x3a:ch=2:by=0.5
  KIND[@[+]N][xCOUNT][+DURATION][:KEY=VALUE]...; N counts I2C transactions, @+N from now.
{OVERVIEW}"""

CONTROLS = """commands: blackbody celsius=37 | scene | ambient celsius=22 | thermistors celsius=35 | thermistors
(follow the blackbody again) | unplug seconds=2 | fault spec=nack@+10 | exchange seed=7 (another picture sensor) |
rot address=9281 bit=3 (flip a bit of its EEPROM, 9216 to 10047) | status. The socket LINK.ctl takes the same as
lines of JSON: {"cmd": "blackbody", "celsius": 37.0}"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    logging.basicConfig(
        level=logging.DEBUG if options.verbose else logging.ERROR,
        format="%(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
    )
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        code = run(options)
        if sys.stdout is not None:
            sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except ThermoError as error:
        print(f"thermo-sim: {clean(str(error))}", file=sys.stderr)
        return exit_code(error)
    except OSError as error:
        if error.errno not in (errno.EPIPE, errno.ENOSPC):
            raise
        # Nobody reads on, or there is no room; what is left in the buffer must not fail again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno == errno.EPIPE:
            return ExitCode.OK
        print(f"thermo-sim: Standard output takes no more ({error.strerror}).", file=sys.stderr)
        return ExitCode.FILE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="thermo-sim",
        description="Simulated thermal wearables: the real device agent on simulated sensors, behind a serial port.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"thermo-sim {software_version()}")
    parser.add_argument("-v", "--verbose", action="store_true", help="log what the agent does to stderr")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    wearable = commands.add_parser(
        "wearable",
        help="run one wearable until it is stopped",
        description="Run one wearable until Ctrl-C or SIGTERM. A host opens LINK as a serial port.",
        epilog=FAULTS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    wearable.add_argument(
        "--link", type=Path, required=True, metavar="PATH", help="name of the port, such as /tmp/thermo0"
    )
    _add_hardware(wearable)
    _add_agent(wearable)
    wearable.set_defaults(run=_wearable)

    board = commands.add_parser(
        "board",
        help="run the wearable's firmware on an emulated microcontroller",
        description="Run the firmware until Ctrl-C or SIGTERM. A host opens LINK as a serial port.",
        epilog=FAULTS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    kinds = ", ".join(f"{name}: {kind.summary}" for name, kind in KINDS.items())
    board.add_argument("board", metavar="BOARD", choices=KINDS, help=kinds)
    board.add_argument(
        "--link", type=Path, required=True, metavar="PATH", help="name of the port, such as /tmp/thermo1"
    )
    _add_hardware(board)
    _add_board(board)
    board.set_defaults(run=_board)

    execute = commands.add_parser(
        "exec",
        help="run a command against a fresh wearable",
        description=(
            "Start a fresh wearable, run a command in which {port} and {control} stand for its port and its\n"
            "control socket, remove the wearable, and return the command's exit code."
        ),
        epilog="example: thermo-sim exec --speed max -- thermo-host info {port}\n\n" + FAULTS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_hardware(execute)
    _add_agent(execute)
    execute.add_argument("--board", choices=KINDS, help="run the firmware on this board instead of the agent")
    _add_board(execute)
    execute.add_argument("command", nargs=argparse.REMAINDER, metavar="-- CMD", help="the command and its arguments")
    execute.set_defaults(run=_execute)

    steer = commands.add_parser(
        "control",
        help="change what a running wearable sees and suffers",
        description="Send one command to a running wearable and print its answer as JSON.",
        epilog=CONTROLS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    steer.add_argument("link", type=Path, metavar="LINK", help="the wearable's port, such as /tmp/thermo0")
    steer.add_argument("name", metavar="NAME", help="the command")
    steer.add_argument("fields", nargs="*", metavar="KEY=VALUE", help="its arguments")
    steer.set_defaults(run=_control)

    profiles = commands.add_parser(
        "profiles",
        help="list the wearables that can be simulated",
        description="List the wearables that can be simulated.",
        allow_abbrev=False,
    )
    profiles.add_argument("--json", action="store_true", help="print JSON")
    profiles.set_defaults(run=_profiles)
    return parser


def _add_hardware(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--profile", default="breast-patch", help="which wearable (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of sensor, noise, thermistors and scene (default: 0)")
    parser.add_argument(
        "--eeprom",
        type=Path,
        metavar="FILE",
        help="EEPROM of a real sensor: .npz, .npy, text, hex, bytes (of a driver or the Linux kernel), or a recording",
    )
    parser.add_argument(
        "--replay",
        type=Path,
        metavar="FILE",
        help="frames of a real sensor instead of the scene: a recording (.mcap), or a dump with its EEPROM or --eeprom",
    )
    parser.add_argument("--faults", default="", metavar="SPEC", help="what goes wrong on the bus, see below")
    parser.add_argument(
        "--state", type=Path, metavar="DIR", help="keeps bundles and calibration (default: gone with the wearable)"
    )
    parser.add_argument("--no-warm-up", action="store_true", help="start with a sensor that has settled")


def _add_agent(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--speed", default="1", metavar="X", help="simulated seconds a second, or max (default: real time)"
    )
    parser.add_argument(
        "--trust", type=Path, action="append", default=[], metavar="PEM", help="trust this key, not the development key"
    )
    parser.add_argument("--kernels", choices=("reference", "fast"), default="reference", help="how the model is run")


def _add_board(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--firmware", type=Path, metavar="FILE", help="what the board runs (default: by make firmware)")
    parser.add_argument(
        "--line-noise", default="", metavar="SPEC", help="what the serial line does to bytes: flip=1e-4,drop=2e-5"
    )
    parser.add_argument("--gdb", type=Path, metavar="PATH", help="socket at which the emulator awaits a debugger")


def _board_options(options: argparse.Namespace, link: Path) -> BoardOptions:
    return BoardOptions(
        link=link.absolute(),
        kind=options.board,
        profile=options.profile,
        seed=_seed(options),
        eeprom=options.eeprom,
        replay=options.replay,
        faults=options.faults,
        firmware=options.firmware,
        state=options.state,
        noise=LineNoise.parse(options.line_noise),
        warm_up=not options.no_warm_up,
        gdb=options.gdb,
    )


def _seed(options: argparse.Namespace) -> int:
    seed: int = options.seed
    if seed < 0:
        raise UsageError(f"The seed {seed} is negative; give a whole number from 0.")
    return seed


def _options(options: argparse.Namespace, link: Path) -> WearableOptions:
    if options.speed == "max":
        speed = None
    else:
        try:
            speed = float(options.speed)
        except ValueError:
            raise UsageError(f"The speed {options.speed!r} is no number; give one such as 1 or 10, or max.") from None
    return WearableOptions(
        link=link.absolute(),
        profile=options.profile,
        seed=_seed(options),
        eeprom=options.eeprom,
        replay=options.replay,
        faults=options.faults,
        speed=speed,
        state=options.state,
        trust=tuple(options.trust),
        kernels=options.kernels,
        warm_up=not options.no_warm_up,
    )


def _on_termination(act: Callable[[], None]) -> None:
    def handle(number: int, frame: FrameType | None) -> None:
        act()

    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, handle)


def _wearable(options: argparse.Namespace) -> int:
    return _serve(Wearable(_options(options, options.link)))


def _board(options: argparse.Namespace) -> int:
    return _serve(Board(_board_options(options, options.link)))


def _serve(simulated: Wearable | Board) -> int:
    ended = threading.Event()
    _on_termination(ended.set)
    with simulated:
        print(simulated.describe(), flush=True)
        while not ended.is_set() and not simulated.wait(0.25):
            pass
    return ExitCode.OK


def _make(options: argparse.Namespace, link: Path) -> Wearable | Board:
    """What `exec` runs a command against.

    Raises:
        UsageError: an option belongs to the other kind.
    """
    if options.board is None:
        given = {"--firmware": options.firmware, "--line-noise": options.line_noise, "--gdb": options.gdb}
        if any(given.values()):
            named = ", ".join(name for name, value in given.items() if value)
            raise UsageError(f"{named} is for boards; add --board, or leave it out.")
        return Wearable(_options(options, link))
    if options.speed != "1" or options.trust or options.kernels != "reference":
        raise UsageError("A board runs in real time what it was built with; leave out --speed, --trust and --kernels.")
    return Board(_board_options(options, link))


def _execute(options: argparse.Namespace) -> int:
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        raise UsageError("There is no command to run; write it after --, for example: thermo-host info {port}")
    _on_termination(lambda: sys.exit(ExitCode.TERMINATED))
    with (
        tempfile.TemporaryDirectory(prefix="thermo-sim-exec-") as directory,
        _make(options, Path(directory) / "thermo") as wearable,
    ):
        for place, path in (("{port}", wearable.options.link), ("{control}", wearable.control_path)):
            command = [word.replace(place, str(path)) for word in command]
        code = _run_child(command)
        if code:
            try:
                wearable.wait(0.0)
            except ThermoError as error:
                print(f"thermo-sim: {clean(str(error))}", file=sys.stderr)
        return code


def _run_child(command: list[str]) -> int:
    """Run to the end and pass SIGTERM on; Ctrl-C reaches the child by itself."""
    try:
        child = subprocess.Popen(command)
    except OSError as error:
        print(f"thermo-sim: {command[0]} cannot be run ({error.strerror}); check the command.", file=sys.stderr)
        return NO_COMMAND
    _on_termination(child.terminate)
    while True:
        try:
            code = child.wait()
            break
        except KeyboardInterrupt:
            continue
    return code if code >= 0 else 128 - code


def _control(options: argparse.Namespace) -> int:
    request: dict[str, Any] = {"cmd": options.name}
    for pair in options.fields:
        name, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"The argument {pair!r} is no KEY=VALUE; write for example celsius=37.")
        try:
            request[name] = json.loads(value)
        except ValueError:
            request[name] = value
    link: Path = options.link
    print(json.dumps(control.request(link.with_name(link.name + ".ctl"), request), indent=2))
    return ExitCode.OK


def _profiles(options: argparse.Namespace) -> int:
    if options.json:
        print(json.dumps({name: load_profile(name) for name in profile_names()}, indent=2))
        return ExitCode.OK
    for name in profile_names():
        profile = load_profile(name)
        bus, array = profile["bus"], profile["thermistors"]
        print(
            f"{name}: scene {profile['scene']['name']}, MLX90640 at 0x{profile['picture_sensor']['address']:02X}, "
            f"{array['channels']} thermistors at 0x{array['address']:02X}, I2C at {bus['frequency_hz'] / 1000:g} kHz"
        )
    return ExitCode.OK


if __name__ == "__main__":
    sys.exit(main())
