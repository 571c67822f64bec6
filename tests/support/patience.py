"""How long tests wait for what a machine with nothing else to do has in a second or a few; none passes sooner or fails by it."""

WAIT_S = 240.0
WAIT_MS = 1000 * WAIT_S
