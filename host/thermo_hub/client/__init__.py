"""A typed client of the hub's API: `HubClient` for code that waits, `AsyncHubClient` for `async` code."""

from thermo_hub.client.errors import HubError, HubRefused
from thermo_hub.client.hub import AsyncHubClient, HubClient

__all__ = ["AsyncHubClient", "HubClient", "HubError", "HubRefused"]
