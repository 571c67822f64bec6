"""Gives a simulated wearable its networks, and calibrates it: `python -m thermo_hub.demo.prepare PORT BUNDLE REPORT`."""

import sys
from pathlib import Path

from thermo_host.cli import main
from thermo_host.flash import flash, load
from thermo_host.link.wearable import Wearable


def prepare(port: str, bundle: Path, report: str) -> None:
    """Flash it and, where there is a folder for the report, calibrate it before its simulated blackbody."""
    with Wearable.open(port) as wearable:
        flash(wearable, load(bundle, lambda words: None))
    if report:
        main(["calibrate", port, "--quick", "--yes", "--output", report])


if __name__ == "__main__":
    prepare(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
