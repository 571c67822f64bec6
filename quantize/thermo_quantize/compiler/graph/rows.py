"""What the C side of each operation needs to be generated: one row each, beside `device/firmware/stages/<op>.h`."""

import itertools
from collections.abc import Mapping

import numpy as np

from thermo_core import widening
from thermo_core.signals import GAP_PERIODS
from thermo_core.stages import (
    average,
    bandpass,
    body_map,
    contact_correction,
    contact_gate,
    expectile,
    forward_fill,
    foster_fit,
    kalman_core,
    learning,
    metabolic_rate,
    motion_gate,
    node_check,
    own_baseline,
    recovery,
    reference,
    slope,
    spectrum_peak,
    statistics,
    trees,
)
from thermo_core.stages.bandpass import Bandpass
from thermo_core.stages.bins import Bins
from thermo_core.stages.body_map import BodyMap
from thermo_core.stages.centre import Centre
from thermo_core.stages.contact_correction import ContactCorrection
from thermo_core.stages.contact_gate import ContactGate
from thermo_core.stages.domain import Domain
from thermo_core.stages.domain_gate import DomainGate
from thermo_core.stages.enmo import Enmo
from thermo_core.stages.expectile import Expectile
from thermo_core.stages.foster import Foster
from thermo_core.stages.foster_fit import FosterFit
from thermo_core.stages.hold import Hold
from thermo_core.stages.integral import Integral
from thermo_core.stages.kalman_core import KalmanCore
from thermo_core.stages.logarithm import Logarithm
from thermo_core.stages.metabolic_rate import MetabolicRate
from thermo_core.stages.motion_gate import MotionGate
from thermo_core.stages.node_check import NodeCheck
from thermo_core.stages.nodes import weights_of
from thermo_core.stages.normalise import Normalise
from thermo_core.stages.normalise_percentiles import NormalisePercentiles
from thermo_core.stages.own_baseline import OwnBaseline
from thermo_core.stages.projection import Projection
from thermo_core.stages.reference import Reference
from thermo_core.stages.relative import Relative
from thermo_core.stages.resample import Resample
from thermo_core.stages.scale import Scale
from thermo_core.stages.select import Select
from thermo_core.stages.slope import Slope
from thermo_core.stages.spectrum_peak import SpectrumPeak
from thermo_core.stages.statistics import Statistics
from thermo_core.stages.subtract_background import SubtractBackground
from thermo_core.stages.trees import Trees
from thermo_core.stages.window import Window
from thermo_quantize.compiler.graph import picture_rows as pictures
from thermo_quantize.compiler.graph.row import FLOAT, ORDER_SCRATCH, Row, Site
from thermo_quantize.compiler.graph.tables import Tables, boolean, real, whole
from thermo_quantize.compiler.memory import ANYWHERE, Overlap

_ORDER = f"sizeof(struct order_scratch) == {ORDER_SCRATCH}"
_RUN = f"sizeof(struct run) == {pictures.RUN}"
BANDPASS_COLUMN = 40
"""Bytes of `struct bandpass_column`."""
TREES_SPLIT = 8
"""Bytes of `struct trees_split`."""
RESAMPLE_STEP = 16
"""Bytes of `struct resample_step`."""
REGISTRATION = 24
"""Bytes of `struct registration`."""

IN_PLACE = Overlap(lag=0)
"""Each element is made of those at its own place and behind it."""


def _average(site: Site, tables: Tables) -> Mapping[str, str]:
    inverse, factor = average.factors(site.stage)
    return {"inverse": real(inverse), "factor": real(factor), "pictures": str(site.stage.pictures)}


def _average_keeps(site: Site) -> int:
    pictures: int = site.stage.pictures
    return 2 * (pictures + pictures % 2) * site.input.elements


def _bandpass(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Bandpass = site.stage
    found = bandpass.sections(stage.low_hz, stage.high_hz, stage.order, site.input.rate_hz)
    name = site.name("sections")
    rows = "\n".join(f"    {{{real(one.b)}, {real(one.a1)}, {real(one.a2)}}}," for one in found)
    tables.texts.append(f"static const struct bandpass_section {name}[] = {{\n{rows}\n}};")
    tables.bytes += 12 * len(found)
    return {"sections": name, "count": str(len(found))}


def _bins(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Bins = site.stage
    samples = site.input.shape[0]
    return {
        "edges": tables.places(site.name("edges"), widening.edges(samples, stage.bins)),
        "weights": tables.reals(site.name("weights"), widening.weights(samples, stage.bins)),
        "bins": str(stage.bins),
        "settled": str(stage.settled),
    }


def _body_map(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: BodyMap = site.stage
    nodes = site.input.elements
    shares = "NULL" if stage.areas is None else tables.reals(site.name("shares"), body_map.shares(stage.areas))
    return {
        "usual": tables.reals(site.name("usual"), stage.usual.array),
        "weights": tables.reals(site.name("weights"), weights_of(stage.weights, nodes)),
        "matrix": tables.reals(site.name("matrix"), stage.matrix.array),
        "level": tables.reals(site.name("level"), stage.level.array),
        "shares": shares,
        "segments": str(len(stage.level)),
        "least": str(body_map.least_nodes(stage, nodes)),
    }


def _body_map_scratch(site: Site) -> int:
    nodes = site.input.elements
    most = nodes - body_map.least_nodes(site.stage, nodes)
    return FLOAT * (nodes + most * (most + 1)) + most


def _centre(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Centre = site.stage
    return {"median": boolean(stage.by == "median")}


def _contact_correction(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: ContactCorrection = site.stage
    factors = contact_correction.factors(stage)
    return {"factors": tables.reals(site.name("factors"), factors), "one_factor": boolean(len(factors) == 1)}


def _contact_gate(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: ContactGate = site.stage
    return {
        "step": real(stage.step),
        "behind": str(contact_gate.behind(stage, site.input)),
        "held": str(contact_gate.held(stage, site.input)),
    }


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


def _expectile(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Expectile = site.stage
    lower, higher = expectile.paces(stage)
    return {
        "memory_us": whole(expectile.micros(stage.memory_s)),
        "least_us": whole(expectile.micros(stage.least_s)),
        "before_us": whole(0 if stage.start is None else expectile.micros(stage.start_s)),
        "start": real(0.0 if stage.start is None else stage.start),
        "starts": boolean(stage.start is not None),
        "lower": real(lower),
        "higher": real(higher),
    }


def _forward_fill(site: Site, tables: Tables) -> Mapping[str, str]:
    return {"oldest_us": whole(forward_fill.oldest_us(site.stage))}


def _foster(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Foster = site.stage
    return {
        "log_centre": real(stage.log_centre),
        "log_spread": real(stage.log_spread),
        "parts": str(stage.parts),
        "copies": str(stage.copies),
    }


def _foster_fit(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: FosterFit = site.stage
    bins = site.input.elements
    found = foster_fit.tables(stage, bins)
    places = {"edges": tables.places(site.name("edges"), found.edges)}
    named = ("weights", "level", "drift")
    return places | {
        **{name: tables.reals(site.name(name), getattr(found, name)) for name in named},
        "starts": tables.reals(site.name("starts"), np.concatenate(found.starts)),
        "period_s": real(stage.period_s),
        **{name: real(float(getattr(found, name))) for name in ("stiff", "far", "least", "most")},
        "bins": str(bins),
    }


def _hold(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Hold = site.stage
    return {"oldest_us": whole(stage.oldest_us)}


def _integral(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Integral = site.stage
    return {"factor": real(stage.factor)}


def _kalman_core(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: KalmanCore = site.stage
    return {
        "start": real(np.float32(stage.start) - np.float32(kalman_core.START)),
        "lowest": real(kalman_core.LOWEST),
        "highest": real(kalman_core.HIGHEST),
        "level": real(kalman_core.LEVEL),
        "slope": real(kalman_core.SLOPE),
        "bend": real(kalman_core.BEND),
        "variance": real(kalman_core.VARIANCE),
        "heart_variance": real(kalman_core.HEART_VARIANCE),
    }


def _logarithm(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Logarithm = site.stage
    return {"offset": real(stage.offset)}


def _metabolic_rate(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: MetabolicRate = site.stage
    return {
        "max_rate": f"{{{', '.join(map(real, metabolic_rate.MAX_RATE))}}}",
        "uptake": f"{{{', '.join(map(real, metabolic_rate.UPTAKE))}}}",
        "rest": real(metabolic_rate.REST_ML),
        "watts": real(metabolic_rate.WATTS_PER_ML),
        "least_span": real(metabolic_rate.LEAST_SPAN),
        "whole": boolean(stage.per == "body"),
    }


def _domain_gate(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: DomainGate = site.stage
    return {"low": real(stage.low), "high": real(stage.high), "calibrated": boolean(stage.calibrated)}


def _motion_gate(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: MotionGate = site.stage
    return {"threshold": real(stage.threshold), "hold_us": whole(motion_gate.hold_us(stage))}


def _node_check(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: NodeCheck = site.stage
    nodes = site.input.elements
    return {
        "usual": tables.reals(site.name("usual"), node_check.usual(stage, nodes)),
        "tightness": tables.reals(site.name("tightness"), node_check.tightness(stage, nodes)),
        "weights": tables.reals(site.name("weights"), weights_of(stage.weights, nodes)),
        "most": str(stage.most),
    }


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


def _own_baseline(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: OwnBaseline = site.stage
    return {
        "learn_us": whole(stage.learn_us),
        "memory_us": whole(stage.memory_us),
        "least_spread": real(stage.least_spread),
        "limit": real(stage.limit),
    }


def _projection(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Projection = site.stage
    offset = "NULL" if stage.offset is None else tables.reals(site.name("offset"), stage.offset.array)
    return {
        "basis": tables.reals(site.name("basis"), stage.basis.array),
        "offset": offset,
        "least_noise": real(stage.least_noise),
        "rows": str(stage.rows),
    }


def _recovery(site: Site, tables: Tables) -> Mapping[str, str]:
    return {
        "duration_s": real(recovery.duration_s(site.input)),
        "clear": real(site.stage.clear),
        "rows": str(site.input.shape[0]),
        "pace": str(site.spacing_pace),
    }


def _reference(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Reference = site.stage
    registration = "NULL"
    if stage.most_shift:
        bounds, (rows, columns) = reference.bounds(stage), site.input.shape
        registration = f"&{site.name('registration')}"
        tables.texts.append(
            f"static const struct registration {site.name('registration')} = {{.find = registration_find, .most = {real(bounds.most)}, "
            f".variance = {real(bounds.variance)}, .damping = {real(bounds.damping)}, .far = {real(bounds.far)}, "
            f".rows = {rows}, .columns = {columns}}};"
        )
        tables.bytes += REGISTRATION
    return {
        "registration": registration,
        "memory_us": whole(stage.memory_us),
        "least_us": whole(stage.least_us),
        "low": real(stage.low),
        "parts": real(reference.parts_a_unit(stage)),
        "limit": real(stage.limit),
        "bins": str(stage.bins),
        "give_count": str(len(stage.give)),
        "give": f"{{{', '.join(f'REFERENCE_{part.upper()}' for part in stage.give)}}}",
    }


def _resample(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Resample = site.stage
    return {
        "period_us": whole(stage.period_us),
        "least_gap_us": whole(GAP_PERIODS * stage.period_us),
        "last": boolean(stage.by == "last"),
        "room": str(site.room),
    }


def _resample_gives(site: Site) -> int:
    stage: Resample = site.stage
    return stage.gap_us(site.input) // stage.period_us + 1 if stage.by == "last" else 1


def _resample_keeps(site: Site) -> int:
    values = FLOAT * site.input.elements
    at_hand = values if site.stage.by == "last" else 2 * values
    return site.room * (RESAMPLE_STEP + values) + at_hand


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


def _slope(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Slope = site.stage
    return {
        "span_ms": f"{slope.span_ms(stage)}U",
        "factor": real(slope.factor(stage)),
        "length": str(slope.length(stage, site.input)),
    }


def _spectrum_peak(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: SpectrumPeak = site.stage
    pulse, rows = site.input, site.input.shape[0]
    rates = spectrum_peak.rates(stage)
    return {
        "rates": tables.reals(site.name("rates"), rates),
        "cosines": tables.reals(site.name("cosines"), spectrum_peak.cosines(stage, pulse)),
        "taper": tables.reals(site.name("taper"), spectrum_peak.taper(rows)),
        "step": real(stage.step_bpm),
        "motion_factor": real(spectrum_peak.motion_factor(stage, rows)),
        "narrowness": real(np.float32(1) / np.float32(stage.track_bpm)),
        "least_quality": real(stage.least_quality),
        "count": str(len(rates)),
        "rows": str(rows),
        "lobe": str(spectrum_peak.lobe(stage, pulse)),
    }


def _spectrum_peak_scratch(site: Site) -> int:
    return FLOAT * (2 * len(spectrum_peak.rates(site.stage)) + site.input.shape[0])


def _statistics(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Statistics = site.stage
    along_time = stage.over == "time"
    rows = site.input.shape[0] if along_time else site.input.elements
    terms = []
    for text in stage.give:
        parts = statistics.terms(text)
        for term, follower in itertools.zip_longest(parts, parts[1:]):
            what = "PERCENTILE" if term.what == "p" else term.what.upper()
            count = term.length(rows)
            square = statistics.square_of_times(count) if term.what == "slope" else 0.0
            terms.append(
                f"    {{STATISTIC_{what}, {term.rows.indices(rows)[0]}, {count}, {term.number}, "
                f"{real(square)}, {boolean(follower is not None)}}},"
            )
    name = site.name("terms")
    tables.texts.append(f"static const struct statistics_term {name}[] = {{\n" + "\n".join(terms) + "\n};")
    tables.bytes += 24 * len(terms)
    return {
        "terms": name,
        "rows": str(rows),
        "spacing_s": real(site.input.spacing_s if along_time else 1.0),
        "pace": str(site.spacing_pace if along_time else 0),
        "results": str(len(stage.give)),
    }


def _statistics_scratch(site: Site) -> int:
    whats = {term.what for text in site.stage.give for term in statistics.terms(text)}
    return ORDER_SCRATCH if whats & {"median", "p"} else 0


def _subtract_background(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: SubtractBackground = site.stage
    return {
        "time_constant_us": whole(stage.time_constant_us),
        "least_us": whole(stage.least_us),
        "threshold": real(stage.threshold),
        "median": boolean(stage.by == "median"),
        "mask": boolean(stage.give == "mask"),
        "patience_s": str(stage.patience_s),
    }


def _trees(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Trees = site.stage
    name = site.name("splits")
    rows = "\n".join(
        f"    {{{real(threshold)}, {leaf}, {feature}}},"
        for threshold, leaf, feature in zip(
            stage.threshold.array.tolist(),
            trees.whole(stage.split).tolist(),
            trees.whole(stage.feature).tolist(),
            strict=True,
        )
    )
    tables.texts.append(f"static const struct trees_split {name}[] = {{\n{rows}\n}};")
    tables.bytes += TREES_SPLIT * len(stage.split)
    return {
        "splits": name,
        "values": tables.reals(site.name("values"), stage.value.array),
        "start": tables.reals(site.name("start"), stage.start.array),
        "count": str(len(stage.value) // stage.leaves),
        "leaves": str(stage.leaves),
        "classes": str(len(stage.start)),
    }


def _window(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: Window = site.stage
    return {"length": str(stage.length), "every": str(stage.every)}


ROWS: Mapping[str, Row] = {
    "average": Row(_average, state=True, keeps=_average_keeps, overlap=ANYWHERE),
    "bandpass": Row(
        _bandpass,
        keeps=lambda site: BANDPASS_COLUMN * site.input.elements,
        overlap=IN_PLACE,
        assumes=f"sizeof(struct bandpass_column) == {BANDPASS_COLUMN}",
    ),
    "bins": Row(_bins, overlap=IN_PLACE),
    "body_map": Row(_body_map, scratch=_body_map_scratch),
    "canny": Row(pictures.canny, scratch=pictures.canny_scratch),
    "centre": Row(
        _centre,
        scratch=lambda site: ORDER_SCRATCH if site.stage.by == "median" else 0,
        overlap=IN_PLACE,
        assumes=_ORDER,
    ),
    "concatenate": Row(),
    "domain_gate": Row(_domain_gate),
    "crop": Row(pictures.crop),
    "difference": Row(pictures.difference),
    "contact_correction": Row(_contact_correction),
    "contact_gate": Row(
        _contact_gate,
        state=True,
        keeps=lambda site: FLOAT * (contact_gate.behind(site.stage, site.input) + 1) * site.input.elements,
        overlap=IN_PLACE,
    ),
    "domain": Row(_domain, overlap=IN_PLACE),
    "enmo": Row(_enmo),
    "equalise": Row(pictures.equalise, scratch=pictures.equalise_scratch),
    "expectile": Row(_expectile, state=True, keeps=lambda site: FLOAT * site.input.elements),
    "forward_fill": Row(_forward_fill, keeps=lambda site: (8 + FLOAT) * site.input.elements),
    "foster": Row(_foster),
    "foster_fit": Row(_foster_fit, scratch=lambda site: FLOAT * foster_fit.room(site.input.elements)),
    "gaussian": Row(pictures.gaussian, scratch=pictures.gaussian_scratch),
    "glcm": Row(pictures.glcm, scratch=pictures.glcm_scratch),
    "hold": Row(_hold, state=True, keeps=lambda site: FLOAT * site.input.elements, kept_output=True),
    "integral": Row(_integral, state=True, keeps=lambda site: 2 * FLOAT * site.input.elements),
    "hot_spots": Row(pictures.hot_spots, scratch=pictures.hot_spots_scratch, assumes=f"{_ORDER} && {_RUN}"),
    "kalman_core": Row(_kalman_core, state=True),
    "lacking": Row(overlap=IN_PLACE),
    "logarithm": Row(_logarithm, overlap=IN_PLACE),
    "median3": Row(pictures.median3, scratch=pictures.median3_scratch),
    "metabolic_rate": Row(_metabolic_rate),
    "motion_gate": Row(_motion_gate, state=True),
    "node_check": Row(_node_check, scratch=lambda site: (FLOAT + 1) * site.input.elements),
    "normalise": Row(_normalise, overlap=IN_PLACE),
    "normalise_percentiles": Row(
        _normalise_percentiles, scratch=lambda site: ORDER_SCRATCH, overlap=IN_PLACE, assumes=_ORDER
    ),
    "stack": Row(),
    "own_baseline": Row(
        _own_baseline,
        state=True,
        keeps=lambda site: own_baseline.kept_bytes(site.input.elements),
        assumes=f"sizeof(struct learned) == {learning.HEAD_BYTES}",
    ),
    "prefer": Row(overlap=IN_PLACE),
    "projection": Row(_projection),
    "recovery": Row(_recovery, scratch=lambda site: FLOAT * site.input.shape[0]),
    "reference": Row(
        _reference,
        state=True,
        keeps=lambda site: reference.kept_bytes(site.stage, site.input.elements),
        scratch=lambda site: 2 * FLOAT * site.input.elements if site.stage.most_shift else 0,
        assumes=f"sizeof(struct learned) == {learning.HEAD_BYTES}",
    ),
    "relative": Row(_relative),
    "resample": Row(
        _resample,
        state=True,
        keeps=_resample_keeps,
        gives=_resample_gives,
        assumes=f"sizeof(struct resample_step) == {RESAMPLE_STEP}",
    ),
    "resize": Row(pictures.resize),
    "scale": Row(_scale, overlap=IN_PLACE),
    "segment": Row(pictures.segment, scratch=pictures.segment_scratch, assumes=_RUN),
    "select": Row(_select),
    "slope": Row(
        _slope,
        state=True,
        keeps=lambda site: slope.length(site.stage, site.input) * (8 + FLOAT * site.input.elements),
        overlap=ANYWHERE,
    ),
    "sobel": Row(pictures.sobel),
    "spectrum_peak": Row(_spectrum_peak, state=True, scratch=_spectrum_peak_scratch),
    "statistics": Row(_statistics, scratch=_statistics_scratch, assumes=_ORDER, paced=frozenset({"spacing_s"})),
    "subtract_background": Row(
        _subtract_background,
        state=True,
        keeps=lambda site: (FLOAT + 2) * site.input.elements,
    ),
    "trees": Row(_trees, assumes=f"sizeof(struct trees_split) == {TREES_SPLIT}"),
    "window": Row(
        _window,
        state=True,
        keeps=lambda site: FLOAT * site.stage.length * site.input.elements,
        kept_output=True,
    ),
}
"""By the name a profile calls the operation."""
