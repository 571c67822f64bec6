"""The MLX90614, an SMBus thermopile: registers, constants, codec, temperatures, correction."""
