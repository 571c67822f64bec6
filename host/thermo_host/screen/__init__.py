"""The live view in a terminal, laid out from the wearable's profile."""
