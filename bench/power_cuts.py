"""Cuts the power at every operation of flash of what is done to firmware slots and stores, and again during each recovery.

Loader, slots and stores run as a Linux program under AddressSanitizer and UBSan, over flash that clears only bits and that
leaves an interrupted erase or program before, after, in part, or as garbage. After each cut an image that is confirmed, or
one on trial that the next start takes back, must start, and what is kept must be the old or the new.

    python bench/power_cuts.py                  every cut, every second cut: some 25 minutes of one core
    python bench/power_cuts.py --stride 20      each 20th of the second cuts
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from cut_campaign import SCENARIOS, program, run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stride", type=int, default=1, help="of the second cuts each so-many-th is made (default 1)")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"of {', '.join(SCENARIOS)} (default all)")
    arguments = parser.parse_args()
    wanted = arguments.scenarios or SCENARIOS
    if unknown := [name for name in wanted if name not in SCENARIOS]:
        parser.error(f"there is no scenario '{unknown[0]}'; choose of {', '.join(SCENARIOS)}")
    print(f"{'scenario':<16}{'operations':>11}{'cuts':>8}{'second cuts':>13}{'lives':>9}{'lost':>6}")
    total = [0, 0, 0]
    with tempfile.TemporaryDirectory() as folder:
        campaign = program(Path(folder))
        for name in wanted:
            counts = run(campaign, name, depth=2, stride=arguments.stride)
            print(
                f"{name:<16}{counts.operations:>11}{counts.cuts:>8}{counts.second_cuts:>13}{counts.lives:>9}{0:>6}",
                flush=True,
            )
            total = [a + b for a, b in zip(total, (counts.cuts, counts.second_cuts, counts.lives), strict=True)]
    print(f"{'all':<16}{'':>11}{total[0]:>8}{total[1]:>13}{total[2]:>9}{0:>6}")


if __name__ == "__main__":
    main()
