"""Signals from outside the wearable."""
