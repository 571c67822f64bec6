"""Requests of the standard groups, made by smpclient, which takes longer to load than all else of the host: see `Requests.standard`."""

import asyncio
import itertools
import queue
import struct
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from types import TracebackType
from typing import Any, TypeVar

from smp.error import ErrorV1, ErrorV2
from smp.exceptions import SMPException
from smp.image_management import ImageState
from smpclient import SMPClient
from smpclient.exceptions import SMPClientException, SMPUploadError
from smpclient.generics import SMPRequest, TEr1, TEr2, TRep, error_v1, success
from smpclient.requests.image_management import ImageErase, ImageStatesRead, ImageStatesWrite
from smpclient.requests.os_management import BootloaderInformationRead, EchoWrite, ResetWrite
from smpclient.transport import SMPTransport

from thermo_core.errors import LinkTimeoutError, ManagementError, RefusedError, UsageError
from thermo_core.text import clean
from thermo_host.link.transport import SerialLine

MOST_STALLS = 32
"""Answers to an upload without any progress."""
MOST_STARTS = 21
"""Times that an upload is begun again where it had come further."""

_T = TypeVar("_T")
_NONSENSE = (
    SMPException, SMPClientException, struct.error, ValueError, TypeError, ArithmeticError, LookupError, AssertionError,
)  # fmt: skip
"""What smpclient raises over an answer that makes no sense to it, on purpose or not."""


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


class Standard:
    """Blocking requests from any thread, telemetry flowing or not.

    Every method raises RefusedError, with the wearable's reason, LinkTimeoutError, LinkLostError or ManagementError.

    Args:
        line: an open line.
        timeout_s: how long to wait for one answer.
        refused: (code, group or None) -> the error for a refusal, with its reason.
    """

    def __init__(self, line: SerialLine, timeout_s: float, refused: Callable[[int, int | None], RefusedError]) -> None:
        self._line, self._timeout_s, self._refused = line, timeout_s, refused
        self._client = SMPClient(LineTransport(line), line.port, timeout_s)
        self._connected = False

    def echo(self, text: str) -> str:
        """What is echoed."""
        return self._request(EchoWrite(d=text)).r

    def reset(self) -> None:
        """Restart."""
        self._request(ResetWrite())

    def bootloader(self, query: str) -> Any:
        """What the bootloader answers to a query."""
        return self._request(BootloaderInformationRead(query=query)).response

    def images(self) -> list[ImageState]:
        """The image slots."""
        return list(self._request(ImageStatesRead()).images)

    def choose_image(self, sha256: bytes | None, confirm: bool) -> None:
        """Have the next reset start an image once, or keep it for good; None is the one that runs."""
        self._request(ImageStatesWrite(hash=sha256, confirm=confirm))

    def erase_image(self) -> None:
        """Erase the slot that does not run."""
        self._request(ImageErase())

    def upload(self, data: bytes, progress: Callable[[int, int], None], image: int) -> None:
        """Upload an image into the free slot of an image's number, from where an earlier upload of the same bytes stopped.

        Args:
            data: the image.
            progress: called with (bytes done, bytes in all).
            image: number of it.
        """
        if not self._connected:
            self._run(self._client.connect(self._timeout_s))
            self._connected = True
        furthest = -1

        async def send() -> None:
            nonlocal furthest
            stalled = 0
            async for offset in self._client.upload(data, image, first_timeout_s=4 * self._timeout_s):
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
                if furthest == before or attempt >= MOST_STARTS:
                    raise

    def _request(self, request: SMPRequest[TRep, TEr1, TEr2]) -> TRep:
        response = self._run(self._client.request(request, self._timeout_s))
        if success(response):
            return response
        if error_v1(response):
            raise self._refused(int(response.rc), None)
        raise self._refused_v2(response)

    def _refused_v2(self, response: ErrorV2[Any]) -> RefusedError:
        return self._refused(int(response.err.rc), int(response.err.group))

    def _run(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine in a thread and loop of its own, because the caller may have a running loop (a notebook)."""
        with _Loop() as loop:
            # Nothing but this queue is between the threads: a signal may interrupt this one at any instruction.
            ended: queue.SimpleQueue[asyncio.Task[_T]] = queue.SimpleQueue()
            begun: list[asyncio.Task[_T]] = []

            def begin() -> None:
                begun.append(loop.create_task(work))
                begun[0].add_done_callback(ended.put)

            loop.call_soon_threadsafe(begin)
            try:
                return ended.get().result()
            except TimeoutError:
                raise self._line.no_answer(self._timeout_s) from None
            except SMPUploadError as error:
                raise self._upload_error(error) from error
            except _NONSENSE as error:
                text = clean(" ".join(str(error).split()), 120)
                raise ManagementError(
                    f"{self._line.port} gave an answer that does not parse ({text}); check what is attached there, and its software."
                ) from error
            except BaseException:
                loop.call_soon_threadsafe(lambda: [task.cancel() for task in begun])
                raise

    def _upload_error(self, error: SMPUploadError) -> Exception:
        said = error.args[0] if error.args else ""
        if isinstance(said, ErrorV2):
            return self._refused_v2(said)
        if isinstance(said, ErrorV1):
            return self._refused(int(said.rc), None)
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
