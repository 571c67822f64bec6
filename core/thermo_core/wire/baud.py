"""Baud rates of a real UART: what both ends use unless told otherwise, and what a host tries where nothing answers.

USB gadgets and pseudo-terminals take any rate and heed none.
"""

DEFAULT_BAUD = 1_000_000
BAUDS = (DEFAULT_BAUD, 115_200, 921_600, 460_800, 230_400, 57_600)
"""The documented rates, in the order in which a host tries them."""
BAUD_VARIABLE = "THERMO_BAUD"
"""Environment variable that stands for `--baud` at both ends."""
