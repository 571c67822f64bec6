"""Management requests over an open line: smpclient's for the standard groups, core's own for group 65."""

import asyncio
import itertools
import struct
import threading
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future
from types import TracebackType
from typing import Any, TypeVar

from smp.error import ErrorV1, ErrorV2
from smp.exceptions import SMPException
from smpclient import SMPClient
from smpclient.exceptions import SMPClientException, SMPUploadError
from smpclient.generics import SMPRequest, TEr1, TEr2, TRep, error_v1, success
from smpclient.transport import SMPTransport

from thermo_core.errors import LinkTimeoutError, ManagementError, RefusedError, UsageError, WireError
from thermo_core.text import clean
from thermo_core.wire import management
from thermo_core.wire.smp import Group, Op, ReturnCode, SmpHeader, SmpMessage
from thermo_core.wire.table import Command
from thermo_host.link.foreign import cleaned
from thermo_host.link.transport import SerialLine

NO_GROUP = -1
"""Group of a refusal in the codes of SMP itself."""
RETRIES = 2
"""How often a request that changes nothing is repeated when no answer comes."""
MOST_STALLS = 32
"""Answers to an upload without any progress."""

_T = TypeVar("_T")
_NONSENSE = (
    SMPException, SMPClientException, struct.error, ValueError, TypeError, ArithmeticError, LookupError, AssertionError,
)  # fmt: skip
"""What smpclient raises over an answer that makes no sense to it, on purpose or not."""
Progress = Callable[[int, int], None]
"""Called with (bytes done, bytes in all)."""


class LineTransport(SMPTransport):
    """smpclient's view of a line that also carries telemetry."""

    def __init__(self, line: SerialLine) -> None:
        self._line = line
        self._answer: Future[bytes] | None = None

    async def connect(self, address: str, timeout_s: float) -> None:
        """The line is open already."""

    async def disconnect(self) -> None:
        """Whoever opened the line closes it."""

    async def send(self, data: bytes) -> None:
        """Send a request."""
        self._answer = self._line.begin(data)

    async def receive(self) -> bytes:
        """The answer that repeats the sequence number of what was sent last."""
        if self._answer is None:
            raise UsageError("Nothing was sent, so no answer can come; send a request first.")
        return await asyncio.wrap_future(self._answer)

    async def send_and_receive(self, data: bytes) -> bytes:
        """Send a request and wait for its answer."""
        return await asyncio.wrap_future(self._line.begin(data))

    @property
    def mtu(self) -> int:
        """What every mcumgr server takes, until it says that it takes more."""
        return 256

    @property
    def max_unencoded_size(self) -> int:
        """Largest message: the server's buffer less the length and the CRC that share it."""
        return (self._smp_server_transport_buffer_size or self.mtu) - 4


class Requests:
    """Blocking requests from any thread, telemetry flowing or not.

    Args:
        line: an open line.
        timeout_s: how long to wait for one answer.
    """

    def __init__(self, line: SerialLine, timeout_s: float) -> None:
        self._line = line
        self.timeout_s = timeout_s
        self._sequence = itertools.count()
        self._client = SMPClient(LineTransport(line), line.port, timeout_s)
        self._connected = False

    def read(self, command: int, body: Mapping[str, Any] | None = None, retries: int = RETRIES) -> Mapping[str, Any]:
        """Read from group 65; repeated so often when no answer comes.

        Raises:
            RefusedError, LinkTimeoutError, LinkLostError, ManagementError.
        """
        for _ in range(retries):
            try:
                return self._own(Op.READ, command, body or {}, self.timeout_s)
            except LinkTimeoutError:
                continue
        return self._own(Op.READ, command, body or {}, self.timeout_s)

    def write(self, command: int, body: Mapping[str, Any], timeout_s: float | None = None) -> Mapping[str, Any]:
        """Write to group 65, once.

        Raises:
            RefusedError, LinkTimeoutError, LinkLostError, ManagementError.
        """
        return self._own(Op.WRITE, command, body, self._patience(timeout_s))

    def _patience(self, least_s: float | None) -> float:
        """How long a command may take: its own time, or longer where whoever opened the port has the patience."""
        return max(least_s or 0.0, self.timeout_s)

    def standard(self, request: SMPRequest[TRep, TEr1, TEr2], timeout_s: float | None = None) -> TRep:
        """Make one of smpclient's requests and give its response.

        Raises:
            RefusedError, LinkTimeoutError, LinkLostError, ManagementError.
        """
        response = self._run(self._client.request(request, self._patience(timeout_s)))
        if success(response):
            return response
        if error_v1(response):
            raise self.refused(int(response.rc), None)
        raise self.refused_v2(response)

    def upload(self, data: bytes, progress: Progress, image: int = 0) -> None:
        """Upload an image into the free slot of an image's number, from where an earlier upload of the same bytes stopped.

        Raises:
            RefusedError, LinkTimeoutError, LinkLostError, ManagementError.
        """
        if not self._connected:
            self._run(self._client.connect(self.timeout_s))
            self._connected = True
        furthest = -1

        async def send() -> None:
            nonlocal furthest
            stalled = 0
            async for offset in self._client.upload(data, image, first_timeout_s=4 * self.timeout_s):
                stalled = 0 if offset > furthest else stalled + 1
                if stalled > MOST_STALLS:
                    raise ManagementError(
                        f"{self._line.port} asks for the same part of the image again and again; reset the wearable and flash "
                        "again."
                    )
                furthest = max(furthest, offset)
                progress(offset, len(data))

        for attempt in itertools.count():
            before = furthest
            try:
                self._run(send())
                return
            except LinkTimeoutError:
                # The server keeps what it has, so a new start goes on there; one without any progress ends it.
                if furthest == before or attempt > 20:
                    raise

    def refused_v2(self, response: ErrorV2[Any]) -> RefusedError:
        """The error for a refusal in SMP version 2."""
        return self.refused(int(response.err.rc), int(response.err.group))

    def refused(self, code: int, group: int | None) -> RefusedError:
        """The error for a refusal, with the reason the wearable gives for it."""
        reason = ""
        try:
            body = self._own(Op.READ, Command.REFUSAL, {}, self.timeout_s, explain=False)
            reason = cleaned(management.read(management.Refusal, body).reason)
        except (RefusedError, LinkTimeoutError, WireError):
            # An older wearable, or any other mcumgr server, has no reasons to give.
            reason = ""
        return _refusal(code, group, reason)

    def _own(
        self, op: Op, command: int, body: Mapping[str, Any], timeout_s: float, explain: bool = True
    ) -> Mapping[str, Any]:
        header = SmpHeader(op, Group.THERMO, int(command), next(self._sequence) % 256)
        answer = SmpMessage.decode(self._line.exchange(SmpMessage(header, body).encode(), timeout_s))
        if answer.error is None:
            return answer.body
        group, code = answer.error
        raise self.refused(code, group) if explain else _refusal(code, group, "")

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine in a thread and loop of its own, because the caller may have a running loop (a notebook)."""
        with _Loop() as loop:
            future = asyncio.run_coroutine_threadsafe(work, loop)
            try:
                return future.result()
            except TimeoutError:
                raise self._line.no_answer(self.timeout_s) from None
            except SMPUploadError as error:
                raise self._upload_error(error) from error
            except _NONSENSE as error:
                text = clean(" ".join(str(error).split()), 120)
                raise ManagementError(
                    f"{self._line.port} gave an answer that does not parse ({text}); check what is attached there, and its software."
                ) from error
            except BaseException:
                future.cancel()
                raise

    def _upload_error(self, error: SMPUploadError) -> Exception:
        said = error.args[0] if error.args else ""
        if isinstance(said, ErrorV2):
            return self.refused_v2(said)
        if isinstance(said, ErrorV1):
            return self.refused(int(said.rc), None)
        return RefusedError(f"{self._line.port} received other bytes than were sent; flash again.", str(said))


class _Loop:
    """An event loop in a thread."""

    def __enter__(self) -> asyncio.AbstractEventLoop:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self._loop

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()


def _refusal(code: int, group: int | None, reason: str) -> RefusedError:
    if not reason:
        name = ReturnCode(code).name if group is None and code in ReturnCode._value2member_map_ else str(code)
        reason = f"code {name}" + (f" of group {group}" if group is not None else "")
    text = reason.rstrip(".")
    return RefusedError(f"The wearable refused: {text}.", reason, code, NO_GROUP if group is None else group)
