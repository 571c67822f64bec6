"""Flash the emitted code takes, measured: compiled for the target by arm-none-eabi-gcc, where that is installed."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from thermo_quantize.compiler.compile import Compiled

_COMPILER, _SIZE = "arm-none-eabi-gcc", "arm-none-eabi-size"
_OPTIMISATION = "-O3"
_TIMEOUT_S = 120


def code_bytes(compiled: Compiled) -> int | None:
    """Bytes of machine code at -O3 without constants and C library; None where no compiler for the target is at hand."""
    flags = compiled.target.flags
    if not flags or not shutil.which(_COMPILER) or not shutil.which(_SIZE):
        return None
    with tempfile.TemporaryDirectory() as folder:
        for file, text in compiled.files.items():
            (Path(folder) / file).write_text(text)
        made = str(Path(folder) / "model.o")
        source = str(Path(folder) / next(file for file in compiled.files if file.endswith(".c")))
        command = [_COMPILER, *flags.split(), "-std=c11", _OPTIMISATION, "-c", source, "-o", made]
        try:
            subprocess.run(command, capture_output=True, check=True, timeout=_TIMEOUT_S)
            said = subprocess.run([_SIZE, made], capture_output=True, check=True, text=True, timeout=_TIMEOUT_S).stdout
        except (OSError, subprocess.SubprocessError):
            return None
    return int(said.splitlines()[1].split()[0]) - compiled.table_bytes
