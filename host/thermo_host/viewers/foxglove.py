"""A live server for Foxglove: the SDK's, on this computer alone, with our door before it."""

import logging
from collections.abc import Callable
from types import TracebackType

import foxglove

from thermo_core.graph.engine import Outcome
from thermo_host.exports.foxglove import Scene
from thermo_host.link.items import Item
from thermo_host.stream.decoding import Decoding
from thermo_host.viewers.front import Door, Front
from thermo_host.viewers.rows import LiveRows

PROTOCOLS = ("foxglove.sdk.v1",)
BACKLOG = 256
"""Messages that wait for a slow viewer before the oldest are dropped."""


class FoxgloveServer:
    """A sink that tells Foxglove what comes. Use it in a `with` block.

    Args:
        decoding: makes signals of the blocks, and has taken each item before this.
        door: where it listens, and who is let in.
        refused: told, from another thread, who was refused and why.

    Raises:
        UsageError: the port is taken, or the address is not this computer's.
    """

    def __init__(
        self, decoding: Decoding, door: Door, refused: Callable[[str, str], None] = lambda who, why: None
    ) -> None:
        logging.getLogger("foxglove").setLevel(logging.CRITICAL)
        self._context = foxglove.Context()
        self._rows = LiveRows(decoding)
        hello = decoding.session.hello
        self._server = foxglove.start_server(
            name=f"{hello.profile} {hello.serial}",
            host="127.0.0.1",
            port=0,
            context=self._context,
            message_backlog_size=BACKLOG,
        )
        self._scene = Scene(self._context, self._rows.first)
        self.front = Front(door, self._server.port, PROTOCOLS, refused)

    def __enter__(self) -> "FoxgloveServer":
        try:
            self.front.__enter__()
        except BaseException:
            self._server.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.stop()
        self.front.__exit__(kind, value, traceback)
        self._scene.close()

    def take(self, item: Item, outcome: Outcome | None) -> None:
        """As `Sink`."""
        for row in self._rows.rows(item, outcome):
            self._scene.add(row)

    def idle(self) -> None:
        """Nothing waits."""
