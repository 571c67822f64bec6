"""How often a wearable calls healthy wearers for nothing, by cause, and how soon and how surely it calls affected ones.

    python bench/day.py breast-patch --wearers 50 --hours 24
    python bench/day.py mine/wearable.toml --world mine/world.toml --look 60 --every 1800
    python bench/day.py monitor --affected fever@36000:size=2
    python bench/day.py clothing --curve 0.6,0.8,1.0,1.2,1.5

Each wearer is another person through another day of the simulator (`thermo_sim.people`), without a bus: signals are made of what is true with
each chip's errors (as calibration leaves them), noise and steps, go through the wearable's graph, networks and alerts, and each
alert that is raised is put down to what the wearer did and what befell it then. Wearables whose sensors say much are looked at in stretches
(--look seconds of every --every seconds), between which the graph begins anew and nothing is raised. It informs; no figure here is of a real person.

alerts a day   raised; a week: seven times that
raised         share of the time in which the alert stands
by cause       alerts a day by activity, and by what befell the wearer in the hour before
affected       share of wearers whom an alert calls after the happening begins, and the median time until then
"""

import argparse
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from msgspec.structs import replace as changed

from thermo_core.errors import ThermoError, UsageError
from thermo_core.files import read_file
from thermo_core.graph.alert_plan import AlertPlan
from thermo_core.graph.alerts import AlertMachine, AlertState
from thermo_core.graph.findings import finding
from thermo_core.graph.plan import PERSON, Plan
from thermo_core.graph.series import run
from thermo_core.signals import Sample, Series
from thermo_core.wearable.file import read
from thermo_core.wearable.library import resolve
from thermo_device.counters import Counters
from thermo_device.networks import Networks, open_networks
from thermo_sim.around import Around
from thermo_sim.people.activities import NAMES
from thermo_sim.people.happenings import parse_happenings
from thermo_sim.world_file import World, load_world, with_body, world_of
from thermo_sim.worn import Stretch, says

BUSY_HZ = 250.0
"""Numbers a second from which on a wearable is looked at in stretches."""
LEAST_S = 10.0
"""Of a stretch, beside what the quickest alert needs."""
CAUSE_S = 3600.0


@dataclass
class Tally:
    """Of one alert at one threshold.

    Attributes:
        raised: times at which it was raised, by wearer, s.
        stood_s: for how long it stood.
        causes: alerts by what the wearer did, and by what befell it.
    """

    raised: list[list[float]] = field(default_factory=list)
    stood_s: float = 0.0
    causes: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Job:
    """What is simulated.

    Attributes:
        plan: of the wearable.
        networks: of its models.
        world: it is in, with somebody.
        stretches: that are looked at.
        scales: of thresholds.
        hours: of each wearer.
    """

    plan: Plan
    networks: Networks
    world: World
    stretches: Sequence[Stretch]
    scales: Sequence[float]
    hours: float


def watched(job: Job, alert: AlertPlan, found: Mapping[str, Series]) -> list[tuple[float, int, int, bool]]:
    """(value, flags, time, fresh) of what an alert watches, as they come."""
    series = found.get(alert.watch.signal)
    if series is None:
        return []
    rows = zip(series.values, series.flags.tolist(), series.times_us.tolist(), series.fresh.tolist(), strict=True)
    if alert.watch.model is None:
        return [(float(row.reshape(-1)[alert.watch.place]), flags, at, fresh) for row, flags, at, fresh in rows]
    model, said = job.plan.profile.models[alert.watch.model], []
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


def live(job: Job, seed: int, tallies: dict[tuple[str, float], Tally]) -> None:
    """One wearer's time."""
    around = Around(job.world, seed, 0.0, warm_up_tau_s=0.0)
    went = around.somebody()
    told = went.person.told()
    machines = {
        (alert.alert.name, scale): AlertMachine(scaled(alert, scale), number)
        for number, alert in enumerate(job.plan.alerts)
        for scale in job.scales
    }
    since: dict[tuple[str, float], float] = {}
    for tally in tallies.values():
        tally.raised.append([])
    for stretch in job.stretches:
        made = dict(says(job.plan.profile, around, seed, stretch))
        first_us = min(int(one.times_us[0]) for one in made.values())
        for name in job.plan.profile.person:
            values = np.array([told.get(name, np.nan)], np.float32)
            made[f"{PERSON}.{name}"] = Series(
                np.array([first_us]), values, np.zeros(1, np.uint16), np.ones(1, bool), np.zeros(1, np.int64)
            )
        found = run(job.plan, made, job.networks)
        for alert in job.plan.alerts:
            rows = watched(job, alert, found)
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
                        tally.causes.update(causes(around, at_us / 1e6))
                    elif key in since:
                        tally.stood_s += at_us / 1e6 - since.pop(key)
    for key, start_s in since.items():
        tallies[key].stood_s += job.hours * 3600 - start_s


def causes(around: Around, time_s: float) -> list[str]:
    """What the wearer did, and what befell it within an hour before."""
    went, at = around.somebody(), around.course_s(time_s)
    did = NAMES[int(went.activity(np.array([at]))[0])]
    return [f"while {did}", *{one.kind for one in went.happenings if one.start_s - 1 <= at < one.end_s + CAUSE_S}]


def report(job: Job, tallies: dict[tuple[str, float], Tally], total_s: float, begins_s: float | None) -> None:
    """Print figures."""
    days = total_s / 86400
    print(f"{'alert':24}{'threshold':>10}{'a day':>9}{'a week':>9}{'raised':>9}", end="")
    print(f"{'called':>9}{'after':>9}" if begins_s is not None else "")
    for (name, scale), tally in tallies.items():
        alert = next(one for one in job.plan.alerts if one.alert.name == name)
        count = sum(map(len, tally.raised))
        print(f"{name:24}{alert.when.number * scale:>10.4g}{count / days:>9.3f}{7 * count / days:>9.2f}", end="")
        print(f"{tally.stood_s / total_s:>9.2%}", end="")
        if begins_s is not None:
            delays = [
                min(at - begins_s for at in one if at >= begins_s)
                for one in tally.raised
                if any(at >= begins_s for at in one)
            ]
            print(
                f"{len(delays) / len(tally.raised):>9.0%}" + (f"{np.median(delays) / 60:>7.0f} min" if delays else ""),
                end="",
            )
        print()
        for cause, times in tally.causes.most_common(8) if scale == 1.0 else ():
            print(f"    {cause:30} {times / days:.3f} a day")


def needed_s(made: Plan, alert: AlertPlan) -> float:
    """Seconds in which an alert can be raised at the soonest."""
    after, rate_hz = alert.alert.after, made.signals[alert.watch.signal].rate_hz
    return max(after.seconds, after.findings / rate_hz if rate_hz else 0.0)


def factors(text: str) -> list[float]:
    """Of a list."""
    try:
        found = [float(one) for one in text.split(",")]
    except ValueError:
        found = [np.nan]
    if not np.isfinite(found).all():
        raise argparse.ArgumentTypeError(f"{text!r} is no list of numbers; give some like 0.8,1,1.2")
    return found


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wearable", help="name or file")
    parser.add_argument("--world", help="name or file; the wearable's own where left out")
    parser.add_argument("--script", default="day", help="what wearers do")
    parser.add_argument("--wearers", type=int, default=50)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--first", type=int, default=0, help="number of the first wearer")
    parser.add_argument("--look", type=float, help="seconds of a stretch; all where left out and sensors say little")
    parser.add_argument("--every", type=float, default=1800.0, help="seconds from one stretch to the next")
    parser.add_argument("--affected", default="", metavar="HAPPENINGS", help="what befalls every wearer")
    parser.add_argument("--curve", type=factors, default="1", help="factors of the thresholds, separated by commas")
    args = parser.parse_args()
    try:
        simulate(args)
    except ThermoError as error:
        parser.exit(2, f"day: {error}\n")


def simulate(args: argparse.Namespace) -> None:
    """As the arguments say."""
    if args.wearers < 1 or not args.hours > 0 or not args.every > 0:
        raise UsageError("There is nobody to simulate; give --wearers of 1 or more, and --hours and --every above 0.")
    wearable = read(resolve(args.wearable))
    networks = open_networks({name: read_file(path) for name, path in wearable.networks.items()}, "fast", Counters())
    made = wearable.plan()
    if not made.alerts:
        raise UsageError(f"The wearable {wearable.profile.name} has no alerts, so nobody is called; choose another.")
    world = with_body(load_world(args.world or world_of(wearable.profile.name)), args.script, None, args.affected)
    assert world.body is not None
    world = changed(world, body=changed(world.body, hours=args.hours))
    busy = sum(
        signal.rate_hz * signal.elements
        for signal in made.signals.values()
        if "." not in signal.name and signal.name in {one.name for one in wearable.profile.sensors}
    )
    needs = {alert.alert.name: needed_s(made, alert) for alert in made.alerts}
    look = args.look if args.look is not None else None if busy < BUSY_HZ else LEAST_S + 1.5 * min(needs.values())
    total = args.hours * 3600
    stretches = (
        [Stretch(0.0, total)]
        if look is None
        else [Stretch(start, min(look, args.every)) for start in np.arange(0, total - look, args.every).tolist()]
    )
    scales = sorted({1.0, *args.curve})
    job = Job(made, networks, world, stretches, scales, args.hours)
    tallies = {(alert.alert.name, scale): Tally() for alert in made.alerts for scale in scales}
    begun = time.monotonic()
    for seed in range(args.first, args.first + args.wearers):
        live(job, seed, tallies)
    begins = min((one.start_s for one in parse_happenings(args.affected)), default=None)
    part = "" if look is None else f", {look:g} s of every {args.every:g} s"
    print(
        f"{wearable.profile.name}: {args.wearers} wearers of {args.hours:g} h{part} ({time.monotonic() - begun:.0f} s)"
    )
    if late := [name for name, need_s in needs.items() if look is not None and need_s > look]:
        print(f"no stretch is long enough to raise {', '.join(late)}; give a longer --look")
    report(job, tallies, args.wearers * total, begins)


if __name__ == "__main__":
    main()
