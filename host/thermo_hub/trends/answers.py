"""What the routes of trends answer. Times are milliseconds since 1970 UTC."""

from thermo_hub.described import Answer


class TrendedWearable(Answer):
    """A wearable of which there are trends.

    Attributes:
        wearable: id; for a researcher a pseudonym, by which other routes know it too.
        profile: name of what it is.
        label: what people call it; "" for a researcher.
    """

    wearable: str
    profile: str
    label: str


class Trended(Answer):
    """Wearables of which there are trends.

    Attributes:
        wearables: each, those that were here last first.
        notice: that they inform only.
    """

    wearables: list[TrendedWearable]
    notice: str


class Series(Answer):
    """A series.

    Attributes:
        name: as "skin.max" or "core.core".
        label: what people call it.
        unit: of its numbers.
    """

    name: str
    label: str
    unit: str


class AllSeries(Answer):
    """What there are trends of.

    Attributes:
        series: of a wearable.
        notice: that they inform only.
    """

    series: list[Series]
    notice: str


class Columns(Series):
    """Roll-ups of a series, as columns of the same length: a row is a stretch of time in which something came.

    Attributes:
        name, label, unit: of the series.
        start_ms: of the stretch.
        n: samples.
        doubtful: samples left out.
        lost: blocks that did not come.
        calibration: id of the one in use; "" for none.
        low, p5, mean, p95, high: of the samples.
        uncertainty: of the calibration, k = 2.
        ambient: degC around the sensor.
    """

    start_ms: list[int]
    n: list[int]
    doubtful: list[int]
    lost: list[int]
    calibration: list[str]
    low: list[float | None]
    p5: list[float | None]
    mean: list[float | None]
    p95: list[float | None]
    high: list[float | None]
    uncertainty: list[float | None]
    ambient: list[float | None]


class Trends(Answer):
    """Roll-ups in a window.

    Attributes:
        width: minute, hour or day.
        width_ms: of a stretch.
        from_ms: begin of the window.
        to_ms: its end.
        series: columns of each.
        notice: that they inform only.
    """

    width: str
    width_ms: int
    from_ms: int
    to_ms: int
    series: list[Columns]
    notice: str


class UsualHour(Answer):
    """What is usual in an hour of the day.

    Attributes:
        centre: median of the hour's means.
        spread: of them.
        days: that it was learned of.
    """

    centre: float
    spread: float
    days: int


class Usual(Answer):
    """What is usual of a wearer.

    Attributes:
        hours: of a day, from midnight; None where it is not known.
        day_ms: begin of the day that it holds for.
    """

    hours: list[UsualHour | None]
    day_ms: int


class Night(Answer):
    """A night, from noon to noon.

    Attributes:
        night_of: date of its evening.
        woke: date of its morning.
        from_ms: begin.
        to_ms: end.
    """

    night_of: str
    woke: str
    from_ms: int
    to_ms: int


class Nights(Answer):
    """The last nights.

    Attributes:
        wearable: id.
        nights: newest first.
    """

    wearable: str
    nights: list[Night]
