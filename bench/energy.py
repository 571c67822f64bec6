"""What the shipped wearables cost on a microcontroller: instructions, memory, and an estimate of energy and battery life.

    python bench/energy.py [--battery-mah 200] [--duty 1]

Instructions of networks and stages are estimates (`python bench/stages.py` and `python bench/unseen.py` count them), RAM is what the
generator plans for the graph, and currents come from data sheets. Nothing was measured on silicon.
"""

import argparse

from thermo_core.wearable import file, library
from thermo_models.energy import BOARDS, Energy
from thermo_models.wearable_text import Drawn


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--battery-mah", type=float, default=200.0, help="rated charge of the battery")
    parser.add_argument("--duty", type=float, default=1.0, help="share of the time in which it measures")
    arguments = parser.parse_args()
    rows = []
    for name in library.names():
        wearable = file.read(library.resolve(name))
        networks = {model: path.read_bytes() for model, path in wearable.networks.items()}
        for key, board in BOARDS.items():
            drawn = Drawn.of(wearable.plan(), networks, board.target)
            energy = Energy.of(drawn, board)
            arenas = " + ".join(f"{one.plan.size:,}" for one in drawn.networks.values())
            inference = ", ".join(
                f"{energy.inference_ms[model]:.3g} ms, {used:.3g} uJ" for model, used in energy.inference_uj.items()
            )
            hours = energy.hours(arguments.battery_mah, arguments.duty)
            second = sum((cost or 0) * node.gives.rate_hz for node, cost in drawn.costs())
            rows.append(
                (
                    name,
                    key,
                    f"{second:,.0f}",
                    arenas,
                    f"{drawn.ram_bytes or 0:,}",
                    inference,
                    f"{energy.mean_ma:.3g}",
                    f"{hours:,.0f}",
                )
            )
    head: tuple[str, ...] = (
        "wearable",
        "board",
        "instructions/s",
        "arena, B",
        "RAM of the graph, B",
        "an inference",
        "mean mA",
    )
    head = (*head, f"hours of {arguments.battery_mah:g} mAh")
    for row in (head, ("---",) * len(head), *rows):
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
