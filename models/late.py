"""The headline in two steps: what most beliefs shape, and what the last few do to it.

Gates, leak, value constancy, ceilings, clusters and the number of works enter after everything that
is costly: levels, tracking and uses of every state. Holding the costly part, a change to one of
them gives the headline anew in milliseconds. The formulas are those of
:mod:`models.outcomes.relevance`.
Of many variations of one fit :mod:`models.late_uses` makes the costly part in two steps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.batches import LONG, joined, over_blocks
from models.cohort_sums import cohort_moments
from models.dims import FIRST_YEAR, Structure
from models.field_sums import Field, field_sums
from models.outcomes import milestones
from models.outcomes.interventions import Do
from models.outcomes.paths import Asked, make_paths
from models.outcomes.relevance import field_reach, gate, outcomes, over_field, strong
from models.priors import Array
from models.quantities import HEADLINE

LATE = (
    "cluster_size",
    "gate_tracked",
    "leak_untracked",
    "on_target",
    "paths",
    "stop_6",
    "stop_7",
    "value_constancy",
    "works_2025",
)
"""Beliefs that enter last; no likelihood touches any of them."""
READ = tuple(name for name in LATE if name != "paths")
"""Those of them that :func:`headline` reads: paths enter a claim alone."""
TOP = slice(5, 7)
"""Steps to levels 6 and 7, on which relevance hangs."""


@dataclass(frozen=True)
class Early:
    """What does not depend on the last beliefs.

    ``moments`` of the question's cohort, (draw, agenda, tracking); ``total``, works at level 6,
    and 7, or above by the horizon for each work of 2025, (draw, unit, level), with one unit for the
    field;
    ``share`` (draw, agenda), one where moments bear the share of works already and may be summed
    over agendas; ``fixed``, the part of the headline that no last belief moves.
    """

    moments: dict[str, Array]
    total: Array
    share: Array
    fixed: dict[str, Array]


def make_early(
    draws: Mapping[str, Array],
    future: Mapping[str, Array],
    *,
    structure: Structure,
    question: Asked,
    do: Sequence[Do] = (),
) -> Early:
    """Return the costly part; parameters are those of :func:`models.outcomes.relevance.predict`."""

    def part(some: Mapping[str, Array], later: Mapping[str, Array]) -> tuple[Any, Array, Array]:
        paths = make_paths(some, later, structure=structure, horizon=question.horizon, do=do)
        year = (question.cohort,)
        field = field_sums(paths, structure.link, question=question, years=year)
        m = cohort_moments(paths, some, field=field, years=year, horizon=question.horizon)
        share = paths.share[:, question.cohort - FIRST_YEAR, :-1]
        total = works_until(field, question=question, family_of=structure.family_of)
        one = {name: x[:, 0] for name, x in m.items()}
        return one, total / some["works_2025"][:, None, None], share

    parts = over_blocks(part, draws, future, n=len(draws["use_rate"]), size=LONG)
    whole = joined([m for m, _, _ in parts])
    total, share = (np.concatenate([part[i] for part in parts]) for i in (1, 2))
    gates, reach = gate(draws), np.ones((len(share), 1))
    found = outcomes(whole, gates, reach=reach)
    fixed = {name: over_field(share, found[name]) for name in HEADLINE}
    return Early(whole, total, share, fixed)


def works_until(field: Field, *, question: Asked, family_of: Sequence[int]) -> Array:
    """Return works at :data:`TOP` or above by the horizon, (draw, unit, level)."""
    until = field.total[..., TOP]
    total = milestones.by_unit(until, question.established_in, family_of=family_of)
    return total[:, :1] if question.established_in == "field" else total


def headline(early: Early, draws: Mapping[str, Array], *, question: Asked) -> dict[str, Array]:
    """Return the headline's quantities by draw, given the last beliefs in ``draws``."""
    mean = early.total * draws["works_2025"][:, None, None]
    size = draws["cluster_size"][:, None, None]
    some = milestones.at_least(mean, size, m=question.established_at)
    f = milestones.ceilings(draws)[:, None, TOP] * some
    gates, reach = gate(draws), field_reach(draws, f)
    relevant, both = (
        over_field(early.share, strong(early.moments[use], gates, reach=reach))
        for use in ("alignment", "both")
    )
    used = early.fixed["capabilities_relevant"]
    return early.fixed | {
        "alignment_relevant": relevant,
        "strict_alignment_only": relevant - both,
        "strict_both": both,
        "strict_capabilities_only": used - both,
        "strict_neither": 1.0 - relevant - used + both,
    }
