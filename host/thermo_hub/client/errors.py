"""What goes wrong between a program and a hub."""

from thermo_core.errors import ThermoError


class HubError(ThermoError):
    """A hub does not answer, or not as a hub does."""


class HubRefused(HubError):
    """A hub refused a request.

    Args:
        detail: its sentence.
        status: of HTTP: 400 of what cannot be, 401 of somebody who has not signed in, 403 of another role, 404 and 409 of what is not so.
    """

    def __init__(self, detail: str, status: int) -> None:
        super().__init__(detail)
        self.status = status
