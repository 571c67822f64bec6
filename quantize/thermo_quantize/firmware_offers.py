"""What a firmware offers to containers, as C: sensors, stages and structures that it was built with."""

from thermo_core.wearable.profile import Profile
from thermo_quantize import structures
from thermo_quantize.c_text import comment, numbers, text


def offered(name: str, profile: Profile, target: str | None) -> dict[str, str]:
    """C files of what a container has to suit that runs in place of a firmware's own graph.

    Args:
        name: prefix of files and symbols.
        profile: of the firmware.
        target: of its networks; None: it takes no container.
    """
    file = f"{name}_container"
    header = f"""/* What this firmware offers to a container with another graph. Made by thermo-quantize firmware. */
#ifndef {file.upper()}_H
#define {file.upper()}_H

#include "container.h"

/* Without a target no container is for it. */
extern const struct container_host {file};

#endif
"""
    begin = f'/* What the wearable {comment(profile.name)} offers. Made by thermo-quantize firmware. */\n#include "{file}.h"\n'
    if target is None:
        return {
            f"{file}.h": header,
            f"{file}.c": f"{begin}\nconst struct container_host {file} = {{.target = NULL}};\n",
        }
    offers = structures.offers()
    includes = "\n".join(f'#include "{path}"' for path in sorted({structures.header_of(one) for one in offers}))
    rows = "\n".join(
        f"    {{{{{text(one)}, {{{', '.join(map(str, structures.mark(one)))}}}}}, {_address(one, symbol)}}},"
        for one, symbol in offers.items()
    )
    fields = {
        "target": text(target),
        "structures": f"0x{structures.structures():08x}U",
        "sensors_sha256": f"{{\n{numbers(structures.sensors_digest(profile))}\n    }}",
        "offers": "offers",
        "offer_count": str(len(offers)),
    }
    body = "\n".join(f"    .{field} = {value}," for field, value in fields.items())
    source_text = (
        f"{begin}\n{includes}\n\nstatic const struct container_offer offers[] = {{\n{rows}\n}};\n\n"
        f"const struct container_host {file} = {{\n{body}\n}};\n"
    )
    return {f"{file}.h": header, f"{file}.c": source_text}


def _address(name: str, symbol: str) -> str:
    return f"(const void *)(uintptr_t){symbol}" if name in structures.FUNCTIONS else f"&{symbol}"
