"""How alarms over whole recordings are judged: events found, false alarms an hour, and how late the right ones are.

Windows cut out around what is looked for say nothing of the hours in which it does not happen, so a task that watches a stream is
judged on all moments of its recordings. An alarm is raised, stands, and is over as an alert of a wearable (`thermo_core.graph.alerts`).
An event is found by an alarm that is raised while it may still be called; each other alarm is a false one, a second one for the
same event too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

NO_EVENT = -1
LONG_GAP = 4
"""Spacings without a moment after which a recording goes on as another one, as a wearable's graph has it."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When an alarm is raised and when it is over.

    Attributes:
        above: least score that counts towards it.
        findings: so many of them in a row raise it.
        below: a lower score ends it.
    """

    above: float
    findings: int
    below: float


@dataclass(frozen=True, slots=True)
class Course:
    """Moments of recordings; those of one recording follow each other in time.

    Attributes:
        recording: (n,) which it belongs to.
        time_s: (n,) within it.
        event: (n,) number of the event that an alarm at this moment would find, `NO_EVENT` for none; other recordings may use it too.
        since_s: (n,) since that event began; any number without one.
    """

    recording: NDArray[np.int64]
    time_s: NDArray[np.float64]
    event: NDArray[np.int64]
    since_s: NDArray[np.float64]

    def pick(self, index: NDArray[Any]) -> "Course":
        """The moments at `index`, integers or bool."""
        return Course(self.recording[index], self.time_s[index], self.event[index], self.since_s[index])

    def laid_out(self) -> NDArray[np.int64]:
        """(stretches, steps) indices of moments in a row, -1 behind a stretch's last: where a recording ends or pauses, another begins."""
        apart = np.diff(self.time_s)
        usual = self.spacing_s
        begins = np.r_[True, (np.diff(self.recording) != 0) | (apart <= 0) | (apart > LONG_GAP * usual)]
        stretch = np.cumsum(begins) - 1
        step = np.arange(len(begins)) - np.flatnonzero(begins)[stretch]
        layout = np.full((stretch[-1] + 1, step.max() + 1), -1)
        layout[stretch, step] = np.arange(len(begins))
        return layout

    @property
    def spacing_s(self) -> float:
        """From one moment to the next, usually; 0 of a single one."""
        apart = np.diff(self.time_s)
        apart = apart[(apart > 0) & (np.diff(self.recording) == 0)]
        return float(np.median(apart)) if len(apart) else 0.0


def raised(layout: NDArray[np.int64], scores: NDArray[np.floating[Any]], rule: Rule) -> NDArray[np.bool_]:
    """(n,) the moments at which an alarm is raised, of scores (n,) of moments laid out as `Course.laid_out` does."""
    found = np.zeros(len(scores), np.bool_)
    standing, count = np.zeros(len(layout), np.bool_), np.zeros(len(layout), np.int64)
    for column in layout.T:
        there = column >= 0
        score = np.where(there, scores[column], -np.inf)
        count = np.where(~standing & (score >= rule.above), count + 1, 0)
        starts = there & (count >= rule.findings)
        standing = np.where(standing, score >= rule.below, starts)
        count[starts] = 0
        found[column[starts]] = True
    return found


def judged(course: Course, layout: NDArray[np.int64], alarms: NDArray[np.bool_]) -> dict[str, float]:
    """Figures of alarms (n,) over recordings.

    Returns:
        `events`, `found` (share of them), `false_an_hour`, `hours`, and `delay_s` and `delay_p95_s`, median and 95th percentile of the
        time from an event's beginning to its alarm; NaN where there is none.
    """
    stretch = np.zeros(len(alarms), np.int64)
    stretch[layout[layout >= 0]] = np.repeat(np.arange(len(layout)), (layout >= 0).sum(1))
    own = course.event != NO_EVENT
    events = np.unique(np.stack([stretch, course.event])[:, own], axis=1).shape[1]
    called = np.flatnonzero(alarms & own)
    _, first = np.unique(np.stack([stretch, course.event])[:, called], axis=1, return_index=True)
    delays = course.since_s[called[first]]
    hours = len(alarms) * course.spacing_s / 3600
    some = len(delays) > 0
    return {
        "events": float(events),
        "found": len(delays) / events if events else float("nan"),
        "false_an_hour": (int(alarms.sum()) - len(delays)) / hours if hours else float("nan"),
        "hours": hours,
        "delay_s": float(np.median(delays)) if some else float("nan"),
        "delay_p95_s": float(np.quantile(delays, 0.95)) if some else float("nan"),
    }


def chosen_elsewhere(
    course: Course, scores: NDArray[np.floating[Any]], part: NDArray[np.int64], rules: Sequence[Rule]
) -> NDArray[np.bool_]:
    """(n,) moments at which an alarm is raised where the rule of each part, such as a day, is chosen on the others.

    That is the rule that finds the most events, of such the one with the fewest false alarms, of such the one that is least late. So the
    figures of these alarms owe nothing to what they are measured on; of a single part, the first rule is taken.
    """
    found = np.zeros(len(scores), np.bool_)
    for one in np.unique(part):
        here, others = part == one, part != one
        best = rules[0]
        if others.any():
            known = course.pick(others)
            layout = known.laid_out()

            def worth(rule: Rule, known: Course = known, layout: Any = layout, at: Any = others) -> tuple[float, ...]:
                told = judged(known, layout, raised(layout, scores[at], rule))
                return (-told["found"], told["false_an_hour"], told["delay_p95_s"])

            best = min(rules, key=worth)
        found[here] = raised(course.pick(here).laid_out(), scores[here], best)
    return found
