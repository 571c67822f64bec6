"""What the neuro band says beside its network: time constants of both sides, and how pairs agree once calibrated.

    python bench/neuro_band_claims.py
    python bench/neuro_band_claims.py --bands 5 --card

taus   median and 90th percentile of the relative error of `left-tau` and `right-tau` against the true time constant, of hands whose
       curve has one; beside it one exponential with an offset by least squares, in double precision and from the best of a grid, through
       the same three nodes of a side, their median. "1 % noise" are windows with white noise of 1 % of the hand's change and nothing
       else; the others are those that the task tests on. "told" is the share of hands that the band says a number of; both are
       compared on these. In brackets the 95 % interval of the difference of medians, of draws of hands.
pairs  simulated bands, another seed each, calibrated as a user does it; of each pair the sum of what its nodes are off at
       set-points that were not fitted, K. Which readings a calibration takes hangs on the machine's speed: the last digits differ.

With --card the figures go into metrics.json and CARD.md of the shipped wearable. It informs; no figure here is of a real person.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from thermo_core.files import read_json, write_files
from thermo_core.wearable.library import resolve
from thermo_models import foster
from thermo_models.features import through
from thermo_models.runs import told
from thermo_models.tasks import find
from thermo_models.tasks import neuro_band as task
from thermo_models.tasks import neuro_band_curves as curves
from thermo_models.templates import stage_of

Array = NDArray[np.float64]

PERCENT = curves.World((0.1, 0.1), 0.0, False, 0.0, 0.0, False, 0.0, 0.0, False, (10.0, 10.0))
SEED, HANDS = 50_000_000, 1_200
SIDES = {"left": (2, 4, 6), "right": (3, 5, 7)}
"""Nodes of wrist, back of the hand and finger."""
GRID = np.log(np.geomspace(foster.TAU_S[0] / 2, 20.0 * curves.ROWS, 80))
"""Logarithms of time constants between which least squares looks for its minimum."""
DRAWS = 1_000
GOAL_K = 0.05
CALIBRATE = "--json --quick --set-points 25,35,42 --hold-out 31,38 --skip-warm-up --yes".split()


def windows() -> dict[str, list[curves.Windows]]:
    """By name; those of the task in the pieces that it makes them in."""
    made = {"1 % noise": [curves.make(HANDS, SEED, PERCENT, task.SLOWING, True)]}
    for group, (name, world) in enumerate((("steps", curves.JUDGED), ("calm", curves.CALM)), 2):
        first = task.TEST_SEED + 100_000 * group
        made[name] = [
            curves.make(min(task.CHUNK, HANDS - at), first + at, world, task.SLOWING, True)
            for at in range(0, HANDS, task.CHUNK)
        ]
    return made


def said(values: NDArray[np.float32], side: str) -> Array:
    """(n,) seconds that the band says of a side, of windows (n, rows, nodes)."""
    stages = [stage_of(task.WEARABLE.profile, f"{side}-{word}") for word in ("fits", "median", "tau")]
    return through((task.FITS, *stages), values, 1.0).reshape(len(values)).astype(np.float64)


def fitted(curve: Array) -> float:
    """Seconds: one exponential and an offset by least squares, both amplitudes solved for within (Golub & Pereyra 1973)."""
    t, apart = np.arange(len(curve), dtype=np.float64), curve - curve.mean()

    def told_squares(log_tau: float) -> float:
        e = np.exp(-t / np.exp(log_tau))
        e -= e.mean()
        return -float((e @ apart) ** 2 / (e @ e))

    best = int(np.argmin([told_squares(at) for at in GRID]))
    bounds = GRID[max(best - 1, 0)], GRID[min(best + 1, len(GRID) - 1)]
    return float(np.exp(minimize_scalar(told_squares, bounds=bounds, method="bounded", options={"xatol": 1e-6}).x))


def errors(made: curves.Windows) -> tuple[Array, Array]:
    """Relative errors of the band's and of least squares' time constants of each side with one; NaN where the band says none."""
    of = (made.classes != curves.NO_CHALLENGE) & np.isfinite(made.tau_s[:, 0, 0]) & np.isnan(made.tau_s[:, 0, 1])
    values = made.values[of]
    both: list[tuple[Array, Array]] = []
    for hand, (side, nodes) in enumerate(SIDES.items()):
        true = made.tau_s[of, hand, 0]
        found = said(values, side)
        classical = np.array([np.median([fitted(one[:, node].astype(np.float64)) for node in nodes]) for one in values])
        both.append((np.abs(found - true) / true, np.abs(classical - true) / true))
    own, other = zip(*both, strict=True)
    return np.concatenate(own), np.concatenate(other)


def tau_figures(own: Array, other: Array) -> dict[str, Any]:
    """As the card has them."""
    there = np.isfinite(own)
    a, b = own[there], other[there]
    rng = np.random.default_rng(0)
    rows = rng.integers(0, len(a), (DRAWS, len(a)))
    apart = np.median(a[rows], axis=1) - np.median(b[rows], axis=1)
    return {
        "hands": len(own),
        "told": float(there.mean()),
        "median": float(np.median(a)),
        "p90": float(np.quantile(a, 0.9)),
        "least_squares_median": float(np.median(b)),
        "least_squares_p90": float(np.quantile(b, 0.9)),
        "difference": [float(end) for end in np.quantile(apart, (0.025, 0.975))],
    }


def taus() -> dict[str, dict[str, Any]]:
    """Measure and print."""
    print("relative error of tau, median / p90 in %")
    print(f"{'':12}{'hands':>7}{'told':>8}{'the band':>17}{'least squares':>17}   difference")
    figures = {}
    for name, made in windows().items():
        own, other = (np.concatenate(column) for column in zip(*(errors(one) for one in made), strict=True))
        figures[name] = one = tau_figures(own, other)
        band, classical = (
            f"{100 * one[word + 'median']:8.2f} / {100 * one[word + 'p90']:6.2f}" for word in ("", "least_squares_")
        )
        low, high = (100 * end for end in one["difference"])
        print(
            f"{name:12}{one['hands']:>7}{one['told']:>8.3f}{band:>17}{classical:>17}   ({low:+.2f} to {high:+.2f})",
            flush=True,
        )
    return figures


def pairs(bands: int) -> dict[str, Any]:
    """Calibrate, and print."""
    print("pairs after calibration: sum of what both nodes are off at 31 and 38 degC, K")
    worst = []
    for seed in range(bands):
        with tempfile.TemporaryDirectory() as folder:
            after = calibrated(Path(folder), seed)
        sums = [left + right for numbers in after for left, right in zip(numbers[0::2], numbers[1::2], strict=True)]
        worst.append(max(sums))
        print(f"band {seed}: " + " ".join(f"{one:.4f}" for one in sums), flush=True)
    return {"bands": bands, "worst_k": max(worst), "goal_k": GOAL_K}


def calibrated(folder: Path, seed: int) -> list[list[float]]:
    """Errors of each thermistor at set-points that were not fitted, K, by chip."""
    link = folder / "band"
    words = ["wearable", "--wearable", "neuro-band", "--link", str(link), "--no-warm-up", "--speed", "max"]
    simulator = subprocess.Popen(
        [sys.executable, "-m", "thermo_sim.cli", *words, "--seed", str(seed)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert simulator.stdout is not None
        simulator.stdout.readline()  # "ready"
        host = [sys.executable, "-m", "thermo_host.cli", "calibrate", str(link), *CALIBRATE]
        done = subprocess.run(host, capture_output=True, text=True, check=True, cwd=folder)
    finally:
        simulator.terminate()
        simulator.wait()
    sensors = json.loads(done.stdout.splitlines()[-1])["sensors"]
    return [[one["hold_out_after"] for one in each["numbers"]] for each in sensors if each["kind"] == "ads1115-ntc"]


def main() -> None:
    """Measure, print, and put into the card where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bands", type=int, default=5, help="to calibrate")
    parser.add_argument("--card", action="store_true", help="put the figures into metrics.json and CARD.md")
    args = parser.parse_args()
    if args.bands < 1:
        parser.exit(2, "neuro_band_claims: Give --bands of 1 or more.\n")
    found = {"taus": taus(), "pairs": pairs(args.bands)}
    if args.card:
        folder = resolve("neuro-band").parent
        metrics = read_json(folder / "metrics.json", 64 << 20)
        assert isinstance(metrics, dict)
        files = told(find("neuro-band"), {**metrics, **found})
        write_files({folder / name: content for name, content in files.items()})


if __name__ == "__main__":
    main()
