"""What may befall a body and what it wears, each with a switch by name: where, from when, for how long, how much."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from thermo_core.errors import UsageError
from thermo_sim.people.relaxation import share
from thermo_sim.people.table import SEGMENTS

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Effect:
    """What a kind of happening does, for a size of 1 where nothing else is said.

    Attributes:
        about: it, in words.
        size: usual one; the unit stands in `about`.
        low, high: between which it may be.
        lasts_s: usual time; infinite for good.
        on_s, off_s: time constants with which it comes and goes.
        at: usual segments or side; "" for what is worn, wherever.
        parts: what skin becomes warmer by, K: by part of the body ("Hand") on the side or segment it happens at.
        chill: the same, for as long as the core follows behind.
        core: kelvin.
        heart_bpm: beats a minute.
        blood: by how much the pulse under a light sensor is smaller, at most 1.
        lost: share of contact that a sensor loses.
        reads: what a sensor without contact feels: "air", "inside" the cloth, "outside" of it.
        felt: kelvin that a sensor reads beside the skin's.
        wet: wettedness under cloth or band.
        opens: share of what is worn above indoor clothes that is opened.
        air: kelvin.
        shakes_g: movement of the wrist, g.
        holds_heart: share of the heart's rise that is taken away, and two fifths of that of its rate at rest.
        irregular: how far beats are from their time, in beats.
        covers: what a camera sees instead of skin: "glasses", "hair", "hand", "sun", "strap".
        bath: whether the parts are held in water of that much other temperature, and recover as `challenge.Recovery` says.
    """

    about: str
    size: float = 1.0
    low: float = 0.0
    high: float = 1.0
    lasts_s: float = math.inf
    on_s: float = 0.0
    off_s: float = 0.0
    at: str = ""
    parts: Mapping[str, float] = field(default_factory=dict)
    chill: Mapping[str, float] = field(default_factory=dict)
    core: float = 0.0
    heart_bpm: float = 0.0
    blood: float = 0.0
    lost: float = 0.0
    reads: str = "air"
    felt: float = 0.0
    wet: float = 0.0
    opens: float = 0.0
    air: float = 0.0
    shakes_g: float = 0.0
    holds_heart: float = 0.0
    irregular: float = 0.0
    covers: str = ""
    bath: bool = False


_ALL = dict.fromkeys(("Shoulder", "Arm", "Hand", "Thigh", "Leg", "Foot"), 1.0)
_TRUNK = {"Head": 1.0, "Neck": 1.0, "Chest": 1.0, "Back": 1.0, "Pelvis": 1.0}
_FEVERISH = {**_TRUNK, "Shoulder": 0.8, "Arm": 0.7, "Thigh": 0.7, "Leg": 0.6, "Hand": 0.5, "Foot": 0.5}
_BATH = {"Hand": 1.0, "Arm": 0.15}

EFFECTS: Mapping[str, Effect] = {
    "strap-loose": Effect(
        "a strap is loose: sensors touch skin by a share less (0 to 1), pulse and temperature go towards air",
        0.6, lasts_s=300, on_s=4, off_s=4, lost=1, blood=0.5,
    ),
    "sensor-off": Effect("a sensor is off the skin, by a share (0 to 1), and reads air", on_s=20, off_s=20, lost=1, blood=1),
    "node-off": Effect(
        "a node lifts, by a share (0 to 1), and reads the air under the cloth", on_s=90, off_s=90, lost=1, reads="inside",
        blood=1,
    ),
    "outside-shirt": Effect(
        "a node looks at the outside of the shirt, by a share (0 to 1)", on_s=90, off_s=90, lost=1, reads="outside",
    ),
    "contact-step": Effect("contact changes at once, by a share (0 to 1)", 0.1, lasts_s=60, lost=1, reads="inside"),
    "lies-on-arm": Effect(
        "one lies on one arm: warmer, with less blood, by kelvin", 1.2, 0, 4, 1800, 400, 300, "L",
        {"Shoulder": 0.6, "Arm": 1.0, "Hand": 1.1}, blood=0.4,
    ),
    "warm-cup": Effect(
        "a hand holds a warm cup, by kelvin", 4, 0, 12, 240, 40, 150, "RHand", {"Hand": 1.0},
    ),
    "cold-hand": Effect(
        "cold hands, by kelvin", 4, 0, 12, 1800, 500, 700, "LR", {"Hand": -1.0, "Arm": -0.25}, blood=0.15,
    ),
    "poor-perfusion": Effect(
        "little blood in the hands: a smaller pulse, by a share (0 to 1)", 0.8, lasts_s=1800, on_s=200, off_s=300, at="LR",
        parts={"Hand": -2.0}, blood=1,
    ),
    "wet-cloth": Effect(
        "wet cloth on a node: evaporation makes it read lower, by kelvin", 2, 0, 8, 1800, 120, 900, felt=-1, wet=0.5,
    ),
    "sweat-under-band": Effect(
        "sweat evaporates under a band, which reads lower, by kelvin", 1, 0, 5, 1200, 200, 600, felt=-1, wet=1.0,
    ),
    "jacket-open": Effect("what is worn above indoor clothes is opened, by a share (0 to 1)", lasts_s=900, opens=1),
    "warm-side": Effect(
        "one segment or side is warmed, by kelvin", 0.7, 0, 6, 1800, 500, 600, "LArm", {**_ALL, **_TRUNK},
    ),
    "cool-side": Effect(
        "one segment or side is cooled, as by a draught, by kelvin", 0.66, 0, 6, 1800, 500, 600, "LArm",
        dict.fromkeys((*_ALL, *_TRUNK), -1.0),
    ),
    "warm-spot": Effect("a warm spot on the trunk, by kelvin", 0.33, 0, 4, math.inf, 900, 900, "Chest", _TRUNK),
    "shaded-side": Effect(
        "posture shades one side, by kelvin", 0.5, 0, 3, 1800, 600, 600, "R", dict.fromkeys(_ALL, -1.0),
    ),
    "heated-seat": Effect(
        "a heated seat, by kelvin", 2, 0, 8, 1800, 300, 600, "LR", {"Back": 0.5, "Pelvis": 1.0, "Thigh": 0.8},
    ),
    "sun": Effect(
        "sun on head and face, by kelvin; a camera sees it", 2, 0, 10, 900, 200, 300, "Head", {"Head": 1.0, "Neck": 0.6},
        covers="sun",
    ),
    "glasses": Effect("a camera sees glasses before the eyes", covers="glasses"),
    "hair": Effect("a camera sees hair over the forehead", covers="hair"),
    "hand-before": Effect("a hand is before what a camera looks at", lasts_s=20, covers="hand"),
    "strap-seen": Effect("a camera sees the strap of the wearable across the skin", covers="strap"),
    "stress": Effect(
        "stress while sitting: the heart beats faster, by beats a minute", 18, 0, 60, 600, 30, 120, "LR",
        {"Hand": -0.06}, heart_bpm=1,
    ),
    "fever": Effect(
        "fever, by kelvin of core: hands are cold while it rises and warm while it falls", 1.6, -1, 4.5, math.inf, 2400, 4800,
        "LR", _FEVERISH, {"Hand": -2.2, "Foot": -2.0, "Arm": -0.8}, core=1,
    ),
    "challenge": Effect(
        "hands are put in water that is so many kelvin colder (or warmer, below 0) than they are, for a minute", 14, -8, 25,
        60, 18, 0, "LR", {part: -by for part, by in _BATH.items()}, bath=True,
    ),
    "beta-blocker": Effect(
        "a beta-blocker holds the heart back, by a share of its rise (0 to 1)", 0.35, on_s=60, off_s=7200, holds_heart=1,
    ),
    "false-heat": Effect(
        "a broken thermometer reads higher, by kelvin", 15, 0, 250, 600, felt=1,
    ),
    "arrhythmia": Effect("beats come irregularly, by a share of a beat", 0.22, 0, 0.45, irregular=1),
    "shaking": Effect("the wearer moves what should be still, by g", 0.2, 0, 4, 30, 0.5, 0.5, shakes_g=1),
    "room": Effect("the air of the place changes, by kelvin", 2, -40, 40, math.inf, 60, 60, air=1),
}  # fmt: skip
"""Kinds by name."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happens.

    Attributes:
        kind: a name of `EFFECTS`.
        start_s, end_s: from when to when; what it leaves goes with its time constant.
        at: segment ("LHand"), side ("L", "R", "LR"), site, sensor or sensor/channel; "" as is usual for the kind.
        size: as the kind says.
    """

    kind: str
    start_s: float
    end_s: float
    at: str
    size: float

    @property
    def effect(self) -> Effect:
        """Of its kind."""
        return EFFECTS[self.kind]

    def amount(self, times_s: Array, on_s: float | None = None, off_s: float | None = None) -> Array:
        """How much of it there is, 0 to `size`; (n,)."""
        effect = self.effect
        on, off = effect.on_s if on_s is None else on_s, effect.off_s if off_s is None else off_s
        return self.size * share(times_s, self.start_s, self.end_s, on, off)

    def pattern(self, parts: Mapping[str, float]) -> Array:
        """Parts of the body, on the side or segment where it happens, (17,)."""
        where = self.at or self.effect.at
        return np.array([parts.get(_part(name), 0.0) if _is_at(name, where) else 0.0 for name in SEGMENTS])

    def strikes(self, labels: frozenset[str]) -> bool:
        """Whether a sensor of these names, or at these sites, is concerned."""
        return not self.at or self.at in labels


def happening(
    kind: str, start_s: float, lasts_s: float | None = None, at: str = "", size: float | None = None
) -> Happening:
    """Something that happens, with what is usual for the rest.

    Raises:
        UsageError: there is no such kind, or a number does not fit.
    """
    effect = EFFECTS.get(kind)
    if effect is None:
        raise UsageError(f"There is no happening {kind!r}; use one of {', '.join(EFFECTS)}.")
    wanted = effect.size if size is None else size
    if not effect.low <= wanted <= effect.high:
        raise UsageError(f"The happening {kind} has the size {wanted:g}; give {effect.low:g} to {effect.high:g}.")
    lasts = effect.lasts_s if lasts_s is None else lasts_s
    if not (math.isfinite(start_s) and lasts >= 0):
        raise UsageError(f"The happening {kind} begins at {start_s:g} s and lasts {lasts:g} s; give seconds.")
    if effect.parts and at and not any(_is_at(name, at) and _part(name) in effect.parts for name in SEGMENTS):
        raise UsageError(
            f"The happening {kind} is at {at!r}; give a segment such as {effect.at if effect.at in SEGMENTS else 'LHand'}, or a side: L, R, LR."
        )
    return Happening(kind, start_s, start_s + lasts, at, wanted)


_TOKEN = re.compile(
    r"(?P<kind>[a-z-]+)@(?P<now>\+?)(?P<at>\d+(?:\.\d+)?)(?:\+(?P<lasts>\d+(?:\.\d+)?))?"
    r"(?P<options>(?::(?:at|size)=[^:]*)*)"
)
GRAMMAR = r"KIND@SECONDS[+SECONDS]\[:at=WHERE][:size=NUMBER]"


def parse_happenings(specification: str, now_s: float = 0.0) -> tuple[Happening, ...]:
    """Read a list such as ``warm-cup@600+240:at=LHand,strap-loose@1800:size=0.4``; ``@+5`` is five seconds from now.

    Raises:
        UsageError: it does not parse; the message names the part.
    """
    return tuple(_parse_one(token.strip(), now_s) for token in specification.split(",") if token.strip())


def _parse_one(token: str, now_s: float) -> Happening:
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise UsageError(
            f"The happening {token!r} does not parse; write it like warm-cup@600+240:at=LHand or node-off@60:size=0.5."
        )
    options = dict(option.split("=", 1) for option in filter(None, match["options"].split(":")))
    size: float | None = None
    if "size" in options:
        try:
            size = float(options["size"])
        except ValueError:
            raise UsageError(f"The happening {token!r} has the size {options['size']!r}; give a number.") from None
        if not math.isfinite(size):
            raise UsageError(f"The happening {token!r} has the size {options['size']!r}; give a number.")
    lasts = None if match["lasts"] is None else float(match["lasts"])
    start_s = float(match["at"]) + (now_s if match["now"] else 0.0)
    return happening(match["kind"], start_s, lasts, options.get("at", ""), size)


def _part(segment: str) -> str:
    return segment[1:] if segment[0] in "LR" and segment[1:2].isupper() else segment


def _is_at(segment: str, where: str) -> bool:
    if where in ("L", "R", "LR"):
        return _part(segment) == segment or segment[0] in where
    return segment == where
