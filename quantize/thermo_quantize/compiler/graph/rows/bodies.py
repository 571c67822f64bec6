"""Stages that know a wearer or a body: what is usual of one, and models of what heat does in it."""

from collections.abc import Mapping

import numpy as np

from thermo_core.stages import (
    body_map,
    expectile,
    foster_fit,
    kalman_core,
    learning,
    metabolic_rate,
    node_check,
    own_baseline,
    reference,
    trees,
)
from thermo_core.stages.body_map import BodyMap
from thermo_core.stages.expectile import Expectile
from thermo_core.stages.foster import Foster
from thermo_core.stages.foster_fit import FosterFit
from thermo_core.stages.kalman_core import KalmanCore
from thermo_core.stages.metabolic_rate import MetabolicRate
from thermo_core.stages.node_check import NodeCheck
from thermo_core.stages.nodes import weights_of
from thermo_core.stages.own_baseline import OwnBaseline
from thermo_core.stages.reference import Reference
from thermo_core.stages.trees import Trees
from thermo_quantize.compiler.graph.row import FLOAT, Row, Site
from thermo_quantize.compiler.graph.tables import Tables, boolean, real, whole

TREES_SPLIT = 8
"""Bytes of `struct trees_split`."""

REGISTRATION = 24
"""Bytes of `struct registration`."""


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


def _node_check(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: NodeCheck = site.stage
    nodes = site.input.elements
    return {
        "usual": tables.reals(site.name("usual"), node_check.usual(stage, nodes)),
        "tightness": tables.reals(site.name("tightness"), node_check.tightness(stage, nodes)),
        "weights": tables.reals(site.name("weights"), weights_of(stage.weights, nodes)),
        "most": str(stage.most),
    }


def _own_baseline(site: Site, tables: Tables) -> Mapping[str, str]:
    stage: OwnBaseline = site.stage
    return {
        "learn_us": whole(stage.learn_us),
        "memory_us": whole(stage.memory_us),
        "least_spread": real(stage.least_spread),
        "limit": real(stage.limit),
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
        "settled_us": whole(stage.settled_us),
        "least_us": whole(stage.least_us),
        "low": real(stage.low),
        "parts": real(reference.parts_a_unit(stage)),
        "limit": real(stage.limit),
        "bins": str(stage.bins),
        "give_count": str(len(stage.give)),
        "give": f"{{{', '.join(f'REFERENCE_{part.upper()}' for part in stage.give)}}}",
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


ROWS: Mapping[str, Row] = {
    "body_map": Row(_body_map, scratch=_body_map_scratch),
    "expectile": Row(_expectile, state=True, keeps=lambda site: FLOAT * site.input.elements),
    "foster": Row(_foster),
    "foster_fit": Row(_foster_fit, scratch=lambda site: FLOAT * foster_fit.room(site.input.elements)),
    "kalman_core": Row(_kalman_core, state=True),
    "metabolic_rate": Row(_metabolic_rate),
    "node_check": Row(_node_check, scratch=lambda site: (FLOAT + 1) * site.input.elements),
    "own_baseline": Row(
        _own_baseline,
        state=True,
        keeps=lambda site: own_baseline.kept_bytes(site.input.elements),
        assumes=f"sizeof(struct learned) == {learning.HEAD_BYTES}",
    ),
    "reference": Row(
        _reference,
        state=True,
        keeps=lambda site: reference.kept_bytes(site.stage, site.input.elements),
        scratch=lambda site: 2 * FLOAT * site.input.elements if site.stage.most_shift else 0,
        assumes=f"sizeof(struct learned) == {learning.HEAD_BYTES}",
    ),
    "trees": Row(_trees, assumes=f"sizeof(struct trees_split) == {TREES_SPLIT}"),
}
"""By the name a profile calls the operation."""
