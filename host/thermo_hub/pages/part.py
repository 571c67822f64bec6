"""The part that serves the pages: every address that is a page gets the same shell, in which `modules/main.js` shows it."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi.responses import FileResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from thermo_hub.hub import Hub, Part, hub_of
from thermo_hub.security.cookies import cookie_of, set_cookie

FOLDER = Path(__file__).parent
ROUTER = APIRouter(include_in_schema=False)
SHELL = FOLDER / "shell.html"


@ROUTER.get("/enter")
async def enter(hub: Annotated[Hub, Depends(hub_of)], token: str = "") -> Response:
    """Come in by the link that the hub printed: its token becomes a cookie, and goes out of the address."""
    cookie = await run_in_threadpool(hub.door.enter, token)
    if cookie is None:
        return FileResponse(FOLDER / "used.html", 403)
    answer = RedirectResponse("/", 303)
    set_cookie(answer, hub.settings, cookie)
    return answer


@ROUTER.post("/leave")
async def leave(hub: Annotated[Hub, Depends(hub_of)], cookie: Annotated[str, Depends(cookie_of)]) -> Response:
    """Go: the cookie is good for nothing any more."""
    await run_in_threadpool(hub.door.leave, cookie)
    return Response(status_code=204)


@ROUTER.get("/{page:path}")
def page(page: str) -> FileResponse:
    """The shell of a page. Everything that it shows comes by routes that ask who wants it."""
    return FileResponse(SHELL, 404 if page.startswith("api/") else 200)


PART = Part("pages", ROUTER)
