"""The MLX90632, a medical thermopile: registers, constants, codec, temperatures, correction."""
