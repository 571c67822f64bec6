"""A wearable in a process of its own, of any kind: the agent, the firmware as a program, or on an emulated microcontroller."""

import contextlib
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from board_probe import build_once
from bundles import IMAGE
from patience import WAIT_S

from thermo_core.bundle import Bundle
from thermo_core.graph.engine import Engine
from thermo_core.graph.plan import plan
from thermo_core.image import parse
from thermo_core.quality import Quality
from thermo_core.sensors.kind import SensorConstants
from thermo_core.tflite.interpreter import Int8Network
from thermo_core.wire.management import Hello
from thermo_core.wire.records import Record
from thermo_host.flash import flash, load
from thermo_host.link.management import Management
from thermo_host.link.wearable import Wearable
from thermo_sim import control

SHIPPED = IMAGE.parents[1]
KINDS = tuple(os.environ.get("THERMO_BOARDS", "agent,host,mps2-an386").split(","))
"""What is tried, the agent or boards; microcontrollers that are slow to emulate only where they are asked for."""
BOARDS = tuple(kind for kind in KINDS if kind != "agent")
MAILBOXES = ("host", "mps2-an386")
"""Boards whose bus is the simulator's; the others have a controller of their own."""
TARGETS = {
    "agent": "host",
    "host": "host_sanitized",
    "mps2-an386": "mps2_an386",
    "nrf52840": "nrf52840_labwired",
    "nrf52840-fast": "nrf52840",
    "rp2040": "rp2040",
}
"""Of the makefile."""
SLOW = {"nrf52840": 40.0, "rp2040": 20.0, "nrf52840-fast": 4.0}
"""How many times longer everything may take on boards that are slow to emulate."""
PATIENCE = max(SLOW.get(kind, 1.0) for kind in KINDS)
"""How many times longer everything may take, by the wall."""
LABWIRED_NUMBER = "940D8A73707DC298"
"""Of every chip that labwired makes."""
SEED = 4
READY_S = WAIT_S * PATIENCE


@dataclass
class Running:
    """A wearable of any kind."""

    kind: str
    link: Path
    bundle: Bundle
    image: bytes
    process: int

    @contextlib.contextmanager
    def used(self) -> Iterator["Running"]:
        """While this lasts; a board that is slow to emulate stands still before and after, so that those that are used get the processor."""
        if self.kind not in SLOW:
            yield self
            return
        os.kill(self.process, signal.SIGCONT)
        try:
            yield self
        finally:
            os.kill(self.process, signal.SIGSTOP)

    @property
    def serial(self) -> str:
        """What it calls itself by."""
        return {"nrf52840": LABWIRED_NUMBER, "nrf52840-fast": f"{SEED:016X}"}.get(self.kind, f"SIM-{SEED:08d}")

    def open(self, timeout_s: float = 20.0 * PATIENCE) -> Wearable:
        return Wearable.open(str(self.link), timeout_s=timeout_s)

    def laboratory(self, command: str, **fields: Any) -> dict[str, Any]:
        return control.request(self.link.with_name(self.link.name + ".ctl"), {"cmd": command, **fields})

    @contextlib.contextmanager
    def raw(self) -> Iterator[int]:
        descriptor = os.open(self.link, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def engine(self, host: Wearable) -> Engine:
        """Core's way from blocks to alerts, with what the wearable says of itself."""
        return engine_of(self.bundle, host, host.hello())


def engine_of(bundle: Bundle, host: Management, hello: Hello) -> Engine:
    """Core's way from blocks to alerts, with what a wearable says of itself."""
    engine = Engine(
        plan(bundle.profile),
        {name: Int8Network(data) for name, data in bundle.networks.items()},
        flags=int(Quality.SIMULATED),
        person=host.person(),
    )
    for number, (settings_of, state) in enumerate(zip(bundle.profile.sensors, hello.sensors, strict=True)):
        engine.open(number, constants_of(host, number, settings_of.kind), host.correction(number))
        assert engine.constants_of(number) == state.constants
    return engine


def constants_of(host: Management, number: int, kind: str) -> SensorConstants:
    return host.constants(number, kind)


@contextlib.contextmanager
def started(kind: str, folder: Path, *more: str, wearable: str = "breast-patch") -> Iterator[Running]:
    """A wearable in a process of its own, with its bundle in it."""
    link = folder / f"line-{kind}"
    shipped = SHIPPED / wearable / "bundle.img"
    image = shipped
    words = ["wearable"]
    if kind != "agent" or not shipped.exists():
        built, firmware = build_once(TARGETS[kind], folder, wearable)
        image = shipped if shipped.exists() else built / "generated" / "signed.img"
        if kind != "agent":
            words = ["board", kind, "--firmware", str(firmware)]
    given = ["--wearable", wearable, "--link", str(link), "--no-warm-up", "--seed", str(SEED), *more]
    command = [sys.executable, "-m", "thermo_sim.cli", *words, *given]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stderr is not None
    try:
        readable, _, _ = select.select([process.stdout], [], [], READY_S)
        line = process.stdout.readline() if readable else ""
        assert line.startswith("ready"), process.stderr.read() if process.poll() is not None else line
        data = image.read_bytes()
        running = Running(kind, link, Bundle.from_payload(parse(data).payload), data, process.pid)
        if not more:
            with running.open() as host:
                flash(host, load(image))  # a board has it already
        yield running
        assert process.poll() is None, process.stderr.read()
    finally:
        process.kill()
        process.communicate()


def hear(host: Wearable, until: Callable[[list[Record]], bool], what: str, within_s: float = WAIT_S) -> list[Record]:
    """Records of a fresh stream until they suffice."""
    heard: list[Record] = []
    end = time.monotonic() + within_s * PATIENCE
    with host.stream() as stream:
        while not until(heard):
            assert time.monotonic() < end, f"{what} did not come; heard {[type(one).__name__ for one in heard]}"
            seen = stream.get(5.0)
            if seen is not None:
                heard.append(seen.record)
    return heard


def of(kind: type, records: list[Record]) -> list[Any]:
    return [record for record in records if isinstance(record, kind)]
