"""Computing a recording again: with its own graph, or another wearable's, or other networks; and where verdicts differ."""

import itertools
import math
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np

from thermo_core.bundle import Bundle
from thermo_core.errors import ProfileError, UsageError
from thermo_core.graph.alerts import AlertChange, AlertState
from thermo_core.graph.engine import Outcome, Said
from thermo_core.graph.network import Network
from thermo_core.graph.plan import plan
from thermo_core.recording.session import Session
from thermo_core.sensors.kind import Block, SensorConstants
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wearable.profile import Model, Profile
from thermo_core.wire.records import AlertRecord, FindingRecord
from thermo_host.link.items import Item, Telemetry
from thermo_host.stream.decoding import DecodeSettings, Decoding

NEAREST = 8
"""Waiting findings that are looked through for one of nearly the same moment."""
NEARLY = 0.55
"""Of the time between two findings: a recording that begins between the halves of a picture pairs halves as the device did not."""
WAITING = 4096
"""Findings that wait for their counterpart; they come within seconds of one another."""
NEXT_TO = 1e-4
"""Differences of scores, and of quantities in their unit, below this are of rounding on the line."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a model said of a moment, comparable between two ways of making it.

    Attributes:
        words: label, or quantities with their units.
        values: scores or quantities; empty where there is no value.
        flags: `Quality`.
    """

    words: str
    values: tuple[float, ...]
    flags: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A moment of which a model said something else.

    Attributes:
        utc_ns: nanoseconds since 1970 UTC.
        model: its name.
        recorded, again: what was said.
    """

    utc_ns: int
    model: str
    recorded: Verdict
    again: Verdict


@dataclass(slots=True)
class Compared:
    """One model's findings.

    Attributes:
        both: moments of which there is a finding now and then; nearly the same where pictures are made of other halves.
        same: of these, with the same label or the same quantities.
        greatest: difference of any value.
        recorded_only: recorded and not computed again, because of what came before the recording or was lost.
        again_only: computed again and not recorded, as what a device that was busy passed over.
        fetched: recorded, and made of blocks that never came: what the device kept while the line was lost.
    """

    both: int = 0
    same: int = 0
    greatest: float = 0.0
    recorded_only: int = 0
    again_only: int = 0
    fetched: int = 0


@dataclass(slots=True)
class Raised:
    """How often an alert was raised: in the recording, and again."""

    recorded: int = 0
    again: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What runs instead of what ran.

    Attributes:
        profile: another wearable over the same sensors; None takes the recording's.
        networks: by the names of models.
        settings: how blocks become signals.
    """

    profile: Profile | None = None
    networks: Mapping[str, Network] = field(default_factory=dict)
    settings: DecodeSettings = field(default_factory=DecodeSettings)


def of_bundle(bundle: Bundle) -> Mapping[str, Network]:
    """Its networks, ready to run.

    Raises:
        ModelError: one is malformed.
        UsageError: no runtime is installed.
    """
    return {name: Int8Network(network) for name, network in bundle.networks.items()}


class Rerun:
    """Takes a recording item by item, runs its blocks again and compares.

    Args:
        session: whose it is at the start.
        wanted: what runs instead.
        tell: told what comes of each block.

    Attributes:
        decoding: at work.
        models: what was compared, by the name of the model.
        differences: the first few moments of which something else is said, and `different` their number.
        alerts: by name.

    Raises:
        UsageError: the other wearable has other sensors, or does not fit together.
    """

    MOST = 1000

    def __init__(
        self,
        session: Session,
        wanted: Wanted,
        tell: Callable[[Telemetry, Outcome], None] = lambda item, outcome: None,
    ) -> None:
        self._wanted = wanted
        self._tell = tell
        self._recorded = session.profile
        seen, self._numbers = seen_as(session, wanted.profile or session.profile)
        self.decoding = Decoding(seen, wanted.settings, wanted.networks)
        self.models: dict[str, Compared] = {}
        self.alerts: dict[str, Raised] = {}
        self.differences: list[Difference] = []
        self.different = 0
        self._newest_us: dict[str, int] = {}
        self._apart_us: dict[str, int] = {}
        self._waiting: dict[bool, OrderedDict[tuple[str, int], tuple[Verdict, int]]] = {
            True: OrderedDict(),
            False: OrderedDict(),
        }

    def push(self, item: Item) -> None:
        """Take an item.

        Raises:
            UsageError: another session holds, and the other wearable has not its sensors.
        """
        if isinstance(item, Session):
            self._recorded = item.profile
            seen, self._numbers = seen_as(item, self._wanted.profile or item.profile)
            self.decoding.follow(seen)
        elif isinstance(item, Telemetry):
            self._push(item)

    def expect(self, blocks: Sequence[Block]) -> None:
        """Announce the blocks that will be pushed next, as `Engine.expect`."""
        self.decoding.expect([block for one in blocks if (block := self._block(one)) is not None])

    def end(self) -> None:
        """Nothing comes any more: what has no counterpart will have none."""
        for again, waiting in self._waiting.items():
            for name, _ in waiting:
                self._alone(name, again)
            waiting.clear()

    def computes(self, alert: str) -> bool:
        """Whether an alert is computed again: what it watches runs."""
        plan = self.decoding.plan
        watches = {one.alert.name: one.watch.model for one in plan.alerts}
        model = watches.get(alert)
        return alert in watches and (model is None or plan.profile.models[model].name in self._wanted.networks)

    def _push(self, item: Telemetry) -> None:
        record = item.record
        if isinstance(record, Block):
            block = self._block(record)
            if block is None:
                return
            outcome = self.decoding.push(block)
            self._tell(item, outcome)
            for said in outcome.said:
                self._again(said, item, record)
            self._count(outcome.changes, self.decoding.plan.profile, again=True)
        elif isinstance(record, FindingRecord) and record.model < len(self._recorded.models):
            if record.fetched:  # its blocks never came
                self.models.setdefault(self._recorded.models[record.model].name, Compared()).fetched += 1
                return
            model = self._recorded.models[record.model]
            self._meet(
                model.name, record.time_us, _verdict(model, record.values, record.flags), item.captured_ns, False
            )
        elif isinstance(record, AlertRecord):
            self._count([record.change], self._recorded, again=False)

    def _block(self, block: Block) -> Block | None:
        """A recorded block as the wearable that is computed numbers its sensors; None of a sensor that it has not."""
        number = self._numbers.get(block.sensor)
        if number is None or number == block.sensor:
            return None if number is None else block
        return replace(block, sensor=number)

    def _again(self, said: Said, item: Telemetry, block: Block) -> None:
        model = self.decoding.plan.profile.models[said.finding.model]
        if model.name not in self._wanted.networks:
            return
        found = said.finding
        utc_ns = item.captured_ns + (found.time_us - block.time_us) * 1000
        self._meet(model.name, found.time_us, _verdict(model, found.values, found.flags), utc_ns, True)

    def _meet(self, name: str, time_us: int, verdict: Verdict, utc_ns: int, again: bool) -> None:
        other = self._waiting[not again].pop((name, time_us), None)
        if not again:
            before, self._newest_us[name] = self._newest_us.get(name), time_us
            if before is not None:
                self._apart_us[name] = time_us - before
        if other is None:
            other = self._nearly(name, time_us, not again)
        if other is None:
            waiting = self._waiting[again]
            waiting[name, time_us] = verdict, utc_ns
            if len(waiting) > WAITING:
                (old, _), _ = waiting.popitem(last=False)
                self._alone(old, again)
            return
        recorded, now = (other[0], verdict) if again else (verdict, other[0])
        self._compare(name, other[1], recorded, now)

    def _nearly(self, name: str, time_us: int, again: bool) -> tuple[Verdict, int] | None:
        """The finding of nearly the same moment that waits; None where none does."""
        waiting = self._waiting[again]
        near = NEARLY * self._apart_us.get(name, 0)
        newest = itertools.islice(reversed(waiting), NEAREST)
        found = next((key for key in newest if key[0] == name and abs(key[1] - time_us) <= near), None)
        return None if found is None else waiting.pop(found)

    def _alone(self, name: str, again: bool) -> None:
        compared = self.models.setdefault(name, Compared())
        compared.again_only += again
        compared.recorded_only += not again

    def _compare(self, name: str, utc_ns: int, recorded: Verdict, again: Verdict) -> None:
        compared = self.models.setdefault(name, Compared())
        compared.both += 1
        apart = _apart(recorded.values, again.values)
        if math.isfinite(apart):
            compared.greatest = max(compared.greatest, apart)
        if recorded.words == again.words or apart <= NEXT_TO:
            compared.same += 1
            return
        self.different += 1
        if len(self.differences) < self.MOST:
            self.differences.append(Difference(utc_ns, name, recorded, again))

    def _count(self, changes: Iterable[AlertChange], profile: Profile, again: bool) -> None:
        for change in changes:
            if change.state is AlertState.RAISED and change.alert < len(profile.alerts):
                raised = self.alerts.setdefault(profile.alerts[change.alert].name, Raised())
                raised.again += again
                raised.recorded += not again


def seen_as(session: Session, profile: Profile) -> tuple[Session, dict[int, int]]:
    """A session as that of another wearable with the same sensors, and the numbers there of its sensors' numbers here.

    Raises:
        UsageError: the other wearable has a sensor that the session has not, or does not fit together.
    """
    if profile == session.profile:
        return session, {number: number for number in range(len(profile.sensors))}
    here = {sensor.name: number for number, sensor in enumerate(session.profile.sensors)}
    places = []
    for sensor in profile.sensors:
        number = here.get(sensor.name)
        kind = None if number is None else session.profile.sensors[number].kind
        if number is None or kind != sensor.kind:
            recorded = ", ".join(f"{one.name} ({one.kind})" for one in session.profile.sensors)
            raise UsageError(
                f"The other wearable has a sensor {sensor.name} ({sensor.kind}) and the recording has {recorded}; name its "
                "sensors as the recording does, and leave out what was not recorded."
            )
        places.append(number)
    try:
        plan(profile)
    except ProfileError as error:
        raise UsageError(f"The other wearable does not fit together: {error}.") from error
    states = tuple(session.hello.sensors[number] for number in places)
    constants = {
        there: session.constants.get(number, SensorConstants(states[there].constants, b""))
        for there, number in enumerate(places)
    }
    corrections = {there: session.corrections[at] for there, at in enumerate(places) if at in session.corrections}
    hello = msgspec.structs.replace(session.hello, sensors=states, profile=profile.name)
    seen = replace(session, hello=hello, profile=profile, constants=constants, corrections=corrections)
    return seen, {number: there for there, number in enumerate(places)}


def _verdict(model: Model, values: tuple[float, ...], flags: int) -> Verdict:
    if not values:
        return Verdict("no value", (), flags)
    if model.scores is not None:
        best = max(range(len(values)), key=lambda at: values[at])
        return Verdict(model.scores[best] if best < len(model.scores) else f"class {best}", values, flags)
    parts = (
        f"{one.name} {value:.4g} {one.unit}".rstrip()
        for one, value in zip(model.quantities or (), values, strict=False)
    )
    return Verdict(", ".join(parts), values, flags)


def _apart(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Greatest difference of two verdicts' values; infinite where they cannot be compared."""
    if len(one) != len(other):
        return math.inf
    if not one:
        return 0.0
    first, second = np.asarray(one), np.asarray(other)
    if (np.isnan(first) != np.isnan(second)).any():
        return math.inf
    return float(np.nanmax(np.abs(first - second), initial=0.0))
