"""What a user may choose of a calibration, and the choices that suit most."""

from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

from thermo_core.errors import UsageError
from thermo_host.calibrate.fit import SMALLEST_SPAN_K

LOWEST_C, HIGHEST_C = 0.0, 100.0
HOLD_OUTS = (31.3, 34.7, 36.9, 39.2)
"""Preferred hold-out points, degC: between usual set-points, none of them equal to one."""
FEWEST_PICTURES = 16
USUAL_PER_SECOND = 8.0
"""Pictures of a camera at its usual rate."""
WARM_UP_S = 60.0
QUICK_PICTURES, CAREFUL_PICTURES = 64, 256
HOLD_OUT_FACTOR_QUICK = 2
"""With two set-points the error of the mean at the hold-out weighs more than that of the fit."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Of one run.

    Attributes:
        set_points: of the fit, degC, in the order of measuring.
        hold_out: measured but never fitted, degC.
        pictures: readings averaged at each set-point, pictures of a camera.
        hold_out_pictures: the same at each hold-out point, where noise would hide what is judged.
        ambients: surroundings to measure in, degC; empty for the one that is there.
        both_ways: visit the set-points up and down, so that a steady drift cancels.
        warm_up_s: longest window of the warm-up check.
        patience_s: how long to wait for warm-up, and for each set-point, to become steady.
        skip_warm_up: make no warm-up check; the report says so.
        sensors: names of those that are calibrated; every one that can be at once where empty.
        blackbody_emissivity: None where it equals the wearable's own setting.

    Raises UsageError for values that make no calibration.
    """

    set_points: tuple[float, ...] = (30.0, 37.0)
    hold_out: tuple[float, ...] = (34.7,)
    pictures: int = 256
    hold_out_pictures: int = 256
    ambients: tuple[float, ...] = ()
    both_ways: bool = False
    warm_up_s: float = WARM_UP_S
    patience_s: float = 360.0
    skip_warm_up: bool = False
    blackbody_emissivity: float | None = None
    sensors: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(set(self.set_points)) < 2 or max(self.set_points) - min(self.set_points) < SMALLEST_SPAN_K:
            raise UsageError(
                f"The set-points must be two or more, {SMALLEST_SPAN_K:g} K or more apart; "
                "use for example --set-points 30,37."
            )
        _within("--set-points", self.set_points)
        _within("--hold-out", self.hold_out)
        if not self.hold_out:
            raise UsageError("A calibration is judged at a hold-out point; give one with --hold-out 34.7.")
        both = sorted(set(self.set_points) & set(self.hold_out))
        if both:
            raise UsageError(
                f"{both[0]:g} degC is a set-point and a hold-out point, and a hold-out is never fitted; choose another."
            )
        if min(self.pictures, self.hold_out_pictures) < FEWEST_PICTURES:
            raise UsageError(f"Fewer than {FEWEST_PICTURES} readings tell no noise; raise --pictures.")
        for ambient in self.ambients:
            if not -20 <= ambient <= 60:
                raise UsageError(f"An ambient of {ambient:g} degC is outside -20 to 60 degC; change --ambients.")
        if self.blackbody_emissivity is not None and not 0.5 <= self.blackbody_emissivity <= 1:
            raise UsageError("The blackbody's emissivity must lie between 0.5 and 1; see its certificate.")

    @property
    def order(self) -> tuple[float, ...]:
        """Set-points as visited at one ambient."""
        return self.set_points + (tuple(reversed(self.set_points)) if self.both_ways else ())

    def to_map(self) -> dict[str, object]:
        """As JSON-ready values."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def pictures_of(quick: bool, pictures: int | None = None) -> dict[str, Any]:
    """Fields of `Settings` that say how long a run takes.

    Args:
        quick: under a minute, with a short warm-up check.
        pictures: at each point; None for what suits.
    """
    if quick:
        few = pictures or QUICK_PICTURES
        return {"pictures": few, "hold_out_pictures": HOLD_OUT_FACTOR_QUICK * few, "warm_up_s": 0.0}
    many = pictures or CAREFUL_PICTURES
    return {"pictures": many, "hold_out_pictures": many, "warm_up_s": WARM_UP_S}


def paced(settings: Settings, readings_per_second: float) -> Settings:
    """Settings for a sensor slower than a camera: as long at each set-point, but never fewer readings than tell noise."""

    def fewer(pictures: int) -> int:
        return max(FEWEST_PICTURES, min(pictures, round(pictures * readings_per_second / USUAL_PER_SECOND)))

    return replace(settings, pictures=fewer(settings.pictures), hold_out_pictures=fewer(settings.hold_out_pictures))


def default_hold_out(set_points: tuple[float, ...]) -> tuple[float, ...]:
    """Hold-out points for given set-points: one with 2 or 3 of them, up to four with more, all inside their range.

    Where none of the usual ones fits, it is the middle of the widest gap.
    """
    if len(set(set_points)) < 2:
        return HOLD_OUTS[:1]
    low, high = min(set_points), max(set_points)
    inside = [point for point in HOLD_OUTS if low < point < high and point not in set_points]
    if len(set_points) < 4:
        middle = low + 0.6 * (high - low)
        inside = sorted(inside, key=lambda point: abs(point - middle))[:1]
    widest = max(pairwise(sorted(set_points)), key=lambda gap: gap[1] - gap[0])
    return tuple(inside) or (sum(widest) / 2,)


def _within(option: str, points: tuple[float, ...]) -> None:
    for point in points:
        if not LOWEST_C <= point <= HIGHEST_C:
            raise UsageError(
                f"{point:g} degC in {option} is outside {LOWEST_C:g} to {HIGHEST_C:g} degC; give temperatures in degC."
            )
