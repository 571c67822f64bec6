"""Months of healthy wearers of breast-watch, and lesions that grow under others: alerts, their causes, and how long they take.

    python bench/patch_days.py [--wearers N] [--lesions N] [--days D] [--minutes M] [--folder FOLDER]

Wearers have skin of the generator that the network did not learn from (`--skin ridges` takes the other), a mild or a harsh life
(`thermo_models.patch_days.LIVES`), and an hour a day without the patch. A lesion begins to grow on the second day after the week of
learning and is full-grown 30 days later. Alerts are the wearable's own; the last table tries other thresholds and durations on the same
looks. Alerts a month are of all wearer-days; in brackets is the 95 % interval for their number (Poisson, exact).
"""

import argparse
from collections import Counter
from pathlib import Path

import numpy as np
from scipy.stats import chi2

from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wearable import file, library
from thermo_models import patch_weeks
from thermo_models.patch_days import FIRST_SEED, LIVES, Said, Watch
from thermo_models.patch_weeks import KIND_NAMES, REFERENCE_DAYS
from thermo_sim.skins import SKINS
from thermo_sim.worn import DAY_S, HOUR_S, Lump

GROWS_DAYS = 30
CONTRASTS_K = ((0.3, 0.6), (0.6, 1.0), (1.0, 1.6))
THRESHOLDS, HOURS = (0.5, 0.7, 0.8, 0.9, 0.95), (1, 3, 6, 12)
MONTH = 30


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wearers", type=int, default=20, help="healthy, of each life")
    parser.add_argument("--lesions", type=int, default=6, help="wearers of each life with a lesion of each size")
    parser.add_argument("--days", type=int, default=30, help="of healthy wearers after the week")
    parser.add_argument("--minutes", type=float, default=60.0, help="from look to look")
    parser.add_argument("--skin", choices=tuple(SKINS), default="branches")
    parser.add_argument(
        "--folder", type=Path, default=library.resolve("breast-watch").parent, help="wearable.toml and model.tflite"
    )
    given = parser.parse_args()
    profile = file.read(given.folder / library.FILE_NAME).profile
    watch = Watch(profile, Int8Network((given.folder / "model.tflite").read_bytes()), 60 * given.minutes)
    print(f"{profile.alerts[0].when} for {profile.alerts[0].after.seconds / HOUR_S:g} h; skin of '{given.skin}'")
    healthy = {
        life: [watch.lived(FIRST_SEED + n, given.skin, LIVES[life], given.days) for n in range(given.wearers)]
        for life in LIVES
    }
    print(
        f"{'healthy':10}{'wearer-days':>12}{'refused':>9}{'alerts':>8}{'a month':>26}  looks above the threshold, by what was at hand"
    )
    for life, every in healthy.items():
        _print_healthy(watch, life, every, given.days)
    grown = {
        (life, contrast): _grown(watch, given.skin, life, contrast, given.lesions)
        for life in LIVES
        for contrast in CONTRASTS_K
    }
    print(
        f"{'growing':10}{'full rise, K':>14}{'alert within 45 days':>22}{'median delay, days':>20}{'median rise at the alert, K':>29}"
    )
    for (life, contrast), every in grown.items():
        found = [(said, watch.raised(said)) for said in every]
        delays = [(at[0] - _begins()) / DAY_S for _, at in found if at]
        tops = [float(said.rises_k[np.searchsorted(said.times_s, at[0])]) for said, at in found if at]
        print(
            f"{life:10}{contrast[0]:>9.1f}-{contrast[1]:.1f}{len(delays):>14} of {len(found):<5}"
            + (f"{np.median(delays):>20.1f}{np.median(tops):>29.2f}" if delays else f"{'-':>20}{'-':>29}"),
            flush=True,
        )
    print(
        "trade-off: false alerts a month (mild, harsh), share of lesions of 0.6-1 K found within 45 days (mild, harsh)"
    )
    print(f"{'threshold':>10}" + "".join(f"{f'{hours} h':>30}" for hours in HOURS))
    for threshold in THRESHOLDS:
        cells = []
        for hours in HOURS:
            false = [sum(len(watch.raised(said, threshold, hours)) for said in healthy[life]) for life in LIVES]
            a_month = [MONTH * count / (given.wearers * given.days) for count in false]
            share = [
                np.mean([bool(watch.raised(said, threshold, hours)) for said in grown[life, CONTRASTS_K[1]]])
                for life in LIVES
            ]
            cells.append(f"{a_month[0]:>9.2f} {a_month[1]:6.2f} {share[0]:6.0%} {share[1]:6.0%}")
        print(f"{threshold:>10.2f}" + "".join(cells), flush=True)


def _print_healthy(watch: Watch, life: str, every: list[Said], days: int) -> None:
    alerts = sum(len(watch.raised(said)) for said in every)
    wearer_days = days * len(every)
    low = chi2.ppf(0.025, 2 * alerts) / 2 if alerts else 0.0
    high = chi2.ppf(0.975, 2 * alerts + 2) / 2
    threshold = watch.threshold
    causes: Counter[str] = Counter()
    for said in every:
        above = said.trusted & (said.scores >= threshold)
        causes.update("nothing" if kind < 0 else KIND_NAMES[kind] for kind in said.kinds[above])
    total = sum(len(said.scores) for said in every)
    refused = 1 - sum(int(said.trusted.sum()) for said in every) / total
    a_month = " ".join(f"{MONTH * count / wearer_days:.2f}" for count in (alerts, low, high))
    first, lowest, highest = a_month.split()
    print(
        f"{life:10}{wearer_days:>12}{refused:>9.1%}{alerts:>8}{f'{first} ({lowest} to {highest})':>26}  "
        + (", ".join(f"{name} {count}" for name, count in causes.most_common()) or "none")
        + f" of {total}",
        flush=True,
    )


def _begins() -> float:
    return (REFERENCE_DAYS + 1) * DAY_S


def _grown(watch: Watch, skin: str, life: str, contrast: tuple[float, float], count: int) -> list[Said]:
    found = []
    for number in range(count):
        seed = FIRST_SEED + 10_000 + 1_000 * CONTRASTS_K.index(contrast) + number
        rng = np.random.default_rng([seed, 0x6047])
        while True:
            lump, rise = patch_weeks.draw_lump(rng)
            if contrast[0] <= rise < contrast[1]:
                break
        growing = Lump(lump.row, lump.column, lump.tumour, _begins(), GROWS_DAYS * DAY_S)
        found.append(watch.lived(seed, skin, LIVES[life], GROWS_DAYS + 16, growing))
    return found


if __name__ == "__main__":
    main()
