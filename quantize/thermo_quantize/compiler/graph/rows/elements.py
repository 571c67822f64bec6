"""Stages that make each sample of one moment: of its own elements, and of nothing before."""

from collections.abc import Mapping

from thermo_core import widening
from thermo_core.stages import contact_correction
from thermo_core.stages.bins import Bins
from thermo_core.stages.centre import Centre
from thermo_core.stages.contact_correction import ContactCorrection
from thermo_core.stages.domain import Domain
from thermo_core.stages.domain_gate import DomainGate
from thermo_core.stages.enmo import Enmo
from thermo_core.stages.logarithm import Logarithm
from thermo_core.stages.normalise import Normalise
from thermo_core.stages.normalise_percentiles import NormalisePercentiles
from thermo_core.stages.projection import Projection
from thermo_core.stages.relative import Relative
from thermo_core.stages.scale import Scale
from thermo_core.stages.select import Select
from thermo_quantize.compiler.graph.row import IN_PLACE, ORDER_SCRATCH, Row, Site
from thermo_quantize.compiler.graph.tables import Tables, boolean, real

_ORDER = f"sizeof(struct order_scratch) == {ORDER_SCRATCH}"


def _bins(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Bins = site.stage
    samples = site.input.shape[0]
    return {
        "edges": tables.places(site.name("edges"), widening.edges(samples, stage.bins)),
        "weights": tables.reals(site.name("weights"), widening.weights(samples, stage.bins)),
        "bins": str(stage.bins),
        "settled": str(stage.settled),
    }


def _centre(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Centre = site.stage
    return {"median": boolean(stage.by == "median")}


def _contact_correction(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: ContactCorrection = site.stage
    factors = contact_correction.factors(stage)
    return {"factors": tables.reals(site.name("factors"), factors), "one_factor": boolean(len(factors) == 1)}


def _domain(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Domain = site.stage
    return {
        "low": tables.reals(site.name("low"), stage.low.array),
        "high": tables.reals(site.name("high"), stage.high.array),
        "one_low": boolean(len(stage.low) == 1),
        "one_high": boolean(len(stage.high) == 1),
        "axes": tables.reals(site.name("axes"), stage.axes.array),
        "spread": tables.reals(site.name("spread"), stage.spread.array),
        "count": str(len(stage.spread)),
        "along": real(stage.along),
        "across": real(stage.across),
    }


def _enmo(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Enmo = site.stage
    return {"gravity": real(stage.gravity), "windowed": boolean(len(site.input.shape) == 2)}


def _logarithm(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Logarithm = site.stage
    return {"offset": real(stage.offset)}


def _domain_gate(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: DomainGate = site.stage
    return {"low": real(stage.low), "high": real(stage.high), "calibrated": boolean(stage.calibrated)}


def _normalise(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Normalise = site.stage
    return {
        "centre": tables.reals(site.name("centre"), stage.centre.array),
        "spread": tables.reals(site.name("spread"), stage.spread.array),
        "one_centre": boolean(len(stage.centre) == 1),
        "one_spread": boolean(len(stage.spread) == 1),
        "limit": real(stage.limit),
    }


def _normalise_percentiles(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: NormalisePercentiles = site.stage
    return {"least": real(stage.least), "low": str(stage.low), "high": str(stage.high)}


def _projection(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Projection = site.stage
    offset = "NULL" if stage.offset is None else tables.reals(site.name("offset"), stage.offset.array)
    return {
        "basis": tables.reals(site.name("basis"), stage.basis.array),
        "offset": offset,
        "least_noise": real(stage.least_noise),
        "rows": str(stage.rows),
    }


def _relative(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Relative = site.stage
    shares = tables.reals(site.name("shares"), stage.shares.array)
    return {"shares": shares, "count": str(len(stage.shares)), "floor": real(stage.floor)}


def _scale(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Scale = site.stage
    return {"offset": real(stage.offset), "factor": real(stage.factor)}


def _select(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Select = site.stage
    return {"places": tables.places(site.name("places"), stage.places)}


ROWS: Mapping[str, Row] = {
    "bins": Row(_bins, overlap=IN_PLACE),
    "centre": Row(
        _centre,
        scratch=lambda site: ORDER_SCRATCH if site.stage.by == "median" else 0,
        overlap=IN_PLACE,
        assumes=_ORDER,
    ),
    "concatenate": Row(),
    "contact_correction": Row(_contact_correction),
    "domain": Row(_domain, overlap=IN_PLACE),
    "domain_gate": Row(_domain_gate),
    "enmo": Row(_enmo),
    "lacking": Row(overlap=IN_PLACE),
    "logarithm": Row(_logarithm, overlap=IN_PLACE),
    "normalise": Row(_normalise, overlap=IN_PLACE),
    "normalise_percentiles": Row(
        _normalise_percentiles, scratch=lambda site: ORDER_SCRATCH, overlap=IN_PLACE, assumes=_ORDER
    ),
    "prefer": Row(overlap=IN_PLACE),
    "projection": Row(_projection),
    "relative": Row(_relative),
    "scale": Row(_scale, overlap=IN_PLACE),
    "select": Row(_select),
    "stack": Row(),
}
"""By the name a profile calls the operation."""
