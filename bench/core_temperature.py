"""Core temperature where a new campaign would differ: other months, another camera's offset, missing rounds.

The float network beside ridge regression, over people and over quarters of the campaign's days that are left out, as mean of
three drawings. `python bench/core_temperature.py PATH [VARIANT]`, with the .csv.gz file of facial and oral temperatures.
"""

import sys
from pathlib import Path

from thermo_models.tasks import core_temperature_cases as core_cases
from thermo_models.tasks.core_temperature import CoreTemperature


def main() -> None:
    """Print RMSE, MAE, bias and AUC of each case."""
    path, variant = Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "full"
    task = CoreTemperature()
    settings = task.settings.changed({"variant": variant})
    samples = task.load(path, settings, quick=False)
    print(f"{variant}, {len(samples)} rows; all but the first with quarters of the days left out")
    print(f"{'':24}    network: RMSE   MAE    bias    AUC      ridge: RMSE   MAE    bias    AUC")
    for case in core_cases.cases(task, samples, settings):
        row = core_cases.measure(case, task, samples, settings)
        cells = ["  ".join(f"{row[who + name]:6.3f}" for name in core_cases.FIGURES) for who in ("", "ridge_")]
        print(f"{case.name:32}{cells[0]}          {cells[1]}", flush=True)


if __name__ == "__main__":
    main()
