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
        "commands.ports", "command", "List serial ports; the ones with a dot may be chosen when none is named."
    ),
    "info": Entry("commands.info", "command", "Show a wearable's sensors, model, calibration and counters."),
    "flash": Entry("commands.flash", "command", "Check, upload, test, reset, self-test and confirm a signed image."),
    "calibrate": Entry(
        "calibrate.command", "command", "Calibrate a wearable's picture sensor and thermistors against a blackbody."
    ),
    "stream": Entry(
        "commands.stream",
        "stream",
        "Show live pictures, thermistor temperatures and verdicts; q or Ctrl-C ends it and leaves the device quiet.",
    ),
    "record": Entry(
        "commands.stream",
        "record",
        "Record everything a wearable sends: counts, EEPROM, calibration, thermistors, verdicts, UTC.",
    ),
    "replay": Entry("commands.replay", "command", "Play a recording, at the pace at which it was made or another one."),
    "export": Entry(
        "commands.export",
        "export",
        "Decode a recording to pictures in degC, with Ta, Vdd, validity, UTC times, thermistors and verdicts.",
    ),
    "decode": Entry(
        "commands.export",
        "decode",
        "Decode raw EEPROM and frames that another tool dumped; without a target, show the last picture.",
    ),
    "rate": Entry(
        "commands.control",
        "rate",
        "Set the sensor's refresh rate (0.5 to 64 subpages/s, two make a picture) until the next reset.",
    ),
    "self-test": Entry("commands.control", "self_test", "Have the wearable test its sensors, bus, storage and model."),
    "reset": Entry("commands.control", "reset", "Restart the wearable and wait until it answers."),
    "keygen": Entry("commands.keygen", "command", "Make an Ed25519 key pair; existing files are never overwritten."),
}
