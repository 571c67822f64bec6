"""A bundle: what a wearable is (profile), the networks of its models, and the card about them; the payload of a signed image.

One canonical CBOR map, so that equal bundles have equal bytes and anything else is refused.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta

from thermo_core import schema
from thermo_core.errors import BundleError, SchemaError
from thermo_core.schema import Record, Text
from thermo_core.wearable.profile import Profile
from thermo_core.wire.table import limited

FORMAT_VERSION = 2
MAX_NETWORK = 4 << 20
MAX_CARD = 64 << 10
MAX_WAIVED = 8
MAX_SELF_TESTS = 4
MAX_ENDS = 64 << 10
"""Numbers of an input or output in a self-test."""
MAX_PAYLOAD = 2 * MAX_NETWORK + MAX_CARD + (256 << 10)
REMEDY = "make the bundle again with thermo-quantize sign"
_TFLITE_IDENTIFIER = b"TFL3"


class SelfTest(Record, frozen=True):
    """A moment that a device can run to see whether its network gives what it gave the signer.

    Attributes:
        inputs: int8 numbers of each input, in the order of the network's.
        output: int8 numbers that the reference kernels make of them.
    """

    inputs: Annotated[tuple[Annotated[bytes, Meta(min_length=1, max_length=MAX_ENDS)], ...], limited("model_inputs")]
    output: Annotated[bytes, Meta(min_length=1, max_length=MAX_ENDS)]


class Bundle(Record, frozen=True):
    """What travels in one image.

    Attributes:
        profile: the wearable.
        networks: a .tflite file for each of its models, by the model's name.
        card: about them, Markdown.
        waived: what was found wanting and signed all the same, a sentence each; devices and hosts show them.
        self_tests: moments to try its networks with, by the model's name.
    """

    profile: Profile
    networks: dict[str, Annotated[bytes, Meta(min_length=8, max_length=MAX_NETWORK)]]
    card: Annotated[str, Meta(min_length=1, max_length=MAX_CARD)]
    waived: Annotated[tuple[Text, ...], Meta(max_length=MAX_WAIVED)] = ()
    self_tests: dict[str, Annotated[tuple[SelfTest, ...], Meta(max_length=MAX_SELF_TESTS)]] = {}  # noqa: RUF012 (a struct copies it)
    format: Literal["thermo-bundle"] = "thermo-bundle"
    version: Literal[2] = 2

    def to_payload(self) -> bytes:
        """Canonical CBOR, the same bytes for the same bundle, whether its numbers were written as 16 or 16.0.

        Raises:
            BundleError: a field is out of range, networks and models do not belong together, or a text cannot be encoded.
        """
        return _encoded(_read(_encoded(self)))

    @classmethod
    def from_payload(cls, payload: bytes) -> "Bundle":
        """Inverse of `to_payload`; call it only with the payload of a verified image.

        Raises:
            BundleError: not a bundle, of another format version, or a field that is missing, unknown or out of range.
        """
        bundle = _read(payload)
        if _encoded(bundle) != payload:
            raise BundleError(f"The bundle is not in canonical form, so {REMEDY}.")
        return bundle


def _read(payload: bytes) -> Bundle:
    _check_size(payload)
    try:
        data = schema.decode_cbor(payload, "The bundle", REMEDY)
        if isinstance(data, Mapping) and data.get("version") == 1:
            raise BundleError(f"The bundle has format 1, which was never released, so {REMEDY}.")
        bundle = schema.from_plain(data, Bundle, "bundle", REMEDY)
    except SchemaError as error:
        raise BundleError(str(error)) from error
    _check(bundle)
    return bundle


def _encoded(bundle: Bundle) -> bytes:
    try:
        payload = schema.to_cbor(bundle)
    except SchemaError as error:
        raise BundleError(str(error)) from error
    _check_size(payload)
    return payload


def _check_size(payload: bytes) -> None:
    if len(payload) > MAX_PAYLOAD:
        raise BundleError(
            f"The bundle has {len(payload)} bytes and may have {MAX_PAYLOAD}, so make its networks smaller."
        )


def _check(bundle: Bundle) -> None:
    names = {model.name for model in bundle.profile.models}
    if names != set(bundle.networks):
        raise BundleError(
            f"The bundle has networks for {', '.join(sorted(bundle.networks)) or 'no model'} and models "
            f"{', '.join(sorted(names)) or 'none'}, so give each model its own."
        )
    for name, network in bundle.networks.items():
        if network[4:8] != _TFLITE_IDENTIFIER:
            raise BundleError(f"The network of {name} is no .tflite file, so convert it first.")
    if strange := set(bundle.self_tests) - names:
        raise BundleError(
            f"bundle.self_tests tries {', '.join(sorted(strange))}, which it has no model of, so {REMEDY}."
        )
    if len(bundle.card.encode()) > MAX_CARD:
        raise BundleError(f"bundle.card has {len(bundle.card.encode())} bytes and may have {MAX_CARD}, so shorten it.")
