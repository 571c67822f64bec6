"""What the figures of garments do not show, as sentences of their cards; every number in them comes from the metrics or the code."""

from collections.abc import Mapping
from typing import Any

from thermo_models.tasks.clothing_scenes import BIAS_K, NOISE_K


def limits(metrics: Mapping[str, Any]) -> tuple[str, ...]:
    """The sentences, from the figures of a run."""
    return (
        f"All bodies are simulated, with nodes off by {BIAS_K:g} K each and {NOISE_K:g} K of noise. Nobody has worn it.",
    )
