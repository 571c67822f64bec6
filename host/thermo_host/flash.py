"""Flashing a signed model bundle: look at it here, upload, try it, keep it only where the wearable is well with it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from thermo_core import image
from thermo_core.bundle import Bundle
from thermo_core.errors import (
    BundleError,
    DowngradeError,
    ImageFormatError,
    ImageTooLargeError,
    LinkError,
    RefusedError,
    SignatureError,
    ThermoError,
)
from thermo_core.file_kinds import known_kind
from thermo_core.files import read_file
from thermo_core.firmware import companions
from thermo_core.image import Image, Version, names_development_key
from thermo_core.wire.management import SelfTestResult
from thermo_host.link.requests import Progress
from thermo_host.link.wearable import Wearable

if TYPE_CHECKING:
    from smp.image_management import ImageState

MAX_IMAGE = 16 << 20
"""No slot is larger; a bigger file is no image."""

Step = Callable[[str], None]
"""Called with the name of each step as it begins: check, upload, test, reset, self-test, confirm."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An image that may be flashed.

    Attributes:
        data: the whole image.
        image: parsed; its signature is for the device to judge, which alone knows its keys.
        bundle: what is in it.
        containers: images of what microcontrollers run of it.
    """

    data: bytes
    image: Image
    bundle: Bundle
    containers: tuple[bytes, ...] = ()

    @property
    def development(self) -> bool:
        """Whether it is signed with the key that is published with the source."""
        return names_development_key(self.image.key_hash)


@dataclass(frozen=True, slots=True)
class Flashed:
    """What was done.

    Attributes:
        version: that runs now.
        previous: that ran before, "" where there was none.
        sha256: of the image, as hexadecimal digits.
        profile: name of its wearable.
        uploaded: bytes sent.
        confirmed: whether it stays after the next reset.
        self_test: results with the new image; empty where it ran already.
        unchanged: it ran already, and nothing was sent.
    """

    version: str
    previous: str
    sha256: str
    profile: str
    uploaded: int
    confirmed: bool
    self_test: tuple[SelfTestResult, ...] = ()
    unchanged: bool = False


def load(path: Path, note: Callable[[str], None] = lambda sentence: None) -> Candidate:
    """Read and check an image's structure, hash and content; padding of a slot behind it is left out.

    Args:
        path: of the file.
        note: told what was understood about it.

    Raises:
        StorageError: the file cannot be read.
        ImageFormatError, SignatureError, BundleError: it is no signed bundle, or a damaged one.
    """
    size = path.stat().st_size if path.is_file() else 0
    if size > MAX_IMAGE:
        raise ImageTooLargeError(f"{path} has {size} bytes, more than any slot holds; give a signed bundle.")
    padded = read_file(path)
    if kind := known_kind(padded):
        raise ImageFormatError(f"{path} is {kind}, and no signed image.")
    try:
        padded, containers = companions.split(padded)
        data = image.without_padding(padded)
        if len(data) < len(padded):
            note(f"{path} is padded to its slot; {len(padded) - len(data)} bytes behind the image are left out.")
        parsed = image.parse(data)
        if parsed.computed != parsed.sha256:
            raise ImageFormatError("its hash does not match its content, so get it again.")
        return Candidate(data, parsed, Bundle.from_payload(parsed.payload), containers)
    except (ImageFormatError, SignatureError, BundleError) as error:
        raise type(error)(f"{path} cannot be flashed: {error}") from error


def flash(
    wearable: Wearable,
    candidate: Candidate,
    *,
    confirm: bool = True,
    progress: Progress = lambda done, total: None,
    step: Step = lambda name: None,
) -> Flashed:
    """Upload, test, reset, wait, self-test, confirm.

    Where the self-test fails the image is left unconfirmed and the device is reset, so that the one before runs again.

    Raises:
        DowngradeError: it is older than the image that runs.
        RefusedError: the device does not take it, with the reason, or is not well with it.
        LinkError: the line failed; flash again, the upload goes on where it stopped.
    """
    step("check")
    states = wearable.images()
    active = next((state for state in states if state.active), None)
    previous = active.version if active else ""
    digest = candidate.image.sha256
    done = Flashed(
        version=str(candidate.image.version),
        previous=previous,
        sha256=digest.hex(),
        profile=candidate.bundle.profile.name,
        uploaded=0,
        confirmed=confirm,
    )
    if active is not None and active.hash == digest:
        if confirm and not active.confirmed:
            step("confirm")
            wearable.confirm_image()
        return replace(done, confirmed=confirm or bool(active.confirmed), unchanged=True)
    _refuse_downgrade(candidate.image.version, active)
    if not any(state.hash == digest for state in states):
        step("upload")
        wearable.upload(candidate.data, progress)
        done = replace(done, uploaded=len(candidate.data))
    step("test")
    wearable.test_image(digest)
    step("reset")
    wearable.reset()
    _check_runs(wearable, digest)
    step("self-test")
    results = self_test(wearable)
    if confirm:
        step("confirm")
        wearable.confirm_image()
    return replace(done, self_test=results)


def _refuse_downgrade(version: Version, active: "ImageState | None") -> None:
    try:
        running = Version.parse(active.version) if active else None
    except ThermoError:
        running = None
    if running is not None and version < running:
        raise DowngradeError(
            f"The image has version {version} and {running} runs on the wearable; sign it with a newer version."
        )


def _check_runs(wearable: Wearable, digest: bytes) -> None:
    active = next((state for state in wearable.images() if state.active), None)
    if active is None or active.hash != digest:
        runs = f"version {active.version}" if active else "no bundle"
        raise RefusedError(
            f"The wearable did not start the new image and runs {runs}; see the events of `thermo-host stream`.",
            "not started",
        )


def self_test(wearable: Wearable) -> tuple[SelfTestResult, ...]:
    """Whether the wearable is well with an image that is on trial; where it is not, it is reset and has the one before again.

    Raises:
        RefusedError: it is not well, with what failed.
    """
    results = wearable.self_test()
    failed = [f"{result.name} ({result.detail})" for result in results if not result.passed]
    if not failed:
        return results
    reason = ", ".join(failed)
    try:
        wearable.reset()
    except LinkError as error:
        raise RefusedError(
            f"The self-test with the new image failed: {reason}; reset the wearable to return to the one before.",
            reason,
        ) from error
    raise RefusedError(f"The self-test with the new image failed: {reason}; the one before runs again.", reason)
