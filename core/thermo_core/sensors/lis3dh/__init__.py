"""The LIS3DH, an accelerometer: registers, settings, codec, acceleration, correction."""
