"""An MLX90640: the chip on the bus, its EEPROM, from scenes to counts, what real ones said, and pictures in bulk."""
