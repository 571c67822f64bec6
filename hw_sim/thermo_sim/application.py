"""`thermo-sim`: simulated wearables for a terminal, for scripts and for CI."""

import logging

import typer

from thermo_core import command_line
from thermo_sim import commands
from thermo_sim.faults import OVERVIEW
from thermo_sim.people.happenings import GRAMMAR

NAME = "thermo-sim"
MORE = "`exec` returns the command's own code, and 127 where the command does not exist."
FAULTS = (
    "Faults: a list such as nack@120,stuck:p=0.001,unplug@300+2s,drift:addr=0x3a:ch=2:by=0.5\n\n"
    # A backslash keeps what reads like a tag.
    r"KIND[@[+]N]\[xCOUNT][+DURATION][:KEY=VALUE]...; N counts I2C transactions, @+N from now."
    "\n\n" + OVERVIEW
)
HAPPENINGS = (
    "Happenings: a list such as warm-cup@600+240:at=LHand,strap-loose@1800:size=0.4\n\n"
    f"{GRAMMAR}; seconds from the beginning of the script, @+SECONDS from now; WHERE is a segment of the body, a side (L, R, LR), a "
    "sensor, or one of its channels (hands/3)."
)
CONTROLS = (
    "Commands: truth (what is true of the wearer) | happen spec=warm-cup@+5 | "
    "blackbody celsius=37 | scene | ambient celsius=22 | bath celsius=35 | bath (contact thermometers follow the "
    "blackbody again) | unplug seconds=2 | fault spec=nack@+10 | exchange seed=7 sensor=skin (another chip) | status; and what the "
    "chips of the wearable take: rot address=9281 bit=3 (flip a bit of a camera's EEPROM, 9216 to 10047), "
    "wiring channel=0 state=open.\n\n"
    'The socket LINK.ctl takes the same as lines of JSON: {"cmd": "blackbody", "celsius": 37.0}'
)


def application() -> typer.Typer:
    """The command line."""
    what = "Simulated thermal wearables: the real device agent on simulated sensors, behind a serial port."
    app = command_line.application(NAME, what, more=MORE, quiet=logging.ERROR)
    app.command("wearable", epilog=FAULTS)(commands.wearable)
    app.command("board", epilog=FAULTS)(commands.board)
    app.command("exec", epilog=f"Example: thermo-sim exec --speed max -- thermo-host info {{port}}\n\n{FAULTS}")(
        commands.execute
    )
    app.command("control", epilog=CONTROLS)(commands.steer)
    app.command("wearables")(commands.wearables)
    app.command("worlds")(commands.worlds)
    app.command("faults", epilog=FAULTS)(commands.faults)
    app.command("scripts")(commands.scripts)
    app.command("happenings", epilog=HAPPENINGS)(commands.happenings)
    app.command("truth", epilog=HAPPENINGS)(commands.truth)
    return app


def run(words: list[str]) -> int:
    """Run one command; returns its exit code."""
    return command_line.run(NAME, application, words)
