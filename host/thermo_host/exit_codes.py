"""What `thermo-host` returns to the shell for each kind of error: the table all commands share."""

from thermo_core.exit_codes import MEANINGS, ExitCode, exit_code

__all__ = ["MEANINGS", "ExitCode", "exit_code"]
