"""What calibration in a bath and over salts found out about an SHT4x."""

from thermo_core.sensors.linear_correction import LinearCorrection


class Sht4xCorrection(LinearCorrection):
    """A line for the temperature and one for the humidity."""

    kind = "sht4x"
    numbers = ("temperature", "humidity")
