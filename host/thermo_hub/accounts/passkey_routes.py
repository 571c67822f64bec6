"""Routes of passkeys: making one, and coming in by one."""

from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, HTTPException, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from thermo_core.errors import UsageError
from thermo_hub.accounts.answers import Named, PasskeyOptions, PasskeysOf
from thermo_hub.accounts.book import LONGEST_PASSWORD
from thermo_hub.accounts.passkeys import Site
from thermo_hub.accounts.running import Mine, Runs, limit
from thermo_hub.described import says
from thermo_hub.hub import Part
from thermo_hub.security.cookies import set_cookie
from thermo_hub.security.roles import EVERYBODY, Role, Visitor, allow

ROUTER = APIRouter(prefix="/api", tags=["accounts"])
PART = Part("passkeys", ROUTER)
Me = Annotated[Visitor, Depends(allow(EVERYBODY))]


class Proof(BaseModel):
    """That somebody is who came in.

    Attributes:
        password: of the account.
    """

    password: Annotated[str, Field(max_length=LONGEST_PASSWORD)]


class Answered(BaseModel):
    """What a browser's passkey answered.

    Attributes:
        credential: as `PublicKeyCredential.toJSON()` gives it.
    """

    credential: dict[str, Any]


def site_of(request: Request) -> Site:
    """The site that a request names, which the guard has found to be this hub's: a dependency."""
    host = request.headers["host"]
    scheme = "https" if request.app.state.hub.settings.secure else "http"
    return Site(f"{scheme}://{host}".lower(), (urlsplit(f"//{host}").hostname or "").lower())


Here = Annotated[Site, Depends(site_of)]


@ROUTER.get("/me/passkeys", responses=says(PasskeysOf))
def passkeys(runs: Runs, visitor: Me) -> dict[str, Any]:
    """Your passkeys."""
    return {"account": runs.book.has(visitor.name), "passkeys": runs.passkeys.of(visitor.name)}


@ROUTER.post("/me/passkeys/options", responses=says(PasskeyOptions, 429))
async def begin(body: Proof, request: Request, here: Here, runs: Runs, visitor: Me) -> dict[str, Any]:
    """Begin to make a passkey; your password shows that it is you."""
    limit(runs, request, visitor.name)
    async with runs.proving:
        if await run_in_threadpool(runs.book.sign_in, visitor.name, body.password) is None:
            raise UsageError("The password is another one; try again.")
    return {"options": await run_in_threadpool(runs.passkeys.registration, visitor.name, here)}


@ROUTER.post("/me/passkeys", responses=says(Named))
def register(body: Answered, here: Here, runs: Runs, visitor: Me) -> dict[str, str]:
    """Keep the passkey that your browser made."""
    runs.passkeys.register(visitor.name, body.credential, here)
    return {"name": visitor.name}


@ROUTER.delete("/me/passkeys/{passkey}", responses=says(Named))
def forget(passkey: str, runs: Runs, visitor: Me) -> dict[str, str]:
    """Forget one of your passkeys."""
    runs.passkeys.remove(visitor.name, passkey)
    return {"name": visitor.name}


@ROUTER.delete("/accounts/{name}/passkeys", dependencies=[Depends(allow(Role.ADMINISTRATOR))], responses=says(Named))
def forget_all(name: str, runs: Runs) -> dict[str, str]:
    """Forget all passkeys of an account."""
    runs.passkeys.remove(name)
    return {"name": name}


@ROUTER.post("/passkeys/options", responses=says(PasskeyOptions, 429))
def challenge(request: Request, here: Here, runs: Runs) -> dict[str, Any]:
    """Begin to come in by a passkey."""
    limit(runs, request, "")
    return {"options": runs.passkeys.request(here)}


@ROUTER.post("/passkeys/sign-in", responses=says(Named, 429))
async def come_in(
    body: Answered, request: Request, answer: Response, here: Here, hub: Mine, runs: Runs
) -> dict[str, str]:
    """Come in by a passkey."""
    limit(runs, request, "")
    try:
        name, roles = await run_in_threadpool(runs.passkeys.sign_in, body.credential, here)
    except UsageError as error:
        raise HTTPException(401, str(error)) from error
    set_cookie(answer, hub.settings, await run_in_threadpool(hub.door.let_in, name, roles))
    return {"name": name}
