"""Arrays of NumPy's files (.npy, .npz) of any origin: never a pickle, and nothing is unpacked before its size is known."""

import io
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.lib import format as numpy_format
from numpy.typing import NDArray

from thermo_core.errors import StorageError
from thermo_core.text import clean

LARGEST_ARRAY = 256 << 20
"""Bytes of one array."""
LARGEST_HEADER = 10_000
MOST_MEMBERS = 4096
PICKLED = (
    "holds Python objects, which can run any program when they are loaded, so they are never loaded; save plain numbers with "
    "numpy.savez instead"
)
npy: Any = numpy_format  # its stubs know none of what is used here
_READERS = {
    (1, 0): (npy.read_array_header_1_0, struct.Struct("<H")),
    (2, 0): (npy.read_array_header_2_0, struct.Struct("<I")),
}
BROKEN = (
    ValueError, EOFError, OSError, KeyError, TypeError, AttributeError, OverflowError, RecursionError, MemoryError, SyntaxError,
    NotImplementedError, RuntimeError, struct.error, tokenize.TokenError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What NumPy and zipfile raise for files that are not what they say."""


@dataclass(frozen=True, slots=True)
class Header:
    """What an array's header says.

    Attributes:
        shape: of it.
        dtype: of it.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def size(self) -> int:
        """Bytes."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_npy(stream: IO[bytes], name: object) -> NDArray[Any]:
    """The array of an .npy file.

    Args:
        stream: at its beginning.
        name: how errors call it.

    Raises:
        StorageError: it is none, holds Python objects, is larger than LARGEST_ARRAY, or damaged.
    """
    try:
        _check(_header(stream), name)
        stream.seek(0)
        return np.asarray(npy.read_array(stream, allow_pickle=False))
    except StorageError:
        raise
    except BROKEN as error:
        raise _damaged(name, error) from error


def read_npz(
    stream: IO[bytes], name: object, wanted: Callable[[Mapping[str, Header]], Collection[str]]
) -> dict[str, NDArray[Any]]:
    """Some arrays of an .npz file.

    Args:
        stream: at its beginning.
        name: how errors call the file.
        wanted: chooses by names and headers, before anything is unpacked; may raise StorageError.

    Raises:
        StorageError: the file is none or damaged, or an array that is wanted holds Python objects or is too large.
    """
    try:
        with zipfile.ZipFile(stream) as archive:
            members = {entry.filename.removesuffix(".npy"): entry for entry in archive.infolist()[:MOST_MEMBERS]}
            headers = {}
            for key, entry in members.items():
                with archive.open(entry) as member:
                    headers[key] = _header(member)
            found = {}
            for key in wanted(headers):
                _check(headers[key], f"Array {clean(key, 40)!r} in {name}")
                with archive.open(members[key]) as member:
                    found[key] = np.asarray(npy.read_array(member, allow_pickle=False))
            return found
    except StorageError:
        raise
    except BROKEN as error:
        raise _damaged(name, error) from error


def _header(stream: IO[bytes]) -> Header:
    version = npy.read_magic(stream)
    if version not in _READERS:
        raise ValueError(f"version {version} of the .npy format")
    # NumPy would read as much as is announced here before it judges that.
    read, field = _READERS[version]
    announced = stream.read(field.size)
    length = field.unpack(announced)[0]
    if length > LARGEST_HEADER:
        raise ValueError(f"a header of {length} bytes")
    shape, _, dtype = read(io.BytesIO(announced + stream.read(length)), max_header_size=LARGEST_HEADER)
    if any(side < 0 for side in shape):
        raise ValueError("a negative side")
    return Header(tuple(shape), dtype)


def _check(header: Header, name: object) -> None:
    if header.dtype.hasobject:
        raise StorageError(f"{name} {PICKLED}.")
    if header.size > LARGEST_ARRAY:
        raise StorageError(
            f"{name} has {header.size} bytes and may have {LARGEST_ARRAY >> 20} MiB; save it in several files."
        )


def _damaged(name: object, error: BaseException) -> StorageError:
    reason = clean(str(error), 120).rstrip(".") or type(error).__name__
    return StorageError(f"{name} is no file of NumPy arrays, or is damaged ({reason}); save it again with numpy.savez.")
