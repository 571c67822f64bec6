"""Answers SMP requests: dispatch to the groups a wearable serves, refusals with a reason, and the os group.

A well-formed request always gets an answer and nothing a client sends can stop the server. A refusal carries its
sentence in `rsn` where the protocol has room for one; the last one can also be read later, see `SmpServer.refusal`.
"""

import logging
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from thermo_core.errors import ManagementError, ThermoError
from thermo_core.wire import management
from thermo_core.wire.smp import HEADER_BYTES, Group, Op, ReturnCode, SmpHeader, SmpMessage
from thermo_core.wire.table import GroupError

log = logging.getLogger(__name__)

Body = Mapping[str, Any]
Handler = Callable[[Body], Body]
Commands = Mapping[tuple[int, int, Op], Handler]
"""Handlers by (group, command, operation)."""

BUFFER_SIZE = 8192
"""Longest SMP message accepted, with its 4 bytes of framing; clients size their uploads by it."""
BUFFER_COUNT = 2
MAX_ECHO = 4096
MAX_REASON = 1024

_ECHO, _RESET, _PARAMETERS, _APPLICATION_INFO, _BOOTLOADER_INFO = 0, 5, 6, 7, 8
_OS_INVALID_FORMAT, _OS_NO_ANSWER = 2, 3
_SWAP = 3  # MCUboot swaps slots without scratch: slot 0 always runs


class RequestRefused(ThermoError):
    """A request that is understood and not carried out.

    Args:
        reason: the sentence.
        code: a `ReturnCode`, or where `group` is given a code of that group.
        group: whose code it is; None for the protocol's own.
        version_1: what a client of SMP version 1 is told instead of a group's code.
    """

    def __init__(
        self, reason: str, code: int, group: int | None = None, version_1: ReturnCode = ReturnCode.UNKNOWN
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.group = group
        self.version_1 = version_1


_VERSION_1 = {
    GroupError.NO_SENSOR: ReturnCode.NO_ENTRY,
    GroupError.NO_CORRECTION: ReturnCode.NO_ENTRY,
    GroupError.WRONG_SENSOR: ReturnCode.ACCESS_DENIED,
    GroupError.DAMAGED: ReturnCode.CORRUPT,
    GroupError.BAD_OFFSET: ReturnCode.INVALID,
    GroupError.BAD_RATE: ReturnCode.INVALID,
    GroupError.NO_LEASE: ReturnCode.BAD_STATE,
    GroupError.STORAGE: ReturnCode.NO_MEMORY,
    GroupError.IMPLAUSIBLE: ReturnCode.INVALID,
    GroupError.NO_SUCH: ReturnCode.NO_ENTRY,
}


def group_refusal(code: GroupError, reason: str) -> RequestRefused:
    """A refusal in the codes of a wearable's own group."""
    return RequestRefused(reason, code, int(Group.THERMO), _VERSION_1.get(code, ReturnCode.UNKNOWN))


class SmpServer:
    """Turns requests into answers.

    Args:
        commands: handlers of all groups; each returns the body of its answer or raises a `ThermoError`.
        now_us: device's clock.
        on_refusal: told the reason of every refusal of a known command.
    """

    def __init__(
        self, commands: Commands, now_us: Callable[[], int], on_refusal: Callable[[str], None] = lambda reason: None
    ) -> None:
        self._commands = dict(commands)
        self._now_us = now_us
        self._on_refusal = on_refusal
        self.refusal = management.Refusal()

    def answer(self, message: bytes) -> bytes | None:
        """The answer to a message, or None where it is no request: an answer, or no SMP header at all."""
        if len(message) < HEADER_BYTES:
            return None
        try:
            request = SmpMessage.decode(message)
        except ManagementError as error:
            return self._answer_malformed(message, error)
        if not request.header.is_request:
            return None
        try:
            return self._respond(request).encode()
        except ManagementError as error:
            log.error("%s", error)
            return request.refuse(ReturnCode.TOO_LARGE).encode()

    def _respond(self, request: SmpMessage) -> SmpMessage:
        header = request.header
        handler = self._commands.get((header.group, header.command, header.op))
        if handler is None:
            return request.refuse(ReturnCode.NOT_SUPPORTED)
        try:
            return request.respond(handler(request.body))
        except RequestRefused as refusal:
            self._note(refusal.reason)
            return self._refuse(request, refusal)
        except ManagementError as error:
            self._note(str(error))
            return self._refuse(request, RequestRefused(str(error), ReturnCode.INVALID))
        except ThermoError as error:
            self._note(str(error))
            return self._refuse(request, RequestRefused(str(error), ReturnCode.UNKNOWN))
        except OSError as error:
            reason = f"The device's storage failed ({error.strerror}); check its free space and file system."
            self._note(reason)
            return self._refuse(request, RequestRefused(reason, ReturnCode.NO_MEMORY))
        except Exception:
            log.exception("group %d command %d failed", header.group, header.command)
            reason = f"Group {header.group} command {header.command} met an internal error; see the device's log."
            self._note(reason)
            return self._refuse(request, RequestRefused(reason, ReturnCode.UNKNOWN))

    def _note(self, reason: str) -> None:
        self.refusal = management.Refusal(reason=reason[:MAX_REASON], time_us=self._now_us())
        log.warning("refused: %s", reason)
        self._on_refusal(reason)

    def _refuse(self, request: SmpMessage, refusal: RequestRefused) -> SmpMessage:
        answer = request.refuse(refusal.code, refusal.group, refusal.version_1)
        if answer.body.get("rc"):
            return request.respond({**answer.body, "rsn": refusal.reason})
        return answer

    def _answer_malformed(self, message: bytes, error: ManagementError) -> bytes | None:
        """The header may be readable though the message is not; then its sender waits for an answer."""
        first, _, _, _, group_high, group_low, sequence, command = message[:HEADER_BYTES]
        version = (first >> 3) & 3
        operation = first & 7
        if operation not in (Op.READ, Op.WRITE):
            return None
        code = ReturnCode.TOO_NEW if version > 1 else ReturnCode.INVALID
        header = SmpHeader(Op(operation), group_high << 8 | group_low, command, sequence, min(version, 1))
        self._note(str(error))
        return SmpMessage(header.to_response(), {"rc": int(code), "rsn": str(error)}).encode()


def field(body: Body, name: str, kind: type[Any], default: Any = None) -> Any:
    """A field of a request.

    Raises:
        RequestRefused: absent with no default, or of another type.
    """
    value = body.get(name, default)
    if value is None:
        raise RequestRefused(f'The request lacks "{name}"; add it.', ReturnCode.INVALID)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise RequestRefused(
            f'"{name}" must be {kind.__name__}, not {type(value).__name__}; correct the request.', ReturnCode.INVALID
        )
    return value


@dataclass(frozen=True, slots=True)
class Application:
    """What the os group says of the device.

    Attributes:
        name: node name.
        release: version of the software.
        machine: hardware name.
        profile: which wearable it is.
    """

    name: str
    release: str
    machine: str
    profile: str = ""


def os_commands(application: Callable[[], Application], reset: Callable[[], None]) -> Commands:
    """The os group: echo, reset, parameters, application info, bootloader info.

    Args:
        application: what to say of the device.
        reset: asks for a restart that happens after the answer is sent.
    """

    def echo(body: Body) -> Body:
        text = field(body, "d", str)
        if len(text.encode()) > MAX_ECHO:
            raise RequestRefused(f"An echo of more than {MAX_ECHO} bytes is too long; send less.", ReturnCode.TOO_LARGE)
        return {"r": text}

    def restart(body: Body) -> Body:
        reset()
        return {}

    def parameters(body: Body) -> Body:
        return {"buf_size": BUFFER_SIZE, "buf_count": BUFFER_COUNT}

    def application_info(body: Body) -> Body:
        wanted = field(body, "format", str, "s")
        known = application()
        parts = {
            "s": "thermo-edge",
            "n": known.name,
            "r": known.release,
            "v": known.release,
            "m": known.machine,
            "p": platform.machine(),
            "i": known.profile or known.machine,
            "o": platform.system(),
        }
        letters = set(wanted)
        if not letters <= {*parts, "a", "b"}:
            raise RequestRefused(
                f'The format "{wanted[:16]}" holds letters other than snrvbmpioa; correct it.',
                _OS_INVALID_FORMAT,
                Group.OS,
                ReturnCode.INVALID,
            )
        if "a" in letters:
            letters = set(parts)
        return {"output": " ".join(value for letter, value in parts.items() if letter in letters)}

    def bootloader_info(body: Body) -> Body:
        query = field(body, "query", str, "")
        if not query:
            return {"bootloader": "MCUboot"}
        if query == "mode":
            return {"bootloader": "MCUboot", "response": {"mode": _SWAP, "no-downgrade": True}}
        raise RequestRefused(
            f'The bootloader does not answer "{query[:16]}"; ask for "mode".',
            _OS_NO_ANSWER,
            Group.OS,
            ReturnCode.NO_ENTRY,
        )

    group = int(Group.OS)
    return {
        (group, _ECHO, Op.WRITE): echo,
        (group, _ECHO, Op.READ): echo,
        (group, _RESET, Op.WRITE): restart,
        (group, _PARAMETERS, Op.READ): parameters,
        (group, _APPLICATION_INFO, Op.READ): application_info,
        (group, _BOOTLOADER_INFO, Op.READ): bootloader_info,
    }
