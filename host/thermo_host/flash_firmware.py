"""Flashing a signed firmware: the linking for the free slot is uploaded, tried, and kept only where the wearable is well."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from thermo_core.errors import (
    DowngradeError,
    ImageFormatError,
    ManagementError,
    RefusedError,
    SignatureError,
    ThermoError,
    UsageError,
)
from thermo_core.files import read_file
from thermo_core.firmware.archive import SLOTS, FirmwareFile, is_firmware_file, unpack
from thermo_core.firmware.signed import names_development_firmware_key
from thermo_core.image import Version
from thermo_core.wire.management import SelfTestResult
from thermo_core.wire.smp import Group
from thermo_host.flash import MAX_IMAGE, Flashed, Step, self_test
from thermo_host.link.requests import Progress
from thermo_host.link.wearable import Wearable

if TYPE_CHECKING:
    from smp.image_management import ImageState

_INVALID_HEADER = 22
"""mcumgr's code for an image that is not for the slot that is free."""


@dataclass(frozen=True, slots=True)
class FirmwareCandidate:
    """A firmware that may be flashed."""

    file: FirmwareFile

    @property
    def development(self) -> bool:
        """Whether it is signed with the key that is published with the source."""
        return names_development_firmware_key(self.file.images[0].key_hash)


def load_firmware(path: Path) -> FirmwareCandidate | None:
    """Read and check a firmware; None where the file is something else.

    Raises:
        StorageError: the file cannot be read.
        ImageFormatError, SignatureError: it is a damaged one.
    """
    size = path.stat().st_size if path.is_file() else 0
    data = read_file(path) if 0 < size <= MAX_IMAGE else b""
    if not is_firmware_file(data):
        return None
    try:
        return FirmwareCandidate(unpack(data))
    except (ImageFormatError, SignatureError) as error:
        raise type(error)(f"{path} cannot be flashed: {error}") from error


def flash_firmware(
    wearable: Wearable,
    candidate: FirmwareCandidate,
    *,
    confirm: bool = True,
    progress: Progress = lambda done, total: None,
    step: Step = lambda name: None,
) -> Flashed:
    """Upload, test, reset, wait, self-test, confirm; a bootloader without a firmware gets its first one the same way.

    Where the self-test fails the firmware is left unconfirmed and the device is reset, so that the one before runs again.

    Raises:
        UsageError: the wearable has no bootloader.
        DowngradeError: it is not newer than the firmware that runs.
        RefusedError: the device does not take it, with the reason, or is not well with it.
        LinkError: the line failed; flash again, the upload goes on where it stopped.
    """
    step("check")
    file = candidate.file
    states = [state for state in wearable.images() if not state.image]
    active = next((state for state in states if state.active), None)
    done = Flashed(
        version=str(file.version),
        previous=active.version if active else "",
        sha256="",
        profile=file.board,
        uploaded=0,
        confirmed=confirm,
    )
    digests = [image.sha512 for image in file.images]
    if active is not None and active.hash in digests:
        if confirm and not active.confirmed:
            step("confirm")
            wearable.confirm_image()
        return replace(
            done, sha256=bytes(active.hash or b"").hex(), confirmed=confirm or bool(active.confirmed), unchanged=True
        )
    if active is not None and len(active.hash or b"") != len(digests[0]):
        raise UsageError(
            f"{wearable.port} has no bootloader for a firmware and takes signed bundles (.img); bring a firmware to it with the "
            "board's own tool."
        )
    _refuse_older(file.version, active)
    slot = next((state.slot for state in states if state.hash in digests), None)
    if slot is None:
        step("upload")
        slot = _upload(wearable, file, active, states, progress)
        done = replace(done, uploaded=len(file.data[slot]))
    done = replace(done, sha256=digests[slot].hex())
    step("test")
    wearable.test_image(digests[slot])
    step("reset")
    wearable.reset()
    _check_runs(wearable, digests[slot])
    step("self-test")
    results: tuple[SelfTestResult, ...] = self_test(wearable)
    if confirm:
        step("confirm")
        wearable.confirm_image()
    return replace(done, self_test=results)


def _free(active: "ImageState | None", states: list["ImageState"]) -> Iterator[int]:
    """Slots that may take it, the likeliest first: not the one that runs, nor the only one with an image."""
    if active is not None:
        yield 1 - active.slot
        return
    taken = {state.slot for state in states}
    yield from sorted(range(SLOTS), key=lambda slot: slot in taken)


def _upload(
    wearable: Wearable, file: FirmwareFile, active: "ImageState | None", states: list["ImageState"], progress: Progress
) -> int:
    """Upload the linking for the free slot, which a bootloader does not tell where nothing runs; which slot it was."""
    slots = list(_free(active, states))
    for slot in slots:
        try:
            wearable.upload(file.data[slot], progress)
            return slot
        except RefusedError as error:
            wrong_slot = (error.group, error.code) == (Group.IMAGE, _INVALID_HEADER)
            if not wrong_slot or slot == slots[-1]:
                raise
    raise ManagementError(f"{wearable.port} has no free slot; reset the wearable and flash again.")


def _refuse_older(version: Version, active: "ImageState | None") -> None:
    try:
        running = Version.parse(active.version) if active else None
    except ThermoError:
        running = None
    if running is not None and version <= running:
        raise DowngradeError(
            f"The firmware has version {version} and {running} runs on the wearable; sign it with a newer version."
        )


def _check_runs(wearable: Wearable, digest: bytes) -> None:
    active = next((state for state in wearable.images() if state.active), None)
    if active is None or active.hash != digest:
        runs = f"version {active.version}" if active else "no firmware"
        raise RefusedError(
            f"The wearable did not start the new firmware and runs {runs}; see the events of `thermo-host stream`.",
            "not started",
        )
