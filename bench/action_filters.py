"""How the network and the filter of `nagoya-stream` were chosen: what networks that learnt from one day say of the others, by other filters.

    python bench/action_filters.py recordings.npz
    python bench/action_filters.py recordings.npz --width 1 --zoom 0

The file is as for `thermo-models train nagoya-stream`. Each day teaches a network (some minutes), which is asked about the other days; figures are
means over the three. `waits N` judges a moment N windows later (fixed-lag smoothing: Rauch 1963), `phases N` lets an action last as long as it did on
the day that was learnt from, as a chain of up to N phases (Erlang), `falls together` calls a fall where both kinds are more likely than all
else. None of it is the figure of the task, whose networks learn from two days.
It informs; nobody here lives in a home.
"""

import argparse
import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import ThermoError
from thermo_models import streams
from thermo_models.action_filter import explained, filtered, transitions
from thermo_models.features import network_inputs
from thermo_models.metrics import accuracy, f1
from thermo_models.samples import Samples
from thermo_models.study import train_one
from thermo_models.tasks import find, nagoya_stream
from thermo_models.tasks.nagoya_actions import FALLS
from thermo_models.tasks.nagoya_recordings import OTHER, PERIOD_S, STRIDE
from thermo_models.tasks.nagoya_stream import BEHIND, BODY, LASTS_S, NAMES, PRIOR, WEIGHT

STEP_S = STRIDE * PERIOD_S
Scores = NDArray[np.float64]
Filter = Callable[[NDArray[np.int64], NDArray[np.float32], Samples], Scores]
"""Beliefs (n, classes) of layout, scores of moments alone, and what was learnt from."""


def usual(layout: NDArray[np.int64], scores: NDArray[np.float32], learnt: Samples) -> Scores:
    """As the task has it."""
    return filtered(layout, scores, transitions(NAMES, LASTS_S, STEP_S, BODY), PRIOR, WEIGHT, OTHER)


def waiting(windows: int) -> Filter:
    """With so many later moments known."""

    def smoothed(layout: NDArray[np.int64], scores: NDArray[np.float32], learnt: Samples) -> Scores:
        chances, told = transitions(NAMES, LASTS_S, STEP_S, BODY), explained(scores, PRIOR, WEIGHT)
        after = np.full(len(scores), -1)
        for row in layout:
            places = row[row >= 0]
            after[places[:-1]] = places[1:]
        follows, later = after >= 0, np.ones(told.shape)
        for _ in range(windows):
            found = np.ones(told.shape)
            ahead = (told * later)[after[follows]] @ chances.T
            found[follows] = ahead / ahead.sum(1, keepdims=True)
            later = found
        both = usual(layout, scores, learnt) * later
        smooth: Scores = both / both.sum(1, keepdims=True)
        return smooth

    return smoothed


def phased(most: int) -> Filter:
    """With durations of the day that was learnt from, those of no action apart."""

    def lasting(layout: NDArray[np.int64], scores: NDArray[np.float32], learnt: Samples) -> Scores:
        lasts = durations(learnt)
        phases, stays = {}, {}
        for name in NAMES:
            mean, spread = lasts[name].mean(), max(lasts[name].var(), 1e-3)
            stay = spread / (mean + spread)
            phases[name] = 1 if name == "other" else int(np.clip(round(mean * (1 - stay)), 1, most))
            stays[name] = max(0.0, 1 - phases[name] / mean)
        states = [(name, phase) for name in NAMES for phase in range(phases[name])]
        chances = np.zeros((len(states), len(states)))
        for place, (name, phase) in enumerate(states):
            chances[place, place] = stays[name]
            inside = phase + 1 < phases[name]
            targets = [(name, phase + 1)] if inside else [(one, 0) for one in BODY[name]]
            for target in targets:
                chances[place, states.index(target)] += (1 - stays[name]) / len(targets)
        classes = np.array([NAMES.index(name) for name, _ in states])
        told = explained(scores, PRIOR, WEIGHT)[:, classes]
        belief = np.zeros((len(layout), len(states)))
        belief[:, states.index(("other", 0))] = 1
        found = np.zeros(told.shape)
        for column in layout.T:
            there = column >= 0
            now = belief[there] @ chances * told[column[there]]
            belief[there] = found[column[there]] = now / now.sum(1, keepdims=True)
        by_class: Scores = found @ np.eye(len(NAMES))[classes]
        return by_class

    return lasting


def durations(samples: Samples) -> dict[str, NDArray[np.int64]]:
    """Moments in a row that show each class."""
    breaks = np.diff(samples.targets) != 0
    breaks |= np.diff(samples.extra["sequence"]) != 0
    starts = np.r_[0, np.flatnonzero(breaks) + 1]
    lasts = np.diff(np.r_[starts, len(samples.targets)])
    return {name: lasts[samples.targets[starts] == number] for number, name in enumerate(NAMES)}


FILTERS: Mapping[str, Filter] = {
    "as it is": usual,
    **{f"waits {windows}": waiting(windows) for windows in (1, 2, 4)},
    **{f"phases {most}": phased(most) for most in (3, 6, 20)},
}


def figures(belief: Scores, asked: Samples, layout: NDArray[np.int64], course: streams.Course) -> list[float]:
    """Accuracy, fall F1, that of falls together, falls found and false alarms an hour at the task's threshold."""
    shown = asked.targets != OTHER
    said, truth = belief[shown, :OTHER], asked.targets[shown]
    fall, falls = said[:, FALLS].sum(1), np.isin(truth, FALLS)
    judged = streams.judged(course, layout, streams.raised(layout, belief[:, FALLS].sum(1), BEHIND[0]))
    likeliest = said.argmax(1)
    return [
        accuracy(likeliest, truth),
        f1(np.isin(likeliest, FALLS), falls),
        f1(fall >= said.sum(1) / 2, falls),
        judged["found"],
        judged["false_an_hour"],
    ]


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recordings", type=Path)
    parser.add_argument("--width", type=float, default=find("nagoya-stream").settings.width)
    parser.add_argument("--zoom", type=float, default=nagoya_stream.CHANGED.zoom)
    parser.add_argument("--gain", type=float, default=nagoya_stream.CHANGED.gain)
    parser.add_argument(
        "--quick", action="store_true", help="an eighth of the recordings and two epochs, to try the path"
    )
    args = parser.parse_args()
    try:
        measure(args)
    except ThermoError as error:
        parser.exit(2, f"action_filters: {error}\n")


def measure(args: argparse.Namespace) -> None:
    """As the arguments say."""
    task = find("nagoya-stream")
    settings = task.settings.changed({"width": args.width} | ({"epochs": 2} if args.quick else {}))
    nagoya_stream.CHANGED = dataclasses.replace(nagoya_stream.CHANGED, zoom=args.zoom, gain=args.gain)
    samples = task.load(args.recordings, settings, args.quick)
    rows: dict[str, list[list[float]]] = {name: [] for name in FILTERS}
    for day in np.unique(samples.groups):
        learnt, asked = samples.pick(samples.groups == day), samples.pick(samples.groups != day)
        trained = train_one(task, learnt, None, settings, 0)
        scores = trained.predict(network_inputs(trained.plan.stages, task.prepare(asked.features)))
        course = streams.Course(*(asked.extra[name] for name in ("sequence", "time_s", "fall", "since_s")))
        layout = course.laid_out()
        for name, filtering in FILTERS.items():
            rows[name].append(figures(filtering(layout, scores, learnt), asked, layout, course))
    print(
        f"width {args.width:g}, zoom {args.zoom:g}, gain {args.gain:g}, each of {len(rows['as it is'])} days by itself"
    )
    print(f"{'':12}{'accuracy':>10}{'fall F1':>10}{'together':>10}{'found':>10}{'false/h':>10}")
    for name, found in rows.items():
        means: list[Any] = np.mean(found, axis=0).tolist()
        print(f"{name:12}" + "".join(f"{value:>10.3f}" for value in means[:4]) + f"{means[4]:>10.2f}")


if __name__ == "__main__":
    main()
