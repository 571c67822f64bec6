"""Puts a model, its profile, contract and card into one signed bundle, and signs a shipped bundle with another key."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from thermo_core.bundle import Bundle
from thermo_core.contract import InputContract, OutputContract
from thermo_core.fields import Fields
from thermo_core.image import Version, key_hash, sign, verify
from thermo_core.profile import Profile


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
    model: bytes, profile: object, contract: object, card: str, version: Version, key: Ed25519PrivateKey
) -> Signed:
    """Make a bundle and sign it; the same arguments give the same bytes.

    Args:
        model: a .tflite file.
        profile: the wearable, as plain map (`Profile.to_dict`).
        contract: map of `input` (`InputContract.to_dict`) and `output` (`OutputContract.to_dict`).
        card: model card, Markdown.
        version: of the bundle.
        key: private key.

    Raises:
        BundleError: a part is missing, unknown or out of range; the sentence names it.
    """
    fields = Fields(contract, "contract")
    inputs = InputContract.from_dict(fields.value("input"), "contract.input")
    outputs = OutputContract.from_dict(fields.value("output"), "contract.output")
    fields.finish()
    return _signed(Bundle(Profile.from_dict(profile), inputs, outputs, model, card), version, key)


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
    """
    verified = verify(image, [signer])
    return _signed(Bundle.from_payload(verified.payload), version or verified.version, key)


def _signed(bundle: Bundle, version: Version, key: Ed25519PrivateKey) -> Signed:
    data = sign(bundle.to_payload(), version, key)
    image = verify(data, [key.public_key()])
    return Signed(data, bundle, version, image.sha256, key_hash(key.public_key()))
