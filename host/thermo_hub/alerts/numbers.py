"""From what a wearable says to the one number that a rule compares, and its unit."""

import math
from collections.abc import Sequence

import numpy as np

from thermo_core.errors import SchemaError
from thermo_core.graph.plan import Plan
from thermo_core.quality import DOUBTFUL
from thermo_core.signals import Signal, Values
from thermo_core.wearable.condition import slug
from thermo_core.wearable.profile import Model
from thermo_host.screen.layout import is_picture, picture
from thermo_hub.alerts.watches import (
    AsymmetryWatch,
    BatteryWatch,
    FindingWatch,
    RegionWatch,
    SignalWatch,
    Span,
    Statistic,
)

OfSignal = SignalWatch | RegionWatch | AsymmetryWatch | BatteryWatch
"""Watches of one sample of one signal."""
_VOLT, _PERCENT = "V", "%"


def difference_unit(unit: str) -> str:
    """Unit of the difference of two numbers."""
    return "K" if unit == "degC" else unit


def slope_unit(unit: str) -> str:
    """Unit of a change in time."""
    return f"{difference_unit(unit)}/h" if unit else "1/h"


def signal_of(watch: OfSignal, plan: Plan) -> Signal:
    """The signal that a watch is of.

    Raises:
        SchemaError: the wearable has none such, or not such a part of it; a clause.
    """
    if isinstance(watch, BatteryWatch) and watch.signal is None:
        signal = next((one for one in plan.signals.values() if one.unit == _VOLT and one.elements == 1), None)
        if signal is None:
            raise SchemaError("it has no signal in V")
        return signal
    name = watch.signal
    signal = plan.signals.get(name or "")
    if signal is None:
        raise SchemaError(f"it has no signal {name!r:.80}")
    _check_place(watch, signal)
    return signal


def unit_of(watch: OfSignal, signal: Signal) -> str:
    """Of the number that is compared."""
    return difference_unit(signal.unit) if isinstance(watch, AsymmetryWatch) else signal.unit


def number_of(watch: OfSignal, values: Values) -> float:
    """The number that a sample has; NaN where it has none.

    Args:
        watch: that fits the signal (`signal_of`).
        values: of the sample.
    """
    if isinstance(watch, RegionWatch):
        return _statistic(_part(picture(values), watch.rows, watch.columns), watch.of)
    flat = values.reshape(-1)
    if isinstance(watch, AsymmetryWatch):
        if watch.elements is not None:
            return float(flat[watch.elements[0]]) - float(flat[watch.elements[1]])
        image = picture(values)
        columns = watch.columns or (0, image.shape[1] // 2)
        mirrored = (image.shape[1] - columns[1], image.shape[1] - columns[0])
        return _statistic(_part(image, watch.rows, columns), "mean") - _statistic(
            _part(image, watch.rows, mirrored), "mean"
        )
    return float(flat[watch.element if isinstance(watch, SignalWatch) else 0])


def output_of(watch: FindingWatch, models: Sequence[Model]) -> tuple[int, int, str]:
    """Number of the model, place of the output, and its unit.

    Raises:
        SchemaError: the wearable has none such; a clause.
    """
    for number, model in enumerate(models):
        if model.name == watch.model:
            slugs = [slug(text) for text in model.outputs]
            if slug(watch.output) not in slugs:
                raise SchemaError(f"its model {watch.model} says {', '.join(slugs)}, not {slug(watch.output)!r:.60}")
            place = slugs.index(slug(watch.output))
            return number, place, "" if model.quantities is None else model.quantities[place].unit
    raise SchemaError(f"it has no model {watch.model!r:.60}")


def believed(value: float, flags: int) -> bool:
    """Whether a number may move an alert."""
    return not math.isnan(value) and not flags & DOUBTFUL


def _check_place(watch: OfSignal, signal: Signal) -> None:
    if isinstance(watch, SignalWatch):
        places: tuple[int, ...] = (watch.element,)
    elif isinstance(watch, AsymmetryWatch) and watch.elements is not None:
        places = watch.elements
    elif isinstance(watch, BatteryWatch):
        if signal.unit not in (_VOLT, _PERCENT):
            raise SchemaError(f"its signal {signal.name} is in {signal.unit or 'no unit'}, not V or %")
        places = (0,)
    else:
        if not is_picture(signal):
            raise SchemaError(f"its signal {signal.name} is no picture")
        shape = picture(np.zeros(signal.shape, np.float32)).shape
        for span, size, what in ((watch.rows, shape[0], "rows"), (watch.columns, shape[1], "columns")):
            if span is not None and not span[0] < span[1] <= size:
                raise SchemaError(f"its picture {signal.name} has {size} {what}, not {span[0]} to {span[1]}")
        return
    if max(places) >= signal.elements:
        raise SchemaError(f"its signal {signal.name} has {signal.elements} numbers, counted from 0")


def _part(image: Values, rows: Span | None, columns: Span | None) -> Values:
    return image[slice(*rows) if rows else slice(None), slice(*columns) if columns else slice(None)]


def _statistic(values: Values, of: Statistic) -> float:
    known = values[np.isfinite(values)]
    if not known.size:
        return math.nan
    match of:
        case "min":
            return float(known.min())
        case "max":
            return float(known.max())
        case "mean":
            return float(known.mean(dtype=np.float64))
        case "median":
            return float(np.median(known))
        case _:
            return float(np.percentile(known, 5 if of == "p5" else 95))
