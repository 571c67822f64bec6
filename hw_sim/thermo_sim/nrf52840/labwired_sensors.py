"""An nRF52840 with labwired's own models of sensors, as a process of its own.

Run as `python -m thermo_sim.nrf52840.labwired_sensors FIRMWARE SERIAL_FD WEARABLE`.
"""

import contextlib
import os
import select
import sys
from pathlib import Path

from thermo_core.wearable.file import read
from thermo_core.wearable.library import resolve
from thermo_sim.nrf52840.machine import SLICE_US, Machine, own_sensors


def serve(board: Machine, line: int) -> None:
    """Run a board, and carry bytes between it and a descriptor, until whoever holds the other end closes it."""
    os.set_blocking(line, False)
    said = b""
    while True:
        if select.select([line], [], [], 0)[0]:
            data = os.read(line, 4096)
            if not data:
                return
            board.send(data)
        board.run(10 * SLICE_US)
        said += board.take()
        if said:
            with contextlib.suppress(BlockingIOError):
                said = said[os.write(line, said) :]


def main(firmware: str, line: str, wearable: str) -> None:
    """Run a board on an inherited descriptor of its serial line."""
    with Machine(Path(firmware), own_sensors(read(resolve(wearable)).profile)) as board:
        serve(board, int(line))


if __name__ == "__main__":
    main(*sys.argv[1:])
