"""Puts a model, its profile, contract and card into one signed bundle, and signs a shipped bundle with another key."""

from dataclasses import dataclass

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from thermo_core.bundle import Bundle
from thermo_core.contract import InputContract, OutputContract
from thermo_core.errors import BundleError, ModelError
from thermo_core.fields import Fields
from thermo_core.image import Version, key_hash, sign, verify
from thermo_core.profile import Profile
from thermo_core.tflite.verify import verify_model
from thermo_quantize.describe import contracts


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
        ModelError: the model is malformed or not int8 with one input and one output.
        BundleError: a part is missing, unknown, out of range, or does not fit the model; the sentence names it.
    """
    _ends(model)
    fields = Fields(contract, "contract")
    inputs = InputContract.from_dict(fields.value("input"), "contract.input")
    outputs = OutputContract.from_dict(fields.value("output"), "contract.output")
    fields.finish()
    bundle = Bundle(Profile.from_dict(profile), inputs, outputs, model, card)
    _check_fits(bundle)
    return _signed(bundle, version, key)


def _ends(model: bytes) -> tuple[InputContract, OutputContract, int]:
    """The contracts that a model itself tells, and how many values it gives."""
    verified = verify_model(model)
    found = contracts(verified)
    if found is None or "input" not in found:
        raise ModelError(
            "A wearable runs models of one int8 input and one int8 output, which this one has not; quantise it to int8."
        )
    own = InputContract.from_dict(found["input"]), OutputContract.from_dict(found["output"])
    return *own, verified.model.outputs[0].elements


def _check_fits(bundle: Bundle) -> None:
    """A device would refuse a bundle whose contract or labels are not its model's; so does the signer."""
    own_input, own_output, outputs = _ends(bundle.model)
    for name, given, own in (("input", bundle.input, own_input), ("output", bundle.output, own_output)):
        if np.float32(given.scale) != np.float32(own.scale) or given.zero_point != own.zero_point:
            raise BundleError(
                f"The contract's {name} has another scale than the model; use the contract.json beside it."
            )
    if bundle.input.shape != own_input.shape:
        raise BundleError(
            f"The contract has inputs of shape {bundle.input.shape} and the model {own_input.shape}; "
            "use the contract.json beside it."
        )
    if outputs != len(bundle.profile.labels):
        raise BundleError(
            f"The model has {outputs} outputs and the profile {len(bundle.profile.labels)} labels; name each."
        )


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
