"""Puts a model, its profile, contract and card into one signed bundle, and signs a shipped bundle with another key."""

from dataclasses import dataclass

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from thermo_core.bundle import Bundle
from thermo_core.contract import InputContract, OutputContract
from thermo_core.errors import ModelError, RecordError
from thermo_core.fields import Fields
from thermo_core.image import Version, key_hash, sign, verify
from thermo_core.profile import Profile
from thermo_core.scores import scores_of
from thermo_core.tflite.verify import verify_model
from thermo_core.typical import typical_features
from thermo_core.wearable_model import check_range, check_wearable_model
from thermo_core.wire import records
from thermo_core.wire.records import VerdictRecord
from thermo_quantize.reference import Reference


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed bundle.

    Attributes:
        data: the image.
        bundle: what it holds.
        version: of the bundle.
        sha256: the image's hash, by which a device names it (32 bytes).
        key_hash: of the key that signed it (32 bytes).
    """

    data: bytes
    bundle: Bundle
    version: Version
    sha256: bytes
    key_hash: bytes


def sign_bundle(
    model: bytes,
    profile: object,
    contract: object,
    card: str,
    version: Version,
    key: Ed25519PrivateKey,
    waived: tuple[str, ...] = (),
) -> Signed:
    """Make a bundle and sign it; the same arguments give the same bytes.

    Args:
        model: a .tflite file.
        profile: the wearable, as plain map (`Profile.to_dict`).
        contract: map of `input` (`InputContract.to_dict`) and `output` (`OutputContract.to_dict`).
        card: model card, Markdown.
        version: of the bundle.
        key: private key.
        waived: what was found wanting and is signed all the same (`Bundle.waived`).

    Raises:
        ModelError: the network is malformed, or would give no verdict on the profile's wearable; the sentence says why.
        BundleError: a part is missing, unknown or out of range; the sentence names it.
    """
    verify_model(model)
    fields = Fields(contract, "contract")
    inputs = InputContract.from_dict(fields.value("input"), "contract.input")
    outputs = OutputContract.from_dict(fields.value("output"), "contract.output")
    fields.finish()
    bundle = Bundle(Profile.from_dict(profile), inputs, outputs, model, card, waived)
    check_range(bundle.input, bundle.profile.preprocessing)
    check_verdicts(bundle)
    return _signed(bundle, version, key)


def check_verdicts(bundle: Bundle) -> None:
    """Make one verdict as a device would, from features to the bytes of its record.

    Raises:
        ModelError: the bundle cannot give one.
    """
    check_wearable_model(bundle)
    profile = bundle.profile
    features = typical_features(profile.preprocessing)["skin"]
    scores = scores_of(Reference(bundle.model).scores(features[np.newaxis])[0], len(profile.labels))
    verdict = VerdictRecord(
        time_us=0,
        index=0,
        pictures=profile.preprocessing.average_pictures,
        alert=False,
        uncalibrated=False,
        fast_kernels=False,
        simulated=False,
        label=int(scores.argmax()),
        scores=tuple(float(score) for score in scores),
        latency_us=0,
        inference_us=0,
        model_version=(0, 0, 0, 0),
    )
    try:
        records.encode(verdict, 0)
    except RecordError as error:
        raise ModelError(f"The network's verdicts cannot be sent. {error}") from error


def resign(image: bytes, signer: Ed25519PublicKey, key: Ed25519PrivateKey, version: Version | None = None) -> Signed:
    """Sign a bundle again with another key, after verifying the signature it has.

    Args:
        image: a signed bundle.
        signer: public key of whoever signed it.
        key: private key for the new signature.
        version: a new version; None keeps the old one.

    Raises:
        ImageFormatError, SignatureError: the image is damaged or not signed by `signer`.
        BundleError: it holds no bundle.
        ModelError: its network would give no verdict.
    """
    verified = verify(image, [signer])
    bundle = Bundle.from_payload(verified.payload)
    check_range(bundle.input, bundle.profile.preprocessing)
    check_verdicts(bundle)
    return _signed(bundle, version or verified.version, key)


def _signed(bundle: Bundle, version: Version, key: Ed25519PrivateKey) -> Signed:
    data = sign(bundle.to_payload(), version, key)
    image = verify(data, [key.public_key()])
    return Signed(data, bundle, version, image.sha256, key_hash(key.public_key()))
