"""What calibration against a blackbody found out about an MLX90632."""

from thermo_core.sensors.linear_correction import LinearCorrection


class Mlx90632Correction(LinearCorrection):
    """A line for the object's temperature, with a slope by the sensor's own."""

    kind = "mlx90632"
    numbers = ("object",)
