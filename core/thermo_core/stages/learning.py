"""What stages share that learn what is usual of one wearer: how far they are, and what they know as bytes that are kept."""

import struct
from dataclasses import dataclass
from typing import Protocol

from thermo_core.stages.elapsed import Elapsed
from thermo_core.stages.stage import Recursion

_HEAD = struct.Struct("<qqIHH")
HEAD_BYTES = _HEAD.size
"""Bytes before what a stage has learned; `struct learned` in `device/firmware/core/learner.h`."""
LONGEST_US = 1 << 60
"""Longest time that can have been learned."""


@dataclass(slots=True)
class Progress:
    """How far a stage has learned.

    Attributes:
        age_us: time under power since its first sample, as of its newest.
        learned_us: time that what it learned stands for.
        samples: that it learned.
        ready: parts of the ambient for which it says something.
        parts: of the ambient.
    """

    age_us: int = 0
    learned_us: int = 0
    samples: int = 0
    ready: int = 0
    parts: int = 1

    def to_bytes(self) -> bytes:
        """`HEAD_BYTES` bytes."""
        return _HEAD.pack(self.age_us, self.learned_us, self.samples, self.ready, self.parts)

    @classmethod
    def from_head(cls, state: bytes) -> "Progress":
        """What a state begins with, whatever it is of; none where it is too short."""
        return cls(*_HEAD.unpack_from(state)) if len(state) >= HEAD_BYTES else cls()

    @classmethod
    def from_bytes(cls, data: bytes, parts: int) -> "Progress":
        """Inverse of `to_bytes`; raises ValueError where that is none of a stage of so many parts."""
        found = cls.from_head(data)
        if not (
            0 <= found.age_us <= LONGEST_US
            and 0 <= found.learned_us <= LONGEST_US
            and found.ready <= found.parts == parts
        ):
            raise ValueError("what was learned is none of this stage")
        return found


class Learner(Recursion, Protocol):
    """State of a stage that learns; a new one knows nothing.

    Attributes:
        progress: how far it is.
    """

    progress: Progress

    def interrupt(self) -> None:
        """What comes next does not follow what came before: after a pause, or from other constants."""

    def save(self) -> bytes:
        """All it knows, always of the same length."""

    def load(self, data: bytes) -> None:
        """Know this instead; raises ValueError where a stage of these parameters cannot."""


class Clock(Elapsed):
    """How long each sample stands for, and how long ago the one before it was learned."""

    def __init__(self, gap_us: int) -> None:
        super().__init__(gap_us)
        self._seen_us: int | None = None

    def aged(self, time_us: int) -> int:
        """Microseconds since the newest sample of all, over pauses too."""
        before, self._seen_us = self._seen_us, time_us
        return 0 if before is None else max(time_us - before, 0)
