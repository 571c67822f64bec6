"""Two slots for signed model bundles, with MCUboot's semantics: upload, test, confirm, and revert where not confirmed.

`slot0.img` and `slot1.img` hold images, `state.json` says which is active; a swap changes that one note and moves no
image. In answers to a client slot 0 is always the active one and slot 1 the other, as after MCUboot's swap.

Decisions:
- An image must be newer than the active one. The same version is accepted only with the same content, since a verdict
  names its model by version alone. A way back exists as long as a new image is not confirmed: reset.
- While the active image is on trial the other slot holds its fallback and takes nothing.
- Nothing reaches a slot before signature, structure and version are verified; each slot is verified again at `boot`.
"""

import contextlib
import hashlib
import logging
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from thermo_core.bundle import MAX_PAYLOAD, Bundle
from thermo_core.errors import (
    DamagedFileError,
    ImageError,
    ImageTooLargeError,
    NoSuchImageError,
    SlotStateError,
    StorageError,
    UploadError,
)
from thermo_core.image import HEADER_SIZE, peek_version, verify
from thermo_device.files import DISK, Files, read_bounded
from thermo_device.slot_rules import after_reset, recovered, refuse_ambiguous, refuse_older, unchanged
from thermo_device.slot_state import (
    BootResult,
    Change,
    Installed,
    Pending,
    SlotInfo,
    State,
    UploadStep,
    described,
    load_state,
    save_state,
)
from thermo_device.upload import SHA256_BYTES, PartialUpload

log = logging.getLogger(__name__)

DEFAULT_CAPACITY = MAX_PAYLOAD + 4096


class Slots:
    """The slots in one directory. One process and one thread at a time uses them.

    Args:
        directory: made where it is missing.
        trusted: public keys whose images may run.
        capacity: largest image, bytes.
        files: file system.

    Raises:
        StorageError: the system refuses to make or read the directory.
    """

    def __init__(
        self,
        directory: Path,
        trusted: Iterable[Ed25519PublicKey],
        capacity: int = DEFAULT_CAPACITY,
        files: Files = DISK,
    ) -> None:
        self._directory = directory
        self._trusted = tuple(trusted)
        self.capacity = capacity
        self._files = files
        self._state_path = directory / "state.json"
        files.make_directory(directory)
        self._partial = PartialUpload(files, directory, capacity)
        self._completed = 0
        self._notes: list[str] = []
        self._slots = [self._verified(0), self._verified(1)]
        self._stored: State | None = None
        self._state = self._load_state()

    @property
    def running(self) -> Installed | None:
        """The active image."""
        return self._slots[self._state.active]

    @property
    def on_trial(self) -> bool:
        """Whether the next reset takes the active image back unless it is confirmed."""
        return not self._state.confirmed

    def boot(self) -> BootResult:
        """What happens at a reset: bring in a pending image, take back one that was not confirmed.

        Where the new state cannot be written, as on a full disk, a pending image waits, because nothing would take it back;
        anything else holds until the next reset, which finds the old state and comes to the same end.
        """
        usable = [slot is not None for slot in self._slots]
        other = self._path(1 - self._state.active)
        state, change = after_reset(self._state, usable, lambda: self._files.size(other) is not None, self._note)
        try:
            self._save(state)
        except StorageError as error:
            self._note(f"The state of the slots is not kept, so the next reset decides anew. {error}")
            if change in (Change.TEST, Change.PERMANENT):
                self._note("The pending image waits until its trial can be noted.")
                state, change = unchanged(self._state, usable, self._note)
            self._state = state
        notes, self._notes = tuple(self._notes), []
        return BootResult(self.running, change, notes)

    def images(self) -> tuple[SlotInfo, ...]:
        """Both slots, those that are filled, for the SMP image state."""
        return described((self.running, self._other), self._state)

    def upload(self, offset: int, data: bytes, length: int | None = None, sha256: bytes = b"") -> UploadStep:
        """Take one packet of an upload into the other slot.

        A first packet (offset 0) with the length and SHA-256 of an interrupted upload, or of the image that lies there
        already, is answered with the offset to go on from; so is a packet at any other offset than the expected one.

        Args:
            offset: of `data` within the image.
            data: next bytes.
            length: of the whole image; needed at offset 0.
            sha256: of the whole image, 32 bytes; without it the upload cannot be resumed.

        Raises:
            UploadError: packets that contradict each other, or a SHA-256 that does not hold.
            ImageTooLargeError, ImageFormatError, SignatureError, BundleError, DowngradeError: the image is refused.
            SlotStateError: the active image is on trial.
            StorageError: the system refused, as on a full disk.
        """
        self._refuse_on_trial()
        partial = self._partial
        if offset == 0 and length is not None and self._holds(sha256):
            return UploadStep(length, True)
        if offset == 0 and not self._continues(length, sha256):
            self._begin(length, sha256, data)
        elif not partial.active:
            if self._completed and offset + len(data) == self._completed:  # its answer was lost
                return UploadStep(self._completed, True)
            raise UploadError("No upload is in progress; begin at offset 0 with length and SHA-256.")
        if offset == partial.offset:
            partial.append(data)
        if partial.offset < partial.length:
            return UploadStep(partial.offset, False)
        self._install()
        return UploadStep(self._completed, True)

    def mark(self, image_hash: bytes, permanent: bool = False) -> None:
        """Make the other slot's image active at the next reset, on trial or for good.

        Args:
            image_hash: the image's SHA-256, as in `images`.
            permanent: do not wait for `confirm`.

        Raises:
            NoSuchImageError: the hash is that of no slot.
            SlotStateError: it runs already, or the active image is on trial.
            DowngradeError: older than the active image.
        """
        other = self._other
        if other is None or other.image.sha256 != image_hash:
            if self.running is not None and self.running.image.sha256 == image_hash:
                raise SlotStateError("This image runs already; upload another one to test it.")
            raise NoSuchImageError(
                f"No slot holds the image {image_hash.hex()[:16]}; read the image state or upload it."
            )
        self._refuse_on_trial()
        refuse_ambiguous(other.image, self.running)
        self._save(replace(self._state, pending=Pending.PERMANENT if permanent else Pending.TEST))

    def confirm(self) -> None:
        """Keep the active image for good.

        Raises:
            NoSuchImageError: no image is active.
        """
        if self.running is None:
            raise NoSuchImageError("No image is active, so there is none to confirm; upload one and test it.")
        if not self._state.confirmed:
            self._save(replace(self._state, confirmed=True))

    def erase(self) -> None:
        """Empty the other slot and forget an unfinished upload.

        Raises:
            SlotStateError: the other slot holds the fallback of an image on trial.
        """
        self._refuse_on_trial()
        self._partial.discard()
        self._completed = 0
        with contextlib.suppress(StorageError):  # on a full disk what is erased makes the room
            self._vacate()
        self._files.remove(self._path(1 - self._state.active))
        self._files.sync_directory(self._directory)
        self._vacate()

    def fall_back(self) -> bool:
        """Give up the active image because its model does not run.

        Returns:
            Whether the next `boot` brings in something else: what ran before a trial, or a confirmed image's spare.
        """
        if self.on_trial:
            return True
        if not self._state.spare or self._other is None:
            return False
        self._note("The active image does not run, so the one before it is active again; flash a new one.")
        state = State(active=1 - self._state.active)
        try:
            self._save(state)
        except StorageError as error:
            self._note(f"The state of the slots is not kept, so the next start tries the image again. {error}")
            self._state = state
        return True

    @property
    def _other(self) -> Installed | None:
        return self._slots[1 - self._state.active]

    def _path(self, index: int) -> Path:
        return self._directory / f"slot{index}.img"

    def _note(self, sentence: str) -> None:
        log.warning("%s", sentence)
        self._notes.append(sentence)

    def _refuse_on_trial(self) -> None:
        if not self._state.confirmed:
            raise SlotStateError(
                "The active image is on trial and the other slot holds its fallback; confirm or reset."
            )

    def _continues(self, length: int | None, sha256: bytes) -> bool:
        """Whether a first packet belongs to the upload in progress: then nothing is begun anew."""
        return length is not None and self._partial.matches(length, sha256)

    def _holds(self, sha256: bytes) -> bool:
        """Whether the other slot holds just that file: then nothing needs to be sent."""
        if self._other is None or self._other.file_sha256 != sha256:
            return False
        refuse_ambiguous(self._other.image, self.running)
        return True

    def _begin(self, length: int | None, sha256: bytes, data: bytes) -> None:
        if length is None or length <= 0:
            raise UploadError("The first packet lacks the image's length; add it.")
        if len(sha256) not in (0, SHA256_BYTES):
            raise UploadError(f"The first packet's SHA-256 has {len(sha256)} bytes; give all 32 or none.")
        if length > self.capacity:
            raise ImageTooLargeError(
                f"The image has {length} bytes and a slot {self.capacity}; make the model in it smaller."
            )
        if len(data) >= HEADER_SIZE:  # an early refusal saves the user minutes on a slow line
            refuse_older(peek_version(data), self.running)
        self._completed = 0
        self._partial.begin(length, sha256)

    def _install(self) -> None:
        """Verify the complete upload and put it into the other slot."""
        partial, target = self._partial, 1 - self._state.active
        try:
            installed = self._inspect(partial.content())
            refuse_ambiguous(installed.image, self.running)
        except ImageError:
            partial.discard()
            raise
        self._vacate()
        self._files.replace(partial.path, self._path(target))
        self._slots[target], self._completed = installed, partial.length
        partial.discard()  # syncs the directory, and with it the new slot file

    def _vacate(self) -> None:
        """Let nothing refer to the other slot before its file changes."""
        if self._state.pending is not Pending.NONE or self._state.spare:
            self._save(replace(self._state, pending=Pending.NONE, spare=False))
        self._slots[1 - self._state.active] = None

    def _inspect(self, data: bytes) -> Installed:
        if len(data) > self.capacity:
            raise ImageTooLargeError(f"The image has {len(data)} bytes and a slot {self.capacity}; make it smaller.")
        image = verify(data, self._trusted)
        return Installed(image, Bundle.from_payload(image.payload), hashlib.sha256(data).digest())

    def _verified(self, index: int) -> Installed | None:
        try:
            data = read_bounded(self._files, self._path(index), self.capacity)
            return None if data is None else self._inspect(data)
        except (DamagedFileError, ImageError) as error:
            self._note(f"Slot file {index} is refused: {error}")
            return None

    def _load_state(self) -> State:
        try:
            stored = load_state(self._files, self._state_path)
        except DamagedFileError as error:
            self._note(f"The slots' state is lost, so the older valid image becomes active ({error})")
            stored = None
        self._stored = stored
        return stored or recovered([None if slot is None else slot.image.version for slot in self._slots])

    def _save(self, state: State) -> None:
        if state != self._stored:
            save_state(self._files, self._state_path, state)
        self._state = self._stored = state
