"""What a rule of an alert may look at: one number each, again and again, of one wearable."""

from typing import Annotated, Literal

from msgspec import Meta

from thermo_core.schema import Name, Record, Text

DAY_S = 86_400.0

Signal = Annotated[str, Meta(min_length=1, max_length=80)]
Row = Annotated[int, Meta(ge=0, le=1023)]
Span = tuple[Row, Annotated[int, Meta(ge=1, le=1024)]]
"""First, and one past the last."""
Statistic = Literal["min", "p5", "mean", "median", "p95", "max"]


class Watch(Record, frozen=True, tag_field="kind"):
    """What a rule looks at: a number, again and again, of one wearable."""


class SignalWatch(Watch, frozen=True, tag="signal"):
    """A number of a signal.

    Attributes:
        signal: its name.
        element: place within it.
    """

    signal: Signal
    element: Row = 0


class FindingWatch(Watch, frozen=True, tag="finding"):
    """What a model says.

    Attributes:
        model: its name.
        output: name of a quantity, or label of a score.
    """

    model: Name
    output: Text


class RegionWatch(Watch, frozen=True, tag="region"):
    """A number of a part of a picture.

    Attributes:
        signal: the picture.
        rows, columns: from, and up to without the last; the whole picture where left out.
        of: which number.
    """

    signal: Signal
    rows: Span | None = None
    columns: Span | None = None
    of: Statistic = "mean"


class AsymmetryWatch(Watch, frozen=True, tag="asymmetry"):
    """How much warmer one side is than the other.

    Either of a picture: the mean of a region less that of the region mirrored left to right; or of a signal of few numbers: one
    element less another.

    Attributes:
        signal: its name.
        rows, columns: of the region of a picture; its left half where left out.
        elements: or the two places of a signal of few numbers.
    """

    signal: Signal
    rows: Span | None = None
    columns: Span | None = None
    elements: tuple[Row, Row] | None = None


class SlopeWatch(Watch, frozen=True, tag="slope"):
    """How fast a number changes, in its unit an hour: the least-squares line through a stretch of time.

    Attributes:
        of: the number.
        over_s: length of the stretch.
    """

    of: SignalWatch | FindingWatch | RegionWatch | AsymmetryWatch
    over_s: Annotated[float, Meta(ge=10, le=DAY_S)] = 600.0


class DeviationWatch(Watch, frozen=True, tag="deviation"):
    """How far the mean of a minute is from what is usual of this wearer at this time of day, in the unit of the series.

    Attributes:
        series: of trends, as "skin.max" or "spots.0".
    """

    series: Signal


class AgeWatch(Watch, frozen=True, tag="age"):
    """Seconds since a sensor said anything.

    Attributes:
        sensor: its name; the one that is silent longest where left out.
    """

    sensor: Name | None = None


class LossesWatch(Watch, frozen=True, tag="losses"):
    """Share of blocks that did not come, 0 to 1.

    Attributes:
        over_s: of the last so many seconds.
    """

    over_s: Annotated[float, Meta(ge=5, le=DAY_S)] = 60.0


class BatteryWatch(Watch, frozen=True, tag="battery"):
    """Supply of the wearable.

    Attributes:
        signal: that tells it, in V or %; the first in V where left out.
    """

    signal: Signal | None = None


class CalibrationAgeWatch(Watch, frozen=True, tag="calibration_age"):
    """Days since a sensor was calibrated; no number where it never was.

    Attributes:
        sensor: its name; the one calibrated longest ago where left out.
    """

    sensor: Name | None = None


class UncertaintyWatch(Watch, frozen=True, tag="uncertainty"):
    """Expanded uncertainty (k = 2) of a calibration, in the unit of the sensor; of a model's quantity its spread.

    Attributes:
        sensor: its name; the least certain where neither is named.
        model: or a model, whose widest quantity counts.
    """

    sensor: Name | None = None
    model: Name | None = None


class ProfileWatch(Watch, frozen=True, tag="profile"):
    """An alert of the wearable's own profile, which the wearable itself raises and clears.

    Attributes:
        alert: its name.
    """

    alert: Name


Watched = (
    SignalWatch
    | FindingWatch
    | RegionWatch
    | AsymmetryWatch
    | SlopeWatch
    | DeviationWatch
    | AgeWatch
    | LossesWatch
    | BatteryWatch
    | CalibrationAgeWatch
    | UncertaintyWatch
    | ProfileWatch
)
