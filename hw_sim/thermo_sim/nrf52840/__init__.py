"""A board with an nRF52840, in labwired."""
