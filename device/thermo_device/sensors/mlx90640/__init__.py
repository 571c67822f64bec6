"""The thermal camera MLX90640."""
