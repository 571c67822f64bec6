"""Fewer examples of properties that cost much: `python bench/properties.py` draws all of them."""

import os
from typing import Any

from hypothesis import settings


def few(count: int, of: int = 100, **others: Any) -> settings:
    """Settings of a property of which `make test` tries `count` examples, and `bench/properties.py` `of`; `others` as hypothesis has them."""
    fresh = os.environ.get("HYPOTHESIS_PROFILE") == "fresh"
    return settings(max_examples=of if fresh else count, deadline=None, **others)
