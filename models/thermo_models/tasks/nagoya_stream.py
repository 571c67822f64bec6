"""Actions and falls under a ceiling sensor of 16 x 16 pixels as a stream: whole recordings, most of which nobody labelled.

Data: muralab Low-Resolution FIR Action Dataset, CC BY-NC-SA 4.0; the licence forbids shipping data or weights.
A sample is 1.6 s of a recording as they come, every third picture, less the picture of the empty room that the recording begins with
(`full`; in `known-background` less the data set's median of the whole recording, which nobody has beforehand) and its own median. It
belongs to the action most of its pictures show, or to none of them where that is no action's (`OTHER`); none is left out. Days are left
out one by one; their people are disjoint.

What the network says is judged moment by moment, and as a stream of alarms of falls (`streams`), each three times: by itself; behind a causal
filter (`action_filter`) that knows what a body can do next; and behind one that knows the script as well, by which all people here acted.
Width, zoom, weight and the threshold of alarms were chosen on what networks that had learnt from one day said of the two others: the best fall F1
of those tried, then the most falls found at no more than two false alarms an hour; the prior on these and on the first fold. Each day is among
those others, so that `chosen_false_an_hour`,
where each day's threshold is chosen on the other days, is the figure to believe.
"""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_models import by_hand, streams
from thermo_models.action_filter import filtered, transitions
from thermo_models.features import through
from thermo_models.metrics import accuracy, expected_calibration_error
from thermo_models.samples import Fold, Samples, digest_of, groups_left_out
from thermo_models.settings import Settings
from thermo_models.tasks.nagoya_actions import AUGMENTATION, CLASSES, FALLS, PICTURES, STAGES, levelled, told
from thermo_models.tasks.nagoya_recordings import EARLY_S, LATE_S, OTHER, PERIOD_S, STRIDE, windows
from thermo_models.tasks.task import Goal, Plan

NAMES = (*CLASSES, "other")
CHANGED = dataclasses.replace(AUGMENTATION, zoom=0.15)
"""Four people teach: others are taller and smaller, and so nearer to the sensor and further away."""
KEPT = 3
"""One of so many samples without an action is learnt from."""
LASTS_S = MappingProxyType(dict.fromkeys(CLASSES, 2.0) | {"other": 6.0})
"""About how long an action lasts here, and what is none."""
_FALLS = tuple(CLASSES[place] for place in FALLS)
BODY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "walk": ("sitdown", *_FALLS, "stand", "other"),
        "sitdown": ("sit",),
        "standup": ("walk", "stand"),
        "falling1": ("lie", "other"),
        "falling2": ("lie", "other"),
        "sit": ("standup",),
        "stand": ("walk", "sitdown", *_FALLS, "other"),
        "lie": ("standup", "other"),
        "other": CLASSES,
    }
)
"""What can follow an action anywhere: nobody walks on before standing up."""
SCRIPT: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "walk": ("other", "sitdown"),
        "sitdown": ("sit",),
        "standup": ("stand",),
        "falling1": ("lie", "other"),
        "falling2": ("lie", "other"),
        "sit": ("standup",),
        "stand": ("other", "sitdown", "walk"),
        "lie": ("other",),
        "other": ("walk", "sitdown", "falling1", "falling2", "lie"),
    }
)
"""What follows an action in these recordings, and nowhere else."""
FILTERS = MappingProxyType({"filtered_": BODY, "scripted_": SCRIPT})
"""What follows what, by the prefix of their figures."""
NO_ACTION = 0.3
PRIOR = np.array([(1 - NO_ACTION) / len(CLASSES)] * len(CLASSES) + [NO_ACTION])
WEIGHT = 0.5
ALONE = streams.Rule(above=0.5, findings=2, below=0.1)
"""When the network alone raises an alarm."""
BEHIND = tuple(streams.Rule(above, 1, 0.1) for above in (0.75, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95))
"""When one is raised behind a filter: the first; the others are what it was chosen from."""
Scores = NDArray[np.floating[Any]]


class NagoyaStream:
    """The task; see `tasks.task.Task`."""

    name = "nagoya-stream"
    summary = "actions and falls seen from the ceiling, over whole recordings"
    source = "muralab/Low-Resolution-FIR-Action-Dataset, commit ce5f424, CC BY-NC-SA 4.0"
    whom = "people"
    wearable = None
    entry = "level"
    ships = False
    needs_data = True
    variants = ("full", "known-background")
    outputs = len(NAMES)
    head = "softmax"
    loss = "sparse_categorical_crossentropy"
    more_is_better = MappingProxyType(
        {"accuracy8": True, "fall_f1": True, "filtered_accuracy8": True, "filtered_fall_f1": True}
    )
    settings = Settings("clip_cnn", width=2.5, epochs=14, batch=64, rate=3e-3, decay=1e-3, views=4)

    def goals(self, settings: Settings) -> tuple[Goal, ...]:
        """Of what is shown without knowledge of the script."""
        return (
            Goal("filtered_fall_f1", 0.93, True),
            Goal("filtered_accuracy8", 0.86, True),
            Goal("chosen_found", 1.0, True),
            Goal("chosen_false_an_hour", 2.0, False),
        )

    def load(self, path: Path | None, settings: Settings, quick: bool) -> Samples:
        """Windows of a file of recordings; `quick` keeps every eighth sequence."""
        if path is None:
            raise UsageError("nagoya-stream needs --data, the .npz file of recordings.")
        found = windows(path, settings.variant == "known-background", 8 if quick else 1)
        names = np.array([f"day {person // 100} person {person % 100}" for person in found.person])
        extra = {name: getattr(found, name) for name in ("sequence", "time_s", "fall", "since_s")}
        return Samples(levelled(found.warm), found.action, found.person, found.day, extra, digest_of(path), names)

    def folds(self, samples: Samples, settings: Settings) -> list[Fold]:
        """Leave one day out; a single day is split by its people."""
        by = samples.groups if len(np.unique(samples.groups)) > 1 else samples.people
        return groups_left_out(dataclasses.replace(samples, groups=by))

    def prepare(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """As they are."""
        return features

    def plan(self, train: Samples, settings: Settings, seed: int) -> Plan:
        """Fixed scale; some of what is no action, and all others; pictures turned, mirrored and changed as scenes change them."""

        def teach(features: NDArray[np.float32], targets: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[Any]]:
            kept = (targets != OTHER) | (np.arange(len(targets)) % KEPT == 0)
            return features[kept], targets[kept]

        def augment(batch: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
            return through(STAGES, CHANGED.apply(batch, rng))

        return Plan(STAGES, augment, teach)

    def baseline(self, train: Samples, test: Samples, settings: Settings) -> NDArray[np.float32]:
        """Hand-made features and kernel ridge regression."""
        return by_hand.tell(train.features, train.targets, test.features, len(NAMES))

    def metrics(self, samples: Samples, outputs: NDArray[np.float32], settings: Settings) -> dict[str, Any]:
        """Of moments that show an action which of the eight it is; of all of them alarms of falls; with and without filters.

        `accuracy9` is of all moments, with what is no action as a ninth class. `false_an_hour` and `found` are of alarms over whole recordings;
        `delay_s` counts from a fall's first picture; `chosen_` is of alarms whose threshold was chosen, for each day, on the other days.
        Names without a prefix are of the network alone, `filtered_` of a filter without a script, `scripted_` of one that knows it.
        """
        course = streams.Course(*(samples.extra[name] for name in ("sequence", "time_s", "fall", "since_s")))
        layout, shown = course.laid_out(), samples.targets != OTHER
        figures: dict[str, Any] = {}
        for prefix, scores in heard(layout, outputs).items():
            said = scores[shown, :OTHER].argmax(-1)
            figures |= {prefix + name: value for name, value in told(said, samples.targets[shown]).items()}
            figures[f"{prefix}accuracy9"] = accuracy(scores.argmax(-1), samples.targets)
            alarms = streams.raised(layout, scores[:, FALLS].sum(1), BEHIND[0] if prefix else ALONE)
            judged = streams.judged(course, layout, alarms)
            figures |= {
                prefix + name: value for name, value in judged.items() if not prefix or name not in ("events", "hours")
            }
            if prefix == "filtered_":
                fall = scores[:, FALLS].sum(1)
                chosen = streams.judged(course, layout, streams.chosen_elsewhere(course, fall, samples.groups, BEHIND))
                figures |= {f"chosen_{name}": chosen[name] for name in ("found", "false_an_hour")}
                figures["table"] = _trade_off(course, layout, fall)
        figures["ece"] = expected_calibration_error(outputs, samples.targets)
        return figures

    def limits(self, metrics: Mapping[str, Any]) -> tuple[str, ...]:
        """What its figures do not show."""
        ours = metrics["int8"]
        rows = [
            f"{words} {100 * ours[f'{prefix}found']:.1f} % of {ours['events']:.0f} falls are found and {ours[f'{prefix}false_an_hour']:.1f} "
            f"false alarms raised an hour, windows have a fall F1 of {ours[f'{prefix}fall_f1']:.3f} and an accuracy of {ours[f'{prefix}accuracy8']:.3f}"
            for prefix, words in (
                ("", "By the network alone"),
                ("filtered_", "behind a filter that knows what a body can do next"),
                ("scripted_", "behind one that knows the script, as a room does not"),
            )
        ]
        return (
            "Data and weights are CC BY-NC-SA 4.0 and are not shipped.",
            f"{len(metrics['groups'])} recording days, {metrics['people']} people, one room and one sensor height; {ours['hours']:.2f} hours in which "
            "people act one of four scripts. Nobody sleeps there, sits down on a floor or keeps a dog: a home has other false alarms.",
            f"A fall is found by an alarm from {EARLY_S:g} s before annotators saw it begin to {LATE_S:g} s after they saw it end; every other alarm is "
            f"a false one. Alarms come {ours['filtered_delay_s']:.1f} s (median) and at most {ours['filtered_delay_p95_s']:.1f} s (95 %) after a "
            "fall's first picture.",
            "; ".join(rows) + ".",
            f"The threshold of alarms was chosen on networks that had learnt from one day alone. Chosen for each day on the others, "
            f"{100 * ours['chosen_found']:.1f} % are found and {ours['chosen_false_an_hour']:.1f} false alarms raised an hour; the table has "
            "other thresholds.",
            f"A window belongs to what most of its {PICTURES} pictures show, one comes every {STRIDE * PERIOD_S:g} s; accuracies say which of "
            "eight actions a window shows, among those that show one, but for `accuracy9`, which is over all and has no action as a ninth class.",
        )


def _trade_off(course: streams.Course, layout: NDArray[np.int64], fall: Scores) -> list[dict[str, Any]]:
    """What is found, and called for nothing, at other thresholds behind the filter."""
    rows = []
    for rule in sorted(BEHIND, key=lambda one: one.above):
        told = streams.judged(course, layout, streams.raised(layout, fall, rule))
        rows.append({"above": rule.above, **{name: told[name] for name in ("found", "false_an_hour", "delay_p95_s")}})
    return rows


def heard(layout: NDArray[np.int64], outputs: NDArray[np.float32]) -> dict[str, Scores]:
    """Scores (n, classes) as the network says them, and behind both filters, by the prefix of their figures."""
    positive = np.maximum(outputs, 0)
    found: dict[str, Scores] = {"": positive / np.maximum(positive.sum(1, keepdims=True), 1e-9)}
    for prefix, follows in FILTERS.items():
        chances = transitions(NAMES, LASTS_S, STRIDE * PERIOD_S, follows)
        found[prefix] = filtered(layout, outputs, chances, PRIOR, WEIGHT, OTHER)
    return found
