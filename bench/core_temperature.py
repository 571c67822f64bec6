"""Core temperature where a new campaign would differ: other months, another camera's offset, missing rounds.

The float network, as mean of two drawings, beside ridge regression and extra trees, over people and over quarters of the campaign's
days that are left out; how many people the 90 % interval holds and of what half-width in K, and the same of its widest fifth.
`python bench/core_temperature.py PATH [VARIANT]`, with the .csv.gz file of facial and oral temperatures.
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
    print(f"{'':32}{'network: RMSE, MAE, bias, AUC':32}{'interval: held, widest fifth':34}{'ridge':20}trees")
    for row in core_cases.measure(core_cases.cases(task, samples, settings), task, samples, settings):
        own = "  ".join(f"{row[name]:6.3f}" for name in core_cases.FIGURES)
        interval = f"{row['coverage']:.3f} of {row['half_width']:.2f}, {row['coverage_widest']:.3f} of {row['half_width_widest']:.2f}"
        others = [f"{row[f'{name}_rmse']:.3f}, AUC {row[f'{name}_auc_fever']:.3f}" for name in ("ridge", "trees")]
        print(f"{row['case']:32}{own:32}{interval:34}{others[0]:20}{others[1]}")


if __name__ == "__main__":
    main()
