"""Time constants as the shipped wearable says them, where curves are not as they were taught: off, drifting, noisy otherwise, or none.

Least squares stand beside it: multi-start, told the number of parts, without offset or drift. `python bench/recovery_worlds.py [CURVES]`.
"""

import sys
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thermo_models import foster
from thermo_models.evaluation import open_model
from thermo_models.features import network_inputs
from thermo_models.tasks import find
from thermo_models.tasks import time_constants as task
from thermo_models.tasks.recovery_worlds import SHAPES, WORLDS, Array, covered, curves, said_of, shapes

FOLDER = Path(__file__).resolve().parents[1] / "models/thermo_models/wearables/time-constants"
GRID = 20


def main() -> None:
    """Print errors, coverage and refusals by world, then refusals by shape."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    rng = np.random.default_rng(0)
    opened = open_model(find("time-constants"), FOLDER / "model.tflite")
    assert opened.profile is not None
    said = partial(
        said_of, opened.profile, opened.stages, lambda values: opened.network.predict([network_inputs((), values)])
    )
    print(f"{3 * count} curves of 1 to 3 parts a row; error of tau, median / p90 in %; coverage of 90 % intervals")
    print(
        "world                      least squares     network alone     wearable          coverage  parts right  refused"
    )
    for number, (name, _, _) in enumerate(WORLDS):
        values, tau, parts = curves(number, count, rng)
        classical = np.full(tau.shape, np.nan)
        for i in range(0, len(values), max(1, len(values) // (3 * GRID))):
            k = int(parts[i])
            classical[i, :k] = foster.least_squares_tau(values[i], k, task.STARTS, rng)
        raw, fitted = said(values)
        network = task.undithered(raw)
        guessed = network[:, task.NUMBER :].argmax(1) + 1
        rows = [np.abs(classical - tau) / tau, task.errors(network, guessed, tau), errors(fitted[:, 1:4], tau)]
        cells = [f"{100 * np.nanmedian(e):6.2f} / {100 * np.nanquantile(e, 0.9):6.2f}" for e in rows]
        told = fitted[:, 0] > 0
        print(
            f"{name:25}  {'   '.join(cells)}   {covered(fitted, tau):8.3f}  {np.mean(fitted[told, 0] == parts[told]):11.3f}  "
            f"{1 - told.mean():7.3f}",
            flush=True,
        )
    print("\nshapes that are no such curve: refused")
    for number, (name, _) in enumerate(SHAPES):
        _, fitted = said(shapes(number, count, rng))
        print(f"{name:40}  {np.mean(fitted[:, 0] == 0):.3f}", flush=True)


def errors(found: NDArray[np.float32], tau: Array) -> Array:
    """(n, parts) relative error against the nearest that is said."""
    apart = np.abs(found[:, None, :] - tau[:, :, None]) / tau[:, :, None]
    nearest = np.where(np.isnan(apart), np.inf, apart).min(2)
    return np.where(np.isnan(tau) | ~np.isfinite(nearest), np.nan, nearest)


if __name__ == "__main__":
    main()
