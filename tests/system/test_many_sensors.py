"""A wearable with as many sensors as there may be tells of all of them, though no answer holds them at once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from thermo_core.wire.table import HELLO_SENSORS, LIMITS
from thermo_host.link.session import fetch
from thermo_host.link.wearable import Wearable

MOST = int(LIMITS["sensors"].high)


@pytest.fixture
def crowded(tmp_path: Path) -> Path:
    sensors = "".join(
        f'[[sensors]]\nname = "given-{n}"\nkind = "external"\nrate_hz = 1.0\nlow = 0\nhigh = {n + 1}\n'
        for n in range(MOST)
    )
    path = tmp_path / "wearable.toml"
    path.write_text(f'name = "crowded"\nversion = "1.0.0"\n{sensors}')
    return path


def test_all_sensors_are_told_of(start_wearable: Callable[..., Any], crowded: Path) -> None:
    assert MOST > HELLO_SENSORS
    running = start_wearable("--wearable", str(crowded))
    with Wearable.open(str(running.link)) as wearable:
        hello = wearable.hello()
        assert len(hello.sensors) == hello.sensor_count == MOST
        session = fetch(wearable)
        assert [sensor.name for sensor in session.profile.sensors] == [f"given-{n}" for n in range(MOST)]
        assert wearable.self_test() is not None
