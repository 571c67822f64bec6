"""What the two slots are in, as values: the state kept in `state.json`, and what is told of a slot, reset or upload."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from thermo_core.bundle import Bundle
from thermo_core.errors import DamagedFileError
from thermo_core.image import Image, Version
from thermo_device.files import Files, read_note, write_note


class Pending(StrEnum):
    """What the next reset does with the other slot."""

    NONE = "none"
    TEST = "test"
    PERMANENT = "permanent"


class Change(StrEnum):
    """What a reset changed."""

    NONE = "none"
    TEST = "test"
    PERMANENT = "permanent"
    REVERTED = "reverted"
    RECOVERED = "recovered"


@dataclass(frozen=True, slots=True)
class Installed:
    """A slot's content, verified.

    Attributes:
        image: the signed image.
        bundle: what it holds.
        file_sha256: SHA-256 of the whole file, by which an upload names it.
    """

    image: Image
    bundle: Bundle
    file_sha256: bytes


@dataclass(frozen=True, slots=True)
class SlotInfo:
    """One slot as the SMP image state describes it.

    Attributes:
        slot: 0 active, 1 the other.
        version: of the image.
        hash: the image's SHA-256 (32 bytes).
        bootable: verified.
        pending: becomes active at the next reset.
        confirmed: stays, or comes back when the active one is not confirmed.
        active: runs now.
        permanent: becomes active for good at the next reset.
    """

    slot: int
    version: Version
    hash: bytes
    bootable: bool
    pending: bool
    confirmed: bool
    active: bool
    permanent: bool


@dataclass(frozen=True, slots=True)
class BootResult:
    """What runs after a reset.

    Attributes:
        running: the active image, or None where no slot holds one that may run.
        change: what this reset did.
        notes: sentences worth an event: what was refused, reverted or recovered.
    """

    running: Installed | None
    change: Change
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class UploadStep:
    """Answer to one packet.

    Attributes:
        offset: where the client must go on.
        complete: the image is verified and lies in the other slot.
    """

    offset: int
    complete: bool


@dataclass(frozen=True, slots=True)
class State:
    """Content of `state.json`.

    Attributes:
        active: index of the active file.
        confirmed: whether the active one stays at the next reset.
        pending: what the next reset does with the other one.
        spare: whether the other one ran confirmed once and may step in for a damaged active one.
    """

    active: int = 0
    confirmed: bool = True
    pending: Pending = Pending.NONE
    spare: bool = False


def described(slots: Sequence[Installed | None], state: State) -> tuple[SlotInfo, ...]:
    """Slots as the SMP image state describes them: the active one and the other; those that are empty are left out."""
    return tuple(
        SlotInfo(
            slot=slot,
            version=installed.image.version,
            hash=installed.image.sha256,
            bootable=True,
            pending=slot > 0 and state.pending is not Pending.NONE,
            confirmed=state.confirmed if slot == 0 else not state.confirmed,
            active=slot == 0,
            permanent=slot > 0 and state.pending is Pending.PERMANENT,
        )
        for slot, installed in enumerate(slots)
        if installed is not None
    )


def load_state(files: Files, path: Path) -> State | None:
    """The state as stored; None where none was yet.

    Raises:
        DamagedFileError: its checksum or a field does not hold.
        StorageError: the system refused.
    """
    note = read_note(files, path)
    if note is None:
        return None
    active, confirmed, pending, spare = (note.get(name) for name in ("active", "confirmed", "pending", "spare"))
    if (
        type(active) is not int
        or active not in (0, 1)
        or not isinstance(confirmed, bool)
        or not isinstance(spare, bool)
        or pending not in list(Pending)
    ):
        raise DamagedFileError(f"{path} is not of this version; start again what it recorded.")
    return State(active, confirmed, Pending(str(pending)), spare)


def save_state(files: Files, path: Path, state: State) -> None:
    """Store the state as a whole or not at all.

    Raises:
        StorageError: the system refused.
    """
    note: dict[str, object] = {
        "active": state.active,
        "confirmed": state.confirmed,
        "pending": state.pending.value,
        "spare": state.spare,
    }
    write_note(files, path, note)
