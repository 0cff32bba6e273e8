r"""Relevance: what becomes of the works of a cohort by the horizon.

For cohort year t, agenda a and horizon H,

.. math::

    \text{strong} &= \sum_{k,z} P(k, z)\, \text{used}_{ali}(k, z; H)\, \text{gate}_z\,
        [s F_6 + (1 - s) F_7] \\
    \text{gate}_1 &= \text{on\_target} \cdot q, \qquad \text{gate}_0 = \text{leak}, \qquad
    \text{weak} = \sum_{k,z} P(k, z)\, \text{used}_{ali}(k, z; H)

with :math:`s` the value constancy (reading values is enough: level 6) and :math:`F_k` the chance
that level k is established by H in the field, the agenda's family or the agenda. Both splits are
exact per state: use on the two sides is independent *given* level and tracking, never before. The
four-way split holds documented use against documented use; the strict split holds strong
relevance against actual capabilities use. All is computed per draw and state, then averaged over
states and, for a field figure, over agendas by their share of works; a product of averages would
be another number. Source: evidence/RUBRIC.md; formulas of the sub-models are reused, not rewritten.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.components import spillover
from models.dims import FIRST_YEAR, LAST_YEAR, LOG_RATIO
from models.outcomes import milestones
from models.outcomes.claims import claim_quantities, mechanisms, over
from models.outcomes.paths import UNITS, Asked, Paths, make_paths
from models.outcomes.states import States, make_states, moments

COHORTS = tuple(range(2020, 2031))
"""Cohorts reported besides the question's own."""


SUMMED = ("used_alignment", "used_capabilities", "used_both", "enough")
"""Sums that the page's sliders start from, besides the predicted quantities.

The first three are shares of the field's works that are used, (cohort, tracking); the last is
P(n_k >= m) of the field by the end of each year, ceilings left out, (step, year).
"""


def cohorts(question: Asked) -> tuple[int, ...]:
    """Return the coordinate ``cohort``: years reported, up to the horizon."""
    years = {*COHORTS, question.cohort}
    return tuple(sorted(year for year in years if year <= question.horizon))


@dataclass(frozen=True)
class Shape:
    """What of a forecast is part of its graph; all else is data.

    ``n_years`` of the axis, of which ``end`` come by the horizon; the most works that
    ``established_at`` asks for; where a level is established; families of agendas; link.
    """

    n_years: int
    end: int
    most: int
    established_in: str
    family_of: tuple[int, ...]
    link: str


def gate(v: Mapping[str, Any]) -> Any:
    """Return the chance to contribute, given use and a field that gets there; (tracking,)."""
    import pytensor.tensor as pt

    return pt.stack([v["leak_untracked"], v["on_target"] * v["gate_tracked"]])


def field_reach(v: Mapping[str, Any], f: Any) -> Any:
    """Return s F_6 + (1 - s) F_7 from F_k, dims (agenda, step)."""
    s = v["value_constancy"]
    return s * f[:, 5] + (1.0 - s) * f[:, 6]


def strong(used: Any, gates: Any, *, reach: Any) -> Any:
    """Return the chance of use that contributes, in a field that gets there; dims (..., agenda).

    ``used`` is the share of works in each tracking state that are used, (..., agenda, tracking).
    """
    return (used * gates).sum(axis=-1) * reach


def outcomes(m: Mapping[str, Any], gates: Any, *, reach: Any) -> dict[str, Any]:
    """Return every outcome of cohorts by agenda; dims (cohort, agenda)."""
    every = {name: x[..., 0] + x[..., 1] for name, x in m.items()}
    relevant = strong(m["alignment"], gates, reach=reach)
    strict_both = strong(m["both"], gates, reach=reach)
    ali, cap = every["alignment_documented"], every["capabilities_documented"]
    both = every["both_documented"]
    return {
        "alignment_relevant": relevant,
        "alignment_used": every["alignment"],
        "capabilities_relevant": every["capabilities"],
        "alignment_used_by_others": every["alignment_others"],
        "capabilities_used_by_others": every["capabilities_others"],
        "capabilities_first": every["first"],
        "alignment_only": ali - both,
        "both": both,
        "capabilities_only": cap - both,
        "neither": 1.0 - ali - cap + both,
        "strict_alignment_only": relevant - strict_both,
        "strict_both": strict_both,
        "strict_capabilities_only": every["capabilities"] - strict_both,
        "strict_neither": 1.0 - relevant - every["capabilities"] + strict_both,
        "documented_alignment": ali,
        "documented_capabilities": cap,
    }


def forecast(
    v: Mapping[str, Any], future: Mapping[str, Any], data: Mapping[str, Any], *, shape: Shape
) -> dict[str, Any]:
    """Return every predicted quantity of one draw.

    Parameters
    ----------
    v
        Variables by name, those of forecast-only priors too.
    future
        Standard normals of the years and the agenda to come; see
        :func:`models.outcomes.paths.make_paths`.
    data
        Interventions by year, and the question: ``cohorts``, places on the axis (cohort,);
        ``asked``, the place of the question's cohort among them; ``established_at``.
    shape
        What is fixed.
    """
    import pytensor.tensor as pt

    paths = make_paths(v, future, data, n_years=shape.n_years)
    states = make_states(paths, shape.link)
    at, asked, end = data["cohorts"], data["asked"], shape.end
    every = moments(paths, v, states=states, at=at, last=end - 1)
    m, share = {name: x[asked] for name, x in every.items()}, paths.share[at, :-1]
    weight, gates, f = share[asked], gate(v), {}
    yearly, works = yearly_works(paths, states), v["works_2025"]
    total = works * yearly[:, :end].sum(axis=1)
    known = {"v": v, "m": data["established_at"], "most": shape.most}
    for unit in UNITS:
        mean = milestones.by_unit(total, unit, family_of=shape.family_of)
        f[unit] = pt.broadcast_to(milestones.established(mean, **known), total.type.shape)
    reach = {unit: field_reach(v, x) for unit, x in f.items()}
    by_cohort = outcomes(every, gates, reach=reach[shape.established_in])
    named: dict[str, Any] = {}
    for name, x in by_cohort.items():
        series, own = (share * x[:, :-1]).sum(axis=1), x[asked]
        named |= {name: series[asked], f"cohort_{name}": series}
        named |= {f"agenda_{name}": own[:-1], f"new_agenda_{name}": own[-1]}
    for unit in UNITS:
        relevant = strong(m["alignment"], gates, reach=reach[unit])
        named[f"alignment_relevant_{unit}"] = over(weight, relevant)
    named |= {f"established_{unit}": over(weight, f[unit]) for unit in UNITS}
    by_year = established_by_year(yearly, v, data, shape=shape, weight=weight)
    by_step = yearly[:-1].sum(axis=0)
    until_today = by_step[: LAST_YEAR - FIRST_YEAR + 1].sum(axis=0)
    named |= {"established": by_year, "works_at_level": works * until_today}
    for side in ("alignment", "capabilities", "both"):
        named[f"used_{side}"] = (share[:, :, None] * every[side][:, :-1]).sum(axis=1)
    until = works * pt.cumsum(by_step[:end], axis=0)
    m_most = {"m": data["established_at"], "most": shape.most}
    named["enough"] = milestones.at_least(until, v["cluster_size"], **m_most).T
    named |= field_quantities(paths, v, states, weight=weight, at=at[asked], end=end)
    named |= claim_quantities(v, m, weight=weight, gates=gates, f=f[shape.established_in])
    return named | mechanisms(v, paths, m=m, weight=weight)


def yearly_works(paths: Paths, states: States) -> Any:
    """Return works of each year at level k or above for each work of 2025; (agenda, year, step)."""
    return (paths.relative[:, None] * paths.share).T[:, :, None] * states.reach


def established_by_year(
    yearly: Any, v: Mapping[str, Any], data: Mapping[str, Any], *, shape: Shape, weight: Any
) -> Any:
    """Return F_k of the field by year in the question's unit; dims (step, year).

    ``yearly`` is from :func:`yearly_works`, ``weight`` shares of the listed agendas.
    """
    import pytensor.tensor as pt

    known = {"v": v, "m": data["established_at"], "most": shape.most}
    if shape.established_in == "field":
        total = v["works_2025"] * pt.cumsum(yearly[:-1, : shape.end].sum(axis=0), axis=0)
        return milestones.established(total, **known).T
    units = milestones.by_unit(
        yearly[:, : shape.end], shape.established_in, family_of=shape.family_of
    )
    total = v["works_2025"] * pt.cumsum(units, axis=1)
    return over(weight, milestones.established(total, **known)).T


def field_quantities(
    paths: Paths, v: Mapping[str, Any], states: States, *, weight: Any, at: Any, end: int
) -> dict[str, Any]:
    """Return workers, works, shares, levels and tracking of the field and its agendas.

    ``at`` is the place of the question's cohort on the axis.
    """
    import pytensor.tensor as pt

    share, people = paths.share[:end, :-1], paths.log_workers[:, :end]
    level = states.level[:-1, :end]
    tracked = (level * states.track[:-1, :end]).sum(axis=-1)
    by_agenda = states.level[:-1, at]
    return {
        "workers": pt.exp(people),
        "worker_ratio": pt.exp(spillover.log_ratio(people) + LOG_RATIO),
        "field_works": v["works_2025"] * paths.relative[:end],
        "agenda_share": weight,
        "tracking_by_agenda": tracked,
        "tracking_field": (share.T * tracked).sum(axis=0),
        "level_by_agenda": by_agenda,
        "level_share": (weight[:, None] * by_agenda).sum(axis=0),
        "level_field": (share.T[:, :, None] * level).sum(axis=0),
    }
