"""Random wearables for tests of graphs: stages and models that fit together."""

from collections.abc import Callable, Mapping

import draft_bodies
import draft_elements
import draft_pictures
import draft_series
from hypothesis import reject
from hypothesis import strategies as st
from wearable_draft import Choices, Draft, Drawn, Kind, Made, Unfit, begun, finished

from thermo_core.graph.plan import Plan

STAGES: Mapping[str, Callable[[Draft, str], Made]] = {
    **draft_elements.STAGES,
    **draft_series.STAGES,
    **draft_bodies.STAGES,
    **draft_pictures.STAGES,
}
"""One row an operation, as the registry has them."""

CURVES = ("bins", "foster_fit", "recovery", "spectrum_peak", "step_removal")
"""Operations on a window of one number, which would seldom come about by itself."""


PAIRS = ("paired_recovery",)
"""Operations on a window of pairs of nodes."""
PICTURES = ("canny", "crop", "equalise", "gaussian", "glcm", "hot_spots", "median3", "resize", "segment", "sobel")
"""Operations that take pictures alone."""
MINUTELY = ("kalman_core",)
"""Operations on one number a minute."""
NUMBERS = ("metabolic_rate",)
"""Operations on one number."""


def add_stage(draft: Draft, op: str, of: str, gives: str) -> bool:
    """Put a stage on a signal; False where it cannot be put there."""
    made = STAGES[op](draft, of)
    if made is None:
        return False
    fields, kind = made
    draft.stages.append({"op": op, "of": of, "gives": gives} | fields)
    draft.kinds[gives] = kind
    return True


def _add_model(draft: Draft, name: str) -> None:
    of = draft.choices.one(sorted(draft.kinds))
    inputs = [of, *draft.some(draft.alike(of), 0, 2)]
    outputs = draft.choices.whole(1, 9)
    quantities = [{"name": f"q{n}", "unit": "", "low": -1.0, "high": 1.0} for n in range(outputs)]
    draft.models.append({"name": name, "inputs": inputs, "quantities": quantities})
    draft.kinds[f"{name}.raw"] = Kind((outputs,), draft.kinds[of].clock, False, draft.kinds[of].rated)


def single(choices: Choices, op: str) -> Plan:
    """A wearable of one operation, on a sample of 1 to 256 numbers or a window of them. Raises Unfit."""
    curve = op in (*CURVES, *PAIRS)
    shape = () if curve else choices.one([(), (2,), (3,), (5,), (12,), (7, 9), (16, 16)])
    shape = choices.one([(2,), (6,)]) if op in PAIRS else shape
    shape = () if op in (*MINUTELY, *NUMBERS) else choices.one([(7, 9), (16, 16), (2, 5)]) if op in PICTURES else shape
    draft = begun(choices, {"one": (shape, 1 / 60 if op in MINUTELY else 8.0), "two": (shape, 3.0)})
    of = "one"
    if curve or (op not in (*MINUTELY, *NUMBERS) and draft.kinds[of].elements <= 12 and choices.one([False, True])):
        # Seldom do many samples come without a gap.
        length = choices.one([12, 16, 40] if curve else [2, 12, 100])
        draft.stages.append({"op": "window", "of": of, "gives": "window", "length": length})
        draft.kinds["window"] = Kind((length, *shape), draft.kinds[of].clock, True, True)
        of = "window"
    if not add_stage(draft, op, of, "made"):
        raise Unfit
    return finished(draft, "degC")


def graph(choices: Choices, least: int = 1, most: int = 8) -> Plan:
    """Stages that fit together, each on what came before, and models among them. Raises Unfit."""
    draft = begun(choices)
    for number in range(choices.whole(least, most)):
        # Where clocks meet, most can go wrong.
        op = choices.one([*sorted(STAGES), "model", "hold", "hold", "resample", "resample", "window"])
        if op == "model":
            _add_model(draft, f"m{number}")
            continue
        of = choices.one(sorted(draft.kinds))
        if op in CURVES and draft.kinds[of].shape == () and draft.kinds[of].rated:
            draft.stages.append({"op": "window", "of": of, "gives": f"w{number}", "length": 12})
            draft.kinds[f"w{number}"] = Kind((12,), draft.kinds[of].clock, True, True)
            of = f"w{number}"
        add_stage(draft, op, of, f"s{number}")
    return finished(draft)


@st.composite
def graphs(draw: st.DrawFn) -> Plan:
    """`graph`, as Hypothesis has it."""
    try:
        return graph(Drawn(draw))
    except Unfit:
        reject()
