"""What calibration in a bath found out about a TMP117."""

from thermo_core.sensors.linear_correction import LinearCorrection


class Tmp117Correction(LinearCorrection):
    """A line for the temperature."""

    kind = "tmp117"
    numbers = ("temperature",)
