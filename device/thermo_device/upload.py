"""An image on its way into the device: a partial file and a note of how much of it is certainly on the medium."""

import hashlib
from pathlib import Path

from thermo_core.errors import DamagedFileError, UploadError
from thermo_device.files import Files, read_note, write_note

SYNC_BYTES = 16384
"""So much may have to be sent again after a kill or a power cut; syncing each packet would wear an SD card."""
SHA256_BYTES = 32


class PartialUpload:
    """The one upload a device takes at a time; reopening it goes on where the last sync was.

    Args:
        files: file system.
        directory: where `upload.part` and `upload.json` lie; exists.
        capacity: bytes of the largest upload.

    Raises:
        StorageError: the system refuses to read.
    """

    def __init__(self, files: Files, directory: Path, capacity: int) -> None:
        self._files = files
        self._directory = directory
        self._capacity = capacity
        self._note = directory / "upload.json"
        self.path = directory / "upload.part"
        self.length = 0
        self.sha256 = b""
        self.offset = 0
        self._synced = 0
        self._load()

    @property
    def active(self) -> bool:
        """Whether an upload has begun and is not finished."""
        return self.length > 0

    def matches(self, length: int, sha256: bytes) -> bool:
        """Whether this is the upload of just that file."""
        return self.active and len(sha256) == SHA256_BYTES and (self.length, self.sha256) == (length, sha256)

    def begin(self, length: int, sha256: bytes) -> None:
        """Forget any other upload and start at offset 0.

        Args:
            length: bytes to come, at least 1.
            sha256: of all of them; empty where the client did not say, so that the upload cannot be resumed.
        """
        self.discard()
        if sha256:
            self._save(length, sha256)
        self.length, self.sha256 = length, sha256

    def append(self, data: bytes) -> None:
        """Add the next bytes.

        Raises:
            UploadError: more than was announced.
            StorageError: the system refused; the offset does not move.
        """
        if self.offset + len(data) > self.length:
            raise UploadError(
                f"The upload announced {self.length} bytes and sent {self.offset + len(data)}; begin again at offset 0."
            )
        self._files.write(self.path, self.offset, data)
        self.offset += len(data)
        if self.sha256 and self.offset - self._synced >= SYNC_BYTES:
            self._files.sync(self.path)
            self._synced = self.offset
            self._save(self.length, self.sha256)

    def content(self) -> bytes:
        """The whole upload, once complete, checked and on the medium.

        Raises:
            UploadError: its length or SHA-256 is not what was announced.
        """
        size = self._files.size(self.path) or 0
        if size != self.length:
            raise UploadError(f"The upload holds {size} of {self.length} bytes; send it again from offset 0.")
        data = self._files.read(self.path) or b""
        if self.sha256 and hashlib.sha256(data).digest() != self.sha256:
            raise UploadError("The upload's SHA-256 differs from the one announced; send it again from offset 0.")
        self._files.sync(self.path)
        return data

    def discard(self) -> None:
        """Forget the upload; its note goes first, so that no note outlives its bytes."""
        self.length, self.sha256, self.offset, self._synced = 0, b"", 0, 0
        self._files.remove(self._note)
        self._files.sync_directory(self._directory)
        self._files.remove(self.path)

    def _save(self, length: int, sha256: bytes) -> None:
        write_note(self._files, self._note, {"length": length, "sha256": sha256.hex(), "synced": self._synced})

    def _load(self) -> None:
        """Go on with what the note says, where it can be so."""
        try:
            note = read_note(self._files, self._note) or {}
        except DamagedFileError:
            return
        size = self._files.size(self.path) or 0
        match note:
            case {"length": int(length), "sha256": str(text), "synced": int(synced)}:
                sha256 = _sha256(text)
                if sha256 and 0 < length <= self._capacity and 0 <= synced <= min(length, size):
                    self.length, self.sha256 = length, sha256
                    self.offset = self._synced = synced


def _sha256(text: str) -> bytes:
    """The hash that hexadecimal digits say; b"" where they say none."""
    try:
        data = bytes.fromhex(text)
    except ValueError:
        return b""
    return data if len(data) == SHA256_BYTES else b""
