"""A signed bundle and, behind it in the same file, what of it microcontrollers run: a signed container for each processor.

Each is an image of its own, so that a device gets only what it runs, and the bundle keeps its bytes and its hash.
"""

from collections.abc import Iterable

from thermo_core import image
from thermo_core.errors import ImageFormatError
from thermo_core.firmware import signed
from thermo_core.firmware.container import is_container


def join(bundle: bytes, containers: Iterable[bytes]) -> bytes:
    """One file of a bundle's image and those of its containers."""
    return bundle + b"".join(containers)


def split(data: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """A bundle's image, and the images of containers behind it; nothing of either is checked.

    Padding of a slot behind a bundle stays with it, and so does all that is no image.

    Raises:
        ImageFormatError: an image behind the bundle is cut short, or no container.
    """
    end = image.end_of(data)
    if end is None or not image.begins_image(data[end:]):
        return data, ()
    found = []
    rest = data[end:]
    while rest:
        size = signed.size_of(rest)
        if size is None or not is_container(signed.parse(rest[:size]).payload):
            raise ImageFormatError(
                "What follows the bundle in the file is no whole container of a model, so fetch the file or make it again."
            )
        found.append(rest[:size])
        rest = rest[size:]
    return data[:end], tuple(found)
