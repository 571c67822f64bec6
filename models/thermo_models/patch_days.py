"""Weeks of wearers of a breast patch that has learnt them: what its network says look by look, and which alerts come of it.

Stages, network and alert are the wearable's own. Looks are minutes apart instead of seconds, since a simulated month has a million of
those; the reference goes by times, and so does the alert. A wearer takes the patch off for an hour each day, and things happen to it:
`Life.a_day` says how often. What happens makes no difference to the reference but by what it teaches it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from msgspec import structs
from numpy.typing import NDArray

from thermo_core.graph.alert_plan import AlertPlan
from thermo_core.graph.alerts import AlertMachine, AlertState
from thermo_core.graph.plan import plan
from thermo_core.quality import DOUBTFUL
from thermo_core.stages.domain_gate import DomainGate
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wearable.profile import Duration, Profile
from thermo_models.features import through
from thermo_models.patch_weeks import KIND_NAMES, REFERENCE_DAYS, Learner, Watched
from thermo_models.templates import stage_of
from thermo_sim.disturbances import Disturbance, Event
from thermo_sim.scenes import WHOLE
from thermo_sim.worn_patch import DAY_S, HARSH, HOUR_S, MILD, Habits, Lump, rise_of

FIRST_SEED = 700_000
"""Of wearers that are on no side of the task's split."""
OFF_S = HOUR_S
"""How long a patch is off each day."""


@dataclass(frozen=True, slots=True)
class Life:
    """What a wearer does.

    Attributes:
        habits: how much changes by itself.
        a_day: how often each kind of disturbance comes in a day, on average.
    """

    habits: Habits
    a_day: Mapping[str, float]


LIVES: Mapping[str, Life] = {
    "mild": Life(
        MILD,
        {"cold-fingers": 4, "hot-water-bottle": 0.1, "heat-pad": 0.05, "lifted-edge": 0.2, "sweat": 0.3, "bra-line": 0.7, "tilt": 2},
    ),
    "harsh": Life(
        HARSH,
        {
            "cold-fingers": 12, "hot-water-bottle": 1, "heat-pad": 0.3, "lifted-edge": 1, "sweat": 2, "bra-line": 1, "tilt": 4,
            "uncalibrated": 0.05,
        },
    ),
}  # fmt: skip
"""By name."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the wearable said of one wearer after the first week.

    Attributes:
        times_s: (n,) of looks.
        scores: (n,) of a lesion.
        trusted: (n,) whether the finding moves alerts.
        kinds: (n,) place in `KIND_NAMES` of the strongest disturbance at hand, -1 for none.
        rises_k: (n,) K that a lump adds above its middle.
    """

    times_s: NDArray[np.float64]
    scores: NDArray[np.float64]
    trusted: NDArray[np.bool_]
    kinds: NDArray[np.int64]
    rises_k: NDArray[np.float64]

    def means(self, hours: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean scores of the trusted looks up to so many hours back, at each trusted look, and the rises then."""
        times, scores = self.times_s[self.trusted], self.scores[self.trusted]
        first = np.searchsorted(times, times - hours * HOUR_S)
        sums = np.concatenate([[0.0], np.cumsum(scores)])
        last = np.arange(len(times)) + 1
        return (sums[last] - sums[first]) / (last - first), self.rises_k[self.trusted]


class Watch:
    """The wearable, for wearers one after the other.

    Args:
        profile: of the wearable.
        network: its model.
        every_s: seconds from look to look.
    """

    def __init__(self, profile: Profile, network: Int8Network, every_s: float) -> None:
        self._network, self._every_s = network, every_s
        self._centre, self._reference, self._seen = (stage_of(profile, name) for name in ("above", "new", "seen"))
        self._worn: DomainGate = stage_of(profile, "worn")
        self._told: DomainGate = stage_of(profile, "told")
        self._plan = plan(profile).alerts[0]
        self._period_s = 1 / stage_of(profile, "calm").rate_hz

    @property
    def threshold(self) -> float:
        """Of the alert."""
        return self._plan.when.number

    def lived(self, seed: int, skin: str, life: Life, days: int, lump: Lump | None = None) -> Said:
        """The weeks of one wearer: a week of learning, then so many days.

        Args:
            seed: of the wearer, the camera and all that happens.
            skin: generator of the skin.
            life: what the wearer does.
            days: after the week.
            lump: beneath the skin.
        """
        rng = np.random.default_rng([seed, 0xDA15])
        watched = Watched(seed, skin, life.habits, rng)
        times = np.arange(0, (REFERENCE_DAYS + days) * DAY_S, self._every_s)
        times = times[(times % DAY_S) >= OFF_S]
        events = _events(life, times[-1], rng)
        pictures, kinds = [], []
        for time_s in times:
            shares = [(event.share(time_s), event) for event in events if event.told.from_s <= time_s]
            at_hand = [(share, event) for share, event in shares if share > 0.02]
            events = [event for event in events if not (event.told.from_s + event.lasts_s + 4 * HOUR_S < time_s)]
            added = sum((share * event.rise(WHOLE) for share, event in at_hand), np.zeros_like(WHOLE[0]))
            pictures.append(watched.look(time_s, lump, added))
            strongest = max(at_hand, key=lambda pair: pair[0], default=None)
            kinds.append(-1 if strongest is None else KIND_NAMES.index(strongest[1].told.kind))
        seen = np.stack(pictures)
        level = seen.mean((1, 2))
        off = (level < self._worn.low) | (level > self._worn.high)
        difference, above, flags = Learner(self._centre, self._reference, self._every_s).push(times, seen, off)
        outputs = self._network.predict([through((self._seen,), np.stack([difference, above], axis=-1))])
        trusted = ((flags & np.uint16(DOUBTFUL)) == 0) & (outputs[:, 2] <= self._told.high)
        rises = np.array([0.0 if lump is None else _top(lump, time_s) for time_s in times])
        after = times >= REFERENCE_DAYS * DAY_S
        scores = outputs[:, 1].astype(np.float64)
        return Said(times[after], scores[after], trusted[after], np.array(kinds)[after], rises[after])

    def raised(self, said: Said, threshold: float | None = None, hours: float | None = None) -> list[float]:
        """Times in seconds at which the wearable's alert is raised, anew each time that it had cleared.

        Args:
            said: of one wearer.
            threshold: instead of the alert's.
            hours: for which it has to hold, instead of the alert's.
        """
        machine = AlertMachine(self._alert(threshold, hours), 0)
        found: list[float] = []
        before = -np.inf
        for time_s, score, trusted in zip(said.times_s, said.scores, said.trusted, strict=True):
            time_us = round(time_s * 1e6)
            if time_s - before > OFF_S / 2 + self._every_s:
                machine.interrupt(time_us)
            before = time_s
            if trusted:
                change = machine.push(float(score), 0, time_us)
                if change is not None and change.state is AlertState.RAISED:
                    found.append(float(time_s))
        return found

    def _alert(self, threshold: float | None, hours: float | None) -> AlertPlan:
        alert, when = self._plan.alert, self._plan.when
        seconds = alert.after.seconds if hours is None else hours * HOUR_S
        rate = self._period_s / self._every_s
        after = Duration(findings=max(2, round(alert.after.findings * rate)), seconds=seconds)
        if threshold is not None:
            when = replace(when, number=threshold)
        return replace(self._plan, alert=structs.replace(alert, after=after), when=when)


def _events(life: Life, end_s: float, rng: np.random.Generator) -> list[Event]:
    told: list[Disturbance] = []
    for kind, a_day in life.a_day.items():
        for _ in range(rng.poisson(a_day * end_s / DAY_S)):
            told.append(Disturbance(kind, from_s=rng.uniform(0, end_s), seed=int(rng.integers(1 << 30))))
    return [Event(one) for one in sorted(told, key=lambda one: one.from_s)]


def _top(lump: Lump, time_s: float) -> float:
    spot = (np.array([lump.row]), np.array([lump.column]))
    return float(rise_of(lump, spot, time_s)[0])
