"""The description of the hub's API, and the typed client that is made of it: each operation is in both, and can be called."""

import asyncio
import inspect
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from fhir_past import HOSTILE, fill
from hubs import ORIGIN, Visit
from strict_answers import hold_async

from thermo_core.errors import UsageError
from thermo_hub.app import routes
from thermo_hub.client import AsyncHubClient, HubClient, HubError, HubRefused
from thermo_hub.client.async_operations import AsyncOperations
from thermo_hub.client.events import Beat, Other
from thermo_hub.client.live import Hearing
from thermo_hub.client.operations import Operations
from thermo_hub.client_code.__main__ import FOLDER, files, formatted
from thermo_hub.client_code.operations import operations
from thermo_hub.openapi import whole
from thermo_hub.security.matrix import matrix
from thermo_hub.trends.keeper import HOUR_NS

DESCRIBED = whole()
OPERATIONS = operations(DESCRIBED)
NO_PAGES = re.compile(r"^/(enter|leave|\{page:path\})$")
START_NS = 20_000 * 24 * HOUR_NS


def test_the_client_is_made_of_the_description() -> None:
    """Made anew by `python -m thermo_hub.client_code`."""
    for name, text in files(DESCRIBED).items():
        assert (FOLDER / name).read_text() == formatted(text), f"{name} is of another description"


def test_the_description_has_the_routes_with_their_roles() -> None:
    described = {
        (method.upper(), path): operation.get("x-roles")
        for path, methods in DESCRIBED["paths"].items()
        for method, operation in methods.items()
    }
    assert described == {
        (one.method, one.path): None if one.roles is None else sorted(one.roles)
        for one in matrix(routes())
        if one.method != "WEBSOCKET" and not NO_PAGES.match(one.path)
    }
    assert [one["path"] for one in DESCRIBED["x-websockets"]] == [
        one.path for one in matrix(routes()) if one.method == "WEBSOCKET"
    ]


@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: f"{one.group}.{one.name}")
def test_an_operation_says_what_it_does_answers_and_refuses(one: Any) -> None:
    operation = DESCRIBED["paths"][one.path][one.method.lower()]
    assert " " in one.summary
    assert not one.summary.endswith(".")
    assert {"400", "401", "403", "422", "500"} <= set(operation["responses"])
    content = operation["responses"]["200"]["content"]
    for media, about in content.items():
        assert media != "application/json" or about["schema"].get("$ref") or one.path.endswith("openapi.json")
    if one.method != "GET" and one.roles:
        assert operation["security"] == [{"visit": [], "csrf": []}]


def test_schemas_have_names_of_their_own() -> None:
    assert not [name for name in DESCRIBED["components"]["schemas"] if "__" in name or "-" in name]


def test_the_description_is_for_those_who_came_in(visit: Visit) -> None:
    assert visit.client.get("/api/openapi.json").status_code == 401
    visit.be("researcher")
    said = visit.client.get("/api/openapi.json").json()
    assert (said["paths"], said["components"]) == (DESCRIBED["paths"], DESCRIBED["components"])


def test_who_may_use_what_is_told_by_the_hub_too(visit: Visit) -> None:
    visit.be("engineer")
    told = {(one["method"], one["path"]) for one in visit.client.get("/api/roles").json()["routes"]}
    assert told == {(one.method, one.path) for one in matrix(routes())}


@pytest.fixture
def client(visit: Visit) -> HubClient:
    """A client of the hub in this process, let in by the link."""
    made = HubClient(ORIGIN, visit.client)
    made.enter(f"{ORIGIN}/enter?token={visit.door.token()}")
    return made


def given(method: Callable[..., Any], wearable: str) -> dict[str, Any]:
    """Something for each argument of an operation, by its kind."""
    samples: dict[str, Any] = {
        "int": 1,
        "float": 1.0,
        "str": wearable,
        "bool": True,
        "bytes": b"no image",
        "Purpose": "training",
        "Sequence[Role]": ["carer"],
        "Sequence[str]": [],
    }
    wanted = inspect.signature(method).parameters
    return {
        name: samples[
            getattr(one.annotation, "__name__", str(one.annotation))
            if isinstance(one.annotation, type)
            else _kind(one.annotation)
        ]
        for name, one in wanted.items()
        if one.default is inspect.Parameter.empty
    }


def _kind(annotation: Any) -> str:
    text = str(annotation)
    if "Literal['sharing'" in text:
        return "Purpose"
    return "Sequence[Role]" if "Literal['wearer'" in text else "Sequence[str]"


@pytest.mark.parametrize("one", OPERATIONS, ids=lambda one: f"{one.group}.{one.name}")
def test_every_operation_can_be_called(client: HubClient, one: Any) -> None:
    """It reaches its route, and what comes is of the type that it says, or a refusal that the route says."""
    asked: list[httpx.Request] = []
    hook = asked.append
    client.line.client.event_hooks["request"].append(hook)
    method = getattr(getattr(client, one.group), one.name)
    try:
        found = method(**given(method, "nothing of that name"))
    except HubRefused as refused:
        assert str(refused.status) in DESCRIBED["paths"][one.path][one.method.lower()]["responses"]
    else:
        assert (type(found).__name__ in (one.answer, "dict")) or (found == b"" or isinstance(found, bytes))
    finally:
        client.line.client.event_hooks["request"].remove(hook)
    route = re.sub(r"\{\w+\}", "[^/]+", one.path)
    assert any(
        request.method == one.method and re.fullmatch(route, request.url.raw_path.decode().partition("?")[0])
        for request in asked
    )


def test_both_clients_have_the_same_operations(client: HubClient) -> None:
    other = AsyncOperations(client.line)  # type: ignore[arg-type]
    for one in OPERATIONS:
        waits, runs = (getattr(getattr(made, one.group), one.name) for made in (client, other))
        assert inspect.signature(waits) == inspect.signature(runs)
        assert inspect.iscoroutinefunction(runs)
        assert not inspect.iscoroutinefunction(waits)
    assert isinstance(client, Operations)


def test_what_clients_do_with_a_wearable_that_is_away(client: HubClient, visit: Visit) -> None:
    fill(visit.store, "away", START_NS)
    window = {"from_ms": START_NS // 10**6, "to_ms": (START_NS + 3 * HOUR_NS) // 10**6}
    series = client.trends.series("away").series
    assert {"skin.mean", "core.core"} <= {one.name for one in series}
    columns = client.trends.trends("away", **window, width="hour", name=["skin.mean"]).series[0]
    assert (columns.start_ms[0], columns.mean[0]) == (START_NS // 10**6, 33.601)
    alerts = client.alerts.alerts(wearable="away").alerts
    assert len(alerts) == 2  # the hub may have told of the snoozed one again meanwhile
    assert client.alerts.snooze(alerts[0].id, 30, note="later").state == "snoozed"
    assert client.alerts.acknowledge(alerts[0].id).state == "acknowledged"
    told = client.alerts.one(alerts[0].id)
    assert [step.by for step in told.steps][-2:] == ["this computer"] * 2
    with pytest.raises(HubRefused, match="nobody has given consent") as refused:
        client.fhir.exported("away", **window)
    assert refused.value.status == 403
    client.fhir.say_consent("away", "sharing", given=True)
    assert b'"resourceType"' in client.fhir.exported("away", **window)
    confirmed = client.fhir.confirm("away", "core.core", START_NS // 10**6, value=37.2)
    assert (confirmed.value, confirmed.by) == (37.2, "this computer")


def test_code_that_does_not_wait_is_served_as_well(visit: Visit) -> None:
    async def run() -> None:
        carrier = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=visit.client.app),
            base_url=ORIGIN,
            event_hooks={"response": [hold_async]},
        )
        async with AsyncHubClient(ORIGIN, carrier) as hub:
            me = await hub.enter(visit.door.token())
            assert "clinician" in me.roles
            assert (await hub.live.wearables()).wearables == []
            invited = await hub.accounts.invite("Bea", ["carer"])
            token = invited.link.rpartition("/")[2]
            await hub.leave()
            with pytest.raises(HubRefused):
                await hub.me()
            await hub.accounts.accept(token, "four words that rhyme not")
            assert (await hub.sign_in("Bea", "four words that rhyme not")).roles == ["carer"]
            with pytest.raises(HubRefused, match="This is for a"):
                await hub.accounts.accounts()

    asyncio.run(run())


def test_refusals_come_as_sentences_that_no_terminal_obeys(client: HubClient) -> None:
    with pytest.raises(HubRefused) as refused:
        client.trends.trends(HOSTILE.replace("/", ""), 2, 1)
    assert str(refused.value) == "The window ends before it begins; exchange from and to."
    with pytest.raises(HubRefused) as refused:
        client.alerts.snooze("x", -1.0)
    assert "minutes" in str(refused.value)
    with pytest.raises(HubRefused) as refused:
        client.live.rename("\x1b[31m../..", HOSTILE)
    assert "\x1b" not in str(refused.value)
    for link in ("", "x", f"{ORIGIN}/enter?token=\x1b[31m"):
        with pytest.raises(HubRefused, match="thermo-hub link"):
            client.enter(link)


@pytest.mark.parametrize("origin", ["", "127.0.0.1:8123", "ftp://x", "http://"])
def test_what_is_no_address_is_told(origin: str) -> None:
    with pytest.raises(UsageError, match="no hub's address"):
        HubClient(origin)


def test_a_hub_that_is_not_there_is_told() -> None:
    with HubClient("http://127.0.0.1:9") as hub, pytest.raises(HubError, match="does not answer"):
        hub.live.wearables()
    with HubClient("http://127.0.0.1:9") as hub, pytest.raises(HubError, match="broke"), hub.watch():
        pass


@pytest.mark.parametrize(
    "message", ["", "[]", "{}", '{"type":"wall"}', '{"type":"wall","wearables":7,"shut":[]}', b"", b"\x02" * 20]
)
def test_what_no_hub_says_is_an_error(message: str | bytes) -> None:
    with pytest.raises(HubError):
        Hearing().take(message)


def test_what_a_newer_hub_says_is_passed_on() -> None:
    assert Hearing().take('{"type":"new","x":1}') == Other("new", {"type": "new", "x": 1})
    assert Hearing().take('{"type":"beat","utc":1.5,"more":2}') == Beat(1.5)
    assert Hearing().take(b"\x01" + bytes(10)) is None


def test_more_than_the_hub_takes_is_refused(client: HubClient) -> None:
    with pytest.raises(HubRefused) as refused:
        client.devices.flash("x", bytes(20 << 20))
    assert refused.value.status == 413
