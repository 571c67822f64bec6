"""Stages that work on pictures."""

import itertools
from collections.abc import Mapping, Sequence

from thermo_core.stages import canny as canny_stage
from thermo_core.stages import equalise as equalise_stage
from thermo_core.stages import gaussian as gaussian_stage
from thermo_core.stages import glcm as glcm_stage
from thermo_core.stages import median3 as median3_stage
from thermo_core.stages import picture
from thermo_core.stages import resize as resize_stage
from thermo_core.stages import segment as segment_stage
from thermo_core.stages.crop import Crop
from thermo_core.stages.difference import Difference
from thermo_core.stages.equalise import Equalise
from thermo_core.stages.gaussian import Gaussian
from thermo_core.stages.glcm import Glcm
from thermo_core.stages.hot_spots import HotSpots
from thermo_core.stages.resize import Resize
from thermo_core.stages.segment import Segment
from thermo_core.stages.sobel import Sobel
from thermo_quantize.compiler.graph.row import FLOAT, ORDER_SCRATCH, Row, Site
from thermo_quantize.compiler.graph.tables import Tables, boolean, real

RUN = 8
"""Bytes of `struct run`."""
_ORDER = f"sizeof(struct order_scratch) == {ORDER_SCRATCH}"
_RUN = f"sizeof(struct run) == {RUN}"


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


def canny(site: Site, tables: Tables) -> Mapping[str, str]:
    """Parameters of edges."""
    high, low = canny_stage.squares(site.stage)
    angles = {"tangent": real(canny_stage.TANGENT), "cotangent": real(canny_stage.COTANGENT)}
    return {"high": real(high), "low": real(low), **angles, **sized(site, tables)}


def canny_scratch(site: Site) -> int:
    """Bytes of marks and of edges to follow."""
    return 3 * site.input.elements


def _levels(low: float, high: float, levels: int) -> str:
    inverse, first = picture.level_factors(low, high, levels)
    return f"{{{real(inverse)}, FLOAT32_ROUNDER_BITS + {first}, {levels}}}"


def _blend(site: Site, tables: Tables, axis: str, length: int, tiles: int) -> str:
    found = equalise_stage.blend(length, tiles)
    places = (("edges", found.edges), ("first", found.first), ("second", found.second))
    names = [tables.places(site.name(f"{axis}_{word}"), values) for word, values in places]
    return f"{{{', '.join(names)}, {tables.reals(site.name(f'{axis}_share'), found.share)}}}"


def equalise(site: Site, tables: Tables) -> Mapping[str, str]:
    """Parameters of an equalising."""
    stage: Equalise = site.stage
    rows, columns = site.input.shape
    down, along = (
        equalise_stage.blend(n, t).edges for n, t in ((rows, stage.tile_rows), (columns, stage.tile_columns))
    )
    limits = [
        equalise_stage.limit(stage, (bottom - top) * (right - left))
        for top, bottom in itertools.pairwise(down)
        for left, right in itertools.pairwise(along)
    ]
    return {
        "levels": _levels(stage.low, stage.high, stage.levels),
        "down": _blend(site, tables, "down", rows, stage.tile_rows),
        "along": _blend(site, tables, "along", columns, stage.tile_columns),
        "limits": tables.places(site.name("limits"), limits),
        "tile_rows": str(stage.tile_rows),
        "tile_columns": str(stage.tile_columns),
        **sized(site, tables),
    }


def equalise_scratch(site: Site) -> int:
    """Bytes of counts and tables."""
    stage: Equalise = site.stage
    return 2 * 512 + FLOAT * (stage.levels * stage.tile_rows * stage.tile_columns + 1)


def glcm(site: Site, tables: Tables) -> Mapping[str, str]:
    """Parameters of a texture."""
    stage: Glcm = site.stage
    rows = ", ".join(f"{{{down}, {along}}}" for down, along in glcm_stage.offsets(stage))
    name = site.name("offsets")
    tables.texts.append(f"static const struct glcm_offset {name}[] = {{{rows}}};")
    tables.bytes += 2 * len(stage.angles)
    return {
        "levels": _levels(stage.low, stage.high, stage.levels),
        "offsets": name,
        "offset_count": str(len(stage.angles)),
        **sized(site, tables),
    }


def glcm_scratch(site: Site) -> int:
    """Bytes of counts and levels."""
    stage: Glcm = site.stage
    return 16 * -(-((stage.levels + 1) ** 2) // 4) + site.input.elements


def hot_spots(site: Site, tables: Tables) -> Mapping[str, str]:
    """Parameters of spots."""
    stage: HotSpots = site.stage
    return {"least_k": real(stage.least_k), "most": str(stage.most), **sized(site, tables)}


def hot_spots_scratch(site: Site) -> int:
    """Bytes of a median, of runs and peaks, and of a mask."""
    return ORDER_SCRATCH + (RUN + 2) * _runs(site) + site.input.elements


def segment(site: Site, tables: Tables) -> Mapping[str, str]:
    """Parameters of a segmentation."""
    stage: Segment = site.stage
    return {
        "threshold": real(stage.threshold or 0.0),
        "otsu": boolean(stage.threshold is None),
        "largest": boolean(stage.largest),
        "diagonal": boolean(stage.diagonal),
        "picture": boolean(stage.give == "picture"),
        "opening": str(stage.opening),
        **sized(site, tables),
    }


def segment_scratch(site: Site) -> int:
    """Bytes of counts, runs and a mask."""
    return 4 * segment_stage.BINS + RUN * _runs(site) + site.input.elements


def _runs(site: Site) -> int:
    rows, columns = site.input.shape
    return rows * ((columns + 1) // 2)


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


ROWS: Mapping[str, Row] = {
    "canny": Row(canny, scratch=canny_scratch),
    "crop": Row(crop),
    "difference": Row(difference),
    "equalise": Row(equalise, scratch=equalise_scratch),
    "gaussian": Row(gaussian, scratch=gaussian_scratch),
    "glcm": Row(glcm, scratch=glcm_scratch),
    "hot_spots": Row(hot_spots, scratch=hot_spots_scratch, assumes=f"{_ORDER} && {_RUN}"),
    "median3": Row(median3, scratch=median3_scratch),
    "resize": Row(resize),
    "segment": Row(segment, scratch=segment_scratch, assumes=_RUN),
    "sobel": Row(sobel),
}
"""By the name a profile calls the operation."""
