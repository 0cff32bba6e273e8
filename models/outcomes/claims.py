"""The claims' own quantities: what each of C1 to C14 turns on, per draw.

Each is the field's mean over the listed agendas by share, for the question's cohort, unless it is a
property of the field or a belief. See :data:`models.quantities.CLAIMS` for the claims.
"""

from collections.abc import Mapping

import numpy as np

from models.components import spillover
from models.dims import FIRST_YEAR, LOG_RATIO
from models.field_sums import Field
from models.ops import NumPy
from models.outcomes import milestones
from models.outcomes.paths import Asked, Paths, fault_shares, practice_rates
from models.outcomes.states import tracking_ratio
from models.priors import Array

TINY = 1e-300
"""Added to the share of a group of works so that an empty group gives 0 and not NaN."""


def field_quantities(
    paths: Paths, field: Field, *, question: Asked, weight: Array, asked: int
) -> dict[str, Array]:
    """Return workers, works, shares, levels and tracking of the field and its agendas.

    ``asked`` is the place of the question's cohort among those of ``field``.
    """
    end = question.horizon - FIRST_YEAR + 1
    tracked, share = field.tracked[:, :-1, :end], paths.share[:, :end, :-1]
    by_agenda = field.level[:, :-1, asked].copy()  # a view would keep all cohorts in memory
    people = paths.log_workers[..., :end]
    return {
        "workers": np.exp(people),
        "worker_ratio": np.exp(spillover.log_ratio(people) + LOG_RATIO),
        "field_works": paths.works[:, :end],
        "agenda_share": weight,
        "tracking_by_agenda": tracked,
        "tracking_field": np.einsum("sya,say->sy", share, tracked),
        "level_by_agenda": by_agenda,
        "level_share": np.einsum("sa,sak->sk", weight, by_agenda),
        "level_field": field.by_level[:, :end],
    }


def claim_quantities(
    draws: Mapping[str, Array],
    m: Mapping[str, Array],
    *,
    weight: Array,
    gates: Array,
    f: Array,
) -> dict[str, Array]:
    """Return what the claims say of relevance and use, field-wide, from the cohort's moments.

    ``m`` are the moments (draw, agenda, tracking) of :func:`models.outcomes.states.moments`, and
    ``f`` is F_k of each agenda's unit, dims (draw, agenda, step).
    """
    z = {name: np.einsum("sa,saz->sz", weight, x[:, :-1]) for name, x in m.items()}
    contributing = np.einsum("saz,sz->saz", m["alignment"][:, :-1], gates)
    needed = {k: np.einsum("sa,saz->sz", weight * f[:, :-1, k - 1], contributing) for k in (6, 7)}
    s = draws["value_constancy"][:, None]
    relevant = s * needed[6] + (1.0 - s) * needed[7]
    field_f = np.einsum("sa,sak->sk", weight, f[:, :-1])
    of = {"untracked": z["share"][:, 0] + TINY, "tracked": z["share"][:, 1] + TINY}
    only = z["capabilities_documented"] - z["both_documented"]
    split = {"relevant": relevant, "capabilities_first": z["first"], "capabilities_only": only}
    by_tracking = {
        f"{name}_{group}": x[:, i] / of[group]
        for name, x in split.items()
        for i, group in enumerate(of)
    }
    return by_tracking | {
        "level5_established": field_f[:, 4],
        "plateau": milestones.plateau(field_f),
        "relevant_if_reflection_needed": needed[7].sum(axis=-1),
        "relevant_if_values_enough": needed[6].sum(axis=-1),
        "tracks_end_goal": z["share"][:, 1] * draws["on_target"],
        "path_count": draws["paths"],
        "path_caught": z["mean"].sum(axis=-1) / draws["paths"],
        "no_path_caught": z["none_ever"].sum(axis=-1),
        "untracked_leak": draws["leak_untracked"],
        "value_constancy": draws["value_constancy"],
    }


def mechanisms(
    draws: Mapping[str, Array], paths: Paths, *, m: Mapping[str, Array], weight: Array
) -> dict[str, Array]:
    """Return the mechanisms: bottleneck, fault worlds, diagnosis, ease, and tracking's effect.

    ``m`` are the moments of the cohort, and ``weight`` are the listed agendas' shares of it.
    """
    gain = spillover.level_factor(
        NumPy,
        "capabilities",
        {
            "capabilities_level": np.zeros_like(paths.diagnosed),
            "bottleneck": draws["bottleneck"],
        },
        diagnosed=paths.diagnosed,
    )
    unseen = np.log(draws["alignment_documented"] / draws["capabilities_documented"])
    return {
        "bottleneck_gain": gain[:, 3],
        "fault_shares": fault_shares(draws),
        "diagnosed": paths.diagnosed,
        "diagnosis_rate_practice": practice_rates(draws),
        "ease_documented": draws["ease"],
        "ease_actual": draws["ease"] + unseen,
        "tracking_effect_capabilities": tracking_ratio(m["alike"], weight),
    }
