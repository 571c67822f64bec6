"""A garment's nodes to a body map, its mean, nodes that are off, and what happened within half an hour (JOS-3 scenes).

The map is no network: `node_check` and `body_map` are a Gaussian model of the body, solved for whichever nodes are there
(`clothing_body.py`). The network says what happened, from how each segment has changed; its samples are moments of scenes, each the
statistics of 30 minutes as the wearable's graph makes them of nodes with bias and noise. Bodies 70 to 99 of a file are tested on.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_core.signals import Signal
from thermo_core.stages.domain import Domain
from thermo_core.stages.normalise import Normalise
from thermo_core.stages.relative import OP as RELATIVE
from thermo_core.stages.stage import Stage
from thermo_core.wearable.file import Wearable
from thermo_core.wearable.profile import Profile
from thermo_models.domain import domain
from thermo_models.features import network_inputs, refused, standardise, through
from thermo_models.metrics import auc, expected_calibration_error
from thermo_models.samples import Fold, Samples, digest_of
from thermo_models.settings import Settings
from thermo_models.tasks.clothing_body import Body, body_of, errors, segments_of
from thermo_models.tasks.clothing_days import SCRIPTS, days
from thermo_models.tasks.clothing_limits import limits
from thermo_models.tasks.clothing_scenes import CALIBRATED, EVENTS, ONE_SIDED, TESTED, UNKNOWN, Array, Index, Scenes
from thermo_models.tasks.task import Classes, Goal, Plan, Probe, Said
from thermo_models.templates import stage_of, template
from thermo_sim.people.table import AREA, MIRROR, SEGMENTS

Numbers = Callable[[NDArray[np.float32]], NDArray[np.float32]]

MINUTES = 30
"""Of a window."""
EVERY = 3
"""Minutes from one sample of a scene to the next."""
KNOWN = (3, 25)
"""Minutes after its beginning in which an event is to be told; before and for as long afterwards a moment is no sample."""
JUDGED = 20
"""Minutes after its beginning at which a scene is judged."""
DRAWS = 8
"""Times that nodes of a tested body are drawn."""
QUICK_SHARE = 5
UNSEEN, UNSEEN_PEOPLE = 940_000, 24
"""Seed of the first of further people, for `Clothing.probe`, and how many of each script: of few, the error of calibration is mostly chance."""
HELD_OUT, HELD_OUT_PEOPLE = 910_000, 24
"""Likewise, for `Clothing.held_out`."""
LIMIT = 4.0
AXES = 6
"""Of what was learnt from, along which a moment may lie too far."""
PAIRS = [(at, MIRROR[at]) for at, name in enumerate(SEGMENTS) if name[0] == "L" and name[1].isupper()]
"""Left and right."""
STATISTICS = 3
"""Of each segment: its level, its change, its newest change."""
VARIANTS = ("full", "changes-alone", "level-alone")


@dataclass(frozen=True, slots=True)
class Bodies:
    """How a garment's model of the body is made.

    Attributes:
        people: of each script of a day, who are learnt from beside the file's bodies.
        thinned: one in so many moments of days counts.
        limit: standard deviations by which a node may be off what the others say of it.
    """

    people: Mapping[str, int]
    thinned: int
    limit: float


class Clothing(Classes):
    """The task; see `tasks.task.Task`.

    Args:
        name: of the wearable.
        nodes: segments that have a node, in the order of its sensors.
        figures: of its map that are to be reached at most.
        bodies: how its model of the body is made.
    """

    summary = "body map of a garment, and what happened to its wearer"
    source = "made with JOS-3 0.5.0 (jos3, MIT licence) by `bench/jos3_bodies.py`"
    whom = "simulated bodies"
    ships = True
    needs_data = True
    entry = "numbers"
    variants = VARIANTS
    outputs = len(EVENTS)
    head = "softmax"
    loss = "sparse_categorical_crossentropy"
    more_is_better = MappingProxyType({"one_sided_auc": True})
    compared_variants = ("changes-alone",)
    settings = Settings(
        "dense_residual", width=0.25, dropout=0.1, epochs=15, batch=256, decay=1e-3, rate=3e-3, balance=True
    )

    def __init__(self, name: str, nodes: tuple[str, ...], figures: Mapping[str, float], bodies: "Bodies") -> None:
        self.name, self._bodies = name, bodies
        self.nodes = np.array([SEGMENTS.index(node) for node in nodes])
        self._figures = figures

    @property
    def wearable(self) -> Wearable:
        """As its file has it."""
        return template(self.name)

    def goals(self, settings: Settings) -> tuple[Goal, ...]:
        """Goals of the design."""
        if settings.variant != "full":
            return ()
        return (
            Goal("one_sided_auc", 0.90, True),
            *(Goal(metric, value, False) for metric, value in self._figures.items()),
            Goal("loose_found", 0.99, True),
            Goal("false_a_day", 1.0, False),
        )

    def load(self, path: Path | None, settings: Settings, quick: bool) -> Samples:
        """Moments of all scenes; `quick` takes every fifth body that is there to be learnt from."""
        if path is None:
            raise UsageError(f"{self.name} needs --data, the .npz file of scenes that bench/jos3_bodies.py makes.")
        scenes = Scenes.joined([Scenes.read(path), days(dict.fromkeys(SCRIPTS, 1) if quick else self._bodies.people)])
        everybody = ~scenes.learnt | (np.arange(len(scenes)) % (QUICK_SHARE if quick else 1) == 0)
        body = self._body_of(scenes, np.flatnonzero(everybody))
        parts = []
        for draw in range(DRAWS):
            of = ~scenes.learnt if draw else everybody
            parts.append(_samples_of(scenes, np.flatnonzero(of), self.nodes, body, self._numbers, draw))
        joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        people = joined.pop("people")
        return Samples(
            _left_out(joined.pop("features"), settings.variant),
            joined.pop("event"),
            people,
            np.isin(people, TESTED).astype(np.int64),
            joined,
            digest_of(path),
            np.array([f"body {one}" for one in people]),
            _in_between(scenes),
        )

    def folds(self, samples: Samples, settings: Settings) -> list[Fold]:
        """Bodies 70 to 99 are tested."""
        tested = np.isin(samples.people, TESTED)
        return [Fold("bodies 70 to 99", np.flatnonzero(~tested), np.zeros(0, np.int64), np.flatnonzero(tested))]

    def prepare(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """As they are."""
        return features

    def plan(self, train: Samples, settings: Settings, seed: int) -> Plan:
        """Each statistic standardised and held within what was learnt from; half of each batch is seen in a mirror."""
        stages = _standardised(train)

        def augment(batch: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
            turned = np.where(rng.random(len(batch))[:, np.newaxis] < 0.5, in_mirror(batch), batch)
            made = through(stages, turned)
            return made.reshape(len(made), 1, 1, -1)

        return Plan(stages, augment=augment, beside=self._bodies_of(train))

    def baseline(self, train: Samples, test: Samples, settings: Settings) -> NDArray[np.float32]:
        """The largest change of a left segment less its right one within the half hour, as a score of one side; it tells nothing else."""
        told = np.full((len(test), len(EVENTS)), np.nan, np.float32)
        told[:, ONE_SIDED[0]], told[:, ONE_SIDED[1]] = test.extra["change"], 0
        return told

    def metrics(self, samples: Samples, outputs: NDArray[np.float32], settings: Settings) -> dict[str, Any]:
        """AUC of one-sided events 20 min after they began, shares of moments told right, and errors of the map."""
        judged = samples.extra["judged"]
        sided = np.isin(samples.targets, ONE_SIDED)
        both = sided[judged].any() and not sided[judged].all()
        score = outputs[:, ONE_SIDED[0]] + outputs[:, ONE_SIDED[1]]
        found: dict[str, Any] = {
            "one_sided_auc": auc(score[judged], sided[judged]) if both else float("nan"),
        }
        if np.isnan(outputs).any():
            return found
        said = outputs.argmax(1)
        shares = [float(np.mean(said[samples.targets == event] == event)) for event in np.unique(samples.targets)]
        extra = samples.extra
        return found | {
            "accuracy": float(np.mean(shares)),
            "ece": expected_calibration_error(outputs, samples.targets),
            "map_k": _root(extra["map"]),
            "mean_skin_k": _root(np.square(extra["mean"])),
            "map_one_dead_k": _root(extra["dead"]),
            "map_calibrated_k": _root(extra["calibrated"][:, 0]),
            "mean_skin_calibrated_k": _root(extra["calibrated"][:, 1]),
            "loose_found": float(extra["found"].mean()),
            "false_a_day": float(extra["false"].mean() * 24 * 60),
            "table": [
                {"event": EVENTS[event], **{other: int(np.sum(said[samples.targets == event] == at)) for at, other in enumerate(EVENTS)}}
                for event in range(len(EVENTS))
            ],
        }  # fmt: skip

    def strange(self, samples: Samples) -> dict[str, NDArray[np.float32]]:
        """A garment on a chair, segments that are not where they are said to be, numbers of different bodies and moments."""
        rng, width = np.random.default_rng(0), STATISTICS * len(SEGMENTS)
        chair, exchanged = np.zeros_like(samples.features), samples.features.copy()
        chair[:, :width:STATISTICS] = samples.extra["room"][:, np.newaxis]
        segments = exchanged[:, :width].reshape(len(samples), len(SEGMENTS), STATISTICS)
        exchanged[:, :width] = rng.permuted(segments, axis=1).reshape(len(samples), width)
        return {
            "a garment on a chair": chair,
            "nodes that are exchanged": exchanged,
            "numbers of different bodies and moments": rng.permuted(samples.features, axis=0),
        }

    def probe(self, profile: Profile, stages: tuple[Stage, ...], said: Said, quick: bool) -> Probe:
        """Events and refusals over whole days of bodies that no training has met, and of what is no worn garment."""
        scenes = days(dict.fromkeys(SCRIPTS, 1 if quick else UNSEEN_PEOPLE), first=UNSEEN)
        made = self.worn(scenes, profile.stages)
        features, event = made.pop("features"), made.pop("event")
        people = made.pop("people")
        samples = Samples(features, event, people, np.zeros_like(people), made)
        scores, flagged = said(through(stages, features)), refused(stages, features)
        nothing = event == 0
        called = (scores[nothing].argmax(1) > 0) & ~flagged[nothing]
        right = (scores.argmax(1) == event)[~nothing & ~flagged]
        return Probe(
            "days of simulated bodies that no training has met",
            "What it is not made for it flags `OUT_OF_DOMAIN`, and no alert goes by that",
            {
                "days of bodies that no training has met": float(flagged.mean()),
                **{name: float(refused(stages, of).mean()) for name, of in self.strange(samples).items()},
            },
            expected_calibration_error(scores[~flagged], event[~flagged]),
            (
                f"On days of bodies that no training has met an event is said in {called.mean():.0%} of the moments at which there is none, and "
                f"{right.mean():.0%} of those at which there is one are told right. Learnt as if each kind of event were as common as nothing, "
                "which no day is, it is scaled to favour nothing by no more than its scores need to be as sure as they are right.",
            ),
        )

    def held_out(self, stages: Sequence[Stage], settings: Settings) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Moments of days of further people, as common as they are there, but for what is flagged."""
        made, last = self.worn(_held_out(), stages), [one for one in stages if one.gives in ("standard", "known")]
        features = _left_out(made["features"], settings.variant)
        kept = ~refused(last, features)
        return network_inputs(last, features[kept]), made["event"][kept]

    def worn(
        self, scenes: Scenes, stages: Sequence[Stage], which: Index | None = None, draw: int = 0
    ) -> dict[str, NDArray[Any]]:
        """Moments of scenes as a garment with these stages sees them.

        Args:
            scenes: of bodies.
            stages: with what was learnt.
            which: of the scenes; None for all.
            draw: seed of what nodes are off by.

        Returns:
            By name, (n, ...): "features" and "event" of each moment, and what else is known of it, as errors of its map.
        """
        by_name = {stage.gives: stage for stage in stages}
        body: Any = by_name["checked"], by_name["body"]
        chosen = np.arange(len(scenes)) if which is None else which
        return _samples_of(scenes, chosen, self.nodes, body, self._numbers, draw)

    def examine(self, samples: Samples, settings: Settings) -> dict[str, Any]:
        """What room, activity and clock tell without any node."""
        tested = np.isin(samples.people, TESTED)
        extra, skin = samples.extra, samples.extra["skin"].astype(np.float64)
        room, work = extra["room"], extra["work"]
        shapes = {
            "mean_body_k": np.zeros((len(samples), 0)),
            "room_alone_k": np.stack([room, np.square(room)], axis=1),
            "room_and_work_k": np.stack([room, np.square(room), work, room * work], axis=1),
        }
        found: dict[str, Any] = {}
        for name, terms in shapes.items():
            inputs = np.column_stack([np.ones(len(samples)), terms])
            solved = np.linalg.lstsq(inputs[~tested], skin[~tested], rcond=None)[0]
            found[name] = _root(np.square(inputs[tested] @ solved - skin[tested]))
        bare, squares = np.delete(np.arange(len(SEGMENTS)), self.nodes), extra["segments"][tested]
        found |= {
            "without_node": [SEGMENTS[at] for at in bare],
            "without_node_k": _root(squares[:, bare]),
            "with_node_k": _root(squares[:, self.nodes]),
        }
        judged = extra["judged"] & tested
        sided = np.isin(samples.targets, ONE_SIDED)[judged]
        found["clock_auc"] = auc(extra["minute"][judged].astype(np.float64), sided)
        found["work_auc"] = auc(work[judged], sided)
        return found

    def limits(self, metrics: Mapping[str, Any]) -> tuple[str, ...]:
        """What its figures do not show; see `clothing_limits`."""
        return limits(metrics)

    def _numbers(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, 63) what the network is given of (n, minutes, 17) segments, as the graph makes it."""
        profile = self.wearable.profile
        changes = through((stage_of(profile, "changes"),), windows, 60.0)
        sides, trunk = (through((stage_of(profile, name),), changes) for name in ("sides-changed", "trunk-changed"))
        flat = changes.reshape(len(changes), -1)
        beside = through((stage_of(profile, "goes-with"),), np.concatenate([flat, trunk], axis=1))
        signals = [Signal(name, of.shape[1:], "K", 1.0, "x") for name, of in (("sides", sides), ("beside", beside))]
        one_sided = RELATIVE.apply(stage_of(profile, "one-sided"), signals, [sides, beside])
        return np.concatenate([flat, one_sided], axis=1)

    def _body_of(self, scenes: Scenes, which: Index) -> Body:
        moments = list(_moments(scenes, which, 0))
        rows = np.concatenate([which[one.of] for one in moments])
        minutes = np.concatenate([np.full(int(one.of.sum()), one.minute) for one in moments])
        learnt = scenes.learnt[rows]
        rows, minutes = rows[learnt], minutes[learnt]
        of = scenes.skin[rows, minutes], scenes.room[rows, minutes], scenes.of_day[rows]
        return self._constants(*of, _in_between(scenes))

    def _bodies_of(self, train: Samples) -> Body:
        """Of the bodies that are there to be learnt from, whoever is among the samples, so that the figures are those of what is shipped."""
        learnt, extra = ~np.isin(train.people, TESTED), train.extra
        return self._constants(extra["skin"][learnt], extra["room"][learnt], extra["of_day"][learnt], train.beside)

    def _constants(
        self, skin: Array, room: Array, of_day: NDArray[np.bool_], beside: Mapping[str, NDArray[Any]]
    ) -> Body:
        skin, room = np.concatenate([skin, beside["skin"]]), np.concatenate([room, beside["room"]])
        of_day = np.concatenate([of_day, np.ones(len(beside["room"]), np.bool_)])
        kept = ~of_day | (np.cumsum(of_day) % self._bodies.thinned == 0)
        profile = self.wearable.profile
        return body_of(
            skin[kept],
            room[kept],
            self.nodes,
            self._bodies.limit,
            stage_of(profile, "checked"),
            stage_of(profile, "body"),
        )


@cache
def _held_out() -> Scenes:
    return days(dict.fromkeys(SCRIPTS, HELD_OUT_PEOPLE), first=HELD_OUT)


def in_mirror(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, 63) of bodies seen in a mirror."""
    width = STATISTICS * len(SEGMENTS)
    segments = features[:, :width].reshape(len(features), len(SEGMENTS), STATISTICS)[:, list(MIRROR)]
    return np.concatenate([segments.reshape(len(features), width), -features[:, width:]], axis=1)


@dataclass(frozen=True, slots=True)
class _Moment:
    """A minute of some scenes.

    Attributes:
        minute: which.
        of: (n,) whose it is a sample of.
        told: (n,) in which something is to be told.
        judged: (n,) in which the scene is judged.
    """

    minute: int
    of: NDArray[np.bool_]
    told: NDArray[np.bool_]
    judged: NDArray[np.bool_]


def _moments(scenes: Scenes, which: Index, draw: int) -> Iterator[_Moment]:
    """Minutes that are samples of some scenes; where nothing happens, chance says when a scene is judged."""
    minutes, rng = scenes.skin.shape[1], np.random.default_rng([draw, 0x1D6])
    usual = np.where(scenes.begun < 0, rng.integers(25, 64, len(scenes)), scenes.begun)[which]
    judged_at, there = np.minimum(usual + JUDGED, minutes - 1), scenes.event[which] > 0
    for minute in range(MINUTES - 1, minutes):
        since = minute - scenes.begun[which]
        told = there & (since >= KNOWN[0]) & (since <= KNOWN[1])
        quiet = ~there | (since < 0) | (since > 2 * KNOWN[1])
        judged = judged_at == minute
        of = (judged | ((told | quiet) & (minute % EVERY == 0))) & (scenes.event[which] >= 0)
        if of.any():
            yield _Moment(minute, of, told, judged)


def _in_between(scenes: Scenes) -> dict[str, Array]:
    """Skin and room while other clothes are put on: no events to learn, but bodies as they are, bareheaded outdoors or in bed."""
    of = np.flatnonzero(scenes.learnt & (scenes.event == UNKNOWN))
    minutes = np.arange(0, scenes.skin.shape[1], EVERY)
    width = scenes.skin.shape[2]
    return {"skin": scenes.skin[of][:, minutes].reshape(-1, width), "room": scenes.room[of][:, minutes].ravel()}


def _samples_of(
    scenes: Scenes, which: Index, nodes: Index, body: Body, numbers: Numbers, draw: int
) -> dict[str, NDArray[Any]]:
    """Moments of some scenes: statistics of the window before each, its event, and how well the map does then."""
    plain, bias = (part[which] for part in scenes.seen(nodes, draw))
    said = plain + bias
    minutes = said.shape[1]
    segments = segments_of(body, said.reshape(-1, said.shape[2]))[:, :17].reshape(len(which), minutes, 17)
    found: dict[str, list[NDArray[Any]]] = {}
    for one in _moments(scenes, which, draw):
        minute, of = one.minute, one.of
        window = segments[of, minute - MINUTES + 1 : minute + 1].astype(np.float32)
        features = numbers(window)
        change = features[:, 1 : STATISTICS * len(SEGMENTS) : STATISTICS]
        skin = scenes.skin[which[of], minute].astype(np.float32).astype(np.float64)
        moment = {
            "features": features,
            "event": np.where(one.told, scenes.event[which], 0)[of],
            "people": which[of],
            "judged": one.judged[of],
            "minute": np.full(int(of.sum()), minute),
            "work": scenes.work[which[of], minute],
            "room": scenes.room[which[of], minute],
            "change": np.abs([change[:, left] - change[:, right] for left, right in PAIRS]).max(0),
            "skin": skin,
            "of_day": scenes.of_day[which[of]],
            "calibrated": _errors_of(body, plain[of, minute] + CALIBRATED * bias[of, 0], skin),
            **errors(body, said[of, minute], skin),
        }
        for name, values in moment.items():
            found.setdefault(name, []).append(values)
    return {name: np.concatenate(values) for name, values in found.items()}


def _errors_of(body: Body, said: Array, skin: Array) -> Array:
    """(n, 2) mean square error of the segments and square error of their mean, K^2."""
    found = segments_of(body, said)
    return np.stack([np.square(found[:, :17] - skin).mean(1), np.square(found[:, 17] - skin @ AREA)], axis=1)


def _standardised(train: Samples) -> tuple[Normalise, Domain]:
    both = np.concatenate([train.features, in_mirror(train.features)])
    standard = standardise(both, LIMIT, "numbers", "standard")
    return standard, domain(through((standard,), both), np.tile(train.people, 2), "standard", "known", AXES)


def _left_out(features: NDArray[np.float32], variant: str) -> NDArray[np.float32]:
    """With what a variant does without made 0; `standardise` gives such a number no spread."""
    level = np.zeros(features.shape[1], np.bool_)
    level[: STATISTICS * len(SEGMENTS) : STATISTICS] = True
    dropped = {"full": np.zeros_like(level), "changes-alone": level, "level-alone": ~level}[variant]
    return np.where(dropped, np.float32(0), features)


def _root(squares: NDArray[Any]) -> float:
    return float(np.sqrt(np.mean(squares)))


SIXTEEN = Clothing(
    "clothing",
    tuple(name for name in SEGMENTS if name != "Neck"),
    MappingProxyType({"map_k": 0.17, "mean_skin_k": 0.04, "map_one_dead_k": 0.25}),
    Bodies(MappingProxyType({"rest": 24, "night": 10, "workout": 24, "outdoors": 60, "fever": 12, "day": 10}), 3, 6.5),
)
EIGHT = Clothing(
    "clothing-8",
    ("Head", "Chest", "Back", "LArm", "RHand", "LThigh", "RThigh", "RFoot"),
    MappingProxyType({"map_k": 0.38, "mean_skin_k": 0.10}),
    Bodies(MappingProxyType(dict.fromkeys(SCRIPTS, 24)), 5, 6.5),
)
"""Sides by turns: of all eights that which tells most of bodies that are learnt from. Days count less: half of the body is told by clothes, and
the file's scenes have more of these."""
