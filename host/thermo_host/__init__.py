"""The engineer's side: `thermo-host` and the typed API under every one of its commands."""
