"""How well a slowed hand is told by one fit through all curves (`paired_recovery`), with no network: AUC of the size of its logarithm.

    python bench/paired_recovery.py
    python bench/paired_recovery.py --windows 4000 --people 600 --walk 0.2

Windows are of the neuro band's made world that is neither taught nor judged on (`VALIDATION`): as it is, without changes of contact, and
where healthy sides differ by one factor of all time constants; and of simulated people. A third of each is slowed left, a third right, by
1.6. The ceiling is that of healthy sides, which differ; least squares is one exponential a node, median over pairs. "error" is the root
mean square of what the fit's logarithm is off, "spread" the median of the standard deviation that it says. Nothing is learnt here.
"""

import argparse
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from thermo_core.schema import Floats
from thermo_core.signals import Signal
from thermo_core.stages import paired_recovery
from thermo_core.stages.bins import Bins
from thermo_core.stages.paired_recovery import PairedRecovery
from thermo_core.stages.step_removal import StepRemoval
from thermo_models.features import through
from thermo_models.metrics import auc
from thermo_models.tasks import neuro_band as task_of
from thermo_models.tasks import neuro_band_bodies as bodies
from thermo_models.tasks import neuro_band_curves as curves

SEEDS = (31_000_000, 41_000_000)
"""Of windows and of people: none of the task's, and none that anything was chosen on."""
MENDED = StepRemoval(of="curves", gives="unbroken")
SUMS = Bins(of="unbroken", gives="sums", bins=task_of.SHAPES.bins)


def told(
    values: NDArray[np.float32], before: NDArray[np.float32], walk: float, mended: bool = True
) -> NDArray[np.float32]:
    """(n, 4) of windows (n, rows, nodes) and of the level before (n, nodes)."""
    stage = PairedRecovery(
        of="sums", before="before", gives="sides", samples=curves.ROWS, shares=Floats(curves.SHARES), walk=walk
    )
    sums = through((MENDED, SUMS) if mended else (SUMS,), values, 1.0)
    given = [Signal(name, array.shape[1:], "", 1.0, "x") for name, array in (("sums", sums), ("before", before))]
    return np.asarray(paired_recovery.OP.apply(stage, tuple(given), [sums, before]), np.float32)


def main() -> None:
    """Make, fit and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=int, default=2000, help="of each made world")
    parser.add_argument("--people", type=int, default=300)
    parser.add_argument("--walk", type=float, default=0.5, help="K that a node is believed to wander by in a window")
    args = parser.parse_args()
    if min(args.windows, args.people) < 20 or not args.walk > 0:
        parser.exit(2, "paired_recovery: Give --windows and --people of 20 or more, and a --walk above 0.\n")
    world, slowing = curves.VALIDATION, task_of.SLOWING
    calm = replace(world, steps=0.0)
    sets: dict[str, Callable[[], curves.Windows]] = {
        "another world": lambda: curves.make(args.windows, SEEDS[0], world, slowing, True),
        "no steps": lambda: curves.make(args.windows, SEEDS[0] + 1, calm, slowing, True),
        "whole sides": lambda: curves.make(args.windows, SEEDS[0] + 2, world, slowing, True, 0.0),
        "people": lambda: bodies.make(args.people, SEEDS[1], bodies.STEPS, slowing),
    }
    columns = ("ceiling", "least squares", "steps left in", "paired fit", "error", "spread")
    print(f"{'':16}" + "".join(f"{name:>15}" for name in columns))
    for name, made in sets.items():
        print(f"{name:16}" + "".join(f"{figure:>15.3f}" for figure in _figures(made(), args.walk)), flush=True)


def _figures(windows: curves.Windows, walk: float) -> tuple[float, ...]:
    of = windows.classes != curves.NO_CHALLENGE
    values, before = windows.values[of], windows.before[of]
    truth, slowed = windows.log_ratio[of], windows.classes[of] >= curves.SLOWED_LEFT
    fit, whole = told(values, before, walk), told(values, before, walk, mended=False)
    scores = (truth, task_of.fitted_of(values)[0], whole[:, 0], fit[:, 0])
    error = float(np.sqrt(np.mean((fit[:, 0] - truth) ** 2)))
    return (*(auc(np.abs(score).astype(np.float64), slowed) for score in scores), error, float(np.median(fit[:, 1])))


if __name__ == "__main__":
    main()
