"""Watches one wearable: what it says moves a machine for each rule that holds for it (`thermo_core.graph.alerts`)."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import msgspec

from thermo_core.errors import CorrectionError, SchemaError
from thermo_core.graph.alert_plan import AlertPlan
from thermo_core.graph.alert_plan import Watch as PlannedWatch
from thermo_core.graph.alerts import AlertChange, AlertMachine, AlertState
from thermo_core.recording.session import Session
from thermo_core.wearable.profile import Alert, Profile
from thermo_hub.alerts.numbers import (
    believed,
    difference_unit,
    number_of,
    output_of,
    signal_of,
    slope_unit,
    unit_of,
)
from thermo_hub.alerts.rules import OWN, Rule, RuleSet, comparison, for_wearable
from thermo_hub.alerts.slopes import Slope
from thermo_hub.alerts.watches import (
    AgeWatch,
    CalibrationAgeWatch,
    DeviationWatch,
    FindingWatch,
    LossesWatch,
    ProfileWatch,
    SlopeWatch,
    UncertaintyWatch,
    Watched,
)
from thermo_hub.events import Found, Measured, Rolled, Sampled, Stepped

DAY_S = 86_400.0
COVERAGE = 2.0
"""Factor between a standard and an expanded uncertainty."""
SLOW_S = 60.0
"""How often what changes with the days is looked at."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A condition began to hold, or is over.

    Attributes:
        rule: whose.
        begins: whether it began.
        condition: in words.
        value: that moved it; None where the wearable says so.
        unit: of the value.
        personal: whether the condition is of this wearer alone.
        acknowledged: whether somebody has said on the wearable itself that they have seen it.
    """

    rule: Rule
    begins: bool
    condition: str
    value: float | None
    unit: str
    personal: bool = False
    acknowledged: bool = False


@dataclass(slots=True)
class _Armed:
    """A rule at work.

    Attributes:
        rule: it.
        machine: its state; None where the wearable has it.
        key: what it listens to: a signal's name, a model's, or another kind of news.
        unit: of the number.
        take: the number that news has, and its flags; None for none now.
        personal: whether its condition is of this wearer alone.
    """

    rule: Rule
    machine: AlertMachine | None
    key: tuple[str, str]
    unit: str
    take: Callable[[object], tuple[float, int] | None]
    personal: bool = False
    reset: Callable[[], None] = field(default=lambda: None)


class Watcher:
    """Rules of one wearable at work.

    Args:
        wearable: its id.
        age_s: seconds since a sensor, or the most silent one, spoke; None where none is expected.

    Attributes:
        problems: why a rule cannot hold for this wearable, a clause, by the name of the rule.
    """

    def __init__(self, wearable: str, age_s: Callable[[str | None], float | None]) -> None:
        self.wearable = wearable
        self.problems: dict[str, str] = {}
        self._age_s = age_s
        self._armed: list[_Armed] = []
        self._by_key: dict[tuple[str, str], list[_Armed]] = {}
        self._session: Session | None = None
        self._slow_s = -math.inf

    @property
    def names(self) -> set[str]:
        """Of rules that are at work."""
        return {one.rule.name for one in self._armed}

    def arm(self, session: Session, rules: RuleSet, raised: Iterable[str]) -> None:
        """Begin to watch by these rules.

        Args:
            session: what the wearable is.
            rules: of the hub.
            raised: names of those whose alerts are open already.
        """
        self._session, self._armed, self.problems, self._slow_s = session, [], {}, -math.inf
        standing = set(raised)
        for rule in for_wearable(rules, self.wearable, own_rules(session.profile)).values():
            try:
                one = self._arm(rule, rules, session)
            except SchemaError as error:
                self.problems[rule.name] = str(error)
                continue
            if one.machine is not None and rule.name in standing:
                one.machine.stand(AlertChange(0, AlertState.RAISED, 0, math.nan, 0))
            self._armed.append(one)
        self._by_key = {}
        for one in self._armed:
            self._by_key.setdefault(one.key, []).append(one)

    def interrupt(self) -> None:
        """What came before a gap counts towards nothing any more."""
        for one in self._armed:
            one.reset()
            if one.machine is not None:
                one.machine.interrupt(0)

    def take(self, event: Sampled | Found | Measured | Stepped | Rolled) -> list[Turn]:
        """What follows from something that came."""
        if isinstance(event, Sampled):
            return self._push(("signal", event.signal.name), event, event.utc_ns // 1000)
        if isinstance(event, Found):
            return self._push(("model", event.model), event, event.utc_ns // 1000)
        if isinstance(event, Rolled):
            return self._push(("series", event.series), event, event.start_ns // 1000)
        if isinstance(event, Stepped):
            return self._stepped(event)
        turns = self._push(("line", ""), event, event.at_ns // 1000)
        if event.at_ns / 1e9 - self._slow_s >= SLOW_S:
            self._slow_s = event.at_ns / 1e9
            turns += self._push(("calibration", ""), event, event.at_ns // 1000)
        return turns

    def _push(self, key: tuple[str, str], event: object, time_us: int) -> list[Turn]:
        turns = []
        for one in self._by_key.get(key, ()):
            number = one.take(event)
            if number is None or one.machine is None:
                continue
            change = one.machine.push(*number, time_us)
            if change is not None and change.state in (AlertState.RAISED, AlertState.CLEAR):
                turns.append(self._turn(one, change.state is AlertState.RAISED, number[0]))
        return turns

    def _turn(self, one: _Armed, begins: bool, value: float | None, acknowledged: bool = False) -> Turn:
        words = one.rule.when
        if isinstance(one.rule.watch, ProfileWatch):
            alerts = self._session.profile.alerts if self._session is not None else ()
            words = next((alert.when for alert in alerts if alert.name == one.rule.watch.alert), "")
        return Turn(one.rule, begins, words, value, one.unit, one.personal, acknowledged)

    def _stepped(self, event: Stepped) -> list[Turn]:
        turns = []
        for one in self._by_key.get(("alert", event.alert), ()):
            change = event.record.change
            value = None if math.isnan(change.value) else change.value
            if change.state in (AlertState.RAISED, AlertState.ACKNOWLEDGED):
                turns.append(self._turn(one, True, value, change.state is AlertState.ACKNOWLEDGED))
            elif change.state is AlertState.CLEAR:
                turns.append(self._turn(one, False, value))
        return turns

    def _arm(self, rule: Rule, rules: RuleSet, session: Session) -> _Armed:
        compared = comparison(rule, rules, self.wearable)
        if compared.personal:
            words = next(one for one in rules.personal if (one.rule, one.wearable) == (rule.name, self.wearable))
            rule = msgspec.structs.replace(rule, when=words.when, clear=words.clear)
        key, unit, take, reset = self._source(rule.watch, session)
        machine = None
        if compared.when is not None:
            if compared.when.unit not in ("", unit):
                raise SchemaError(f"it compares {compared.when.unit} with what is in {unit or 'no unit'}")
            alert = Alert(name=rule.name, when=rule.when, after=rule.after, clear=rule.clear)
            plan = AlertPlan(alert, PlannedWatch(None, rule.name, 0, unit), compared.when, compared.clear)
            machine = AlertMachine(plan, 0)
        return _Armed(rule, machine, key, unit, take, compared.personal, reset)

    def _source(
        self, watch: Watched, session: Session
    ) -> tuple[tuple[str, str], str, Callable[[object], tuple[float, int] | None], Callable[[], None]]:
        """What a watch listens to, in what unit, how its number is taken, and how it begins anew."""
        match watch:
            case SlopeWatch():
                key, unit, take, _ = self._source(watch.of, session)
                slope = Slope(watch.over_s)
                return key, slope_unit(unit), lambda event: _slope(slope, take(event), event), slope.reset
            case FindingWatch():
                _, place, unit = output_of(watch, session.profile.models)
                return ("model", watch.model), unit, lambda event: _output(event, place), _nothing
            case DeviationWatch():
                return ("series", watch.series), self._series_unit(watch.series, session), _deviation, _nothing
            case AgeWatch():
                return ("line", ""), "s", lambda _: _plain(self._age_s(watch.sensor)), _nothing
            case LossesWatch():
                losses = _Losses(watch.over_s)
                return ("line", ""), "", losses.take, losses.reset
            case CalibrationAgeWatch():
                return ("calibration", ""), "d", lambda _: _calibration_age(session, watch.sensor), _nothing
            case UncertaintyWatch():
                unit = _uncertainty_unit(session, watch)
                return ("calibration", ""), unit, lambda _: _uncertainty(session, watch), _nothing
            case ProfileWatch():
                return ("alert", watch.alert), "", lambda _: None, _nothing
        signal = signal_of(watch, session.plan)
        return ("signal", signal.name), unit_of(watch, signal), lambda event: _sample(event, watch), _nothing

    def _series_unit(self, series: str, session: Session) -> str:
        name = series.partition(".")[0]
        signal = session.plan.signals.get(series.rpartition(".")[0]) or session.plan.signals.get(name)
        return difference_unit(signal.unit) if signal is not None else ""


def own_rules(profile: Profile) -> dict[str, Rule]:
    """Rules that are the alerts of a profile, by name."""
    return {
        f"{OWN}{alert.name}": Rule(
            name=f"{OWN}{alert.name}",
            watch=ProfileWatch(alert=alert.name),
            severity=alert.severity,
            text=alert.text or f"{alert.name}: {alert.when}",
        )
        for alert in profile.alerts
    }


def _nothing() -> None:
    pass


def _plain(value: float | None) -> tuple[float, int] | None:
    return None if value is None else (value, 0)


def _sample(event: object, watch: object) -> tuple[float, int] | None:
    assert isinstance(event, Sampled)
    return number_of(watch, event.values), event.flags  # type: ignore[arg-type]


def _output(event: object, place: int) -> tuple[float, int] | None:
    assert isinstance(event, Found)
    values = event.record.values
    return (float(values[place]), event.record.flags) if place < len(values) else None


def _deviation(event: object) -> tuple[float, int] | None:
    assert isinstance(event, Rolled)
    return _plain(event.deviation)


def _slope(slope: Slope, number: tuple[float, int] | None, event: object) -> tuple[float, int] | None:
    if number is None or not believed(*number):
        return None
    at_ns = event.utc_ns if isinstance(event, Sampled | Found) else time.time_ns()
    found = slope.push(at_ns / 1e9, number[0])
    return None if found is None else (found, number[1])


class _Losses:
    """Share of blocks that did not come, of the last so many seconds."""

    def __init__(self, over_s: float) -> None:
        self._over_s = over_s
        self._seen: deque[tuple[float, int, int]] = deque()

    def reset(self) -> None:
        self._seen.clear()

    def take(self, event: object) -> tuple[float, int] | None:
        assert isinstance(event, Measured)
        if event.silent:
            return None
        missing, came = event.statistics.missing, sum(event.statistics.moments.values())
        if self._seen and (missing < self._seen[-1][1] or came < self._seen[-1][2]):
            self._seen.clear()
        self._seen.append((event.at_ns / 1e9, missing, came))
        while len(self._seen) > 2 and self._seen[-1][0] - self._seen[1][0] >= self._over_s:
            self._seen.popleft()
        (first_s, missing_first, came_first), (last_s, _, _) = self._seen[0], self._seen[-1]
        lost, good = missing - missing_first, came - came_first
        if last_s - first_s < self._over_s or not lost + good:
            return None
        return lost / (lost + good), 0


def _stamps(session: Session, sensor: str | None) -> Iterable[tuple[int, float, str]]:
    """Date, RMS of what is left, and unit of the corrections in use."""
    for number, (settings, state) in enumerate(zip(session.profile.sensors, session.hello.sensors, strict=False)):
        if state.corrected and sensor in (None, settings.name):
            try:
                correction = session.correction(number)
            except CorrectionError:
                continue
            if correction is not None:
                stamp = correction.stamp
                yield stamp.created_unix_s, stamp.residual_rms, difference_unit(settings.signals[0].unit)


def _calibration_age(session: Session, sensor: str | None) -> tuple[float, int] | None:
    dates = [created for created, _, _ in _stamps(session, sensor) if created]
    return _plain((time.time() - min(dates)) / DAY_S) if dates else None


def _uncertainty_unit(session: Session, watch: UncertaintyWatch) -> str:
    if watch.model is not None:
        spreads = _spreads(session, watch.model)
        if not spreads:
            raise SchemaError(f"it has no model {watch.model!r:.60} that says quantities")
        return max(spreads)[1]
    units = [unit for _, _, unit in _stamps(session, watch.sensor)]
    return units[0] if units else ""


def _uncertainty(session: Session, watch: UncertaintyWatch) -> tuple[float, int] | None:
    if watch.model is not None:
        return _plain(max(_spreads(session, watch.model))[0])
    found = [COVERAGE * residual for _, residual, _ in _stamps(session, watch.sensor)]
    return _plain(max(found)) if found else None


def _spreads(session: Session, model: str) -> list[tuple[float, str]]:
    return [
        (one.spread, difference_unit(one.unit))
        for known in session.profile.models
        if known.name == model
        for one in known.quantities or ()
    ]
