"""Containers: a bundle's networks compiled for a processor, with profile and golden vectors, for a firmware to run from any address."""
