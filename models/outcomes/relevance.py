r"""Relevance: what becomes of the works of a cohort by the horizon, per draw.

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

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from models.batches import LONG, joined, over_blocks
from models.cohort_sums import cohort_moments
from models.dims import FIRST_YEAR, Structure
from models.field_sums import field_sums
from models.outcomes import claims, milestones
from models.outcomes.interventions import Do
from models.outcomes.paths import Asked, Paths, make_paths
from models.priors import Array

COHORTS = tuple(range(2020, 2031))
"""Cohorts reported besides the question's own."""


def cohorts(question: Asked) -> tuple[int, ...]:
    """Return the coordinate ``cohort``: years reported, up to the horizon."""
    years = {*COHORTS, question.cohort}
    return tuple(sorted(year for year in years if year <= question.horizon))


def gate(draws: Mapping[str, Array]) -> Array:
    """Return the chance to contribute, given use and a field that gets there; (draw, tracking)."""
    tracked = draws["on_target"] * draws["gate_tracked"]
    return np.stack([draws["leak_untracked"], tracked], axis=-1)


def field_reach(draws: Mapping[str, Array], f: Array) -> Array:
    """Return s F_6 + (1 - s) F_7 from F_k, dims (draw, agenda, step): the last two steps."""
    s = draws["value_constancy"][:, None]
    return s * f[..., -2] + (1.0 - s) * f[..., -1]


def strong(used: Array, gates: Array, *, reach: Array) -> Array:
    """Return the chance of use that contributes, in a field that gets there; dims (draw, agenda).

    Parameters
    ----------
    used
        Share of works in each tracking state that are used, dims (draw, agenda, tracking).
    gates
        From :func:`gate`.
    reach
        From :func:`field_reach`.
    """
    return np.asarray(np.einsum("saz,sz->sa", used, gates) * reach)


def outcomes(m: Mapping[str, Array], gates: Array, *, reach: Array) -> dict[str, Array]:
    """Return every outcome of a cohort by agenda; dims (draw, agenda)."""
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


def over_field(weight: Array, x: Array) -> Array:
    """Return the mean over listed agendas by share; (draw, agenda) to (draw,)."""
    return np.asarray(np.einsum("sa,sa->s", weight, x[:, : weight.shape[1]]))


def predict(
    draws: Mapping[str, Array],
    future: Mapping[str, Array],
    *,
    structure: Structure,
    question: Asked,
    do: Sequence[Do] = (),
    names: Collection[str] | None = None,
) -> dict[str, Array]:
    """Return every predicted quantity by draw.

    Parameters
    ----------
    draws
        Posterior or prior draws by variable, each with a leading draw axis.
    future
        Standard normals of the years and the agenda to come; see
        :func:`models.outcomes.paths.make_paths`.
    structure
        Agendas, their families, link and tails.
    question
        Cohort, horizon, and what counts as established.
    do
        Interventions.
    names
        Quantities wanted, all by default: without those by cohort, other cohorts cost nothing.

    Returns
    -------
    dict
        Arrays (draw, ...) by name; dims are those of :data:`models.quantities.QUANTITIES`.
    """
    years = (question.cohort,) if names is not None and not _series(names) else cohorts(question)

    def part(some: Mapping[str, Array], later: Mapping[str, Array]) -> dict[str, Array]:
        paths = make_paths(some, later, structure=structure, horizon=question.horizon, do=do)
        found = _predict(some, paths, structure=structure, question=question, years=years)
        return found if names is None else {name: found[name] for name in names}

    return joined(over_blocks(part, draws, future, n=len(draws["use_rate"]), size=LONG))


def _series(names: Collection[str]) -> bool:
    return any(name.startswith("cohort_") for name in names)


def _predict(
    draws: Mapping[str, Array],
    paths: Paths,
    *,
    structure: Structure,
    question: Asked,
    years: Sequence[int],
) -> dict[str, Array]:
    field = field_sums(paths, structure.link, question=question, years=years)
    weight, family_of = paths.share[:, question.cohort - FIRST_YEAR, :-1], structure.family_of
    f = milestones.established_at_horizon(
        field.total, draws, question=question, family_of=family_of
    )
    by_year = milestones.established_by_year(
        field.yearly, draws, question=question, family_of=family_of, weight=weight
    )
    reach = {unit: field_reach(draws, x) for unit, x in f.items()}
    every = cohort_moments(paths, draws, field=field, years=years, horizon=question.horizon)
    asked, gates = years.index(question.cohort), gate(draws)
    m = {name: x[:, asked] for name, x in every.items()}
    share = paths.share[:, [year - FIRST_YEAR for year in years], :-1]
    by_cohort = _cohorts(every, gates, reach=reach[question.established_in], share=share)
    units = {unit: strong(m["alignment"], gates, reach=r) for unit, r in reach.items()}
    out = _named(by_cohort, share, asked=asked)
    out |= {f"alignment_relevant_{unit}": over_field(weight, x) for unit, x in units.items()}
    out |= {
        f"established_{unit}": np.einsum("sa,sak->sk", weight, x[:, :-1]) for unit, x in f.items()
    }
    out |= {"established": by_year, "works_at_level": milestones.works_at_level(field.by_step)}
    out |= claims.field_quantities(paths, field, question=question, weight=weight, asked=asked)
    out |= claims.claim_quantities(
        draws, m, weight=weight, gates=gates, f=f[question.established_in]
    )
    out |= claims.mechanisms(draws, paths, m=m, weight=weight)
    return out


def _cohorts(
    m: Mapping[str, Array], gates: Array, *, reach: Array, share: Array
) -> dict[str, Array]:
    """Return every outcome of the cohorts by agenda, and over the field; dims (draw, cohort, ...).

    ``m`` are the moments from :func:`models.cohort_sums.cohort_moments`, ``share`` (draw, cohort,
    agenda). A cohort's works are those of one more draw: the formulas are the same.
    """
    n, years = share.shape[:2]

    def one_each(x: Array) -> Array:
        return x.reshape((n * years, *x.shape[2:]))

    def repeated(x: Array) -> Array:
        return np.repeat(x, years, axis=0)

    flat = {name: one_each(x) for name, x in m.items()}
    found = outcomes(flat, repeated(gates), reach=repeated(reach))
    return {name: x.reshape((n, years, -1)) for name, x in found.items()}


def _named(by_cohort: Mapping[str, Array], share: Array, *, asked: int) -> dict[str, Array]:
    """Return outcomes of the cohort ``asked`` over the field and by agenda, and of all cohorts."""
    out: dict[str, Array] = {}
    for name, x in by_cohort.items():
        series = np.einsum("sya,sya->sy", share, x[..., :-1])
        own = x[:, asked].copy()  # a view would keep all cohorts in memory
        out |= {name: series[:, asked], f"cohort_{name}": series}
        out |= {f"agenda_{name}": own[:, :-1], f"new_agenda_{name}": own[:, -1]}
    return out
