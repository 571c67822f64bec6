"""A band with contact sensors and an accelerometer on a port, and the laboratory that it is calibrated in."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from host_sessions import session_of
from scripted_peer import ScriptedWearable

from thermo_core import schema
from thermo_core.sensors.kind import Block
from thermo_core.sensors.lis3dh.settings import Lis3dhSettings
from thermo_core.sensors.samples import Samples, pack
from thermo_core.sensors.sht4x import kind as sht4x
from thermo_core.sensors.tmp117 import kind as tmp117
from thermo_core.wearable.profile import Profile
from thermo_core.wire.smp import Op
from thermo_core.wire.table import Command, StreamOp
from thermo_sim.control import ControlServer

BAND: dict[str, Any] = {
    "name": "band",
    "version": "1",
    "sensors": [
        {"kind": "tmp117", "name": "wrist", "path": [0x49], "rate_hz": 1.0},
        {"kind": "sht4x", "name": "air", "path": [0x44], "rate_hz": 1.0},
        {"kind": "lis3dh", "name": "motion", "path": [0x18], "rate_hz": 25.0},
        {"kind": "max3010x", "name": "pulse", "path": [0x57]},
    ],
}
SECONDS = 90
OFF = {"wrist": (0.4, 1.01), "air": (-0.3, 0.98)}
"""Offset and gain of what each shows."""
ZERO_G = np.array([0.03, -0.02, 0.05])


class Band(ScriptedWearable):
    """Sends, at each start of its stream, a minute and a half of what its sensors feel, as fast as it is read."""

    def __init__(self) -> None:
        super().__init__(session_of(schema.from_plain(BAND, Profile, "profile"), {}))
        self.celsius, self.up = 33.0, np.array([0.0, 0.0, 1.0])
        self.before: dict[int, bytes] = {}
        self.now_us = self.end_us = 1_000_000
        self.rng = np.random.default_rng(5)
        self.refused = ""

    def _usual(self, group: int, command: int, op: Op, asked: Any) -> Any:
        if command == Command.STREAM and asked["op"] == StreamOp.START:
            self.now_us = self.end_us
            self.stream = list(self.blocks())
        if command == Command.HELLO:
            sensors = tuple(
                msgspec.structs.replace(state, corrected=number in self.corrections)
                for number, state in enumerate(self.session.hello.sensors)
            )
            return msgspec.structs.replace(self.session.hello, time_us=self.now_us, sensors=sensors).to_map()
        if command == Command.CORRECTION and op == Op.READ and asked.get("slot", 0) == 1:
            return self.part(asked, self.before.get(asked.get("sensor", 0), b""))
        if command == Command.CORRECTION and op == Op.WRITE and asked["off"] == 0:
            self.before |= {n: blob for n, blob in self.corrections.items() if n == asked["sensor"]}
        if command == Command.ROLLBACK:
            sensor = asked["sensor"]
            self.corrections[sensor], self.before[sensor] = self.before[sensor], self.corrections[sensor]
            return {}
        return super()._usual(group, command, op, asked)

    def blocks(self) -> Iterator[Block]:
        motion = Lis3dhSettings(name="motion", path=(0x18,), rate_hz=25.0)
        for second in range(SECONDS):
            self.end_us += 1_000_000
            shown = {
                name: offset + gain * self.celsius + self.rng.normal(0, 0.004) for name, (offset, gain) in OFF.items()
            }
            yield Block(self.end_us, 0, 0, second, tmp117.encode(0x2220, round(shown["wrist"] / 0.0078125)))
            yield Block(self.end_us, 1, 0, second, sht4x.encode((round((shown["air"] + 45) / 175 * 65535), 20000)))
            if second < 10:
                g = self.up + ZERO_G + self.rng.normal(0, 0.003, (25, 3))
                counts = np.rint(g * 1000 / motion.mg_a_count).astype(np.int32)
                yield Block(self.end_us, 2, 0, second, pack(Samples(counts, 40_000), motion.format))


@contextlib.contextmanager
def laid_band(port: Path) -> Iterator[tuple[Band, str]]:
    """A band on a port, with its laboratory's control socket beside it."""
    peer = Band()
    port.symlink_to(peer.port)

    def blackbody(request: Any) -> dict[str, Any]:
        peer.celsius = request["celsius"]
        return {}

    def position(request: Any) -> dict[str, Any]:
        peer.up = np.array(request.get("g", (0.0, 0.0, 1.0)))
        return {}

    scene = {"scene": lambda request: {}, "blackbody": blackbody, "position": position}
    server = ControlServer(Path(f"{port}.ctl"), scene)
    server.start()
    yield peer, str(port)
    server.stop()
    peer.unplug()
