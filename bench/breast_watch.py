"""How wide breast-watch's network should be, and of how many wearers it should learn: single looks of wearers on no side of the task.

    python bench/breast_watch.py [--width 1 2 3] [--wearers 800] [--seed 0]

Each network learns as the task says, of its first --wearers, and is judged on 60 others (seeds from 600,000) on skin of the generator
that it learnt from, so that nothing is chosen on what the card measures: AUC of looks that are not refused by the rise of the skin in
kelvin, error of calibration, and shares of looks that are refused. "four ways" averages the scores of a look, of its mirror images and of
both, at four times the instructions. All int8.
"""

import argparse

import numpy as np

from thermo_core.errors import UsageError
from thermo_core.tflite.interpreter import Int8Network
from thermo_models.features import network_inputs
from thermo_models.patch import Size
from thermo_models.study import train_one
from thermo_models.tasks.breast_watch import FULL, SEEN, BreastWatch, simulate

SIDES = ("train", "validation")
FIRST_SEED = {"train": 1_000, "validation": 600_000}
JUDGED = Size(60, 30)
SHOWN = {
    "auc_0.15_0.3_k": "0.15-0.3", "auc_0.3_0.6_k": "0.3-0.6", "auc_0.6_1_k": "0.6-1", "ece": "ECE",
    "refused_healthy": "healthy", "refused_lesions": "lesions", "refused_disturbed": "disturbed",
}  # fmt: skip
WAYS = {"one way": ((1, 1),), "four ways": ((1, 1), (-1, 1), (1, -1), (-1, -1))}


def main() -> None:
    """Simulate, train and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--width", type=float, nargs="+", default=[1.0, 2.0, 3.0], help="of the network")
    parser.add_argument("--wearers", type=int, default=FULL["train"].sensors, help="to learn from")
    parser.add_argument("--seed", type=int, default=0, help="of the trainings")
    given = parser.parse_args()
    task = BreastWatch()
    if given.wearers < 1:
        parser.error(f"nothing can be learnt of {given.wearers} wearers; give 1 or more")
    if given.seed < 0:
        parser.error(f"there is no seed {given.seed}; give 0 or more")
    try:
        chosen = [task.settings.changed({"width": width}) for width in given.width]
    except UsageError as error:
        parser.error(str(error))
    sizes = {"train": Size(given.wearers, FULL["train"].bodies), "validation": JUDGED}
    samples = task.samples_of(simulate(sizes, FIRST_SEED), SIDES)
    learnt, judged = (samples.pick(np.flatnonzero(samples.groups == side)) for side in range(len(SIDES)))
    inputs = network_inputs((SEEN,), task.prepare(judged.features))
    print(f"{given.wearers} wearers to learn from, seed {given.seed}; {JUDGED.sensors} others")
    print(f"{'':28}{'AUC by rise, K':>24}{'':14}{'refused':>24}")
    print(f"{'width, bytes':28}" + "".join(f"{name:>11}" for name in SHOWN.values()))
    for settings in chosen:
        model = train_one(task, learnt, None, settings, given.seed).model
        network = Int8Network(model)
        for name, ways in WAYS.items():
            said = [network.predict([np.ascontiguousarray(inputs[:, ::rows, ::columns])]) for rows, columns in ways]
            figures = task.metrics(judged, np.mean(said, axis=0, dtype=np.float32), settings)
            print(
                f"{f'{settings.width:g}, {len(model):,} {name}':28}" + "".join(f"{figures[of]:>11.4f}" for of in SHOWN),
                flush=True,
            )


if __name__ == "__main__":
    main()
