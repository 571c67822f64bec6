"""Days of wearers without a bus: what is left out changes nothing that an alert rests on, and a card tells what was found."""

from dataclasses import replace

import numpy as np
import pytest
from msgspec.structs import replace as changed

from thermo_core.files import read_file
from thermo_core.graph.series import run
from thermo_core.wearable import library
from thermo_core.wearable.file import read
from thermo_device.counters import Counters
from thermo_device.networks import open_networks
from thermo_models.day_card import section
from thermo_models.days import STEP_S, Job, live, pruned, seldom, unused, watched, wearer
from thermo_sim.around import Around
from thermo_sim.people import Person, course
from thermo_sim.world_file import load_world, with_body, world_of
from thermo_sim.worn import Stretch, says

WITH_ALERTS = [name for name in library.names() if read(library.resolve(name)).plan().alerts]
HOURS = 0.75


@pytest.mark.parametrize("name", ["clothing-8", "neuro-band"])
def test_stages_that_no_alert_rests_on_change_no_alert(name: str) -> None:
    wearable = read(library.resolve(name))
    networks = open_networks({model: read_file(path) for model, path in wearable.networks.items()}, "fast", Counters())
    world = with_body(load_world(world_of(name)), "rest", None, "")
    around, stretch = Around(world, 3, 0.0, warm_up_tau_s=0.0), Stretch(0.0, 900.0)
    whole = wearable.plan()
    less = pruned(whole)
    assert len(less.nodes) < len(whole.nodes)
    everything = run(whole, says(whole.profile, around, 3, stretch), networks)
    some = run(less, says(less.profile, around, 3, stretch, periods=unused(less)), networks)
    for alert in whole.alerts:
        np.testing.assert_array_equal(watched(less, alert, some), watched(whole, alert, everything))


def test_cameras_that_only_holds_look_at_are_looked_at_seldom() -> None:
    found = {name: seldom(pruned(read(library.resolve(name)).plan())) for name in WITH_ALERTS}
    assert found["monitor"] == {"field": pytest.approx(16.2)}
    assert not found["breast-patch"], "it has a memory of its pictures"
    assert not found["clothing"], "no camera"


def test_skin_between_points_is_skin() -> None:
    went = course("outdoors", 4, Person.drawn(4), hours=2.0, happenings="warm-side@1803+600:at=LHand:size=3")
    times = np.arange(0, 7200, 0.7)
    straight = replace(went, step_s=STEP_S)
    assert np.abs(straight.skin(times) - went.skin(times)).max() < 0.03
    assert np.abs(straight.skin_at("LWrist", times) - went.skin_at("LWrist", times)).max() < 0.03
    assert np.abs(straight.perfusion(times) - went.perfusion(times)).max() < 0.01


def test_an_affected_wearer_is_called_and_the_cause_is_known() -> None:
    wearable = read(library.resolve("clothing"))
    made = pruned(wearable.plan())
    world = with_body(load_world(world_of("clothing")), "rest", None, "sensor-off@1200:at=LArm")
    assert world.body is not None
    world = changed(world, body=changed(world.body, hours=HOURS))
    job = Job(made, {}, world, [Stretch(0.0, HOURS * 3600)], (1.0, 3.0), HOURS)
    tallies = job.tallies()
    for seed in range(2):
        live(job, seed, tallies)
    usual, never = tallies["node-off", 1.0], tallies["node-off", 3.0]
    assert usual.count == 2 and len(usual.delays_s(1200.0)) == 2 and max(usual.delays_s(1200.0)) < 900
    assert usual.causes["sensor-off"] == 2
    assert never.count == 0, "three times the share that is asked for"
    assert 0 < usual.stood_s <= 2 * (HOURS * 3600 - 1200)


def test_an_alert_of_what_is_so_is_not_for_nothing() -> None:
    """Somebody who runs in a room that is much too warm, called a little below what is set; and limits that no body and any body passes."""
    made = pruned(read(library.resolve("fitness-band")).plan())
    world = with_body(load_world(world_of("fitness-band")), "workout", None, "room@0:size=14")
    assert world.body is not None
    world = changed(world, body=changed(world.body, hours=1.5))
    networks = open_networks(
        {model: read_file(path) for model, path in read(library.resolve("fitness-band")).networks.items()},
        "fast",
        Counters(),
    )
    told = {}
    for limit in (None, 30.0, 38.0, 45.0):
        right = {} if limit is None else {"heat-strain": limit}
        job = Job(made, networks, world, [Stretch(0.0, 5400.0)], (0.97, 1.0), 1.5, right)
        tallies = job.tallies()
        live(job, 200, tallies)
        told[limit] = tallies["heat-strain", 0.97]
    raised = len(told[None].raised[0])
    assert raised and told[None].count == raised and not told[None].due
    assert (told[30.0].count, told[30.0].right, told[30.0].due, told[30.0].due_called) == (0, raised, 1, 1)
    assert not told[30.0].causes
    assert told[38.0].count + told[38.0].right == raised and told[38.0].due == 1
    assert (told[45.0].count, told[45.0].right, told[45.0].due, told[45.0].due_called) == (raised, 0, 0, 0)
    assert told[45.0].causes == told[None].causes


@pytest.mark.parametrize("name", WITH_ALERTS)
def test_each_wearer_is_another_person(name: str) -> None:
    """Whoever the world that shows the wearable is of."""
    world = with_body(load_world(world_of(name)), "day", None, "")
    job = Job(pruned(read(library.resolve(name)).plan()), {}, world, [], (1.0,), 24.0)
    people = [wearer(job, seed).somebody().person for seed in range(200, 206)]
    assert len({person.age_years for person in people}) == len({person.resting_bpm for person in people}) == 6
    again = wearer(job, 200).somebody().person
    assert (again.age_years, again.resting_bpm) == (people[0].age_years, people[0].resting_bpm)


def test_a_card_tells_of_days() -> None:
    row = {
        "alert": "cold",
        "factor": 1.0,
        "threshold": 15.0,
        "a_week": 0.56,
        "interval": [0.18, 1.3],
        "raised": 0.01,
        "causes": {"while walk": 0.08},
    }
    called = [
        {
            "alert": "cold",
            "factor": 1.0,
            "called": 0.75,
            "delay_min": 12.0,
            "by_chance": {"called": 0.02, "delay_min": 300.0},
        },
        {"alert": "cold", "factor": 2.0, "called": 1.0, "delay_min": 2.0},
    ]
    day = {
        "command": "python bench/day.py x",
        "wearers": 50,
        "hours": 24.0,
        "script": "day",
        "first": 0,
        "a_week": 0.56,
        "interval": [0.18, 1.3],
        "alerts": [row, row | {"factor": 2.0, "threshold": 30.0, "a_week": 9.0}],
        "affected": [{"happenings": "cold-hand@1", "wearers": 4, "alerts": called}],
    }
    told = "\n".join(section(day))
    assert "| cold | 0.56 | 0.18 to 1.30 | 1.00% | while walk 0.56 a week |" in told
    assert "False alarms an hour over whole recordings: 0.0033 (0.0011 to 0.0077), of 1,200 hours." in told
    for a_week, interval, met in (
        (0.56, [0.18, 1.3], "not shown, too few days"),
        (0.14, [0.0, 0.8], "yes"),
        (1.4, [0.8, 2.0], "no"),
    ):
        assert f"goal: < 1; met: {met})" in "\n".join(section(day | {"a_week": a_week, "interval": interval}))
    assert "| `cold-hand@1`, 4 wearers | cold | 75% | 12 min | 2%, 300 min |" in told
    assert "| cold | 30 | 9.00 | 100% |" in told
    rightly = {"above": 38.5, "a_week": 0.4, "due": 9, "called": 3}
    told = "\n".join(section(day | {"alerts": [row | {"right": rightly}]}))
    assert "above 38.5 degC within the ten minutes before: 0.40 a week" in told
    rows = [row | {"right": rightly}, row | {"factor": 2.0, "threshold": 30.0, "right": rightly | {"called": 1}}]
    assert "| cold | 30 | 0.56 | 1 of 9 | 100% |" in "\n".join(section(day | {"alerts": rows}))
    assert "Of 9 wearers whose core was above that at some time, 3 were called for it." in told
