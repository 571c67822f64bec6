"""Simulated hardware at register level: scenes, sensors, buses with faults, whole wearables."""
