"""Simulated clocks."""

import threading

import pytest

from thermo_core.errors import UsageError
from thermo_sim.clock import VirtualClock, WallClock


def test_virtual_time_passes_only_by_sleeping_and_never_goes_back() -> None:
    clock = VirtualClock(5)
    assert clock.now_us() == 5
    clock.sleep_until_us(1_000_000_000)
    assert clock.now_us() == 1_000_000_000
    clock.sleep_until_us(7)
    assert clock.now_us() == 1_000_000_000


def test_virtual_time_ends_at_the_latest_sleeper_of_many_threads() -> None:
    clock = VirtualClock()
    sleepers = [
        threading.Thread(target=lambda start=start: [clock.sleep_until_us(t) for t in range(start, 20_000, 7)])
        for start in range(7)
    ]
    for sleeper in sleepers:
        sleeper.start()
    for sleeper in sleepers:
        sleeper.join()
    assert clock.now_us() == 19_999


def test_wall_time_is_scaled_and_a_sleep_never_ends_early() -> None:
    clock = WallClock(speed=1000.0)
    target_us = clock.now_us() + 2_000_000
    clock.sleep_until_us(target_us)
    assert clock.now_us() >= target_us


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan"), float("inf")])
def test_an_impossible_speed_is_refused(speed: float) -> None:
    with pytest.raises(UsageError, match="speed"):
        WallClock(speed)
