"""What a wearable holds does not grow with what it was asked: memory after many rounds of everything, against after few."""

import contextlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from thermo_core.errors import LinkError, ManagementError
from thermo_core.sensors.correction import Stamp, to_bytes
from thermo_core.sensors.mlx90640.correction import PixelCorrection
from thermo_core.wire.management import Part
from thermo_core.wire.smp import Group, Op, SmpHeader, SmpMessage, encode_packets
from thermo_core.wire.table import Command
from thermo_host.link.wearable import Wearable
from thermo_sim import control

pytestmark = pytest.mark.lengthy

ROUNDS = 150
SETTLED = 50
GROWTH_BYTES = 3 << 20
"""Of a heap that grows in steps of its own; one byte kept of each message would be more."""


def resident_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) * 1024
    raise AssertionError


def one_round(host: Wearable, link: Path, identity: bytes, rng: random.Random) -> None:
    """Everything a host can want, and much that none does."""
    host.hello()
    host.constants(0, "mlx90640")
    host.counters()
    host.profile_bytes()
    blob = to_bytes(PixelCorrection.identity(Stamp(identity)))
    requests = host._requests
    with contextlib.suppress(LinkError, ManagementError):  # parts of one byte, and none of the rest
        for at in range(8):
            requests.write(Command.CORRECTION, Part(off=at, len=len(blob), data=blob[at : at + 1]).to_map())
    with contextlib.suppress(LinkError):
        host.upload(rng.randbytes(4000))
    with host.stream() as stream:
        assert stream.get(10.0) is not None
    # Requests whose answers nobody waits for, starts of streams that nobody takes, and noise.
    for number in range(40):
        body = {"op": 1, "lease_ms": 200} if number % 2 else {"off": rng.randrange(3000), "sensor": 0}
        op, command = (Op.WRITE, 1) if number % 2 else (Op.READ, 2)
        host.line._write(encode_packets(SmpMessage(SmpHeader(op, Group.THERMO, command, number), body).encode()))
    host.line._write(rng.randbytes(2000) + b"\n")
    host.line.drop_records()
    if rng.random() < 0.1:
        control.request(link.with_name(link.name + ".ctl"), {"cmd": "exchange", "seed": rng.randrange(1000)})


def test_many_rounds_of_everything_hold_no_more_than_few(start_wearable: Callable[..., Any]) -> None:
    wearable = start_wearable("--seed", "4", "--speed", "20")
    rng = random.Random(2)
    settled = 0
    with Wearable.open(str(wearable.link)) as host:
        identity = host.hello().sensors[0].id
        for number in range(ROUNDS):
            one_round(host, wearable.link, identity, rng)
            if number == SETTLED:
                settled = resident_bytes(wearable.process.pid)
        after = resident_bytes(wearable.process.pid)
    assert after - settled < GROWTH_BYTES, (settled, after)
