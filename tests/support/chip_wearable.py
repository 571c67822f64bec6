"""A wearable of all kinds of chips but cameras, on one bus and behind a multiplexer."""

from pathlib import Path

CHIPS = """
name = "chips"
version = "1.0.0"
card = "CARD.md"
[[sensors]]
name = "pile"
kind = "mlx90632"
path = [0x3A]
rate_hz = 4.0
[[sensors]]
name = "pulse"
kind = "max3010x"
path = [0x57]
[[sensors]]
name = "motion"
kind = "lis3dh"
path = [0x18]
[[sensors]]
name = "air"
kind = "sht4x"
path = [0x44]
rate_hz = 2.0
[[sensors]]
name = "touch"
kind = "tmp117"
path = [0x49]
rate_hz = 4.0
[[sensors]]
name = "left"
kind = "tmp117"
path = ["tca9548a@0x70:0", 0x48]
rate_hz = 4.0
"""


def write(folder: Path, more: str = "") -> str:
    """The wearable's file with what is appended to it, and its card."""
    (folder / "wearable.toml").write_text(CHIPS + more)
    (folder / "CARD.md").write_text("# chips\n\nInforms only.\n")
    return str(folder / "wearable.toml")
