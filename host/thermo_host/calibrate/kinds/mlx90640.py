"""A camera: before a blackbody that fills its field of view, every pixel by itself (`thermo_host.calibrate.fit`)."""

from thermo_host.calibrate.procedures import Procedure

PROCEDURE = Procedure(apparatus="blackbody", is_camera=True)
