"""Days of many wearers through a wearable's graph, networks and alerts, without a bus: what raises alerts, and how soon.

Each wearer is another person through another day of the simulator (`thermo_sim.people`): signals are made of what is true, with each
chip's errors as calibration leaves them, noise and steps (`thermo_sim.worn`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from msgspec.structs import replace as changed

from thermo_core.graph.alert_plan import AlertPlan
from thermo_core.graph.alerts import AlertMachine, AlertState
from thermo_core.graph.findings import finding
from thermo_core.graph.network import Network
from thermo_core.graph.plan import PERSON, Plan
from thermo_core.graph.series import run
from thermo_core.signals import Sample, Series
from thermo_core.stages import OPS
from thermo_core.stages.hold import Hold
from thermo_core.stages.stage import Elementwise
from thermo_core.wearable.profile import Model
from thermo_sim.around import Around
from thermo_sim.people.activities import NAMES
from thermo_sim.world_file import World
from thermo_sim.worn import Stretch, says

CAUSE_S = 3600.0
"""For how long after its end a happening is taken for a cause."""
OFTEN_ENOUGH = 0.9
"""Share of the age up to which a picture is held, after which another one is taken."""
RIGHT_S = 600.0
"""Before an alert of what is so in a body, in which it has been so: an estimate comes late."""
STEP_S = 5.0
"""Between which skin goes straight; its quickest part has a time constant of 40 s."""
SMALL = 64
"""Numbers of a sample that are no picture."""


@dataclass
class Tally:
    """Of one alert at one threshold.

    Attributes:
        raised: times at which it was raised, by wearer, s.
        right: how many of them were for something (`Job.right`).
        due: wearers in whom there was something to call.
        due_called: those of them who were called for it.
        stood_s: for how long it stood.
        causes: alerts for nothing by what the wearer did, and by what befell it.
    """

    raised: list[list[float]] = field(default_factory=list)
    right: int = 0
    due: int = 0
    due_called: int = 0
    stood_s: float = 0.0
    causes: Counter[str] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        """Alerts for nothing, of all wearers."""
        return sum(map(len, self.raised)) - self.right

    def delays_s(self, begins_s: float) -> list[float]:
        """From then until each wearer is called, of those who are."""
        after = [[at - begins_s for at in one if at >= begins_s] for one in self.raised]
        return [min(one) for one in after if one]


Tallies = dict[tuple[str, float], Tally]
"""By the alert's name and the factor of its threshold."""


@dataclass(frozen=True)
class Job:
    """What is simulated.

    Attributes:
        plan: of the wearable.
        networks: of its models.
        world: it is in, with somebody, who is another person for each seed, whoever a demonstration is of.
        stretches: that are looked at.
        scales: factors of thresholds.
        hours: of each wearer.
        right: core temperatures, degC, by the name of an alert that is right where the wearer's was above it within `RIGHT_S`.
    """

    plan: Plan
    networks: Mapping[str, Network]
    world: World
    stretches: Sequence[Stretch]
    scales: Sequence[float]
    hours: float
    right: Mapping[str, float] = field(default_factory=dict)

    def tallies(self) -> Tallies:
        """Nothing raised yet."""
        return {(alert.alert.name, scale): Tally() for alert in self.plan.alerts for scale in self.scales}


def pruned(plan: Plan) -> Plan:
    """The same without stages and models that no alert rests on."""
    kept, wanted = [], {alert.watch.signal for alert in plan.alerts}
    for node in reversed(plan.nodes):
        if node.gives.name in wanted:
            kept.append(node)
            wanted |= {one.name for one in node.inputs}
    return replace(plan, nodes=tuple(reversed(kept)))


def unused(plan: Plan) -> dict[str, float]:
    """Sensors that nothing takes a signal of, by name, as periods that never end."""
    taken = {one.name for node in plan.nodes for one in node.inputs} | {alert.watch.signal for alert in plan.alerts}
    sensors = [one for one in plan.profile.sensors if not taken & {signal.name for signal in one.signals}]
    return {one.name: np.inf for one in sensors}


def seldom(plan: Plan) -> dict[str, float]:
    """Cameras whose pictures reach nothing but stages that hold them, by name, and seconds from picture to picture that suffice.

    What is made of a picture without a memory is the same whether others came before.
    """
    found = {}
    for sensor in plan.profile.sensors:
        ages = _ages(plan, sensor.signals[0].name) if sensor.signals[0].elements > SMALL else None
        if ages:
            found[sensor.name] = OFTEN_ENOUGH * min(ages)
    return found


def _ages(plan: Plan, signal: str) -> list[float] | None:
    """Ages up to which holds keep what comes of a signal; None where something else has a memory of it."""
    ages: list[float] = []
    for node in plan.nodes:
        names = [one.name for one in node.inputs]
        if signal not in names:
            continue
        what = node.what
        if isinstance(what, Hold) and names[0] == signal and what.oldest_s > 0:
            ages.append(what.oldest_s)
        elif isinstance(what, Model) or not isinstance(OPS[what.op], Elementwise):
            return None
        else:
            later = _ages(plan, node.gives.name)
            if later is None:
                return None
            ages += later
    return ages


def wearer(job: Job, seed: int) -> Around:
    """What is around the wearable of one wearer: the person, and the day, of that seed.

    Raises:
        UsageError: there is nobody in the world.
    """
    world = job.world
    if world.body is not None:
        world = changed(world, body=changed(world.body, person=None))
    around = Around(world, seed, 0.0, warm_up_tau_s=0.0)
    around.course = replace(around.somebody(), step_s=STEP_S)
    return around


def live(job: Job, seed: int, tallies: Tallies) -> None:
    """One wearer's time."""
    around = wearer(job, seed)
    told = around.somebody().person.told()
    machines = {
        (alert.alert.name, scale): AlertMachine(scaled(alert, scale), number)
        for number, alert in enumerate(job.plan.alerts)
        for scale in job.scales
    }
    since: dict[tuple[str, float], float] = {}
    rightly: set[tuple[str, float]] = set()
    for tally in tallies.values():
        tally.raised.append([])
    periods = unused(job.plan) | (seldom(job.plan) if len(job.stretches) == 1 else {})
    for stretch in job.stretches:
        made = dict(says(job.plan.profile, around, seed, stretch, periods=periods))
        first_us = min(int(one.times_us[0]) for one in made.values())
        for name in job.plan.profile.person:
            values = np.array([told.get(name, np.nan)], np.float32)
            made[f"{PERSON}.{name}"] = Series(
                np.array([first_us]), values, np.zeros(1, np.uint16), np.ones(1, bool), np.zeros(1, np.int64)
            )
        found = run(job.plan, made, job.networks)
        for alert in job.plan.alerts:
            rows = watched(job.plan, alert, found)
            for scale in job.scales:
                key = alert.alert.name, scale
                machine, tally = machines[key], tallies[key]
                for value, flags, at_us, fresh in rows:
                    if fresh:
                        machine.interrupt(at_us)
                    change = machine.push(value, flags, at_us)
                    if change is None:
                        continue
                    if change.state is AlertState.RAISED:
                        since[key] = at_us / 1e6
                        tally.raised[-1].append(at_us / 1e6)
                        limit = job.right.get(alert.alert.name)
                        if limit is not None and warmest(around, at_us / 1e6 - RIGHT_S, at_us / 1e6) > limit:
                            tally.right += 1
                            rightly.add(key)
                        else:
                            tally.causes.update(causes(around, at_us / 1e6))
                    elif key in since:
                        tally.stood_s += at_us / 1e6 - since.pop(key)
    for key, start_s in since.items():
        tallies[key].stood_s += job.hours * 3600 - start_s
    for name, limit in job.right.items():
        due = warmest(around, 0.0, job.hours * 3600) > limit
        for scale in job.scales:
            tallies[name, scale].due += due
            tallies[name, scale].due_called += (name, scale) in rightly


def warmest(around: Around, from_s: float, to_s: float) -> float:
    """The highest core temperature of the wearer between two times, degC, looked at each minute."""
    times = np.append(np.arange(max(from_s, 0.0), to_s, 60.0), to_s)
    return float(around.somebody().core(np.array([around.course_s(at) for at in times])).max())


def watched(plan: Plan, alert: AlertPlan, found: Mapping[str, Series]) -> list[tuple[float, int, int, bool]]:
    """(value, flags, time, fresh) of what an alert watches, as they come."""
    series = found.get(alert.watch.signal)
    if series is None:
        return []
    rows = zip(series.values, series.flags.tolist(), series.times_us.tolist(), series.fresh.tolist(), strict=True)
    if alert.watch.model is None:
        return [(float(row.reshape(-1)[alert.watch.place]), flags, at, fresh) for row, flags, at, fresh in rows]
    model, said = plan.profile.models[alert.watch.model], []
    for row, flags, at, fresh in rows:
        one = finding(model, alert.watch.model, Sample(at, row, flags, fresh))
        said.append((one.values[alert.watch.place] if one.values else np.nan, one.flags, at, fresh))
    return said


def scaled(alert: AlertPlan, scale: float) -> AlertPlan:
    """The same with another threshold; where it ends moves as far."""
    if scale == 1.0:
        return alert
    when = replace(alert.when, number=alert.when.number * scale)
    clear = alert.clear and replace(alert.clear, number=alert.clear.number + when.number - alert.when.number)
    return replace(alert, when=when, clear=clear)


def causes(around: Around, time_s: float) -> list[str]:
    """What the wearer did, and what befell it within an hour before."""
    went, at = around.somebody(), around.course_s(time_s)
    did = NAMES[int(went.activity(np.array([at]))[0])]
    return [f"while {did}", *{one.kind for one in went.happenings if one.start_s - 1 <= at < one.end_s + CAUSE_S}]
