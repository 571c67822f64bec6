"""Flashing a model onto a microcontroller whose firmware stays: a container is uploaded as image 1, tried, and kept where it is well.

A signed bundle brings containers along for the processors that it was made for; each is taken by the wearables that it suits.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from thermo_core.errors import DowngradeError, ImageFormatError, RefusedError, SignatureError, ThermoError, UsageError
from thermo_core.files import read_file
from thermo_core.firmware.container import Fit, fit_of, is_container
from thermo_core.firmware.signed import FirmwareImage, names_development_model_key, parse
from thermo_core.image import Version
from thermo_host.flash import MAX_IMAGE, Candidate, Flashed, Step, self_test
from thermo_host.link.requests import Progress
from thermo_host.link.wearable import Wearable

SHA512_BYTES = 64
IMAGE = 1
"""Number of the models' image in the image group."""


@dataclass(frozen=True, slots=True)
class ModelCandidate:
    """A model that may be flashed.

    Attributes:
        data: the whole image.
        image: parsed; its signature is for the wearable to judge.
        fit: what it is compiled for.
        name: of the wearable, or of the processor where nothing says which.
    """

    data: bytes
    image: FirmwareImage
    fit: Fit
    name: str

    @property
    def development(self) -> bool:
        """Whether it is signed with a key that is published with the source."""
        return names_development_model_key(self.image.key_hash)


def load_model(path: Path) -> ModelCandidate | None:
    """Read and check a model; None where the file is something else.

    Raises:
        StorageError: the file cannot be read.
        ImageFormatError, SignatureError: it is a damaged one.
    """
    size = path.stat().st_size if path.is_file() else 0
    data = read_file(path) if 0 < size <= MAX_IMAGE else b""
    try:
        image = parse(data)
    except (ImageFormatError, SignatureError):
        return None
    if not is_container(image.payload):
        return None
    try:
        return _candidate(data, None)
    except (ImageFormatError, SignatureError) as error:
        raise type(error)(f"{path} cannot be flashed: {error}") from error


def _candidate(data: bytes, name: str | None) -> ModelCandidate:
    image = parse(data)
    if image.computed != image.sha512:
        raise SignatureError("its hash does not match its content, so get it again.")
    fit = fit_of(image.payload)
    return ModelCandidate(data, image, fit, name or f"Model for {fit.target}")


def runs_behind_loader(wearable: Wearable) -> bool:
    """Whether it is a microcontroller whose bootloader started it, which takes a bundle's container in place of the bundle."""
    active = next((state for state in wearable.images() if state.active and not state.image), None)
    return active is not None and len(active.hash or b"") == SHA512_BYTES


def of_bundle(wearable: Wearable, path: Path, candidate: Candidate) -> ModelCandidate:
    """What a microcontroller runs of a bundle.

    Raises:
        UsageError: the file holds nothing for it; the sentence says which command puts it in.
        ImageFormatError, SignatureError: what it holds is damaged, or of another bundle.
        RefusedError: the wearable takes no model without a firmware.
    """
    fit = wearable.takes_models()
    if fit is None:
        raise RefusedError(
            f"The firmware of {wearable.port} takes no models without a firmware; build and flash the firmware with this bundle: "
            f"make -C device/firmware update BUNDLE={path}.",
            "no slots for models",
        )
    try:
        found = [_candidate(data, candidate.bundle.profile.name) for data in candidate.containers]
    except (ImageFormatError, SignatureError) as error:
        raise type(error)(f"{path} cannot be flashed: {error}") from error
    if any(one.image.version != candidate.image.version for one in found):
        raise ImageFormatError(f"{path} cannot be flashed: a container in it is of another bundle, so make it again.")
    chosen = next((one for one in found if one.fit == fit), None)
    if chosen is not None:
        return chosen
    command = (
        f"thermo-quantize sign --resign {path} --public-key KEY.pub.pem --key KEY.pem --container {fit.target} "
        f"--out {path.with_suffix('')}-{fit.target}.img"
    )
    if any(one.fit.target == fit.target for one in found):
        raise UsageError(
            f"What {path} holds for {fit.target} is of another version of thermo-edge than the firmware of {wearable.port}; "
            f"make it with that version: {command}"
        )
    raise UsageError(
        f"{path} holds nothing that is compiled for {fit.target}, as {wearable.port} needs it; put it in: {command}"
    )


def flash_model(
    wearable: Wearable,
    candidate: ModelCandidate,
    *,
    confirm: bool = True,
    progress: Progress = lambda done, total: None,
    step: Step = lambda name: None,
) -> Flashed:
    """Upload, test, reset, wait, self-test, confirm.

    Where the self-test fails the model is left unconfirmed and the wearable is reset, so that the one before runs again.

    Raises:
        DowngradeError: it is not newer than the model that runs.
        RefusedError: the wearable does not take it, with the reason, or is not well with it.
        LinkError: the line failed; flash again, the upload goes on where it stopped.
    """
    step("check")
    states = [state for state in wearable.images() if state.image == IMAGE]
    active = next((state for state in states if state.active), None)
    digest, version = candidate.image.sha512, candidate.image.version
    done = Flashed(
        version=str(version),
        previous=active.version if active else "",
        sha256=digest.hex(),
        profile=candidate.name,
        uploaded=0,
        confirmed=confirm,
    )
    if active is not None and active.hash == digest:
        if confirm and not active.confirmed:
            step("confirm")
            wearable.confirm_image(digest)
        return replace(done, confirmed=confirm or bool(active.confirmed), unchanged=True)
    _refuse_older(version, active.version if active else None)
    if not any(state.hash == digest for state in states):
        step("upload")
        wearable.upload(candidate.data, progress, IMAGE)
        done = replace(done, uploaded=len(candidate.data))
    step("test")
    wearable.test_image(digest)
    step("reset")
    wearable.reset()
    runs = next((state for state in wearable.images() if state.image == IMAGE and state.active), None)
    if runs is None or runs.hash != digest:
        name = f"model {runs.version}" if runs else "the model of its firmware"
        raise RefusedError(
            f"The wearable did not start the new model and runs {name}: its golden vectors did not give what they should, or it "
            "does not suit; make it again with thermo-quantize firmware --container.",
            "not started",
        )
    step("self-test")
    results = self_test(wearable)
    if confirm:
        step("confirm")
        wearable.confirm_image(digest)
    return replace(done, self_test=results)


def _refuse_older(version: Version, active: str | None) -> None:
    try:
        running = Version.parse(active) if active else None
    except ThermoError:
        running = None
    if running is not None and version <= running:
        raise DowngradeError(
            f"The model has version {version} and {running} runs on the wearable; sign a bundle with a newer version."
        )
