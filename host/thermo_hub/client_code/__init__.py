"""Writes the typed parts of `thermo_hub.client` from the hub's OpenAPI: `python -m thermo_hub.client_code`."""
