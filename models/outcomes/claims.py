"""The claims' own quantities: what each of C1 to C14 turns on.

Each is the field's mean over the listed agendas by share, for the question's cohort, unless it is a
property of the field or a belief. See :data:`models.quantities.CLAIMS` for the claims.
"""

from collections.abc import Mapping
from typing import Any

from models.components import spillover
from models.ops import graph
from models.outcomes import milestones
from models.outcomes.paths import Paths
from models.outcomes.states import tracking_ratio

TINY = 1e-300
"""Added to the share of a group of works so that an empty group gives 0 and not NaN."""


def over(weight: Any, x: Any) -> Any:
    """Return the mean over the listed agendas by share; (agenda, ...) to (...)."""
    spread = (slice(None), *[None] * (x.ndim - 1))
    return (weight[spread] * x[: x.shape[0] - 1]).sum(axis=0)


def claim_quantities(
    v: Mapping[str, Any], m: Mapping[str, Any], *, weight: Any, gates: Any, f: Any
) -> dict[str, Any]:
    """Return what the claims say of relevance and use, field-wide, from the cohort's moments.

    ``m`` are the moments (agenda, tracking) of :func:`models.outcomes.states.moments`, and ``f`` is
    F_k of each agenda's unit, dims (agenda, step).
    """
    z = {name: over(weight, x) for name, x in m.items()}
    contributing = m["alignment"] * gates
    needed = {k: over(weight, f[:, k - 1, None] * contributing) for k in (6, 7)}
    s = v["value_constancy"]
    relevant = s * needed[6] + (1.0 - s) * needed[7]
    field_f = over(weight, f)
    of = {"untracked": z["share"][0] + TINY, "tracked": z["share"][1] + TINY}
    only = z["capabilities_documented"] - z["both_documented"]
    split = {"relevant": relevant, "capabilities_first": z["first"], "capabilities_only": only}
    by_tracking = {
        f"{name}_{group}": x[i] / of[group]
        for name, x in split.items()
        for i, group in enumerate(of)
    }
    return by_tracking | {
        "level5_established": field_f[4],
        "plateau": milestones.plateau(field_f),
        "relevant_if_reflection_needed": needed[7].sum(),
        "relevant_if_values_enough": needed[6].sum(),
        "tracks_end_goal": z["share"][1] * v["on_target"],
        "path_count": v["paths"],
        "path_caught": z["mean"].sum() / v["paths"],
        "no_path_caught": z["none_ever"].sum(),
        "untracked_leak": v["leak_untracked"],
        "value_constancy": v["value_constancy"],
    }


def mechanisms(
    v: Mapping[str, Any], paths: Paths, *, m: Mapping[str, Any], weight: Any
) -> dict[str, Any]:
    """Return the mechanisms: bottleneck, fault worlds, diagnosis, ease, and tracking's effect.

    ``m`` are the moments of the cohort, and ``weight`` are the listed agendas' shares of it.
    """
    xp, found = graph(), paths.faults
    flat = {"capabilities_level": 0.0 * found["diagnosed"], "bottleneck": v["bottleneck"]}
    gain = spillover.level_factor(xp, "capabilities", flat, diagnosed=found["diagnosed"])
    unseen = xp.log(v["alignment_documented"] / v["capabilities_documented"])
    return {
        "bottleneck_gain": gain[3],
        "fault_shares": found["shares"],
        "diagnosed": found["diagnosed"],
        "diagnosis_rate_practice": found["rates"],
        "ease_documented": v["ease"],
        "ease_actual": v["ease"] + unseen,
        "tracking_effect_capabilities": tracking_ratio(m["alike"], weight),
    }
