"""A finding as the record that carries it."""

from thermo_core.graph.findings import Finding
from thermo_core.graph.plan import Plan
from thermo_core.wire.records import FindingRecord
from thermo_core.wire.table import OutputKind


def finding_record(
    plan: Plan,
    one: Finding,
    newest: tuple[tuple[int, int], ...],
    flags: int = 0,
    bundle: int = 0,
    now_us: int = 0,
    inference_us: int = 0,
) -> FindingRecord:
    """The record of a finding.

    Args:
        plan: the wearable.
        one: the finding.
        newest: blocks it rests on.
        flags: `Quality` of all findings of this device.
        bundle: first bytes of the bundle's hash, as a number.
        now_us: when it is made.
        inference_us: the network alone.
    """
    kind = OutputKind.SCORES if plan.profile.models[one.model].scores is not None else OutputKind.QUANTITIES
    return FindingRecord(
        time_us=one.time_us,
        model=one.model,
        flags=one.flags | flags,
        bundle=bundle,
        latency_us=min(max(0, now_us - one.time_us), 0xFFFF_FFFF),
        inference_us=inference_us,
        newest=newest,
        kind=kind if one.values else OutputKind.NONE,
        values=one.values,
    )
