"""How fast boards are emulated: seconds of the breast patch's, with somebody who listens, per second of one core.

Run `python bench/emulators.py [BOARD ...]` after `make firmware`; for the RP2040 also with
PYTHONPATH=$(python -m thermo_sim.rp2040.compiled). Chips, pictures and bus are in the figure; pace and pseudo-terminal are not.
"""

import argparse
import sys
import time
from pathlib import Path

from thermo_core.errors import ThermoError
from thermo_core.wire.smp import Op, SmpHeader, SmpMessage, encode_packets
from thermo_core.wire.table import Command
from thermo_sim.any_board import CHIPS
from thermo_sim.board import BoardOptions, hardware_of
from thermo_sim.emulated_board import Emulation
from thermo_sim.emulated_clock import EmulatedClock

STARTS_US, SETTLES_US, STEP_US = 2_000_000, 500_000, 5_000


def passed(chip: Emulation, duration_us: int) -> tuple[float, float]:
    """Seconds of the board's and of the processor that some time takes."""
    from_us, from_s = chip.now_us(), time.process_time()
    while chip.now_us() < from_us + duration_us:
        chip.run(STEP_US)
        chip.take()
    return (chip.now_us() - from_us) / 1e6, time.process_time() - from_s


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("boards", nargs="*", metavar="BOARD", default=list(CHIPS), help=", ".join(CHIPS))
    parser.add_argument("--seconds", type=float, default=3.0, help="of the board's time that are measured")
    options = parser.parse_args()
    for board in options.boards:
        if board not in CHIPS:
            parser.error(f"no emulator of {board!r} runs in this process; choose of {', '.join(CHIPS)}")
        clock = EmulatedClock()
        given = BoardOptions(Path("unused"), kind=board, warm_up=False)
        chip = CHIPS[board]()(given, hardware_of(given, clock), clock)
        try:
            passed(chip, STARTS_US)
            start = SmpMessage(SmpHeader(Op.WRITE, 65, Command.STREAM, 1), {"op": 1, "lease_ms": 30_000})
            chip.send(encode_packets(start.encode()))
            passed(chip, SETTLES_US)
            board_s, cpu_s = passed(chip, round(options.seconds * 1e6))
        finally:
            chip.close()
        print(f"{board:16}{board_s / cpu_s:8.2f} s per second of a core", flush=True)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except ThermoError as error:
        sys.exit(f"emulators: {error}")
