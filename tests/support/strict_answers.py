"""Holds every answer of a hub to what its OpenAPI says of it: no field more, none less, each of its type."""

import httpx
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from thermo_hub.app import routes
from thermo_hub.described import Refused

ROUTES = [one for one in routes() if isinstance(one, APIRoute) and one.include_in_schema]


def hold(answer: httpx.Response) -> None:
    """A hook of httpx."""
    route = next(
        (
            one
            for one in ROUTES
            if answer.request.method in (one.methods or ()) and one.path_regex.fullmatch(answer.request.url.path)
        ),
        None,
    )
    if route is None:
        return
    known = route.responses.get(answer.status_code)
    assert known is not None, (
        f"{answer.request.method} {route.path} answers {answer.status_code}, which it does not say"
    )
    model = known.get("model")
    if model is not None and "json" in answer.headers.get("content-type", ""):
        answer.read()
        TypeAdapter(Refused if answer.is_error else model).validate_json(answer.content)


async def hold_async(answer: httpx.Response) -> None:
    """The same of a client that does not wait."""
    await answer.aread()
    hold(answer)
