"""Alerts of a hub at work: what pages and programs ask, a wearable that falls silent, hostile names, and kills."""

import asyncio
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from host_sessions import session_of, with_hello
from hubs import Visit
from patience import WAIT_S
from sqlalchemy import insert

from thermo_core.wearable import file
from thermo_core.wearable.library import resolve
from thermo_hub.alerts.deliveries import Deliveries
from thermo_hub.alerts.desk import Desk
from thermo_hub.alerts.keeper import Keeper
from thermo_hub.alerts.life import State
from thermo_hub.alerts.rule_files import RuleFiles
from thermo_hub.bus import Bus
from thermo_hub.events import Announced, Joined, Sampled
from thermo_hub.store.store import Store
from thermo_hub.store.tables import WEARABLE

REPOSITORY = Path(__file__).parents[2]
HOSTILE = "<img src=x onerror=alert(1)>"


def eventually(found: Callable[[], Any]) -> Any:
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        value = found()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("it never came")


def test_a_test_is_raised_said_everywhere_and_acknowledged(visit: Visit) -> None:
    csrf = visit.come_in()
    headers = {"x-thermo-csrf": csrf}
    raised = visit.client.post("/api/alerts/test", json={}, headers=headers).json()
    assert (raised["state"], raised["calling"]) == (State.NOTIFIED, True)
    where = f"/api/alerts/{raised['id']}"
    sent = eventually(lambda: [one for one in visit.client.get(where).json()["deliveries"] if one["state"] == "sent"])
    assert [(one["channel"], one["calls"], one["attempts"]) for one in sent] == [("page", True, 1)]
    done = visit.client.post(f"{where}/acknowledge", json={"note": "heard\x1b[31m it"}, headers=headers).json()
    assert done["state"] == State.RESOLVED
    told = visit.client.get(where).json()
    assert [step["state"] for step in told["steps"]] == ["raised", "notified", "acknowledged", "resolved"]
    assert told["steps"][2]["by"] == "this computer" and told["steps"][2]["note"] == "heard it"
    assert told["notice"] == "Informs only. Not a medical device."
    refused = visit.client.post(f"{where}/snooze", json={"minutes": 5}, headers=headers)
    assert (refused.status_code, "is over" in refused.json()["detail"]) == (400, True)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/api/alerts/none-such", None, 400),
        ("POST", "/api/alerts/none-such/acknowledge", {}, 400),
        ("POST", "/api/alerts/none-such/snooze", {"minutes": 1e9}, 422),
        ("POST", "/api/alerts/none-such/snooze", {"minutes": -1}, 422),
        ("POST", "/api/alerts/test", {"channels": ["fax"]}, 400),
        ("POST", "/api/alerts/watched/none-such/put-away", {}, 400),
        ("GET", "/api/alerts?state=maybe", None, 422),
        ("GET", "/api/alerts/rules?version=99", None, 400),
        ("PUT", "/api/alerts/rules", {"toml": "[[", "expected": 0}, 400),
        ("GET", "/api/trends/none?from_ms=2&to_ms=1", None, 400),
        ("GET", "/api/trends/none/baseline?name=x", None, 400),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(visit: Visit, method: str, path: str, body: Any, status: int) -> None:
    headers = {"x-thermo-csrf": visit.come_in()}
    answer = visit.client.request(method, path, json=body, headers=headers)
    assert answer.status_code == status
    assert "Traceback" not in answer.text


def test_rules_are_changed_by_whoever_saw_the_newest(visit: Visit) -> None:
    headers = {"x-thermo-csrf": visit.come_in()}
    before = visit.client.get("/api/alerts/rules").json()
    change = {"toml": before["toml"] + "\n", "expected": before["version"]}
    made = visit.client.put("/api/alerts/rules", json=change, headers=headers)
    assert made.json() == {"version": before["version"] + 1}
    again = visit.client.put("/api/alerts/rules", json=change, headers=headers)
    assert (again.status_code, "was made since" in again.json()["detail"]) == (400, True)
    exported = visit.client.get("/api/alerts/rules.toml")
    assert re.search(r"rules-\d{6}\.toml", exported.headers["content-disposition"])
    assert "Informs only. Not a medical device." in exported.text
    nurse = {"x-thermo-csrf": visit.be("carer")}
    assert visit.client.put("/api/alerts/rules", json=change, headers=nurse).status_code == 403


def test_a_hostile_name_stays_a_text_in_alerts_and_reaches_no_terminal(visit: Visit, alone: Visit) -> None:
    """What a wearable calls itself is cleaned where it comes in; what is left of it is a JSON text, never markup."""
    headers = {"x-thermo-csrf": visit.come_in()}
    raised = visit.client.post("/api/alerts/test", json={"wearable": HOSTILE}, headers=headers)
    assert raised.headers["content-type"] == "application/json"
    assert raised.headers["x-content-type-options"] == "nosniff"
    assert raised.json()["wearable"] == HOSTILE
    page = visit.client.get(f"/alerts/{HOSTILE}")
    assert HOSTILE not in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]


def test_a_silent_wearable_is_an_alert_of_its_own_and_ends_no_other(store: Store, tmp_path: Path) -> None:
    session = session_of(file.read(resolve("breast-patch")).profile, {})
    session = with_hello(session, serial="=cmd|' /C calc'!A0")
    clock = [100.0]

    async def live() -> list[dict[str, Any]]:
        bus = Bus(asyncio.get_running_loop())
        files = RuleFiles(tmp_path / "rules", {"page": 0})
        files.add(
            lambda _: files.parse('[[rules]]\nname="warm"\nwatch={kind="signal", signal="spots"}\nwhen="> 35 degC"'),
            "test",
        )
        keeper = Keeper(store, lambda: None)
        desk = Desk(store, bus, keeper, files, Deliveries(store, {}, keeper.lock), lambda: clock[0])
        await asyncio.to_thread(desk.start)
        seen: list[dict[str, Any]] = []
        bus.handle({Announced}, lambda event: seen.append(dict(event.data["alert"])))
        task = asyncio.create_task(desk.run())
        await asyncio.sleep(0)

        async def until(rule: str, state: State) -> None:
            async with asyncio.timeout(WAIT_S):
                while not any((one["rule"], one["state"]) == (rule, state) for one in seen):
                    await asyncio.sleep(0.02)

        bus.publish(Joined("w", session, time.time_ns()))
        signal = session.plan.signals["spots"]
        values = [36.0, 33, 33, 33]

        def say() -> None:
            for name in ("spots", "skin"):
                one = session.plan.signals[name]
                filled = np.resize(np.array(values, np.float32), one.shape)
                bus.publish(Sampled("w", one, time.time_ns(), time.time_ns(), filled, 0))

        assert signal.rate_hz == 2.0
        say()
        await until("warm", State.NOTIFIED)
        clock[0] += 2 / 8 + 5  # the camera gives eight pictures a second
        await until("stale", State.NOTIFIED)
        assert not any(one["rule"] == "warm" and one["state"] == State.RESOLVED for one in seen)
        say()
        await until("stale", State.RESOLVED)
        assert not any(one["rule"] == "warm" and one["state"] == State.RESOLVED for one in seen)
        clock[0] += 60
        await until("stale", State.NOTIFIED)
        await desk.put_away("w", "Ann")
        assert desk.watched() == []
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return seen

    with store.write() as connection:
        connection.execute(insert(WEARABLE).values(id="w", serial="s", profile="p", first_ns=0, last_ns=0))
    assert asyncio.run(live())


def test_a_wearable_that_was_there_when_the_hub_was_killed_and_is_not_any_more_is_silent(
    store: Store, tmp_path: Path
) -> None:
    session = session_of(file.read(resolve("breast-patch")).profile, {})

    async def live(joins: bool) -> list[str]:
        clock = [0.0]
        bus = Bus(asyncio.get_running_loop())
        keeper = Keeper(store, lambda: None)
        desk = Desk(
            store,
            bus,
            keeper,
            RuleFiles(tmp_path / "rules", {"page": 0}),
            Deliveries(store, {}, keeper.lock),
            lambda: clock[0],
        )
        await asyncio.to_thread(desk.start)
        task = asyncio.create_task(desk.run())
        await asyncio.sleep(0)
        if joins:
            bus.publish(Joined("w", session, time.time_ns()))
            await desk.change(lambda now_ns: None)
        else:
            clock[0] = 10.0
            async with asyncio.timeout(WAIT_S):
                while ("w", "stale") not in await asyncio.to_thread(keeper.open_names):
                    await asyncio.sleep(0.02)
        found = desk.watched()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return found

    assert asyncio.run(live(True)) == ["w"]
    assert asyncio.run(live(False)) == ["w"]


def test_who_leaves_before_a_change_is_made_ends_no_other(store: Store, tmp_path: Path) -> None:
    """Somebody waits behind a change that takes its time and leaves, as does who waits for that one."""
    made: list[str] = []
    begun, on = threading.Event(), threading.Event()

    def slow(_: int) -> None:
        begun.set()
        on.wait()
        made.append("slow")

    async def live() -> None:
        keeper = Keeper(store, lambda: None)
        files = RuleFiles(tmp_path / "rules", {"page": 0})
        desk = Desk(store, Bus(asyncio.get_running_loop()), keeper, files, Deliveries(store, {}, keeper.lock))
        running = asyncio.create_task(desk.run())
        first = asyncio.create_task(desk.change(slow))
        await asyncio.to_thread(begun.wait)
        second = asyncio.create_task(desk.change(lambda _: made.append("second")))
        await asyncio.sleep(0)
        first.cancel()
        second.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        on.set()
        async with asyncio.timeout(WAIT_S):
            await desk.change(lambda _: made.append("third"))
        assert made == ["slow", "third"] and not running.done()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(live())


def test_kills_break_no_promise() -> None:
    """A few of them; `python bench/alert_kills.py` makes two hundred."""
    command = [sys.executable, str(REPOSITORY / "bench" / "alert_kills.py"), "--kills", "3", "--seed", "7"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.search(r"3 kills: \d+ alerts, .* 0 calls in \d+ snoozes", done.stdout)


@pytest.mark.parametrize(
    ("said", "code", "sentence"),
    [
        ('[[alerts.webhooks]]\nname="h"\nurl="http://127.0.0.1:1/"\nsecret_file="/none/such"', 9, "/none/such"),
        ('[alerts]\nzone="Mars/Base"', 2, "Mars/Base"),
        ('[[alerts.brokers]]\nname="page"', 2, "two channels called page"),
    ],
)
def test_a_channel_that_cannot_be_ends_the_hub_in_a_sentence(
    tmp_path: Path, said: str, code: int, sentence: str
) -> None:
    settings = tmp_path / "hub.toml"
    settings.write_text(said)
    words = ["run", str(settings), "--http-port", "0", "--folder", str(tmp_path / "hub")]
    done = subprocess.run([sys.executable, "-m", "thermo_hub.cli", *words], capture_output=True, text=True)
    assert done.returncode == code
    assert sentence in done.stderr and "Traceback" not in done.stderr and not done.stdout
