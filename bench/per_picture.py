"""What one picture of the breast patch costs a microcontroller: instructions on an emulated Cortex-M4F and Cortex-M0+.

Run `python bench/per_picture.py`, or `python bench/boards.py --pictures`. QEMU counts instructions exactly, the same on every machine;
they are not cycles. "floats" is a Cortex-M0+ with the compiler's own floats and the network compiled for m0, "whole numbers" what the
firmware does there. The share of a processor is an estimate: CYCLES an instruction, at the RP2040's usual clock.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import stages
from processors import M0PLUS, M4, Processor

import firmware

CLOCK_HZ, CYCLES = 125e6, 1.5
PICTURES_HZ = 4.0
"""Of 8 subpages/s."""
SHARE_GOAL = 0.30
FLOATS = " -DFLOAT32_SOFT=0"

ROWS = (
    ("decode", "decode: both subpages with conditions"),
    ("correct", "correct, 3 bad pixels"),
    ("pack", "pack both subpages, still scene"),
    ("stages", "mean of 16, less its median, the network's input"),
    ("network", "the network"),
)


def column(processor: Processor, shared: Path) -> dict[str, int]:
    """Instructions by the names of ROWS."""
    costs, _ = firmware.run_all(shared, processor)
    graph = stages.measure(processor, rows=())
    return {
        "decode": costs["picture"],
        "correct": costs["correct"],
        "pack": 2 * costs["pack_difference"],
        "stages": graph.chain.instructions,
        "network": graph.invoke,
    }


def measure(shared: Path) -> dict[str, dict[str, int]]:
    """Columns by their heads."""
    floats = replace(M0PLUS, target="m0", flags=M0PLUS.flags + FLOATS)
    columns = {"Cortex-M4F": M4, "M0+, floats": floats, "M0+, whole numbers": M0PLUS}
    return {head: column(processor, shared) for head, processor in columns.items()}


def show(shared: Path) -> None:
    """Measure and print."""
    found = measure(shared)
    print(f"{'instructions a picture, breast patch':50}" + "".join(f"{head:>20}" for head in found))
    for name, label in ROWS:
        print(f"{label:50}" + "".join(f"{column[name]:>20,}" for column in found.values()))
    totals = [sum(column.values()) for column in found.values()]
    print(f"{'together':50}" + "".join(f"{total:>20,}" for total in totals))
    for cycles in (1.0, CYCLES):
        shares = [total * PICTURES_HZ * cycles / CLOCK_HZ for total in totals]
        label = f"of {CLOCK_HZ / 1e6:g} MHz at {2 * PICTURES_HZ:g} subpages/s, {cycles:g} cycles each"
        print(f"{label:50}" + "".join(f"{share:>20.1%}" for share in shares))
    print(f"goals on the M0+: decode {firmware.GOALS_M0PLUS['picture']:,}, share {SHARE_GOAL:.0%}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument("--shared", type=Path, default=firmware.SHARED)
    show(parser.parse_args().shared)


if __name__ == "__main__":
    main()
