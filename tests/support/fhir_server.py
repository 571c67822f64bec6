"""A FHIR R4 server as tests use it: it takes transactions, holds them to R4B models and value sets, and fails at random.

Value sets are those that the models of fhir.resources name, which the models themselves do not hold to; and our own check.
"""

import base64
import contextlib
import copy
import json
import random
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from fhir.resources.R4B import get_fhir_model_class
from pydantic import BaseModel

from thermo_hub.fhir.check import check

OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "exception", "diagnostics": "<b>no</b>"}],
}


def validate(resource: dict[str, Any]) -> None:
    """Hold a resource to its R4B model, to the value sets that this names, and to our own check."""
    model = get_fhir_model_class(resource["resourceType"])
    _hold(model.model_validate_json(json.dumps(resource)))
    check(resource)


def _hold(part: Any) -> None:
    if isinstance(part, list):
        for one in part:
            _hold(one)
    elif isinstance(part, BaseModel):
        for name, about in type(part).model_fields.items():
            value = getattr(part, name)
            extra = about.json_schema_extra if isinstance(about.json_schema_extra, dict) else {}
            allowed: Any = extra.get("enum_values")
            # A list that goes on in the specification ends in "+".
            if value is not None and allowed and "+" not in allowed:
                assert value in allowed, (type(part).__name__, name, value)
            _hold(value)


@dataclass
class FhirServer:
    """What it holds, and how it behaves.

    Attributes:
        held: resources by "Kind/id".
        trouble: share of requests that fail.
        always_before: those that fail do so before they are looked at.
        token: that it wants; "" for none.
        public_key, client_id: of whom SMART assertions are taken.
        url: base address.
        requests: transactions that came, also those that failed.
    """

    held: dict[str, dict[str, Any]] = field(default_factory=dict)
    trouble: float = 0.0
    always_before: bool = False
    token: str = ""
    public_key: Any = None
    client_id: str = ""
    url: str = ""
    requests: int = 0
    tokens_given: int = 0
    seen_jti: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    rng: random.Random = field(default_factory=lambda: random.Random(0))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [one for name, one in self.held.items() if name.startswith(f"{kind}/")]

    def transact(self, bundle: dict[str, Any]) -> dict[str, Any]:
        """All of a transaction or nothing."""
        validate(bundle)
        assert bundle["type"] == "transaction"
        after = dict(self.held)
        places: dict[str, str] = {}
        states = []
        for entry in bundle["entry"]:
            request, kind = entry["request"], entry["resource"]["resourceType"]
            wanted = request.get("ifNoneExist") if request["method"] == "POST" else request["url"].partition("?")[2]
            assert wanted
            found = [name for name in self.held if name.startswith(f"{kind}/") and _matches(self.held[name], wanted)]
            assert len(found) <= 1, f"{wanted} is not one"
            name = found[0] if found else f"{kind}/{len(after) + 1}"
            places[entry["fullUrl"]] = name
            states.append("200 OK" if found else "201 Created")
            if not found or request["method"] == "PUT":
                after[name] = entry["resource"]
            elif request["method"] == "POST":
                places[entry["fullUrl"]] = name
        for name in places.values():
            after[name] = _placed(after[name], places)
            assert not any("urn:uuid" in one for one in _references(after[name]))
        self.held = after
        return {
            "resourceType": "Bundle",
            "type": "transaction-response",
            "entry": [{"response": {"status": one}} for one in states],
        }

    def exchange(self, form: dict[str, list[str]]) -> str:
        """A token for a signed assertion, by SMART Backend Services."""
        assert form["grant_type"] == ["client_credentials"]
        assert form["client_assertion_type"] == ["urn:ietf:params:oauth:client-assertion-type:jwt-bearer"]
        head, claims, signature = form["client_assertion"][0].split(".")
        said, signed = json.loads(_decoded(head)), f"{head}.{claims}".encode()
        if said["alg"] == "ES384":
            raw = _decoded(signature)
            assert len(raw) == 96
            pair = encode_dss_signature(int.from_bytes(raw[:48], "big"), int.from_bytes(raw[48:], "big"))
            self.public_key.verify(pair, signed, ec.ECDSA(hashes.SHA384()))
        else:
            self.public_key.verify(_decoded(signature), signed, padding.PKCS1v15(), hashes.SHA384())
        facts = json.loads(_decoded(claims))
        assert facts["iss"] == facts["sub"] == self.client_id
        assert facts["aud"] == f"{self.url}/token"
        assert facts["jti"] not in self.seen_jti
        self.seen_jti.add(facts["jti"])
        self.tokens_given += 1
        self.token = f"token-{self.tokens_given}"
        return self.token


@contextlib.contextmanager
def fhir_server() -> Iterator[FhirServer]:
    """One that answers at a free port of this machine."""
    server = FhirServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            try:
                with server.lock:
                    self._answer(body)
            except Exception as error:
                server.faults.append(repr(error))
                self._say(422, OUTCOME)

        def _answer(self, body: bytes) -> None:
            if self.path == "/token":
                token = server.exchange(parse_qs(body.decode()))
                self._say(200, {"access_token": token, "token_type": "bearer", "expires_in": 300})
                return
            server.requests += 1
            if server.token and self.headers.get("authorization") != f"Bearer {server.token}":
                self._say(401, OUTCOME)
                return
            fails = server.rng.random() < server.trouble
            how = 0 if server.always_before else server.rng.randrange(4)
            if fails and how == 0:
                self._say(503, OUTCOME)
                return
            answer = server.transact(json.loads(body))
            if fails and how == 1:
                self.close_connection = True  # taken, and the answer is lost
                return
            if fails and how == 2:
                self._say(200, "no JSON")
                return
            if fails and how == 3:
                self._say(500, OUTCOME)
                return
            self._say(200, answer)

        def _say(self, status: int, said: Any) -> None:
            data = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("content-type", "application/fhir+json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        server.url = f"http://127.0.0.1:{listening.server_address[1]}"
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()


def _matches(resource: dict[str, Any], wanted: str) -> bool:
    name, _, token = wanted.partition("=")
    system, _, value = token.partition("|")
    assert name in ("identifier", "_tag"), wanted
    if name == "_tag":
        return {"system": system, "code": value} in resource.get("meta", {}).get("tag", [])
    return any(one.get("system") == system and one.get("value") == value for one in resource["identifier"])


def _placed(resource: dict[str, Any], places: dict[str, str]) -> dict[str, Any]:
    def place(part: Any) -> Any:
        if isinstance(part, list):
            return [place(one) for one in part]
        if isinstance(part, dict):
            return {
                name: places.get(value, value) if name == "reference" else place(value) for name, value in part.items()
            }
        return part

    made: dict[str, Any] = place(copy.deepcopy(resource))
    return made


def _references(resource: Any) -> list[str]:
    return re.findall(r'"reference": "([^"]*)"', json.dumps(resource))


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
