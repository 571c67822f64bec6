"""Months of healthy wearers of breast-watch, and lesions that grow under others: alerts, their causes, and how long they take.

    python bench/patch_days.py [--wearers N] [--lesions N] [--days D] [--minutes M] [--skin NAME] [--seed N] [--folder FOLDER]

Wearers have skin of the generator that the network did not learn from (`--skin ridges` takes the other), a mild or a harsh life
(`thermo_models.patch_days.LIVES`), and an hour a day without the patch. A lesion begins to grow on the second day after the week of
learning and is full-grown 30 days later. Alerts are the wearable's own; the next tables try other thresholds and durations on the same
looks, and the last has the AUC of mean scores by the rise at their end, with the interval of a bootstrap of whole wearers. Alerts a month are
of all wearer-days; in brackets is the 95 % interval for their number (Poisson, exact).
"""

import argparse
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wearable import file, library
from thermo_models import patch_weeks
from thermo_models.intervals import bootstrap
from thermo_models.metrics import auc
from thermo_models.patch_days import FIRST_SEED, LIVES, Said, Watch
from thermo_models.patch_weeks import KIND_NAMES, REFERENCE_DAYS
from thermo_sim.skins import SKINS
from thermo_sim.worn_patch import DAY_S, HOUR_S, Lump

GROWS_DAYS = 30
CONTRASTS_K = ((0.3, 0.6), (0.6, 1.0), (1.0, 1.6))
THRESHOLDS, HOURS = (0.5, 0.7, 0.8, 0.9, 0.95), (1, 3, 6, 12)
MEANS_H, RISES_K = (0, 3, 6, 12, 24), ((0.15, 0.3), (0.3, 0.6), (0.6, 1.0))
RESAMPLES = 200
MONTH = 30
PROCESSES = 2


@dataclass(frozen=True, slots=True)
class Job:
    """One wearer to simulate.

    Attributes:
        seed: of it.
        life: name of what it does.
        days: after the week of learning.
        contrast_k: least and most rise of a lesion that grows; None for a healthy one.
    """

    seed: int
    life: str
    days: int
    contrast_k: tuple[float, float] | None = None


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wearers", type=int, default=12, help="healthy, of each life")
    parser.add_argument("--lesions", type=int, default=4, help="wearers of each life with a lesion of each size")
    parser.add_argument("--days", type=int, default=30, help="of healthy wearers after the week")
    parser.add_argument("--minutes", type=float, default=90.0, help="from look to look")
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="of the first healthy wearer")
    parser.add_argument("--skin", choices=tuple(SKINS), default="branches")
    parser.add_argument(
        "--folder", type=Path, default=library.resolve("breast-watch").parent, help="wearable.toml and model.tflite"
    )
    given = parser.parse_args()
    for name, least in (("wearers", 1), ("lesions", 0), ("days", 1), ("minutes", 1), ("seed", 0)):
        if getattr(given, name) < least:
            parser.error(f"--{name} is {getattr(given, name)}; give {least} or more")
    watch = _watch(given.folder, given.minutes)
    alert = file.read(given.folder / library.FILE_NAME).profile.alerts[0]
    print(f"{alert.when} for {alert.after.seconds / HOUR_S:g} h; skin of '{given.skin}'", flush=True)
    jobs = [Job(given.seed + number, life, given.days) for life in LIVES for number in range(given.wearers)]
    jobs += [
        Job(given.seed + 10_000 + 1_000 * size + number, life, GROWS_DAYS + 16, contrast)
        for life in LIVES
        for size, contrast in enumerate(CONTRASTS_K)
        for number in range(given.lesions)
    ]
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        lived = dict(zip(jobs, pool.map(partial(_lived, given.folder, given.minutes, given.skin), jobs), strict=True))
    healthy = {life: [said for job, said in lived.items() if job.life == life and not job.contrast_k] for life in LIVES}
    print(
        f"{'healthy':10}{'wearer-days':>12}{'refused':>9}{'alerts':>8}{'a month':>26}  looks above the threshold, and at hand"
    )
    for life, every in healthy.items():
        _print_healthy(watch, life, every, given.days)
    grown = {
        (life, contrast): [said for job, said in lived.items() if job.life == life and job.contrast_k == contrast]
        for life in LIVES
        for contrast in CONTRASTS_K
    }
    print(
        f"{'growing':10}{'full rise, K':>14}{'alert within 45 days':>22}{'median delay, days':>20}{'median rise at the alert, K':>29}"
    )
    for (life, contrast), every in grown.items():
        found = [(said, [at for at in watch.raised(said) if at >= _begins()]) for said in every]
        delays = [(at[0] - _begins()) / DAY_S for _, at in found if at]
        tops = [float(said.rises_k[np.searchsorted(said.times_s, at[0])]) for said, at in found if at]
        print(
            f"{life:10}{contrast[0]:>10.1f}-{contrast[1]:.1f}{f'{len(delays)} of {len(found)}':>22}"
            + (f"{np.median(delays):>20.1f}{np.median(tops):>29.2f}" if delays else f"{'-':>20}{'-':>29}"),
            flush=True,
        )
    _print_trade_off(
        "false alerts a month", watch, healthy, lambda counts: f"{MONTH * sum(counts) / (len(counts) * given.days):.2f}"
    )
    for contrast in CONTRASTS_K[:2]:
        _print_trade_off(
            f"lesions of {contrast[0]:g} to {contrast[1]:g} K told within 45 days",
            watch,
            {life: grown[life, contrast] for life in LIVES},
            lambda counts: f"{np.mean(np.array(counts) > 0):.0%}",
        )
    if given.lesions:
        _print_means(lived)


def _print_trade_off(what: str, watch: Watch, lived: dict[str, list[Said]], figure: Callable[[list[int]], str]) -> None:
    """By life, of other thresholds and durations; `figure` is given how many alerts each wearer would see."""
    print(f"\n{what}: {', '.join(lived)}\n{'threshold':>10}" + "".join(f"{f'{hours} h':>16}" for hours in HOURS))
    for threshold in sorted({*THRESHOLDS, round(watch.threshold, 3)}):
        line = f"{threshold:>10.3f}"
        for hours in HOURS:
            counts = [[len(watch.raised(said, threshold, hours)) for said in every] for every in lived.values()]
            line += f"{', '.join(figure(of) for of in counts if of):>16}"
        print(line, flush=True)


def _print_means(lived: Mapping[Job, Said]) -> None:
    """AUC of mean scores of lesions by their rise at the end, against all of healthy wearers; intervals are of whole wearers."""
    print("\nAUC of the mean score of trusted looks that far back")
    print(f"{'rise, K':>10}{'':8}" + "".join(f"{f'{hours} h' if hours else 'one look':>24}" for hours in MEANS_H))
    for low, high in RISES_K:
        for lives in (*((life,) for life in LIVES), tuple(LIVES)):
            line = f"{f'{low:g}-{high:g}':>10}  {lives[0] if len(lives) == 1 else 'both':6}"
            of = {job: said for job, said in lived.items() if job.life in lives}
            for hours in MEANS_H:
                found = {job: said.means(hours) for job, said in of.items()}
                kept = {
                    job: scores[(rises >= low) & (rises < high)] if job.contrast_k else scores
                    for job, (scores, rises) in found.items()
                }
                scores = np.concatenate(list(kept.values()))
                wearers = np.repeat(np.arange(len(kept)), [len(one) for one in kept.values()])
                lesion = np.repeat([job.contrast_k is not None for job in kept], [len(one) for one in kept.values()])
                line += f"{_sure_auc(scores, lesion, wearers):>24}"
            print(line, flush=True)


def _sure_auc(scores: NDArray[np.float64], lesion: NDArray[np.bool_], wearers: NDArray[np.int64]) -> str:
    if lesion.all() or not lesion.any():
        return "-"

    def figures(index: NDArray[np.int64], draw: NDArray[np.int64]) -> dict[str, float]:
        drawn = lesion[index]
        return {"auc": np.nan if drawn.all() or not drawn.any() else auc(scores[index], drawn)}

    words = f"{auc(scores, lesion):.3f}"
    sure = bootstrap(figures, wearers, resamples=RESAMPLES).get("auc")
    return words if sure is None else f"{words} ({sure[0]:.3f} to {sure[1]:.3f})"


@cache
def _watch(folder: Path, minutes: float) -> Watch:
    profile = file.read(folder / library.FILE_NAME).profile
    return Watch(profile, Int8Network((folder / "model.tflite").read_bytes()), 60 * minutes)


def _lived(folder: Path, minutes: float, skin: str, job: Job) -> Said:
    lump = None
    if job.contrast_k is not None:
        rng = np.random.default_rng([job.seed, 0x6047])
        rise = np.inf
        while not job.contrast_k[0] <= rise < job.contrast_k[1]:
            drawn, rise = patch_weeks.draw_lump(rng)
        lump = Lump(drawn.row, drawn.column, drawn.tumour, _begins(), GROWS_DAYS * DAY_S)
    return _watch(folder, minutes).lived(job.seed, skin, LIVES[job.life], job.days, lump)


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


if __name__ == "__main__":
    main()
