"""Alerts are raised, told, acknowledged, and stand over a kill and a reset."""

from pathlib import Path

import pytest
from bundles import IMAGE
from conformance import calibrate
from running import KINDS, MAILBOXES, PATIENCE, Running, hear, of, started

from thermo_core.graph.alerts import AlertState
from thermo_core.wire.records import (
    AlertRecord,
    Record,
)
from thermo_host.flash import flash, load
from thermo_host.link.wearable import Wearable

pytestmark = pytest.mark.lengthy


def test_alerts_are_raised_told_to_who_comes_later_and_acknowledged(wearable: Running, host: Wearable) -> None:
    def raised(records: list[Record]) -> bool:
        return any(one.change.state == AlertState.RAISED for one in of(AlertRecord, records))

    calibrate(wearable, host)
    hear(host, raised, "the alert", 120.0)
    heard = hear(host, lambda records: bool(of(AlertRecord, records)), "where the alert stands")
    assert of(AlertRecord, heard)[0].change.state == AlertState.RAISED
    (acknowledged,) = host.acknowledge(0)
    assert acknowledged.state == AlertState.ACKNOWLEDGED == host.alerts()[0].state


@pytest.mark.parametrize("kind", KINDS)
def test_an_alert_stands_over_a_kill_and_a_reset(kind: str, tmp_path: Path) -> None:
    """Raised, then killed; acknowledged, then killed; then reset."""
    state = str(tmp_path / "state")

    def raised(records: list[Record]) -> bool:
        return any(one.change.state == AlertState.RAISED for one in of(AlertRecord, records))

    with started(kind, tmp_path, "--state", state) as running, running.open() as host:
        flash(host, load(IMAGE))
        calibrate(running, host)
        hear(host, raised, "the alert", 120.0)
        (before,) = host.alerts()
        assert before.state == AlertState.RAISED
    with started(kind, tmp_path, "--state", state) as running, running.open() as host:
        (after,) = host.alerts()
        assert after.state == AlertState.RAISED and after.time_us <= host.hello().time_us
        assert kind not in MAILBOXES or after.time_us == before.time_us  # their clock goes on
        host.acknowledge(0)
    with started(kind, tmp_path, "--state", state) as running, running.open() as host:
        assert host.alerts()[0].state == AlertState.ACKNOWLEDGED
        host.reset(30.0 * PATIENCE)
        assert host.alerts()[0].state == AlertState.ACKNOWLEDGED
