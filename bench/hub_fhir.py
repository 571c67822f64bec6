"""FHIR out of the hub: what a bundle costs, mutated resources that are refused, and a server that fails at random.

Usage: python bench/hub_fhir.py [MUTATED]
"""

import asyncio
import json
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY / "tests" / "support")]

from fhir_mutations import mutated, one_of_each  # noqa: E402
from fhir_past import agree, confirm_first, fill  # noqa: E402
from fhir_server import fhir_server  # noqa: E402

from thermo_core.errors import SchemaError  # noqa: E402
from thermo_hub.fhir.bundle import bundle  # noqa: E402
from thermo_hub.fhir.check import check  # noqa: E402
from thermo_hub.fhir.sending import Sender, sendings  # noqa: E402
from thermo_hub.fhir_settings import FhirSettings  # noqa: E402
from thermo_hub.settings import Settings  # noqa: E402
from thermo_hub.store.store import Store, open_store  # noqa: E402
from thermo_hub.store.tables import CONSENT  # noqa: E402
from thermo_hub.trends.keeper import HOUR_NS  # noqa: E402

START_NS = 20_000 * 24 * HOUR_NS
HOURS = 24
KEY = bytes(32)
TROUBLE = 0.6


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as folder, closing(open_store(Settings(folder=folder))) as store:
        fill(store, "w", START_NS, HOURS)
        agree(store, "w")
        confirm_first(store, "w", START_NS)
        began = time.process_time()
        made = bundle(store, "w", START_NS, START_NS + HOURS * HOUR_NS, KEY)
        spent = time.process_time() - began
        size = len(json.dumps(made)) / 1e3
        print(f"{len(made['entry'])} resources of a day: {size:.0f} kB, {spent * 1e3:.0f} ms of CPU")
        refused, kinds = refusals(one_of_each(made), count)
        print(f"{refused} of {count} mutated resources refused, of {len(kinds)} kinds")
        sent(store)


def refusals(made: dict[str, object], count: int) -> tuple[int, Counter[str]]:
    """How many mutated bundles are refused, and of which kinds their resources were."""
    rng, kinds, refused = random.Random(0), Counter[str](), 0
    for _ in range(count):
        broken, kind = mutated(made, rng)
        try:
            check(broken)
        except SchemaError:
            refused += 1
            kinds[kind] += 1
    return refused, kinds


def sent(store: Store) -> None:
    """Send the day hour by hour to a server that fails."""
    with store.write() as connection:
        connection.execute(CONSENT.update().where(CONSENT.c.purpose == "sharing").values(at_ns=START_NS))
    with fhir_server() as server:
        server.trouble = TROUBLE
        sender = Sender(store, FhirSettings(server=server.url), KEY)

        async def run() -> None:
            async with sender.client() as client:
                for minutes in range(60, (HOURS + 24) * 60, 10):
                    await sender.work(client, START_NS + minutes * 60 * 10**9)
                    if minutes > HOURS * 60 and {one["state"] for one in sendings(store, "w")} == {"sent"}:
                        break

        asyncio.run(run())
        held = Counter(json.dumps(one.get("identifier") or one["meta"]["tag"]) for one in server.held.values())
        print(
            f"a server that fails at {TROUBLE:.0%} of requests: {server.requests} transactions for "
            f"{len(sendings(store, 'w'))} windows, {len(held)} resources held, {sum(held.values()) - len(held)} of them twice"
        )


if __name__ == "__main__":
    main()
