"""An accelerometer: at rest in six positions, each axis up and down once (`thermo_host.calibrate.positions`)."""

from thermo_host.calibrate.procedures import Procedure

PROCEDURE = Procedure(apparatus="positions")
