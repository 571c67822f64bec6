"""How long is waited before what could not be delivered is tried again."""

PAUSES_S = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
"""From one try to the next; after the last one it has failed."""
