"""Puts a profile, the networks of its models and their card into one signed bundle, and signs a bundle with another key."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from thermo_core.bundle import Bundle
from thermo_core.firmware import companions
from thermo_core.image import Version, key_hash, sign, verify
from thermo_core.wearable.profile import Profile
from thermo_quantize.fit import check_bundle, open_networks
from thermo_quantize.rehearsal import self_tests


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
    profile: Profile,
    networks: Mapping[str, bytes],
    card: str,
    version: Version,
    key: Ed25519PrivateKey,
    waived: tuple[str, ...] = (),
) -> Signed:
    """Make a bundle and sign it; the same arguments give the same bytes.

    Args:
        profile: the wearable.
        networks: a .tflite file for each of its models, by the model's name.
        card: about them, Markdown.
        version: of the bundle.
        key: private key.
        waived: what was found wanting and is signed all the same (`Bundle.waived`).

    Raises:
        ModelError: a network is malformed, or would give no finding on the wearable; the sentence says why.
        BundleError: a part is missing, unknown or out of range; the sentence names it.
    """
    made = Bundle(profile=profile, networks=dict(networks), card=card, waived=waived)
    bundle = Bundle.from_payload(made.to_payload())
    tests = self_tests(check_bundle(bundle), open_networks(bundle.profile, bundle.networks))
    return _signed(msgspec.structs.replace(bundle, self_tests=tests), version, key)


def resign(image: bytes, signer: Ed25519PublicKey, key: Ed25519PrivateKey, version: Version | None = None) -> Signed:
    """Sign a bundle again with another key, after verifying the signature it has; containers behind it are left out.

    Args:
        image: a signed bundle.
        signer: public key of whoever signed it.
        key: private key for the new signature.
        version: a new version; None keeps the old one.

    Raises:
        ImageFormatError, SignatureError: the image is damaged or not signed by `signer`.
        BundleError: it holds no bundle.
        ModelError: a network would give no finding.
    """
    verified = verify(companions.split(image)[0], [signer])
    bundle = Bundle.from_payload(verified.payload)
    check_bundle(bundle)
    return _signed(bundle, version or verified.version, key)


def _signed(bundle: Bundle, version: Version, key: Ed25519PrivateKey) -> Signed:
    data = sign(bundle.to_payload(), version, key)
    image = verify(data, [key.public_key()])
    return Signed(data, bundle, version, image.sha256, key_hash(key.public_key()))
