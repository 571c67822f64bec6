"""The hub's API as OpenAPI: what FastAPI makes of the routes, with who may use each, how visits are known, and what WebSockets there are."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import BaseRoute

from thermo_hub.security.guard import CSRF_HEADER
from thermo_hub.security.matrix import matrix

COOKIE = "thermo-hub-PORT"
VISIT, FORGERY = "visit", "csrf"
SCHEMES = {
    VISIT: {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "Comes of the one-time link or of signing in; with TLS its name begins with __Host-.",
    },
    FORGERY: {
        "type": "apiKey",
        "in": "header",
        "name": CSRF_HEADER,
        "description": "Of `GET /api/me`; on every request that changes something, which also has the hub's own Origin.",
    },
}


def operation_name(route: APIRoute) -> str:
    """Name of an operation: its part, and what it does there."""
    return f"{route.tags[0]}_{route.name}" if route.tags else route.name


def described(app: FastAPI, routes: Sequence[BaseRoute]) -> dict[str, Any]:
    """The description of an application, whose routes are these.

    `x-roles` of an operation are the roles that may use it (absent where nobody is asked), `x-websockets` the WebSockets.
    """
    made: dict[str, Any] = app.openapi()
    if "securitySchemes" in made.setdefault("components", {}):
        return made
    made["components"]["securitySchemes"] = SCHEMES
    for one in matrix(routes):
        operation = made["paths"].get(one.path, {}).get(one.method.lower())
        if operation is not None and one.roles is not None:
            operation["x-roles"] = sorted(one.roles)
            operation["security"] = [{VISIT: []} if one.method == "GET" else {VISIT: [], FORGERY: []}]
    for operations in made["paths"].values():
        for operation in operations.values():
            operation["summary"] = operation.get("description", "").partition("\n")[0].rstrip(".")
            for answer in operation["responses"].values():
                for content in answer.get("content", {}).values():
                    # FastAPI writes what a function is annotated with beside the model that is named.
                    if "$ref" in content["schema"]:
                        content["schema"] = {"$ref": content["schema"]["$ref"]}
    made["x-websockets"] = [
        {"path": route.path, "description": (route.endpoint.__doc__ or "").strip()}
        for route in routes
        if isinstance(route, APIWebSocketRoute)
    ]
    return made
