"""What the C side of each operation needs to be generated: one row each, beside `device/firmware/stages/<op>.h`."""

from collections.abc import Mapping

from thermo_quantize.compiler.graph.row import Row
from thermo_quantize.compiler.graph.rows import bodies, elements, pictures, series

ROWS: Mapping[str, Row] = {**elements.ROWS, **series.ROWS, **bodies.ROWS, **pictures.ROWS}
"""By the name a profile calls the operation."""
