"""Has each Python process that inherits the environment of `make test COVERAGE=1` count its lines (`counted`)."""

import os
from pathlib import Path

import counted

if "THERMO_LINES" in os.environ:
    counted.begin(Path(os.environ["THERMO_LINES"]))
