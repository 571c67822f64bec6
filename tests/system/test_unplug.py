"""The cable is pulled 200 times, hosts are killed in mid-stream; the next host finds a quiet, working port."""

import contextlib
import functools
import os
import pty
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from thermo_core.errors import LinkError, PortNotFoundError
from thermo_host.link.wearable import Wearable
from thermo_sim import control

CYCLES = 200
SENTENCES = 20


def ctl(link: Path) -> Path:
    return link.with_name(link.name + ".ctl")


def open_when_back(link: Path) -> Wearable:
    """What any host does after an unplug: try until the port answers."""
    end = time.monotonic() + 30
    while True:
        try:
            return Wearable.open(str(link))
        except LinkError:
            if time.monotonic() > end:
                raise
            time.sleep(0.005)


def test_two_hundred_unplugs(start_wearable: Callable[..., Any]) -> None:
    rng = random.Random(11)
    wearable = start_wearable("--speed", "10")
    link = wearable.link
    descriptors = Path(f"/proc/{wearable.process.pid}/fd")
    open_files = 0
    for cycle in range(CYCLES):
        host = open_when_back(link)
        try:
            assert host.echo(f"cycle {cycle}") == f"cycle {cycle}"
            stream = host.stream() if rng.random() < 0.5 else contextlib.nullcontext()
            with stream as telemetry:
                if telemetry is not None:
                    assert telemetry.get(5.0) is not None
                control.request(ctl(link), {"cmd": "unplug", "seconds": rng.choice([0.0, 0.0, 0.02])})
                if rng.random() < 0.5:
                    with pytest.raises(LinkError):
                        while True:
                            host.echo("gone?")
        finally:
            host.close()
        if cycle == 10:
            open_files = len(list(descriptors.iterdir()))
    with open_when_back(link) as host:
        counters = host.counters()
        assert counters["port_lost"] == counters["port_reopened"] == CYCLES
        assert len(list(descriptors.iterdir())) < open_files + 10, "every cycle must give back what it opened"
        with host.stream() as telemetry:
            assert all(telemetry.get(5.0) for _ in range(20))


def listen(link: Path, seconds: float) -> bytes:
    """Whatever comes without being asked for."""
    descriptor = os.open(link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        heard, end = bytearray(), time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([descriptor], [], [], left)[0]:
                heard += os.read(descriptor, 65536)
        return bytes(heard)
    finally:
        os.close(descriptor)


def leases_expired(link: Path, count: int) -> bool:
    counters = control.request(ctl(link), {"cmd": "status"})["counters"]
    return bool(counters.get("leases_expired", 0) == count)


HOST = """
import sys
from thermo_host.link.wearable import Wearable
with Wearable.open(sys.argv[1]) as host, host.stream(lease_s=0.5) as telemetry:
    for _ in range(10):
        telemetry.get(5.0)
    print("streaming", flush=True)
    while True:
        telemetry.get(5.0)
"""


def test_a_killed_host_leaves_the_line_quiet(
    start_wearable: Callable[..., Any], wait_until: Callable[..., None]
) -> None:
    link = start_wearable().link
    for round_number in range(3):
        host = subprocess.Popen([sys.executable, "-c", HOST, str(link)], stdout=subprocess.PIPE, text=True)
        assert host.stdout is not None and host.stdout.readline() == "streaming\n"
        host.kill()
        host.communicate()
        wait_until(functools.partial(leases_expired, link, round_number + 1), "the end of the lease")
        assert listen(link, 0.5) == b""
        with Wearable.open(str(link)) as next_host:
            assert next_host.echo("next") == "next"


def test_a_host_that_stops_reading_costs_telemetry_and_nothing_else(start_wearable: Callable[..., Any]) -> None:
    link = start_wearable("--speed", "50").link
    host = subprocess.Popen([sys.executable, "-c", HOST, str(link)], stdout=subprocess.PIPE, text=True)
    assert host.stdout is not None and host.stdout.readline() == "streaming\n"
    host.send_signal(signal.SIGSTOP)  # it holds the port open and reads nothing any more
    time.sleep(1.5)
    host.kill()
    host.communicate()
    with Wearable.open(str(link)) as next_host:
        assert next_host.echo("alive") == "alive"
        with next_host.stream() as telemetry:
            assert all(telemetry.get(5.0) for _ in range(20)) and telemetry.refused == 0


def test_garbage_between_requests_changes_no_answer(start_wearable: Callable[..., Any]) -> None:
    rng = random.Random(5)
    link = start_wearable().link
    for number in range(SENTENCES):
        descriptor = os.open(link, os.O_RDWR | os.O_NOCTTY)
        os.write(descriptor, rng.randbytes(rng.randrange(1, 3000)))
        os.close(descriptor)
        with Wearable.open(str(link)) as host:
            assert host.echo(f"{number}") == f"{number}"


def test_the_terminal_that_takes_a_dead_simulators_place_is_left_alone(start_wearable: Callable[..., Any]) -> None:
    simulator = start_wearable()
    with Wearable.open(str(simulator.link)) as wearable:
        target = simulator.link.readlink()
        simulator.kill()
        wearable.close()
        assert simulator.link.is_symlink(), "a killed process cannot tidy up"
        with contextlib.ExitStack() as strangers:
            masters = []
            for _ in range(200):  # until one has the number that became free
                master, slave = pty.openpty()
                strangers.callback(os.close, master)
                strangers.callback(os.close, slave)
                masters.append(master)
                if os.ttyname(slave) == str(target):
                    break
            for _ in range(3):
                with pytest.raises(PortNotFoundError, match="has ended"):
                    wearable.reopen_once()
            ctl(simulator.link).unlink()
            with pytest.raises(PortNotFoundError, match="has ended"):
                wearable.reopen_once()
            assert select.select(masters, [], [], 0.2)[0] == []
