"""The description of the hub's own API."""
