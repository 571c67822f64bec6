"""`thermo-quantize`: from a trained network to a signed bundle."""

from thermo_core import command_line
from thermo_core.exit_codes import LABORATORY
from thermo_quantize import commands
from thermo_quantize.compile_command import compile_command
from thermo_quantize.firmware_command import firmware_command
from thermo_quantize.sign_command import sign_command

app = command_line.application(
    "thermo-quantize", "Quantise, check and sign models for thermo-edge wearables.", LABORATORY
)

for _command in (commands.quantize, commands.evaluate, commands.compare, commands.inspect, commands.verify):
    app.command()(_command)
app.command("compile")(compile_command)
app.command("firmware")(firmware_command)
app.command("sign")(sign_command)


def run(words: list[str]) -> int:
    """Run one command; returns its exit code."""
    return command_line.run("thermo-quantize", lambda: app, words)
