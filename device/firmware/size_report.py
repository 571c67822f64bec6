"""Flash and RAM of a built firmware beside its budgets; fails where one is exceeded.

Run by `make -C device/firmware size`. Flash is code, constants and initial values; weights and tables of networks, and
tables of stages, are counted apart. RAM is variables and the stack that the linker script reserves.
"""

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

TABLE = re.compile(r"_[0-9]+$")
"""Names of what one stage of a graph has for itself: thresholds of trees, axes, weights of a projection."""


def symbols(nm: str, path: Path) -> dict[str, tuple[str, int]]:
    """Kind and size of each symbol that has a size."""
    done = subprocess.run([nm, "--print-size", str(path)], capture_output=True, text=True, check=True)
    rows = (line.split() for line in done.stdout.splitlines())
    return {row[3]: (row[2].lower(), int(row[1], 16)) for row in rows if len(row) == 4}


def sections(size: str, path: Path) -> dict[str, int]:
    """Bytes of each section."""
    done = subprocess.run([size, "-A", str(path)], capture_output=True, text=True, check=True)
    rows = (line.split() for line in done.stdout.splitlines())
    return {row[0]: int(row[1]) for row in rows if len(row) == 3 and row[0].startswith(".")}


def measure(elf: Path, tools: str) -> dict[str, int]:
    """Bytes by name: flash without weights, weights, RAM with its stack, and parts of both."""
    found = sections(f"{tools}size", elf)
    linked = symbols(f"{tools}nm", elf)
    weights = code = 0
    for path in elf.parent.rglob("wearable_network_*.o"):
        own = {name: row for name, row in symbols(f"{tools}nm", path).items() if name in linked}
        weights += sum(size for kind, size in own.values() if kind == "r")
        code += sum(size for kind, size in own.values() if kind == "t")
    for path in elf.parent.rglob("wearable_graph.o"):
        tables = (row for name, row in symbols(f"{tools}nm", path).items() if name in linked and TABLE.search(name))
        weights += sum(size for kind, size in tables if kind == "r")
    flash = found[".text"] + found.get(".ARM.exidx", 0) + found[".data"]
    variables = found[".data"] + found[".bss"] + found[".noinit"]
    return {
        "flash_without_weights": flash - weights,
        "weights": weights,
        "network_code": code,
        "ram": variables + found[".stack"],
        "variables": variables,
        "memory": linked["wearable_graph_memory"][1],
        "stack": found[".stack"],
    }


def main() -> int:
    """Print the figures; 1 where one is above its budget."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("elf", type=Path)
    parser.add_argument("--ram", type=int, required=True, help="budget of variables and stack, bytes")
    parser.add_argument("--flash", type=int, required=True, help="budget of flash without weights, bytes")
    parser.add_argument("--tools", default="arm-none-eabi-", help="prefix of nm and size")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(options.elf, options.tools)
    if options.json:
        print(json.dumps(found))
    else:
        print(f"flash without weights {found['flash_without_weights']:7,} of {options.flash:,} bytes")
        print(f"  of it the networks' code {found['network_code']:,}")
        print(f"weights and tables    {found['weights']:7,} bytes")
        print(f"RAM                   {found['ram']:7,} of {options.ram:,} bytes")
        print(
            f"  variables {found['variables']:,} (of signals, stages and networks {found['memory']:,}), stack {found['stack']:,} reserved"
        )
    over = [
        name for name, limit in (("ram", options.ram), ("flash_without_weights", options.flash)) if found[name] > limit
    ]
    for name in over:
        print(f"size_report: {name} is over its budget; see the map file beside the firmware.", file=sys.stderr)
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
