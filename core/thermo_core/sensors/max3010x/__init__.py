"""The MAX30101 and MAX30102, optical pulse sensors: registers, settings, codec, light, contact."""
