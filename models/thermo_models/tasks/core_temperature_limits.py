"""What the figures of `core-temperature` do not show, as sentences of its card; every number in them comes from the metrics or the code."""

from collections.abc import Mapping, Sequence
from typing import Any


def limits(metrics: Mapping[str, Any]) -> tuple[str, ...]:
    """The sentences, from the figures of a run."""
    found = metrics["examined"]["data"]
    campaigns, cameras = len(metrics["groups"]), len(found["cameras"])
    cases = {row["case"]: row for row in metrics["examined"]["cases"]}
    sentences = [
        f"{_count(campaigns, 'campaign')}, {_count(cameras, 'camera').lower()} ({', '.join(found['cameras'])}); {100 * found['young_share']:.0f} % "
        f"of the people of 25 or younger; {found['fever']} of {metrics['samples']} readings at 37.5 degC or above. "
        + ("Another campaign was not measured." if campaigns == 1 else "Campaigns are left out one by one."),
        "The prior was chosen on the data set's first campaign, by what stands in for another one: quarters of its days left out, rooms and cameras "
        "that are off. Figures on that campaign are a little better than they would be on another.",
    ]
    if "periods" in cases:
        one = cases["periods"]
        sentences.append(
            f"The nearest to another campaign that the data hold, quarters of the days left out, gives RMSE {one['rmse']:.3f}, MAE "
            f"{one['mae']:.3f}, AUC {one['auc_fever']:.3f} where ridge regression gives {one['ridge_rmse']:.3f}, {one['ridge_mae']:.3f}, "
            f"{one['ridge_auc_fever']:.3f} and extra trees "
            f"{one['trees_rmse']:.3f}, {one['trees_mae']:.3f}, {one['trees_auc_fever']:.3f}. It stands in for an unseen campaign, which nobody here has."
        )
        unlike = [cases[name] for name in ("warm days", "damp days") if name in cases]
        sentences += [
            f"With quarters of the {row['case']} left out RMSE is {row['rmse']:.3f} and AUC {row['auc_fever']:.3f} (ridge regression "
            f"{row['ridge_rmse']:.3f}, {row['ridge_auc_fever']:.3f}; trees {row['trees_rmse']:.3f}, {row['trees_auc_fever']:.3f})."
            for row in unlike
        ]
        widths = [cases[name] for name in ("periods", "warm days", "damp days") if name in cases]
        sentences.append(
            f"The 90 % interval holds {_range([100 * of(row['coverage'] for row in widths) for of in (min, max)], '.0f')} % of people on these days, and "
            f"{_range([100 * of(row['coverage_widest'] for row in widths) for of in (min, max)], '.0f')} % of those for whom it is widest, a fifth, whose "
            f"half-width is {one['half_width_widest']:.2f} where the mean is {one['half_width']:.2f} K."
        )
    if "camera 0.1 K more" in cases and "camera 0.3 K more" in cases:
        raised = [cases[f"camera {k} K more"]["bias"] - cases["periods"]["bias"] for k in ("0.1", "0.3")]
        sentences.append(
            f"A camera that reads 0.1 K more raises what is said by {raised[0]:.2f} K, one that reads 0.3 K more by {raised[1]:.2f} K: "
            f"calibrate it, nothing here can tell an offset from a fever. The interval then holds {100 * cases['camera 0.1 K more']['coverage']:.0f} % and "
            f"{100 * cases['camera 0.3 K more']['coverage']:.0f} % of people."
        )
    rooms = [row for name, row in cases.items() if name.startswith(("room", "air", "a distance"))]
    if rooms:
        worst, ridge = (max(row[f"{who}rmse"] for row in rooms) for who in ("", "ridge_"))
        sentences.append(
            f"Told of a room 2.5 SD warmer, colder or damper than it is, or of a distance 12 SD off, it has an RMSE of at most {worst:.3f} on "
            f"these quarters (ridge regression {ridge:.3f}): it leans on the room lightly."
        )
    if "no round 4" in cases:
        sentences.append(f"Without round 4, in which the mouth is open, RMSE is {cases['no round 4']['rmse']:.2f}.")
    for variant, told in (
        ("without-mouth", "Without the mouth regions"),
        ("without-face-maximum", "Without them and the face's maximum, which often is the mouth"),
    ):
        if variant in metrics.get("variants", {}):
            figure = metrics["variants"][variant]["int8"]["rmse"]
            sentences.append(f"{told} (`--set variant={variant}`) RMSE is {figure:.3f}.")
    return (
        *sentences,
        f"Needs the radiometric regions of the data set, taken at {_range(found['distance_m'])} m by a calibrated thermograph; round 4 has the "
        "mouth open.",
        f"The reference limits it: its two modes of oral reading differ by SD {found['modes_apart_k']:.2f} degC, so errors much smaller "
        "cannot be shown.",
        "The interval is set on days left out by date, by warmth and by humidity, of the same data, and widens where what is said is unsure of itself; "
        "of a camera that is off or a region that is missing it knows nothing, and what is missing is flagged.",
    )


def _count(number: int, what: str) -> str:
    return f"One {what}" if number == 1 else f"{number} {what}s"


def _range(ends: Sequence[float], form: str = "g") -> str:
    low, high = (format(end, form) for end in ends)
    return low if low == high else f"{low}-{high}"
