"""Constants between units."""

from typing import Final

KELVIN: Final = 273.15
"""0 degC."""
