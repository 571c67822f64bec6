"""The commands of `thermo-host`: where each lives and what it does in one line, known without importing any of them."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast


@dataclass(frozen=True, slots=True)
class Entry:
    """One command.

    Attributes:
        module: below `thermo_host`.
        function: in it.
        summary: first sentence of the function's docstring.
    """

    module: str
    function: str
    summary: str

    def load(self) -> Callable[..., None]:
        """The function."""
        module = importlib.import_module(f"thermo_host.{self.module}")
        return cast("Callable[..., None]", getattr(module, self.function))


COMMANDS = {
    "ports": Entry(
        "commands.ports",
        "command",
        "List serial ports; the ones with a dot may be chosen when none is named. Boards in boot mode stand below them.",
    ),
    "info": Entry("commands.info", "command", "Show a wearable's sensors, models, alerts, corrections and counters."),
    "flash": Entry(
        "commands.flash",
        "command",
        "Check, upload, test, reset, self-test and confirm a signed image; or program a board that runs none of ours yet.",
    ),
    "calibrate": Entry(
        "calibrate.command",
        "command",
        "Calibrate a wearable's sensors: cameras and thermopiles before a blackbody, contact sensors in a bath.",
    ),
    "stream": Entry(
        "commands.stream",
        "stream",
        "Show live signals, findings and alerts; q or Ctrl-C ends it and leaves the device quiet.",
    ),
    "record": Entry(
        "commands.stream",
        "record",
        "Record everything a wearable sends: its profile, constants and corrections, blocks, findings, alerts, UTC.",
    ),
    "foxglove": Entry(
        "commands.foxglove",
        "command",
        "Serve live pictures, boxes, signals, findings and alerts to Foxglove, in its own schemas.",
    ),
    "mark": Entry(
        "commands.mark",
        "command",
        "Mark this moment in a recording that is being made, as the m key of `thermo-host record` does.",
    ),
    "replay": Entry("commands.replay", "command", "Play a recording, at the pace at which it was made or another one."),
    "rerun": Entry(
        "commands.rerun",
        "command",
        "Compute a recording's signals, findings and alerts again and say where verdicts differ.",
    ),
    "export": Entry(
        "commands.export",
        "export",
        "Decode recordings: signals of their graphs, findings, alerts, events and markers, with UTC times and quality.",
    ),
    "decode": Entry(
        "commands.export",
        "decode",
        "Decode raw EEPROM and frames that another tool dumped; without a target, show the last picture.",
    ),
    "alerts": Entry(
        "commands.alerts", "command", "Show a wearable's alerts, and acknowledge those that somebody has seen."
    ),
    "person": Entry("commands.person", "command", "Show what a wearable knows of its wearer, or tell it; it keeps it."),
    "baseline": Entry(
        "commands.baseline",
        "command",
        "Show what a wearable has learned of its wearer: how long, from how many samples, whether it is ready; or have it forgotten.",
    ),
    "feed": Entry(
        "commands.feed",
        "command",
        'Give samples to a sensor of kind "external": a row of numbers each, after an optional heading.',
    ),
    "rate": Entry(
        "commands.control",
        "rate",
        "Set a sensor's rate (of a camera 0.5 to 64 subpages/s, two make a picture) until the next reset.",
    ),
    "self-test": Entry("commands.control", "self_test", "Have the wearable test its sensors, bus, storage and models."),
    "reset": Entry("commands.control", "reset", "Restart the wearable and wait until it answers."),
    "keygen": Entry("commands.keygen", "command", "Make an Ed25519 key pair; existing files are never overwritten."),
}
