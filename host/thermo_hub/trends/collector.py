"""From events to minutes: counts the values of every series as samples come, and gives a minute once it is over."""

import hashlib
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from thermo_core.errors import CorrectionError
from thermo_core.quality import DOUBTFUL
from thermo_core.recording.session import Session
from thermo_core.signals import Signal, Values
from thermo_core.wearable.condition import slug
from thermo_host.screen.layout import is_picture, picture
from thermo_host.sinks.describe import numbers_of
from thermo_hub.events import Event, Found, Joined, Measured, Sampled
from thermo_hub.trends.keeper import MINUTE_NS, SECOND_NS, Minute
from thermo_hub.trends.rollup import STEPS, steps

FEW = 32
"""Numbers of a signal that have a series each; of pictures mean, highest and lowest have one."""
FASTEST_HZ = 20.0
"""What comes faster is a wave, and no trend."""
GRACE_NS = 5 * SECOND_NS
"""After its end, in which samples of a minute are waited for; what comes later is added to it."""
HUMIDITY = "%"
"""Unit of what a sensor of the air around tells beside its temperature."""
DIE = ".ta"
"""Ends the name of the part of a camera that tells the temperature of its die."""


@dataclass(slots=True)
class _Open:
    """A minute that goes on."""

    label: str
    unit: str
    sensors: tuple[int, ...]
    counts: Counter[int] = field(default_factory=Counter)
    doubtful: int = 0


@dataclass(slots=True)
class _Known:
    """A wearable.

    Attributes:
        session: what it is.
        ambient: signal that tells the temperature around it, or of its camera's die; "" for none.
        calibrations: id and uncertainty in steps, of each sensor that has one.
        missing: blocks that did not come until now.
    """

    session: Session
    ambient: str
    calibrations: dict[int, tuple[str, int]]
    missing: int = 0


class Collector:
    """Collects minutes of all wearables."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self._open: dict[tuple[str, int], dict[str, _Open]] = {}
        self._ambient: dict[tuple[str, int], tuple[float, int]] = {}
        self._lost: Counter[tuple[str, int]] = Counter()

    def take(self, event: Event) -> None:
        """Take an event; a handler of the bus."""
        if isinstance(event, Joined):
            before = self._known.get(event.wearable)
            self._known[event.wearable] = _Known(
                event.session, _ambient(event.session), _calibrations(event.session), before.missing if before else 0
            )
            return
        known = self._known.get(event.wearable)
        if known is None:
            return
        if isinstance(event, Measured):
            missing = event.statistics.missing
            self._lost[event.wearable, _minute(event.at_ns)] += max(0, missing - known.missing)
            known.missing = missing
        elif isinstance(event, Sampled):
            self._sample(event, known)
        elif isinstance(event, Found):
            self._finding(event, known)

    def closed(self, now_ns: int) -> list[Minute]:
        """Minutes that are over; they are forgotten here."""
        found: list[Minute] = []
        for key in [key for key in self._open if now_ns >= key[1] + MINUTE_NS + GRACE_NS]:
            found += self._minutes(*key, self._open.pop(key))
            # What comes later of the same minute is added to it, and must not tell these again.
            self._ambient.pop(key, None)
            self._lost.pop(key, None)
        for key in [key for key in (*self._ambient, *self._lost) if now_ns >= key[1] + 2 * MINUTE_NS]:
            self._ambient.pop(key, None)
            self._lost.pop(key, None)
        return found

    def everything(self) -> list[Minute]:
        """All minutes as far as they have come, when the hub ends."""
        return self.closed(max((start for _, start in self._open), default=0) + MINUTE_NS + GRACE_NS)

    def _minutes(self, wearable: str, start_ns: int, series: dict[str, _Open]) -> Iterator[Minute]:
        known = self._known[wearable]
        told = self._ambient.get((wearable, start_ns))
        for name, one in series.items():
            calibrations = [known.calibrations[at] for at in one.sensors if at in known.calibrations]
            whole = len(calibrations) == len(one.sensors) and calibrations
            yield Minute(
                wearable,
                name,
                one.label,
                one.unit,
                start_ns,
                one.counts,
                one.doubtful,
                self._lost[wearable, start_ns],
                None if told is None else steps(told[0] / told[1]),
                max(uncertainty for _, uncertainty in calibrations) if whole else None,
                _together([calibration for calibration, _ in calibrations]) if whole else "",
            )

    def _sample(self, event: Sampled, known: _Known) -> None:
        signal = event.signal
        start_ns = _minute(event.utc_ns)
        if signal.name == known.ambient:
            value = float(event.values.reshape(-1)[0])
            if math.isfinite(value):
                total, count = self._ambient.get((event.wearable, start_ns), (0.0, 0))
                self._ambient[event.wearable, start_ns] = total + value, count + 1
        if not signal.unit or (signal.rate_hz or 0.0) > FASTEST_HZ:
            return
        sensors = known.session.plan.origins(signal.name)
        doubtful = bool(event.flags & DOUBTFUL)
        for name, label, value in _numbers(signal, event.values, known.session):
            self._count(event.wearable, start_ns, name, label, signal.unit, sensors, value, doubtful)

    def _finding(self, event: Found, known: _Known) -> None:
        model = next((one for one in known.session.profile.models if one.name == event.model), None)
        if model is None:
            return
        sensors = known.session.plan.origins(model.raw)
        doubtful = bool(event.record.flags & DOUBTFUL)
        units = [one.unit for one in model.quantities or ()] or [""] * len(model.outputs)
        for output, unit, value in zip(model.outputs, units, event.record.values, strict=False):
            name = f"{model.name}.{slug(output)}"
            label = f"{model.name}: {output}"
            self._count(event.wearable, _minute(event.utc_ns), name, label, unit, sensors, float(value), doubtful)

    def _count(
        self,
        wearable: str,
        start_ns: int,
        name: str,
        label: str,
        unit: str,
        sensors: tuple[int, ...],
        value: float,
        doubtful: bool,
    ) -> None:
        minute = self._open.setdefault((wearable, start_ns), {})
        one = minute.get(name)
        if one is None:
            one = minute[name] = _Open(label[:120], unit, sensors)
        counted = None if doubtful else steps(value)
        if counted is None:
            one.doubtful += 1
        else:
            one.counts[counted] += 1


def _numbers(signal: Signal, values: Values, session: Session) -> Iterator[tuple[str, str, float]]:
    """Name, label and value of each series of a sample."""
    if is_picture(signal):
        image = picture(values)
        known = image[np.isfinite(image)]
        for name, number in (("mean", np.mean), ("max", np.max), ("min", np.min)):
            yield f"{signal.name}.{name}", f"{signal.name} {name}", float(number(known)) if known.size else math.nan
    elif signal.elements <= FEW:
        labels = numbers_of(session.profile, signal)
        flat = values.reshape(-1).tolist()
        for at, (label, value) in enumerate(zip(labels, flat, strict=True)):
            yield signal.name if len(flat) == 1 else f"{signal.name}.{at}", label, value


def _ambient(session: Session) -> str:
    signals = [sensor.signals for sensor in session.profile.sensors]
    for mine in signals:
        if len(mine) > 1 and mine[0].unit == "degC" and mine[0].elements == 1 and mine[1].unit.startswith(HUMIDITY):
            return mine[0].name
    return next((signal.name for mine in signals for signal in mine if signal.name.endswith(DIE)), "")


def _calibrations(session: Session) -> dict[int, tuple[str, int]]:
    found = {}
    for number, state in enumerate(session.hello.sensors):
        blob = session.corrections.get(number)
        if state.corrected and blob:
            try:
                correction = session.correction(number)
            except CorrectionError:
                continue
            if correction is not None:
                identity = hashlib.sha256(blob).hexdigest()[:12]
                found[number] = identity, round(2 * correction.stamp.residual_rms * STEPS)
    return found


def _together(ids: list[str]) -> str:
    unique = sorted(set(ids))
    return unique[0] if len(unique) == 1 else hashlib.sha256(" ".join(unique).encode()).hexdigest()[:12]


def _minute(at_ns: int) -> int:
    return at_ns // MINUTE_NS * MINUTE_NS
