"""What is sent to a FHIR server: all of it, nothing twice however the server fails, and nothing without consent."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from fhir_past import fill, trends
from fhir_server import FhirServer, fhir_server, validate

from thermo_core.errors import StorageError, UsageError
from thermo_hub.alerts.keeper import Keeper
from thermo_hub.bus import Bus
from thermo_hub.fhir.agreed import say
from thermo_hub.fhir.part import PART
from thermo_hub.fhir.sending import Sender, again, sendings
from thermo_hub.fhir_settings import FhirSettings
from thermo_hub.hub import Hub
from thermo_hub.security.consents import Purpose
from thermo_hub.security.door import Door
from thermo_hub.settings import Settings, checked
from thermo_hub.store.store import Store
from thermo_hub.store.tables import CONSENT
from thermo_hub.trends.keeper import HOUR_NS
from thermo_hub.wearables.bundles import Bundles
from thermo_hub.wearables.registry import Wearables

START_NS = 20_000 * 24 * HOUR_NS
KEY = bytes(range(32))
HOURS = 3


@pytest.fixture
def server() -> Iterator[FhirServer]:
    with fhir_server() as running:
        yield running


@pytest.fixture
def filled(store: Store) -> Store:
    fill(store, "w", START_NS, HOURS)
    say(store, "w", Purpose.SHARING, True, "Ann", "")
    with store.write() as connection:
        connection.execute(CONSENT.update().values(at_ns=START_NS))
    return store


def work(sender: Sender, *moments: int) -> None:
    async def run() -> None:
        async with sender.client() as client:
            for now_ns in moments:
                await sender.work(client, now_ns)

    asyncio.run(run())


def states(store: Store) -> list[str]:
    return [one["state"] for one in sendings(store, "w")]


def test_a_server_that_fails_at_random_holds_everything_once(filled: Store, server: FhirServer) -> None:
    server.trouble = 0.6
    sender = Sender(filled, FhirSettings(server=server.url), KEY)
    now_ns = START_NS
    for hour in range(1, HOURS + 3):
        now_ns = START_NS + hour * HOUR_NS + 3 * 60 * 10**9
        work(sender, *(now_ns + minute * 60 * 10**9 for minute in range(0, 50, 10)))
    for later in range(1, 40):
        if set(states(filled)) == {"sent"}:
            break
        work(sender, now_ns + later * HOUR_NS // 60)
    assert set(states(filled)) == {"sent"}
    assert server.faults == []
    assert server.requests > len(states(filled)), "the server never failed"
    for one in server.held.values():
        validate(one)
    identities = Counter(
        json.dumps([one["resourceType"], one.get("identifier") or one["meta"]["tag"]]) for one in server.held.values()
    )
    assert set(identities.values()) == {1}
    assert len(server.of_kind("Patient")) == 1
    assert len(server.of_kind("Observation")) == 7 * HOURS
    assert len(server.of_kind("Flag")) == 4
    assert "Ann Smith" not in json.dumps(list(server.held.values()))
    tries = [one for sending in sendings(filled, "w") for one in sending["tries"]]
    assert {one["ok"] for one in tries} == {True, False}
    assert any("503 <b>no</b>" in one["detail"] for one in tries)


def test_an_alert_that_is_resolved_later_is_so_at_the_server(filled: Store, server: FhirServer) -> None:
    sender = Sender(filled, FhirSettings(server=server.url), KEY)
    work(sender, START_NS + HOUR_NS + 3 * 60 * 10**9)
    assert Counter(one["status"] for one in server.of_kind("Flag")) == {"active": 2, "inactive": 2}
    Keeper(filled, lambda: UTC).resolve("w", "hot-0", START_NS + HOUR_NS + 60 * 10**9)
    work(sender, START_NS + 2 * HOUR_NS + 3 * 60 * 10**9)
    assert Counter(one["status"] for one in server.of_kind("Flag")) == {"active": 1, "inactive": 3}


def test_without_consent_nothing_is_sent(store: Store, server: FhirServer) -> None:
    fill(store, "w", START_NS, HOURS)
    sender = Sender(store, FhirSettings(server=server.url), KEY)
    work(sender, START_NS + 10 * HOUR_NS)
    assert (server.requests, sendings(store, "w")) == (0, [])


def test_consent_that_is_withdrawn_stops_what_waits(filled: Store, server: FhirServer) -> None:
    server.token = "secret"
    sender = Sender(filled, FhirSettings(server=server.url), KEY)
    work(sender, START_NS + 2 * HOUR_NS)
    assert states(filled) == ["waiting"]
    say(filled, "w", Purpose.SHARING, False, "Ann", "")
    asked = server.requests
    work(sender, START_NS + 3 * HOUR_NS)
    assert (states(filled), server.requests, server.held) == (["cancelled"], asked, {})
    assert "Ann withdrew consent" in sendings(filled, "w")[0]["tries"][-1]["detail"]


def test_what_was_measured_without_consent_is_not_sent_later(filled: Store, server: FhirServer) -> None:
    with filled.write() as connection:
        connection.execute(CONSENT.update().values(at_ns=START_NS + HOUR_NS + 1))
    work(Sender(filled, FhirSettings(server=server.url), KEY), START_NS + 5 * HOUR_NS)
    assert len(server.of_kind("Observation")) == 7


def test_what_has_failed_is_tried_again_when_somebody_says_so(filled: Store, server: FhirServer) -> None:
    server.trouble = 1.0
    server.always_before = True
    sender = Sender(filled, FhirSettings(server=server.url), KEY)
    now_ns = START_NS + 2 * HOUR_NS
    sender.plan(now_ns)
    (waiting,) = sender.due(now_ns)

    async def run() -> None:
        async with sender.client() as client:
            for at in range(12):
                assert states(filled) == ["waiting"]
                await sender.send(client, waiting, now_ns + at)

    asyncio.run(run())
    assert states(filled) == ["failed"]
    assert sender.due(now_ns + HOUR_NS * 100) == []
    server.trouble = 0.0
    assert again(filled, "w") == 1
    work(sender, now_ns)
    assert states(filled) == ["sent"]
    assert len(sendings(filled, "w")[0]["tries"]) == 13


def test_a_bearer_token_of_a_file(filled: Store, server: FhirServer, tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("secret\n")
    settings = FhirSettings(server=server.url, token_file=str(path))
    path.chmod(0o644)
    with pytest.raises(StorageError, match="others may read it"):
        Sender(filled, settings, KEY)
    path.chmod(0o600)
    server.token = "secret"
    work(Sender(filled, settings, KEY), START_NS + 2 * HOUR_NS)
    assert states(filled) == ["sent"]


@pytest.mark.parametrize(
    "make", [lambda: ec.generate_private_key(ec.SECP384R1()), lambda: rsa.generate_private_key(65537, 2048)]
)
def test_smart_backend_services(filled: Store, server: FhirServer, tmp_path: Path, make: Any) -> None:
    key = make()
    settings = smart(server, tmp_path / "key.pem", key)
    sender = Sender(filled, settings, KEY)
    server.public_key, server.client_id = key.public_key(), "hub"
    server.token = "none yet"
    work(sender, START_NS + 2 * HOUR_NS, START_NS + 3 * HOUR_NS)
    assert (states(filled), server.tokens_given, server.faults) == (["sent", "sent"], 1, [])
    server.token = "revoked"
    work(sender, START_NS + 4 * HOUR_NS, START_NS + 4 * HOUR_NS + 10**10)
    assert (states(filled)[0], server.tokens_given) == ("sent", 2)
    other = Sender(filled, smart(server, tmp_path / "other.pem", make()), KEY)
    trends(filled, "w", START_NS + 5 * HOUR_NS, 1)
    work(other, START_NS + 7 * HOUR_NS)
    assert states(filled)[0] == "waiting"
    assert "the token server answered 422" in sendings(filled, "w")[0]["tries"][-1]["detail"]


def smart(server: FhirServer, path: Path, key: Any) -> FhirSettings:
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    path.chmod(0o600)
    return FhirSettings(server=server.url, token_url=f"{server.url}/token", client_id="hub", key_file=str(path))


@pytest.mark.parametrize("text", ["", "no key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_key_that_is_none_is_told_in_a_sentence(store: Store, tmp_path: Path, text: str) -> None:
    path = tmp_path / "key.pem"
    path.write_text(text)
    path.chmod(0o600)
    settings = FhirSettings(
        server="http://127.0.0.1", token_url="http://127.0.0.1/t", client_id="x", key_file=str(path)
    )
    with pytest.raises(UsageError, match="no private key in PEM"):
        Sender(store, settings, KEY)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (FhirSettings(server="http://fhir.example.org/r4"), "in the clear"),
        (FhirSettings(server="https://x", token_url="http://x/token", client_id="a", key_file="k"), "in the clear"),
        (FhirSettings(server="https://x", client_id="a"), "name all of them"),
        (
            FhirSettings(server="https://x", token_file="t", token_url="https://x", client_id="a", key_file="k"),
            "name one",
        ),
        (FhirSettings(token_file="t"), "names no server"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: FhirSettings, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        checked(Settings(fhir=settings))


def test_a_hub_sends_by_itself_what_is_over(store: Store, settings: Settings, server: FhirServer) -> None:
    begin_ns = (time.time_ns() // HOUR_NS - 4) * HOUR_NS
    fill(store, "w", begin_ns, HOURS)
    say(store, "w", Purpose.SHARING, True, "Ann", "")
    with store.write() as connection:
        connection.execute(CONSENT.update().values(at_ns=begin_ns))
    settings = msgspec.structs.replace(settings, fhir=FhirSettings(server=server.url, every_s=0.05))

    async def run() -> None:
        bus = Bus(asyncio.get_running_loop())
        hub = Hub(settings, bus, store, Wearables(store, bus, lambda: ()), Door(store), Bundles(settings.bundles))
        assert PART.run is not None
        async with PART.run(hub):
            while not server.held:
                await asyncio.sleep(0.05)

    asyncio.run(run())
    assert len(server.of_kind("Observation")) == 7 * HOURS
