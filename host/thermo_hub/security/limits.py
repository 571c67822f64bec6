"""How often somebody may try: a bucket for each key, which fills again by and by."""

import math
import time
from collections.abc import Callable
from threading import Lock

from fastapi import HTTPException

MOST_KEYS = 10_000


class Limit:
    """Counts tries by key. May be used in any thread.

    Args:
        tries: that may follow each other at once.
        per_s: seconds in which so many become possible again.
        now_s: seconds of a clock that only rises.
    """

    def __init__(self, tries: int, per_s: float, now_s: Callable[[], float] = time.monotonic) -> None:
        self._tries = tries
        self._each_s = per_s / tries
        self._now_s = now_s
        self._full_at: dict[str, float] = {}
        self._lock = Lock()

    def wait_s(self, key: str) -> float:
        """Take a try; 0 where it may be made, else seconds until one may."""
        now_s = self._now_s()
        with self._lock:
            full_at = max(self._full_at.get(key, now_s), now_s)
            wait_s = full_at - now_s - (self._tries - 1) * self._each_s
            if wait_s > 1e-9:
                return wait_s
            if key not in self._full_at and len(self._full_at) >= MOST_KEYS:
                self._forget(now_s)
            self._full_at[key] = full_at + self._each_s
            return 0.0

    def forgive(self, key: str) -> None:
        """A try was good: those before it do not count."""
        with self._lock:
            self._full_at.pop(key, None)

    def _forget(self, now_s: float) -> None:
        """Forget keys whose buckets are full; where most are in use, a tenth of them, so that this is not done at every try."""
        self._full_at = {key: at for key, at in self._full_at.items() if at > now_s}
        for key in list(self._full_at)[: max(0, len(self._full_at) - MOST_KEYS * 9 // 10)]:
            del self._full_at[key]


def held(limit: Limit, key: str, what: str = "Too many tries") -> None:
    """Answer 429, with how long to wait, where something is done too often.

    Args:
        limit: that counts.
        key: by which.
        what: is too much, as the begin of a sentence.
    """
    wait_s = limit.wait_s(key)
    if wait_s:
        seconds = math.ceil(wait_s)
        raise HTTPException(429, f"{what}; wait {seconds} s.", {"retry-after": str(seconds)})
