"""MLX90640: registers, calibration constants from the EEPROM, counts to temperatures."""
