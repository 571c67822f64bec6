"""A signed bundle as C11 for the firmware: its network compiled, its profile as a `struct profile`, golden inputs."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from numpy.typing import NDArray
from thermo_core.limits import FIRMWARE_AVERAGE_PICTURES, FIRMWARE_HELLO_TEXT_BYTES
from thermo_core.profile import REFRESH_RATES_HZ, Profile, ThermistorSettings
from thermo_core.typical import typical_features

from thermo_core.bundle import Bundle
from thermo_core.errors import BundleError
from thermo_core.image import Image, names_development_key, verify
from thermo_quantize.compiler.compile import Compiled, compile_model
from thermo_quantize.reference import Reference
from thermo_quantize.sign import check_verdicts

_GOLDEN_SEED = 2024
_LINE = 100


@dataclass(frozen=True)
class Firmware:
    """What the firmware is built with.

    Attributes:
        files: texts by name.
        image: the verified image.
        profile: its profile.
        compiled: its network.
    """

    files: dict[str, str]
    image: Image
    profile: Profile
    compiled: Compiled


def generate(data: bytes, key: Ed25519PublicKey, target: str = "generic", name: str = "wearable") -> Firmware:
    """C files of a signed bundle.

    Args:
        data: the image.
        key: who must have signed it.
        target: processor, see `compiler.targets.TARGETS`.
        name: prefix of files and symbols, a C identifier.

    Raises:
        ImageFormatError, SignatureError: the image is damaged, altered or not signed by `key`.
        BundleError: it holds no bundle, or one whose wearable the firmware cannot be.
        ModelError: its network cannot be compiled, or is not what the bundle says.
        UsageError: unknown target, or a name C does not allow.
    """
    image = verify(data, [key])
    bundle = Bundle.from_payload(image.payload)
    reference = Reference(bundle.model)
    _check(bundle)
    compiled = compile_model(bundle.model, f"{name}_model", target)
    files = dict(compiled.files)
    files[f"{name}_profile.h"] = _header(name, bundle, image)
    files[f"{name}_profile.c"] = _source(name, bundle, image, reference)
    return Firmware(files, image, bundle.profile, compiled)


def _check(bundle: Bundle) -> None:
    """A bundle whose verdicts the firmware can make and send.

    Raises:
        ModelError, BundleError: it is none.
    """
    check_verdicts(bundle)
    profile = bundle.profile
    if profile.preprocessing.average_pictures > FIRMWARE_AVERAGE_PICTURES:
        raise BundleError(
            f"profile.preprocessing.average_pictures is {profile.preprocessing.average_pictures} and the firmware has "
            f"room for {FIRMWARE_AVERAGE_PICTURES}, so lower it and train and sign again."
        )
    channels = (channel.name for channel in profile.thermistors.channels)
    texts = sum(
        len(text.encode()) for text in (profile.name, profile.notice, *profile.labels, *channels, *bundle.waived)
    )
    if texts > FIRMWARE_HELLO_TEXT_BYTES:
        raise BundleError(
            f"The profile's name, notice, labels and channel names have {texts} bytes and may have {FIRMWARE_HELLO_TEXT_BYTES} "
            "in the firmware, so shorten them."
        )


def _header(name: str, bundle: Bundle, image: Image) -> str:
    guard = f"{name.upper()}_PROFILE_H"
    return f"""/* The wearable {_comment(bundle.profile.name)}: its profile and network, from the bundle whose image has the SHA-256
   {image.sha256.hex()}.
   Made by thermo-quantize firmware. */
#ifndef {guard}
#define {guard}

#include "profile.h"

extern const struct profile {name}_profile;

#endif
"""


def _source(name: str, bundle: Bundle, image: Image, reference: Reference) -> str:
    profile, version = bundle.profile, image.version
    camera, array, features, alert = profile.picture_sensor, profile.thermistors, profile.preprocessing, profile.alert
    golden = _golden(bundle)
    outputs = reference.run(golden).reshape(len(golden), -1)
    reflected = "NAN" if camera.reflected_celsius is None else _float(camera.reflected_celsius)
    label, threshold, consecutive = (0, 0.0, 0) if alert is None else (alert.label, alert.threshold, alert.consecutive)
    channels = "".join(_channel(channel) for channel in array.channels)
    channels = f"    .channels = {{\n{channels}    }},\n" if array.channels else ""
    development = names_development_key(image.key_hash)
    sentences = _texts("waived", bundle.waived) if bundle.waived else ""
    waived = f"    .waived_count = {len(bundle.waived)},\n    .waived = waived,\n" if bundle.waived else ""
    return f"""/* The wearable {_comment(profile.name)}, version {version}. Made by thermo-quantize firmware. */
#include "{name}_profile.h"

#include <math.h>

#include "{name}_model.h"

{_table("uint8_t", "profile_cbor", bundle.profile_bytes())}

{_table("int8_t", "test_input", golden.ravel().tolist())}

{_table("int8_t", "test_output", outputs.ravel().tolist())}

{_texts("labels", profile.labels)}
{sentences}
static const struct model_profile model = {{
    .input = {name}_model_input,
    .invoke = {name}_model_invoke,
    .output = {name}_model_output,
    .input_scale = {_float(bundle.input.scale)},
    .input_zero_point = {bundle.input.zero_point},
    .output_scale = {_float(bundle.output.scale)},
    .output_zero_point = {bundle.output.zero_point},
    .output_count = {outputs.shape[1]},
    .major = {version.major},
    .minor = {version.minor},
    .revision = {version.revision},
    .build = {version.build}U,
    .image_sha256 = {{
{_numbers(image.sha256)}
    }},
    .development_key = {_bool(development)},
    .test_input = test_input,
    .test_output = test_output,
    .test_count = {len(golden)},
    .test_input_size = sizeof test_input / {len(golden)},
    .test_output_size = sizeof test_output / {len(golden)},
}};

const struct profile {name}_profile = {{
    .name = {_text(profile.name)},
    .version = {_text(profile.version)},
    .notice = {_text(profile.notice)},
    .cbor = profile_cbor,
    .cbor_size = sizeof profile_cbor,
    .camera_address = 0x{camera.address:02X},
    .camera_refresh_code = {REFRESH_RATES_HZ.index(camera.refresh_rate_hz)}, /* {camera.refresh_rate_hz:g} subpages/s */
    .camera_resolution_code = {camera.resolution_bits - 16}, /* {camera.resolution_bits} bit */
    .camera_chess = {_bool(camera.chess)},
    .camera_emissivity = {_float(camera.emissivity)},
    .camera_reflected_celsius = {reflected},
    .adc_address = 0x{array.address:02X},
    .adc_rate_hz = {_float(array.rate_hz)},
    .channel_count = {len(array.channels)},
{channels}    .average_pictures = {features.average_pictures},
    .centre_median = {_bool(features.centre == "median")},
    .feature_scale = {_float(features.scale)},
    .label_count = {len(profile.labels)},
    .labels = labels,
    .has_alert = {_bool(alert is not None)},
    .alert_label = {label},
    .alert_threshold = {_float(threshold)},
    .alert_consecutive = {consecutive},
    .model = &model,
{waived}}};
"""


def _golden(bundle: Bundle) -> NDArray[np.int8]:
    """Inputs of the self-test: noise over the whole range, and what the preprocessing makes of skin."""
    noise = np.random.default_rng(_GOLDEN_SEED).integers(-128, 128, bundle.input.shape).astype(np.int8)
    return np.stack([noise, bundle.input.quantize(typical_features(bundle.profile.preprocessing)["skin"])])


def _channel(channel: ThermistorSettings) -> str:
    curve = ", ".join(_float(value) for value in channel.curve)
    return f"""        {{
            .name = {_text(channel.name)},
            .series_ohm = {_float(channel.series_ohm)},
            .supply_v = {_float(channel.supply_v)},
            .ntc_to_ground = {_bool(channel.ntc_to_ground)},
            .steinhart_hart = {_bool(len(channel.curve) == 3)},
            .curve = {{{curve}}},
            .self_heating_k_per_mw = {_float(channel.self_heating_k_per_mw)},
        }},
"""


def _float(value: float) -> str:
    """The nearest float32, in the fewest digits that read back as it."""
    text = str(np.float32(value))
    return text + ("F" if any(mark in text for mark in ".e") else ".0F")


def _bool(value: bool) -> str:
    return "true" if value else "false"


def _text(text: str) -> str:
    """A string literal of its UTF-8; everything that is not plainly itself in C is octal."""
    plain = set(range(0x20, 0x7F)) - set(b'"\\?')
    return '"' + "".join(chr(byte) if byte in plain else f"\\{byte:03o}" for byte in text.encode()) + '"'


def _comment(text: str) -> str:
    return "".join(letter if letter.isascii() and letter not in "*\\" else "?" for letter in text)


def _table(kind: str, name: str, values: bytes | list[int]) -> str:
    return f"static const {kind} {name}[] = {{\n{_numbers(values)}\n}};"


def _numbers(values: bytes | list[int]) -> str:
    lines, line = [], "   "
    for value in values:
        if len(line) > _LINE:
            lines.append(line)
            line = "   "
        line += f" {value},"
    return "\n".join([*lines, line])


def _texts(name: str, texts: Iterable[str]) -> str:
    lines = "\n".join(f"    {_text(text)}," for text in texts)
    return f"static const char *const {name}[] = {{\n{lines}\n}};\n"
