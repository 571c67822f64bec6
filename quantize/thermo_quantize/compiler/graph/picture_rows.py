"""Parameters and memory in C of the stages that work on pictures, for the rows of `rows.ROWS`."""

from collections.abc import Mapping, Sequence

from thermo_core.stages import gaussian as gaussian_stage
from thermo_core.stages import median3 as median3_stage
from thermo_core.stages import resize as resize_stage
from thermo_core.stages.crop import Crop
from thermo_core.stages.difference import Difference
from thermo_core.stages.gaussian import Gaussian
from thermo_core.stages.resize import Resize
from thermo_core.stages.sobel import Sobel
from thermo_quantize.compiler.graph.row import FLOAT, Site
from thermo_quantize.compiler.graph.tables import Tables, real


def sized(site: Site, tables: Tables) -> Mapping[str, str]:
    """Rows and columns, of a stage that needs nothing else."""
    rows, columns = site.input.shape
    return {"rows": str(rows), "columns": str(columns)}


def crop(site: Site, tables: Tables) -> Mapping[str, str]:
    """Parameters of a crop."""
    stage: Crop = site.stage
    wide = site.input.shape[1]
    first = stage.row * wide + stage.column
    return {"first": f"{first}U", "rows": str(stage.rows), "columns": str(stage.columns), "wide": str(wide)}


def difference(site: Site, tables: Tables) -> Mapping[str, str]:
    """Parameters of a difference."""
    stage: Difference = site.stage
    if not stage.first:
        return {"first": "NULL", "second": "NULL", "columns": str(site.input.shape[1])}
    return {
        "first": tables.places(site.name("first"), stage.first),
        "second": tables.places(site.name("second"), stage.second),
        "columns": "0",
    }


def gaussian(site: Site, tables: Tables) -> Mapping[str, str]:
    """Parameters of a Gaussian."""
    stage: Gaussian = site.stage
    along, scale = gaussian_stage.weights(stage)
    texts = [*map(real, along), real(0.0)][:3]
    return {
        "along": f"{{{', '.join(texts)}}}",
        "scale": real(scale),
        "radius": str(stage.size // 2),
        **sized(site, tables),
    }


def gaussian_scratch(site: Site) -> int:
    """Bytes of a Gaussian's line."""
    stage: Gaussian = site.stage
    return FLOAT * (site.input.shape[1] + stage.size // 2 * 2)


def median3(site: Site, tables: Tables) -> Mapping[str, str]:
    """Parameters of a median."""
    inverse, half = median3_stage.factors(site.stage)
    return {"inverse": real(inverse), "half": real(half), **sized(site, tables)}


def median3_scratch(site: Site) -> int:
    """Bytes of a median's sorted columns and steps."""
    rows, columns = site.input.shape
    return 2 * (rows + 4) * ((columns + 3) // 2 * 2)


def _taps(site: Site, tables: Tables, axis: str, old: int, new: int) -> str:
    stage: Resize = site.stage
    found = resize_stage.taps(old, new, stage.by)
    places: Sequence[tuple[str, tuple[int, ...]]] = (("first", found.first), ("count", found.count))
    names = [tables.places(site.name(f"{axis}_{word}"), values) for word, values in places]
    return f"{{{names[0]}, {names[1]}, {tables.reals(site.name(f'{axis}_weights'), found.weights)}}}"


def resize(site: Site, tables: Tables) -> Mapping[str, str]:
    """Parameters of a resizing."""
    stage: Resize = site.stage
    rows, columns = site.input.shape
    return {
        "down": _taps(site, tables, "down", rows, stage.rows),
        "along": _taps(site, tables, "along", columns, stage.columns),
        "rows": str(stage.rows),
        "columns": str(stage.columns),
        "wide": str(columns),
    }


def sobel(site: Site, tables: Tables) -> Mapping[str, str]:
    """Parameters of a Sobel."""
    stage: Sobel = site.stage
    return {"give": f"SOBEL_{stage.give.upper()}", **sized(site, tables)}
