"""A wearable as C11 for the firmware: its networks compiled, its graph as tables, its sensors with their drivers."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from thermo_core import schema
from thermo_core.bundle import Bundle, SelfTest
from thermo_core.errors import BundleError
from thermo_core.graph.bare import without_models
from thermo_core.graph.learned import learnings, packed_bytes
from thermo_core.graph.plan import Plan
from thermo_core.graph.plan import plan as make_plan
from thermo_core.image import Image, names_development_key, verify
from thermo_core.sensors.bus_load import greatest_frequency_hz
from thermo_core.wearable.person import FIELDS
from thermo_core.wearable.profile import Profile
from thermo_core.wire.keeping import kept_models, ring_bytes
from thermo_core.wire.table import LIMITS
from thermo_quantize.c_text import boolean, comment, numbers, signed, table, text, texts
from thermo_quantize.compiler.compile import Compiled, compile_model
from thermo_quantize.compiler.graph.generate import Graph
from thermo_quantize.compiler.graph.generate import generate as generate_graph
from thermo_quantize.firmware_offers import offered
from thermo_quantize.firmware_sensors import multiplexers, row_of, way
from thermo_quantize.fit import check_bundle

HELLO_BYTES = 1100
"""Room for a profile's name and waived sentences in the answer to hello; sensors follow in as many answers as they need."""


@dataclass(frozen=True)
class Firmware:
    """What the firmware is built with.

    Attributes:
        files: texts by name.
        image: the verified image; None for a wearable without a bundle.
        profile: its profile.
        graph: its generated graph.
        networks: compiled, by the names of models.
    """

    files: dict[str, str]
    image: Image | None
    profile: Profile
    graph: Graph
    networks: Mapping[str, Compiled]


def generate(data: bytes, key: Ed25519PublicKey, target: str = "generic", name: str = "wearable") -> Firmware:
    """C files of a signed bundle.

    NAME_profile, NAME_graph, NAME_container and NAME_network_0 to _7, of which those that no model needs are empty, so that a makefile knows
    them all.

    Args:
        data: the image.
        key: who must have signed it.
        target: processor, see `compiler.targets.TARGETS`.
        name: prefix of files and symbols, a C identifier.

    Raises:
        ImageFormatError, SignatureError: the image is damaged, altered or not signed by `key`.
        BundleError: it holds no bundle, or one whose wearable the firmware cannot be.
        ModelError: a network cannot be compiled, or is not what the bundle says.
        UsageError: unknown target, or a name C does not allow.
    """
    image = verify(data, [key])
    bundle = Bundle.from_payload(image.payload)
    plan = check_bundle(bundle)
    _check_size(bundle.profile, bundle.waived)
    networks = {
        model.name: compile_model(bundle.networks[model.name], f"{name}_network_{number}", target)
        for number, model in enumerate(bundle.profile.models)
    }
    return _firmware(_Source(name, plan, bundle, image), networks)


def generate_contained(
    bundle: Bundle, image: Image, networks: Mapping[str, Compiled], name: str
) -> tuple[dict[str, str], Plan]:
    """C files of a bundle's graph and profile for a container: NAME_profile and NAME_graph; and its plan.

    Args:
        bundle: whose.
        image: that it was signed in.
        networks: compiled, by the names of models.
        name: prefix of files and symbols, a C identifier.

    Raises:
        BundleError, ModelError: as `generate`.
    """
    plan = check_bundle(bundle)
    _check_size(bundle.profile, bundle.waived)
    source = _Source(name, plan, bundle, image, contained=True)
    graph = generate_graph(plan, networks, f"{name}_graph", contained=True)
    return {**graph.files, f"{name}_profile.h": _header(source), f"{name}_profile.c": _source(source)}, plan


def generate_bare(profile: Profile, name: str = "wearable") -> Firmware:
    """C files of a wearable without a bundle: its sensors, and the stages that rest on them alone.

    Raises:
        ProfileError: its parts do not fit together.
        BundleError: the firmware cannot be this wearable.
        UsageError: a name C does not allow.
    """
    bare = without_models(profile)
    _check_size(bare, ())
    return _firmware(_Source(name, make_plan(bare)), {})


@dataclass(frozen=True)
class _Source:
    """What the files are made of; `contained`: for a container, which has no sensors of its own."""

    name: str
    plan: Plan
    bundle: Bundle | None = None
    image: Image | None = None
    contained: bool = False


def _firmware(source: _Source, networks: Mapping[str, Compiled]) -> Firmware:
    name, profile = source.name, source.plan.profile
    graph = generate_graph(source.plan, networks, f"{name}_graph")
    files = dict(graph.files)
    for number in range(len(networks), int(LIMITS["models"].high)):
        stem = f"{name}_network_{number}"
        files[f"{stem}.c"] = f"/* This wearable has no such network. */\ntypedef int {stem}_of_none;\n"
    files[f"{name}_profile.h"] = _header(source)
    files[f"{name}_profile.c"] = _source(source)
    files |= offered(name, profile, next((one.target.name for one in networks.values()), None))
    return Firmware(files, source.image, profile, graph, networks)


def _check_size(profile: Profile, waived: Sequence[str]) -> None:
    """A wearable that the firmware can tell a host of.

    Raises:
        BundleError: it is none.
    """
    said = sum(len(one.encode()) for one in (profile.name, *waived))
    if said > HELLO_BYTES:
        raise BundleError(
            f"The profile's name and {len(waived)} waived sentences take {said} bytes of the "
            f"answer to hello and may take {HELLO_BYTES} in the firmware; waive less, or run this wearable on the agent."
        )


def _header(source: _Source) -> str:
    name, profile = source.name, source.plan.profile
    guard = f"{name.upper()}_PROFILE_H"
    origin = "without a bundle"
    if source.image is not None:
        origin = f"from the bundle whose image has the SHA-256\n   {source.image.sha256.hex()}"
    return f"""/* The wearable {comment(profile.name)}: its sensors, graph and networks, {origin}.
   Made by thermo-quantize firmware. */
#ifndef {guard}
#define {guard}

#include "profile.h"

#define {name.upper()}_SENSORS {len(profile.sensors)}
#define {name.upper()}_I2C_HZ {greatest_frequency_hz(profile.sensors)}U /* that every chip bears */

extern const struct profile {name}_profile;

#endif
"""


def _source(source: _Source) -> str:
    name, plan, bundle, image = source.name, source.plan, source.bundle, source.image
    profile = plan.profile
    cbor = schema.to_cbor(profile)
    blocks = [
        f"/* The wearable {comment(profile.name)}, version {comment(profile.version)}. Made by thermo-quantize firmware. */\n"
        f'#include "{name}_profile.h"\n\n#include <math.h>\n#include <stddef.h>\n\n#include "{name}_graph.h"\n#include "network.h"',
        table("uint8_t", "profile_cbor", cbor),
        *([] if source.contained else _sensors(plan)),
        *_models(source),
    ]
    if plan.alerts:
        blocks.append(f"static struct alert alert_states[{len(plan.alerts)}] MODEL_ROOM;")
    blocks += _kept(source)
    if profile.person:
        places = ", ".join(str(list(FIELDS).index(field)) for field in profile.person)
        blocks.append(f"static const uint8_t person[] = {{{places}}};")
    if learned := learnings(plan):
        blocks.append(
            f"static struct learned_state learned_state MODEL_ROOM;\nstatic uint32_t learned_bases[{len(learned)}] MODEL_ROOM;\n"
            f"static struct learned_measure learned_measures[{len(profile.sensors)}] MODEL_ROOM;\n"
            "static const struct learning learning = {\n"
            "    .operations = &learned_operations,\n    .state = &learned_state,\n    .bases = learned_bases,\n"
            f"    .measures = learned_measures,\n    .bytes = {packed_bytes(learned)},\n}};"
        )
    if bundle is not None and image is not None:
        blocks += _bundle(bundle, image)
    blocks.append(_profile(source, cbor))
    return "\n\n".join(blocks) + "\n"


def _sensors(plan: Plan) -> list[str]:
    blocks, rows = ["\n".join(sorted({f'#include "{row_of(sensor).stem}.h"' for sensor in plan.profile.sensors}))], []
    for number, sensor in enumerate(plan.profile.sensors):
        row = row_of(sensor)
        before, state = row.state(sensor, number)
        begins = f" = {{{_fields(state)}}}" if state else ""
        blocks.append(
            f"{before}static struct {row.stem}_state state_{number}{begins};\n"
            f"static const struct {row.settings} settings_{number} = {{{_fields(row.fields(sensor))}}};"
        )
        led = way(sensor)
        if led:
            blocks.append(f"static const struct way way_{number} = {led};")
        rows.append(
            f"    {{.driver = &{row.stem}_driver, .name = {text(sensor.name)}, .settings = &settings_{number}, "
            f".state = &state_{number}, {f'.way = &way_{number}, ' if led else ''}.signal = {plan.number_of(sensor.name)}, .number = {number}}},"
        )
    body = "\n".join(rows)
    blocks.append(f"static const struct sensor sensors[] = {{\n{body}\n}};")
    if muxes := multiplexers(plan.profile.sensors):
        body = "\n".join(f"    {mux}," for mux in muxes)
        blocks += [
            f"static const struct multiplexer multiplexers[] = {{\n{body}\n}};",
            "static struct switchboard switchboard = {\n"
            f"    .open = multiplexer_open, .all = multiplexers, .count = {len(muxes)}}};",
        ]
    return blocks


def _fields(fields: Mapping[str, str]) -> str:
    return ", ".join(f".{field} = {value}" for field, value in fields.items())


def _models(source: _Source) -> list[str]:
    name, plan = source.name, source.plan
    self_tests = {} if source.bundle is None else source.bundle.self_tests
    blocks, origins, tests = [], [], []
    for number, model in enumerate(plan.profile.models):
        sensors = plan.origins(model.raw)
        blocks.append(f"static const uint8_t origins_{number}[] = {{{', '.join(map(str, sensors))}}};")
        took = f"&{name}_graph_took_us[{number}]"
        origins.append(
            f"    {{.sensors = origins_{number}, .count = {len(sensors)}, .raw = {plan.number_of(model.raw)}, .took_us = {took}}},"
        )
        own = self_tests.get(model.name, ())
        blocks += [] if source.contained else _test(number, own)
        tests.append(_test_row(source, number, model.name, own))
    if origins:
        body = "\n".join(origins)
        blocks.append(f"static const struct model_origin origins[] = {{\n{body}\n}};")
        body = "\n".join(tests)
        blocks.append(f"static const struct model_test tests[] = {{\n{body}\n}};")
    return blocks


def _test(number: int, tests: Sequence[SelfTest]) -> list[str]:
    if not tests:
        return []
    inputs = b"".join(part for test in tests for part in test.inputs)
    sizes = ", ".join(f"{len(part)}U" for part in tests[0].inputs)
    return [
        table("int8_t", f"test_input_{number}", signed(inputs)),
        table("int8_t", f"test_output_{number}", signed(b"".join(test.output for test in tests))),
        f"static const uint32_t test_sizes_{number}[] = {{{sizes}}};",
    ]


def _kept(source: _Source) -> list[str]:
    """Room for the findings that are kept for a host that is away; a container takes its firmware's."""
    plan = source.plan
    if not ring_bytes(plan):
        return []
    models = sum(1 << number for number in kept_models(plan))
    if source.contained:
        return [f"static const struct kept_ring kept = {{.capacity = {ring_bytes(plan)}, .models = 0x{models:02x}}};"]
    return [
        f"static uint8_t kept_data[{ring_bytes(plan)}] KEPT_RETAINED;",
        "static struct kept_state kept_state KEPT_RETAINED;",
        "static const struct kept_ring kept = {.state = &kept_state, .data = kept_data, .capacity = sizeof kept_data, "
        f".models = 0x{models:02x}}};",
    ]


def _test_row(source: _Source, number: int, model: str, tests: Sequence[SelfTest]) -> str:
    network = f".network = &{source.name}_graph_networks[{number}]"
    if not tests:
        return f"    {{.name = {text(model)}}},"
    if source.contained:
        return f"    {{.name = {text(model)}, {network}, .tests = {len(tests)}}},"
    return (
        f"    {{.name = {text(model)}, {network}, .input = test_input_{number}, "
        f".output = test_output_{number}, .input_sizes = test_sizes_{number}, .output_size = {len(tests[0].output)}U, "
        f".inputs = {len(tests[0].inputs)}, .tests = {len(tests)}}},"
    )


def _bundle(bundle: Bundle, image: Image) -> list[str]:
    version = image.version
    blocks = [texts("waived", bundle.waived)] if bundle.waived else []
    fields = {
        "major": str(version.major),
        "minor": str(version.minor),
        "revision": str(version.revision),
        "build": f"{version.build}U",
        "development_key": boolean(names_development_key(image.key_hash)),
        "image_sha256": f"{{\n{numbers(image.sha256)}\n    }}",
        "waived_count": str(len(bundle.waived)),
        **({"waived": "waived"} if bundle.waived else {}),
    }
    body = "\n".join(f"    .{field} = {value}," for field, value in fields.items())
    return [*blocks, f"static const struct bundle_profile bundle = {{\n{body}\n}};"]


def _profile(source: _Source, cbor: bytes) -> str:
    name, plan, profile = source.name, source.plan, source.plan.profile
    fields = {
        "name": text(profile.name),
        "cbor": "profile_cbor",
        "cbor_size": "sizeof profile_cbor",
        "cbor_sha256": f"{{\n{numbers(hashlib.sha256(cbor).digest())}\n    }}",
        **({} if source.contained else {"sensors": "sensors"}),
        "sensor_count": str(len(profile.sensors)),
        **({"switchboard": "&switchboard"} if multiplexers(profile.sensors) and not source.contained else {}),
        "graph": f"&{name}_graph_plan",
        **(
            {
                "models": f"{name}_graph_models",
                "origins": "origins",
                "tests": "tests",
                "model_count": str(len(profile.models)),
                "networks": f"{name}_graph_networks",
                **({"kept": "&kept"} if ring_bytes(plan) else {}),
            }
            if profile.models
            else {}
        ),
        **(
            {"alerts": f"{name}_graph_alerts", "alert_states": "alert_states", "alert_count": str(len(plan.alerts))}
            if plan.alerts
            else {}
        ),
        **(
            {
                "person": "person",
                "person_count": str(len(profile.person)),
                "person_signal": str(plan.number_of(f"person.{profile.person[0]}")),
            }
            if profile.person
            else {}
        ),
        **({"learning": "&learning"} if learnings(plan) else {}),
        **({} if source.bundle is None else {"bundle": "&bundle"}),
    }
    body = "\n".join(f"    .{field} = {value}," for field, value in fields.items())
    return f"const struct profile {name}_profile = {{\n{body}\n}};"
