"""Fewer examples of properties that cost much each: `python bench/properties.py` draws as many of them as of any other."""

import os

from hypothesis import settings


def few(count: int) -> settings:
    """Settings of a property of which `make test` tries so many examples."""
    return settings() if os.environ.get("HYPOTHESIS_PROFILE") == "fresh" else settings(max_examples=count)
