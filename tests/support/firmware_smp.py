"""The firmware's SMP server, called through ctypes."""

import ctypes
import platform
from typing import Any

from thermo_core.wire.smp import Group, Op, SmpHeader, SmpMessage
from thermo_core.wire.table import Command

SENSOR = bytes.fromhex("0d22d1850189")
BUFFER = 2048 + 64


class Firmware:
    """The firmware's server."""

    def __init__(self, wire: Any, sensor: bytes | None = SENSOR, has_bundle: bool = True, doubted: bool = True) -> None:
        self.wire = wire
        self._names = [name.encode() for name in (platform.machine(), platform.system())]  # it points to them
        wire.wire_restart_server(*self._names, sensor, has_bundle, doubted)

    def answer(self, message: bytes, capacity: int = BUFFER) -> bytes | None:
        """As `SmpServer.answer`; the request lies in a buffer of just its size."""
        request = ctypes.create_string_buffer(message, max(1, len(message)))
        answer = ctypes.create_string_buffer(capacity)
        size = self.wire.wire_answer(request, len(message), answer, capacity)
        return answer.raw[:size] or None

    def ask(
        self, op: Op, command: int, body: dict[str, Any], group: int = Group.THERMO, version: int = 1
    ) -> SmpMessage:
        """The answer to a request."""
        answer = self.answer(SmpMessage(SmpHeader(op, group, command, 9, version), body).encode())
        assert answer is not None
        return SmpMessage.decode(answer)

    @property
    def reason(self) -> str:
        """Why the last request was refused."""
        return str(self.ask(Op.READ, Command.REFUSAL, {}).body["reason"])

    resets = property(lambda self: self.wire.wire_seen(0))
    refusals = property(lambda self: self.wire.wire_seen(1))
    corrections = property(lambda self: self.wire.wire_seen(2))
    lease_ms = property(lambda self: self.wire.wire_seen(3))
    key_interval = property(lambda self: self.wire.wire_seen(4))
    trusts = property(lambda self: self.wire.wire_seen(5))
    corrected = property(lambda self: bool(self.wire.wire_seen(6)))
    fed = property(lambda self: bool(self.wire.wire_seen(7)))
    wanted = property(lambda self: self.wire.wire_seen(8))
