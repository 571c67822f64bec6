"""Containers: a bundle's networks, graph and profile compiled for a processor, for a firmware to run from any address."""
