"""What alerts of a profile look at: conditions read, and checked against models and signals."""

from collections.abc import Mapping
from dataclasses import dataclass

from thermo_core.errors import ProfileError, SchemaError
from thermo_core.signals import Signal
from thermo_core.wearable.condition import Condition, parse, slug
from thermo_core.wearable.profile import Alert, Profile


@dataclass(frozen=True, slots=True)
class Watch:
    """What an alert looks at.

    Attributes:
        model: number of the model whose finding it is; None for a signal.
        signal: name of the signal, or of what the model's findings are read from.
        place: of the number within the finding or the signal.
        unit: of that number; "" for a pure one.
    """

    model: int | None
    signal: str
    place: int
    unit: str = ""


@dataclass(frozen=True, slots=True)
class AlertPlan:
    """An alert with its conditions read.

    Attributes:
        alert: as the profile has it.
        watch: what it looks at.
        when: the condition.
        clear: when it is over; None where that is when `when` does not hold.
    """

    alert: Alert
    watch: Watch
    when: Condition
    clear: Condition | None


def plan_alert(number: int, profile: Profile, signals: Mapping[str, Signal]) -> AlertPlan:
    """Read the conditions of a profile's alert of that number.

    Raises:
        ProfileError: a condition is none, or of something that is not there, of another unit or of several numbers; `path` says which.
    """
    alert = profile.alerts[number]
    path = f".alerts[{number}]"
    if any(other.name == alert.name for other in profile.alerts[:number]):
        raise ProfileError(f'there are two alerts "{alert.name}"; give each a name of its own', path)
    try:
        when = parse(alert.when)
        clear = None if alert.clear is None else parse(alert.clear)
    except SchemaError as error:
        raise ProfileError(f'alert "{alert.name}": {error}', path) from None
    watch = _watch(alert, when, profile, signals, path)
    for field, condition in (("when", when), ("clear", clear)):
        if condition is not None and condition.unit not in ("", watch.unit):
            raise ProfileError(
                f'alert "{alert.name}" compares {condition.number:g} {condition.unit} with "{_watched(condition)}", which is '
                + (f"in {watch.unit}" if watch.unit else "without a unit")
                + f"; watch what is in {condition.unit}, or compare with a number "
                + (f"in {watch.unit}" if watch.unit else "that has none"),
                f"{path}.{field}",
            )
    if clear is not None and _watch(alert, clear, profile, signals, path) != watch:
        raise ProfileError(f'alert "{alert.name}" is raised by one number and cleared by another; use one', path)
    return AlertPlan(alert, watch, when, clear)


def _watched(condition: Condition) -> str:
    return f"{condition.name}.{condition.part}" if condition.part else condition.name


def _watch(alert: Alert, condition: Condition, profile: Profile, signals: Mapping[str, Signal], path: str) -> Watch:
    for number, model in enumerate(profile.models):
        if model.name == condition.name and condition.part != "raw":
            slugs = [slug(text) for text in model.outputs]
            if condition.part not in slugs:
                raise ProfileError(
                    f'alert "{alert.name}" looks at "{condition.name}.{condition.part}"; the model says '
                    f"{', '.join(f'{model.name}.{one}' for one in slugs)}",
                    path,
                )
            place = slugs.index(condition.part)
            unit = "" if model.quantities is None else model.quantities[place].unit
            return Watch(number, model.reading, place, unit)
    name = _watched(condition)
    signal = signals.get(name)
    if signal is None:
        raise ProfileError(f'alert "{alert.name}" looks at "{name}", and there is no such model or signal', path)
    if condition.element is None and signal.elements != 1:
        raise ProfileError(
            f'alert "{alert.name}" looks at "{name}", which has {signal.elements} numbers; say {name}[0]', path
        )
    place = condition.element or 0
    if place >= signal.elements:
        raise ProfileError(
            f'alert "{alert.name}" looks at {name}[{place}] of {signal.elements} numbers, counted from 0', path
        )
    return Watch(None, name, place, signal.unit)
