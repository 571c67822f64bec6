"""The cookie of a visit."""

from http.cookies import CookieError, SimpleCookie

from starlette.requests import HTTPConnection
from starlette.responses import Response

from thermo_hub.settings import Settings

VISIT_S = 7 * 24 * 3600


def name_of(settings: Settings) -> str:
    """Name of the cookie: hubs at other ports of one machine have others, since browsers tell ports not apart."""
    return f"{'__Host-' if settings.secure else ''}thermo-hub-{settings.port}"


def set_cookie(answer: Response, settings: Settings, cookie: str) -> None:
    """Have a browser keep it: no script sees it, and no other site has it sent."""
    answer.set_cookie(
        name_of(settings), cookie, VISIT_S, path="/", secure=settings.secure, httponly=True, samesite="strict"
    )


def read_cookie(header: str, name: str) -> str:
    """A cookie of a header; "" where it is not there."""
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(header)
    except CookieError:
        return ""
    return jar[name].value if name in jar else ""


def cookie_of(connection: HTTPConnection) -> str:
    """The cookie of a request: a dependency."""
    return read_cookie(connection.headers.get("cookie", ""), name_of(connection.app.state.hub.settings))
