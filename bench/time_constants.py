"""Time constants by the shipped network beside multi-start least squares, on the same unseen curves.

Least squares is told the number of parts; the network is measured told and untold. `python bench/time_constants.py [CURVES]`.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_models import foster, projection
from thermo_models.evaluation import open_model
from thermo_models.features import network_inputs
from thermo_models.tasks import find
from thermo_models.tasks import time_constants as task

ARTIFACT = Path(__file__).resolve().parents[1] / "models/thermo_models/wearables/time-constants"


def main() -> None:
    """Print medians and 90th percentiles of the relative error of tau."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else ARTIFACT
    opened = open_model(find("time-constants"), folder / "model.tflite")
    rng = np.random.default_rng(0)
    print(f"{count} curves a row, {task.STARTS} starts; error of tau, median / p90 in %")
    print("noise  parts  least squares, told   network, told        network, untold      parts right")
    for number, noise in enumerate(task.NOISES):
        rows = []
        for k in range(1, foster.LARGEST_K + 1):
            curves = foster.make(count, noise, 2_000_000 + 10 * number + k, k)
            classical = np.full((count, foster.LARGEST_K), np.nan)
            for i, values in enumerate(curves.values):
                classical[i, :k] = foster.least_squares_tau(values, k, task.STARTS, rng)
            apart = np.abs(classical - curves.tau_s) / curves.tau_s
            inputs = network_inputs(opened.stages, projection.of_curves(curves.values))
            said = task.undithered(opened.network.predict([inputs]))
            parts = said[:, task.NUMBER :].argmax(1) + 1
            told, untold = (task.errors(said, p, curves.tau_s) for p in (curves.parts, parts))
            rows.append((apart, told, untold, parts == curves.parts))
            _print(noise, str(k), rows[-1])
        _print(noise, "all", tuple(np.concatenate(column) for column in zip(*rows, strict=True)))


def _print(noise: float, parts: str, row: tuple[NDArray[Any], ...]) -> None:
    cells = [f"{100 * np.nanmedian(e):8.2f} / {100 * np.nanquantile(e, 0.9):7.2f}" for e in row[:3]]
    print(f"{100 * noise:4.1f} %  {parts:>5}  " + "   ".join(cells) + f"   {np.mean(row[3]):10.3f}", flush=True)


if __name__ == "__main__":
    main()
