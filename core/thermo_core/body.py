"""Segments of a body as signals have them: 17 temperatures in the order of JOS-3 (Takahashi et al. 2021)."""

from thermo_core.signals import Signal

SEGMENTS = (
    "head", "neck", "chest", "back", "pelvis",
    "left shoulder", "left arm", "left hand", "right shoulder", "right arm", "right hand",
    "left thigh", "left leg", "left foot", "right thigh", "right leg", "right foot",
)  # fmt: skip
"""In words; an arm is a forearm and a shoulder an upper arm."""


NAME = "segments"
"""What a profile calls a signal of them, by itself or at the end as in "smooth-segments"."""


def is_body(signal: Signal) -> bool:
    """Whether a signal's samples are temperatures of a body's segments: a row of 17 numbers in degC that is called so."""
    called = signal.name == NAME or signal.name.endswith((f"-{NAME}", f".{NAME}"))
    return called and signal.shape == (len(SEGMENTS),) and signal.unit == "degC"
