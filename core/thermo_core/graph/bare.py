"""A wearable of which no network runs: what a device is that has no bundle."""

from msgspec.structs import replace

from thermo_core.graph.plan import plan
from thermo_core.wearable.profile import Profile


def without_models(profile: Profile) -> Profile:
    """A wearable's sensors, and the stages that rest on them alone.

    Raises:
        ProfileError: its parts do not fit together.
    """
    plan(profile)
    left = list(profile.stages)
    made = {model.raw for model in profile.models}
    while lost := [stage for stage in left if made.intersection(stage.inputs)]:
        made.update(stage.gives for stage in lost)
        left = [stage for stage in left if stage not in lost]
    return replace(profile, stages=tuple(left), models=(), alerts=())
