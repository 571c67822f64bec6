"""A model bundle: what a wearable is (profile), its network, what the network's numbers mean, and its model card.

The payload of a signed image: one canonical CBOR map (RFC 7049 section 3.9: shortest forms, definite lengths, keys
sorted by length, then bytes), so that equal bundles have equal bytes and anything else is refused.
"""

from dataclasses import dataclass

import cbor2

from thermo_core.contract import InputContract, OutputContract
from thermo_core.errors import BundleError
from thermo_core.fields import MAX_TEXT, Fields, is_plain
from thermo_core.limits import MAX_PROFILE_BYTES
from thermo_core.profile import Profile

FORMAT = "thermo-bundle"
FORMAT_VERSION = 1
MAX_MODEL = 4 << 20
MAX_CARD = 64 << 10
MAX_PAYLOAD = MAX_MODEL + MAX_CARD + (64 << 10)
MAX_WAIVED = 8
_MAX_DEPTH = 8
_TFLITE_IDENTIFIER = b"TFL3"


@dataclass(frozen=True, slots=True)
class Bundle:
    """What travels in one image.

    Attributes:
        profile: the wearable.
        input: meaning of the network's input.
        output: meaning of the network's output.
        model: a .tflite file.
        card: the model card, Markdown.
        waived: what was found wanting and signed all the same, a sentence each; devices and hosts show them.

    Raises:
        BundleError: the model is no .tflite file; model, card or profile is empty or too large; there is but one label.
    """

    profile: Profile
    input: InputContract
    output: OutputContract
    model: bytes
    card: str
    waived: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.model[4:8] != _TFLITE_IDENTIFIER:
            raise BundleError("The model in the bundle is not a .tflite file, so convert it first.")
        if len(self.model) > MAX_MODEL:
            raise BundleError(f"The model has {len(self.model)} bytes and may have {MAX_MODEL}, so make it smaller.")
        if not 1 <= len(self.card.encode(errors="replace")) <= MAX_CARD:
            raise BundleError(f"The model card must have 1 to {MAX_CARD} bytes, so write or shorten it.")
        if not self.profile.labels:
            raise BundleError("The profile in the bundle has no labels, so name what the model's outputs mean.")
        if len(self.profile.labels) == 1:
            raise BundleError(
                f"The profile's only label, {self.profile.labels[0]!r}, is all that a verdict could say, so name a second one; "
                "of a network with one output the first label is what a low output means."
            )
        size = len(self.profile_bytes())
        if size > MAX_PROFILE_BYTES:
            raise BundleError(
                f"The profile has {size} bytes as CBOR and may have {MAX_PROFILE_BYTES}, so shorten its texts."
            )

        if len(self.waived) > MAX_WAIVED or not all(is_plain(sentence) for sentence in self.waived):
            raise BundleError(
                f"bundle.waived must be at most {MAX_WAIVED} texts of 1 to {MAX_TEXT} printable characters, so correct it and "
                "sign the bundle again."
            )

    def profile_bytes(self) -> bytes:
        """The profile as canonical CBOR, as a device sends it to a host."""
        return cbor2.dumps(self.profile.to_dict(), canonical=True)

    def to_payload(self) -> bytes:
        """Canonical CBOR, the same bytes for the same bundle.

        Raises:
            BundleError: the card holds text that cannot be encoded.
        """
        try:
            return cbor2.dumps(
                {
                    "format": FORMAT,
                    "version": FORMAT_VERSION,
                    "profile": self.profile.to_dict(),
                    "input": self.input.to_dict(),
                    "output": self.output.to_dict(),
                    "model": self.model,
                    "card": self.card,
                    # Absent where it is empty, so that bundles without it keep the bytes they were signed with.
                    **({"waived": list(self.waived)} if self.waived else {}),
                },
                canonical=True,
            )
        except (cbor2.CBOREncodeError, UnicodeEncodeError) as error:
            raise BundleError("The bundle holds text that is not valid Unicode, so save its card as UTF-8.") from error

    @classmethod
    def from_payload(cls, payload: bytes) -> "Bundle":
        """Inverse of `to_payload`; call it only with the payload of a verified image.

        Raises:
            BundleError: not a bundle, of another format version, or a field that is missing, unknown or out of range.
        """
        fields = Fields(_decode(payload), "bundle")
        fields.choice("format", (FORMAT,))
        fields.integer("version", FORMAT_VERSION, FORMAT_VERSION)
        bundle = cls(
            profile=Profile.from_dict(fields.value("profile")),
            input=InputContract.from_dict(fields.value("input")),
            output=OutputContract.from_dict(fields.value("output")),
            model=fields.data("model", MAX_MODEL),
            card=fields.document("card", MAX_CARD),
            waived=() if fields.absent("waived") else tuple(str(text) for text in fields.items("waived", MAX_WAIVED)),
        )
        fields.finish()
        if bundle.to_payload() != payload:
            raise BundleError("The bundle is not in canonical form, so make it again with thermo-quantize sign.")
        return bundle


def _decode(payload: bytes) -> object:
    if len(payload) > MAX_PAYLOAD:
        raise BundleError(f"The bundle has {len(payload)} bytes and may have {MAX_PAYLOAD}, so make the model smaller.")
    try:
        decoded: object = cbor2.loads(
            payload,
            max_depth=_MAX_DEPTH,
            allow_indefinite=False,
            allow_duplicate_keys=False,
            strict_hashable_types=True,
        )
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError, MemoryError) as error:
        raise BundleError(
            "The image holds no model bundle (not CBOR), so make it with thermo-quantize sign."
        ) from error
    return decoded
