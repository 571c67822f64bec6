"""How far heart rates from the pulse waves of real people are off, at rest and on a bicycle.

    python bench/heart_rate.py [--data FOLDER]

The stages are a band's: a Butterworth band-pass of 0.7 to 3.5 Hz, eight seconds every two, "spectrum_peak" with its usual parameters.
The recordings are of Empatica E4 wrist bands (PhysioNet wearable-device-dataset 1.0.1). There is no ECG: the reference are the band's
own beat intervals, in windows of which it was sure of six seconds or more. "with" is the share of windows that have such a
reference, "given" the share of these that were given a rate: what happens in the others, which are the worse ones, is not known.
"""

import argparse
import os
import sys
from pathlib import Path

import numpy as np

REPOSITORY = Path(__file__).resolve().parents[1]
SESSIONS = {"STRESS": "at rest, under mental stress", "AEROBIC": "steady cycling", "ANAEROBIC": "cycling with sprints"}


def main() -> None:
    """Measure and print."""
    sys.path.insert(0, str(REPOSITORY / "tests" / "support"))
    from pulse_waves import compared

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shared = Path(os.environ.get("THERMO_SHARED", REPOSITORY.parent / "shared"))
    parser.add_argument("--data", type=Path, default=shared / "datasets/e4_exercise", help="folder of e4_bvp.npz")
    path = parser.parse_args().data / "e4_bvp.npz"
    if not path.is_file():
        sys.exit(f"heart_rate: there is no {path}; name the folder that holds e4_bvp.npz by --data.")
    print(f"{'error, beats a minute':30}{'windows':>8}{'mean':>7}{'95 %':>7}{'beyond 5':>10}{'with':>8}{'given':>8}")
    for kind, about in SESSIONS.items():
        found = compared(path, kind)
        apart = found.errors
        print(
            f"{about:30}{len(apart):>8}{apart.mean():>7.2f}{np.percentile(apart, 95):>7.2f}{(apart > 5).mean():>10.1%}"
            f"{found.referenced:>8.1%}{found.given:>8.1%}"
        )


if __name__ == "__main__":
    main()
