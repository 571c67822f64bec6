"""Files that a microcontroller is programmed from: what lies where in its flash, as ELF, as UF2 and as plain bytes."""
