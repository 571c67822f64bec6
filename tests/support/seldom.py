"""A wearable that speaks once in five seconds, so that a device keeps what it says, and of each reading of its one chip.

Nothing lies between reading and finding that takes several: where a busy machine keeps a hurried chip waiting for longer than a gap,
a window would begin anew, and what it held be missing from the count of readings.
"""

from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from small_networks import network

from thermo_core.image import Version, load_private_key
from thermo_core.wearable.file import Wearable, read
from thermo_device.development_key import DEVELOPMENT_PRIVATE_KEY
from thermo_quantize.sign import sign_bundle

EVERY_S = 5.0
TOML = f"""
name = "seldom"
version = "1.0.0"
card = "CARD.md"

[[sensors]]
name = "room"
kind = "sht4x"
path = [0x44]
rate_hz = {1 / EVERY_S}

[[stages]]
op = "scale"
of = "room"
gives = "scaled"
factor = 0.3

[[models]]
name = "air"
inputs = ["scaled"]
network = "air.tflite"

[[models.quantities]]
name = "dry"
unit = ""
low = -1e6
high = 1e6

[[models.quantities]]
name = "damp"
unit = ""
low = -1e6
high = 1e6

[[models.quantities]]
name = "wet"
unit = ""
low = -1e6
high = 1e6

[[models]]
name = "warmth"
inputs = ["scaled"]
network = "warmth.tflite"

[[models.quantities]]
name = "celsius"
unit = "degC"
low = -40.0
high = 125.0
"""


def write(folder: Path) -> Path:
    """Its files in a folder; the wearable.toml."""
    (folder / "air.tflite").write_bytes(network([1], 3, 1))
    (folder / "warmth.tflite").write_bytes(network([1], 1, 2))
    (folder / "CARD.md").write_text("# seldom\n\nInforms only.\n")
    path = folder / "wearable.toml"
    path.write_text(TOML)
    return path


def signed(folder: Path) -> bytes:
    """Its image, by the development key."""
    made: Wearable = read(write(folder))
    networks = {name: (folder / f"{name}.tflite").read_bytes() for name in ("air", "warmth")}
    return sign_bundle(made.profile, networks, "# seldom", Version(1), _key()).data


@cache
def _key() -> Ed25519PrivateKey:
    return load_private_key(DEVELOPMENT_PRIVATE_KEY.read_bytes())
