"""The C files of a graph."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from thermo_core.graph.alert_plan import AlertPlan
from thermo_core.graph.learned import Learning, learnings
from thermo_core.graph.plan import Plan
from thermo_core.stages import OPS
from thermo_core.stages.stage import Recursive, Regridded, Remembering
from thermo_core.wearable.condition import Condition
from thermo_core.wearable.profile import Model, Quantity
from thermo_quantize.compiler.compile import Compiled
from thermo_quantize.compiler.emit.unit import comment
from thermo_quantize.compiler.graph.paces import Paces, paces
from thermo_quantize.compiler.graph.place import Placement, arena_bytes, row
from thermo_quantize.compiler.graph.row import Site
from thermo_quantize.compiler.graph.tables import Tables, boolean, real, whole

_COMPARISONS = {">=": "AT_LEAST", ">": "ABOVE", "<=": "AT_MOST", "<": "BELOW"}


def identifiers(names: Iterable[str]) -> dict[str, str]:
    """Upper-case C names of signals, each its own: "skin.ta" is SKIN_TA."""
    found: dict[str, str] = {}
    for name in names:
        plain = "".join(letter if letter.isalnum() else "_" for letter in name).upper()
        chosen, number = plain, 2
        while chosen in found.values():
            chosen, number = f"{plain}_{number}", number + 1
        found[name] = chosen
    return found


@dataclass
class _Calls:
    """The calls in the making, with what they refer to."""

    name: str
    models: list[str]
    tables: Tables
    states: list[str]
    rows: list[str]
    headers: set[str]
    assumed: set[str]
    contained: bool


def header(name: str, plan: Plan, placement: Placement) -> str:
    """NAME.h: the plan, and numbers of signals."""
    guard = f"{name.upper()}_H"
    profile = plan.profile
    numbers = "\n".join(
        f"#define {name.upper()}_SIGNAL_{identifier} {number}U /* {comment(signal)} */"
        for number, (signal, identifier) in enumerate(identifiers(plan.signals).items())
    )
    findings = f"extern const struct finding_model {name}_models[{len(profile.models)}];\n" if profile.models else ""
    networks = ""
    if profile.models:
        networks = (
            f"/* What each model's network took last, microseconds; the networks. */\n"
            f"extern uint32_t {name}_took_us[{len(profile.models)}];\n"
            f"extern const struct network *const {name}_networks[{len(profile.models)}];\n"
        )
    alerts = f"extern const struct alert_plan {name}_alerts[{len(plan.alerts)}];\n" if plan.alerts else ""
    return f"""/* The graph of the wearable {comment(profile.name)}, version {comment(profile.version)}. Made by thermo-quantize. */
#ifndef {guard}
#define {guard}

#include "alerts.h"
#include "findings.h"
#include "graph.h"
#include "network.h"

/* Numbers of signals. */
{numbers}

#define {name.upper()}_SIGNALS {len(plan.signals)}U
#define {name.upper()}_MODELS {len(profile.models)}U
#define {name.upper()}_ALERTS {len(plan.alerts)}U
#define {name.upper()}_MEMORY_BYTES {max(placement.bytes, 1)}U

extern uint8_t {name}_memory[{name.upper()}_MEMORY_BYTES];
extern const struct graph_plan {name}_plan;
{findings}{networks}{alerts}
#endif
"""


def source(
    name: str, plan: Plan, networks: Mapping[str, Compiled], placement: Placement, contained: bool = False
) -> str:
    """NAME.c: the tables and the variables."""
    numbers = {signal: number for number, signal in enumerate(plan.signals)}
    calls = _Calls(name, [model.name for model in plan.profile.models], Tables(), [], [], set(), set(), contained)
    rates = paces(plan)
    for number, node in enumerate(plan.nodes):
        first = node.inputs[0].name
        site = Site(node, number, placement.rooms[number], rates.spacings[first], rates.signals[first])
        _call(calls, site, numbers, networks, placement)
    signals = "\n".join(
        f"    {{.at = {placement.signals[signal.name]}U, .elements = {signal.elements}U, "
        f".gap_us = {whole(signal.gap_us)}, .depth = {signal.depth}U, .pace = {rates.signals[signal.name]}U}}, "
        f"/* {comment(signal.name)} */"
        for signal in plan.signals.values()
    )
    found = learnings(plan)
    regridders = [
        number
        for number, node in enumerate(plan.nodes)
        if not isinstance(node.what, Model) and isinstance(OPS[node.what.op], Regridded)
    ]
    blocks = [
        f"/* The graph of the wearable {comment(plan.profile.name)}. Made by thermo-quantize. */\n"
        f'#include "{name}.h"\n\n#include <stddef.h>\n\n' + "\n".join(sorted(calls.headers)),
        *(f'_Static_assert({text}, "the memory is planned for it");' for text in sorted(calls.assumed)),
        f"_Alignas(16) uint8_t {name}_memory[{name.upper()}_MEMORY_BYTES] MODEL_ROOM;",
        f"static struct sample samples[{len(plan.signals)}] MODEL_ROOM;",
        *([f"uint32_t {name}_took_us[{len(plan.profile.models)}] MODEL_ROOM;"] if plan.profile.models else []),
        *calls.states,
        *calls.tables.texts,
        f"static const struct signal signals[] = {{\n{signals}\n}};",
        *_paces(rates),
    ]
    if calls.rows:
        rows = "\n".join(calls.rows)
        blocks.append(f"static const struct call calls[] = {{\n{rows}\n}};")
    if regridders:
        blocks.append(f"static const uint16_t regridders[] = {{{', '.join(map(str, regridders))}}};")
    blocks += [*_learnings(found)]
    blocks += [*_networks(name, plan), *_findings(name, plan, numbers), *_alerts(name, plan, numbers)]
    blocks.append(
        f"const struct graph_plan {name}_plan = {{\n"
        f"    .signals = signals,\n"
        f"    .calls = {'calls' if calls.rows else 'NULL'},\n"
        f"    .regridders = {'regridders' if regridders else 'NULL'},\n"
        f"    .signal_count = {len(plan.signals)},\n"
        f"    .call_count = {len(plan.nodes)},\n"
        f"    .regridder_count = {len(regridders)},\n"
        f"    .samples = samples,\n"
        f"    .paces = {'paces' if rates.sensors else 'NULL'},\n"
        f"    .pace_count = {len(rates.sensors)},\n"
        f"    .memory = {name}_memory,\n"
        f"    .learnings = {'learnings' if found else 'NULL'},\n"
        f"    .learning_count = {len(found)},\n}};"
    )
    return "\n\n".join(blocks) + "\n"


def _learnings(found: Sequence[Learning]) -> list[str]:
    if not found:
        return []
    blocks, rows = [], []
    for number, one in enumerate(found):
        blocks.append(f"static const uint8_t learned_of_{number}[] = {{{', '.join(map(str, one.sensors))}}};")
        key = ", ".join(f"0x{byte:02X}" for byte in one.key)
        rows.append(
            f"    {{.call = {one.node}, .bytes = {one.size}U, .key = {{{key}}}, .sensors = learned_of_{number}, "
            f".sensor_count = {len(one.sensors)}}}, /* {comment(one.name)} */"
        )
    body = "\n".join(rows)
    return [*blocks, f"static const struct learning_place learnings[] = {{\n{body}\n}};"]


def _paces(rates: Paces) -> list[str]:
    if not rates.sensors:
        return []
    rows = ", ".join(
        f"{{.planned_mhz = {round(1000 * one.planned_hz)}U, .least_mhz = {round(1000 * one.least_hz)}U, "
        f".bound = {boolean(one.bound)}}}"
        for one in rates.sensors
    )
    return [f"static struct pace paces[] = {{{rows}}};"]


def _call(
    calls: _Calls, site: Site, numbers: Mapping[str, int], networks: Mapping[str, Compiled], placement: Placement
) -> None:
    node, number = site.node, site.number
    inputs = calls.tables.places(site.name("inputs"), [numbers[signal.name] for signal in node.inputs])
    fields = {"inputs": inputs, "input_count": str(len(node.inputs)), "output": str(numbers[node.gives.name])}
    if isinstance(node.what, Model):
        fields |= {
            "stage": "&network_stage",
            "parameters": f"&{_network(calls, site, networks[node.what.name], placement.arenas[number])}",
        }
    else:
        fields |= _stage(calls, site)
    for field, places in (("keeps_at", placement.keeps), ("scratch_at", placement.scratch)):
        if number in places:
            fields[field] = f"{places[number]}U"
    order = ("stage", "parameters", "state", "history", "inputs", "input_count", "output", "span", "pace")
    texts = [f".{field} = {fields[field]}" for field in (*order, "keeps_at", "scratch_at") if field in fields]
    calls.rows.append(f"    {{{', '.join(texts)}}}, /* {comment(node.gives.name)} */")


def _stage(calls: _Calls, site: Site) -> dict[str, str]:
    op, chosen = site.stage.op, row(site.node)
    calls.headers.add(f'#include "stages/{op}.h"')
    if chosen.assumes:
        calls.assumed.add(chosen.assumes)
    fields = {"stage": f"&{op}_stage"}
    if chosen.parameters is not None:
        values = ", ".join(f".{field} = {value}" for field, value in chosen.parameters(site, calls.tables).items())
        calls.tables.texts.append(f"static const struct {op}_parameters {site.name('parameters')} = {{{values}}};")
        fields["parameters"] = f"&{site.name('parameters')}"
    if chosen.state:
        calls.states.append(f"static struct {op}_state {site.name('state')} MODEL_ROOM;")
        fields["state"] = f"&{site.name('state')}"
    kind = OPS[op]
    if isinstance(kind, Remembering | Recursive):
        calls.headers.add('#include "history.h"')
        calls.states.append(f"static struct history {site.name('history')} MODEL_ROOM;")
        span = kind.span(site.stage) if isinstance(kind, Remembering) else kind.span(site.stage, site.node.inputs)
        fields |= {"history": f"&{site.name('history')}", "span": str(span)}
    if isinstance(kind, Recursive) and kind.bound is not None:
        fields["pace"] = str(site.rate_pace if kind.bound == "rate_hz" else site.spacing_pace)
    return fields


def _network(calls: _Calls, site: Site, compiled: Compiled, at: int) -> str:
    """A network's row; gives its name."""
    texts, network = calls.tables.texts, compiled.network
    calls.headers.add('#include "network.h"')
    sizes = ", ".join(f"{value.elements}U" for value in (*network.inputs, *network.outputs))
    texts.append(f"static const uint32_t {site.name('elements')}[] = {{{sizes}}};")
    calls.states.append(f"static struct network_given {site.name('given')} MODEL_ROOM;")
    room = arena_bytes(compiled, calls.contained)
    fields = {
        **({} if calls.contained else _linked(calls, site, compiled)),
        "took_us": f"&{calls.name}_took_us[{calls.models.index(site.stage.name)}]",
        "given": f"&{site.name('given')}",
        "place": f"{{{calls.name}_memory + {at}, {room}U, {site.name('elements')}, {len(network.inputs)}}}",
    }
    body = "\n".join(f"    .{field} = {value}," for field, value in fields.items())
    texts.append(f"static const struct network {site.name('network')} = {{\n{body}\n}};")
    return site.name("network")


def _linked(calls: _Calls, site: Site, compiled: Compiled) -> dict[str, str]:
    """Fields of a network that is linked in: its functions, and what its numbers mean."""
    name, texts, network = compiled.name, calls.tables.texts, compiled.network
    calls.headers.add(f'#include "{name}.h"')
    suffixes = [""] if len(network.inputs) == 1 else [f"_{place}" for place in range(len(network.inputs))]
    ends = [f"{{{real(factor)}, {zero}}}" for factor, zero in (network.quantization[one.id] for one in network.inputs)]
    factor, zero = network.quantization[network.outputs[0].id]
    functions = ", ".join(f"{name}_input{suffix}" for suffix in suffixes)
    texts.append(f"static int8_t *(*const {site.name('sources')}[])(void) = {{{functions}}};")
    texts.append(f"static const struct network_end {site.name('ends')}[] = {{{', '.join(ends)}}};")
    return {
        "inputs": site.name("sources"),
        "output": f"{name}_output",
        "invoke": f"{name}_invoke",
        "input_ends": site.name("ends"),
        "output_end": f"{{{real(factor)}, {zero}}}",
    }


def _networks(name: str, plan: Plan) -> list[str]:
    places = {node.what.name: number for number, node in enumerate(plan.nodes) if isinstance(node.what, Model)}
    if not places:
        return []
    rows = ", ".join(f"&network_{places[model.name]}" for model in plan.profile.models)
    return [f"const struct network *const {name}_networks[] = {{{rows}}};"]


def _findings(name: str, plan: Plan, numbers: Mapping[str, int]) -> list[str]:
    blocks, rows = [], []
    for number, model in enumerate(plan.profile.models):
        quantities = "NULL"
        if model.quantities is not None:
            quantities = f"quantities_{number}"
            body = "\n".join(f"    {_quantity(one)}, /* {comment(one.name)} */" for one in model.quantities)
            blocks.append(f"static const struct finding_quantity {quantities}[] = {{\n{body}\n}};")
        rows.append(
            f"    {{.quantities = {quantities}, .reading = {numbers[model.reading]}, "
            f".output_count = {len(model.outputs)}}}, /* {comment(model.name)} */"
        )
    if rows:
        body = "\n".join(rows)
        blocks.append(f"const struct finding_model {name}_models[] = {{\n{body}\n}};")
    return blocks


def _quantity(one: Quantity) -> str:
    return f"{{{real(one.offset)}, {real(one.factor)}, {real(one.low)}, {real(one.high)}}}"


def _alerts(name: str, plan: Plan, numbers: Mapping[str, int]) -> list[str]:
    if not plan.alerts:
        return []
    body = "\n".join(_alert(alert, numbers) for alert in plan.alerts)
    return [f"const struct alert_plan {name}_alerts[] = {{\n{body}\n}};"]


def _alert(plan: AlertPlan, numbers: Mapping[str, int]) -> str:
    model = "ALERT_OF_SIGNAL" if plan.watch.model is None else str(plan.watch.model)
    fields = {
        "duration_us": whole(round(plan.alert.after.seconds * 1e6)),
        "when": _condition(plan.when),
        **({} if plan.clear is None else {"clear": _condition(plan.clear)}),
        "has_clear": boolean(plan.clear is not None),
        "model": model,
        "signal": str(numbers[plan.watch.signal]),
        "place": str(plan.watch.place),
        "findings": str(plan.alert.after.findings),
    }
    texts = ", ".join(f".{field} = {value}" for field, value in fields.items())
    return f"    {{{texts}}}, /* {comment(plan.alert.name)} */"


def _condition(condition: Condition) -> str:
    return f"{{ALERT_{_COMPARISONS[condition.comparison]}, {real(condition.number)}}}"
