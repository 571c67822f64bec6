"""Fewer examples of what costs much: `python bench/properties.py` tries all of them."""

import os
import zlib
from collections.abc import Sequence
from typing import Any, TypeVar

from hypothesis import settings

ALL = os.environ.get("HYPOTHESIS_PROFILE") == "fresh"
Place = TypeVar("Place")


def few(count: int, of: int = 100, **others: Any) -> settings:
    """Settings of a property of which `make test` tries `count` examples, and `bench/properties.py` `of`; `others` as hypothesis has them."""
    return settings(max_examples=of if ALL else count, deadline=None, **others)


def some(places: Sequence[Place], every: int, of: str) -> Sequence[Place]:
    """Of a campaign over all places one of `every`, others for another `of`, and the last; its test is marked `campaign`."""
    return places if ALL else [*places[zlib.crc32(of.encode()) % every : -1 : every], *places[-1:]]
