"""What a reader read before it was its turn: blocks that are announced can be read together, and are told one by one."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from thermo_core.errors import ThermoError
from thermo_core.sensors.kind import Block

T = TypeVar("T")


class Ahead(Generic[T]):
    """What announced blocks gave, in their order; True while there are any.

    Announcing never changes what a reader gives: where another block comes than the one that was announced, the reader goes back to
    where it was and reads one by one.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[Block, T | ThermoError]] = deque()
        self._taken: list[Block] = []
        self._back: Callable[[Sequence[Block]], None] = lambda taken: None
        self._read: Callable[[Block], T] | None = None

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def load(
        self,
        blocks: Sequence[Block],
        found: Sequence[T | ThermoError],
        back: Callable[[Sequence[Block]], None],
        read: Callable[[Block], T],
    ) -> None:
        """Keep what blocks gave.

        Args:
            blocks: that were announced.
            found: what reading each gave or raised.
            back: brings the reader to where it was before, and has it read some of the blocks.
            read: reads one.
        """
        self._waiting.extend(zip(blocks, found, strict=True))
        self._taken.clear()
        self._back, self._read = back, read

    def take(self, block: Block) -> T:
        """What this block gives, or the error it raises."""
        assert self._read is not None
        announced, found = self._waiting[0]
        if announced is not block and announced != block:
            self.drop()
            return self._read(block)
        self._waiting.popleft()
        self._taken.append(block)
        if isinstance(found, ThermoError):
            raise found
        return found

    def drop(self) -> None:
        """Forget what was announced and did not come."""
        if self._waiting:
            self._waiting.clear()
            self._back(self._taken)
