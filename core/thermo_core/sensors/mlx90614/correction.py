"""What calibration against a blackbody found out about an MLX90614."""

from thermo_core.sensors.linear_correction import LinearCorrection


class Mlx90614Correction(LinearCorrection):
    """A line for the temperature of each zone's object, with a slope by the sensor's own."""

    kind = "mlx90614"
    numbers = ("object", "second object")
