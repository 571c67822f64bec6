"""Alerts in a store: any lives of them, and what is tried again and what is not."""

from datetime import UTC
from pathlib import Path

import msgspec
import pytest
from alert_lives import RULES, START_NS, Lives
from hypothesis import settings

from thermo_hub.alerts.deliveries import Deliveries
from thermo_hub.alerts.keeper import Keeper, Raised
from thermo_hub.alerts.life import SECOND_NS
from thermo_hub.settings import Settings
from thermo_hub.store.store import open_store

Lives.TestCase.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)
test_any_lives_of_alerts = Lives.TestCase


def test_what_could_not_be_delivered_at_once_is_tried_until_it_is(tmp_path: Path) -> None:
    store = open_store(msgspec.structs.replace(Settings(), folder=str(tmp_path)))
    keeper = Keeper(store, lambda: UTC)
    deliveries = Deliveries(store, {}, keeper.lock)
    keeper.begin(Raised("w1", RULES[0], 1, "> 1 K", 2.0, "K", "warm"), START_NS)
    now_ns, tries = START_NS, 0
    for _ in range(40):
        for ids in deliveries.due(now_ns).values():
            for one in ids:
                assert deliveries.take(one, now_ns) is not None
                tries += 1
                deliveries.log(one, tries == 5, "no", now_ns)
        now_ns += 10 * SECOND_NS
    assert tries == 5
    store.close()


@pytest.mark.parametrize("step", ["acknowledge", "snooze", "resolve"])
def test_a_call_that_failed_is_not_repeated_once_nobody_is_to_be_called(tmp_path: Path, step: str) -> None:
    store = open_store(msgspec.structs.replace(Settings(), folder=str(tmp_path)))
    keeper = Keeper(store, lambda: UTC)
    deliveries = Deliveries(store, {}, keeper.lock)
    kept = keeper.begin(Raised("w1", RULES[0], 1, "> 1 K", 2.0, "K", "warm"), START_NS)
    (delivery,) = deliveries.due(START_NS)["phone"]
    assert deliveries.take(delivery, START_NS)
    if step == "acknowledge":
        keeper.acknowledge(kept.facts["id"], START_NS + 1, "Ann")
    elif step == "snooze":
        keeper.snooze(kept.facts["id"], START_NS + 1, "Ann", START_NS + 3600 * SECOND_NS)
    else:
        keeper.resolve("w1", "plain", START_NS + 1)
    deliveries.log(delivery, False, "no line", START_NS + 2)
    assert not deliveries.due(START_NS + 1800 * SECOND_NS)
    store.close()
