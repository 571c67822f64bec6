"""The part that describes the hub's API, to those who have come in."""

from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from thermo_hub.api.description import described
from thermo_hub.described import says
from thermo_hub.hub import Part
from thermo_hub.security.roles import EVERYBODY, allow

ROUTER = APIRouter(prefix="/api", tags=["api"])
PART = Part("api", ROUTER)


@ROUTER.get(
    "/openapi.json",
    dependencies=[Depends(allow(EVERYBODY))],
    responses=says(dict[str, Any]),
    response_class=JSONResponse,
)
def openapi(request: Request) -> JSONResponse:
    """This description, as OpenAPI."""
    return JSONResponse(described(request.app, request.app.state.routes))
