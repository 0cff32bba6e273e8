"""The costly part of the headline in two steps, for many variations of one fit.

:func:`make_works`: levels, the terms of tracking and use, and years of works: what costs most, and
no belief of :data:`BETWEEN` enters it. :func:`make_early`: the states of the cohort and their uses,
in milliseconds (:mod:`models.late_kernel`). The formulas are those of
:mod:`models.outcomes.relevance`, and so are the numbers, to about 1e-12.
"""

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from models.batches import LONG, joined, over_blocks
from models.cohort_sums import side_terms
from models.components import tracking
from models.dims import FIRST_YEAR, LAST_YEAR, SIDES, Structure
from models.field_sums import field_sums
from models.late import Early, works_until
from models.outcomes import race
from models.outcomes.interventions import Do
from models.outcomes.paths import Asked, Paths, make_paths
from models.outcomes.states import age_of_use
from models.priors import Array
from models.quantities import HEADLINE

DOCUMENTED = tuple(f"{side}_documented" for side in SIDES)
DAMPING = "tracking_damping"
BETWEEN = (*DOCUMENTED, DAMPING)
"""Beliefs that enter states and uses alone; no likelihood touches any of them."""
Works = dict[str, Array]
"""What does not depend on the beliefs of :data:`BETWEEN` and :data:`models.late.LATE`, by draw.

Terms of :class:`models.late_kernel.Cohort` and, after the name of their side, of
:class:`models.use_kernel.Side`; besides, ``total`` of :class:`models.late.Early`, ``slope`` and
``since``, tracking's trend and the years it went on. A thousand draws take about 2 MB.
"""
BLOCK = 500
"""Draws of a block of compiled sums."""
SEEN = ("alignment_only", "both", "capabilities_only", "neither")
"""Outcomes of what one can read about."""


def enters(question: Asked) -> tuple[str, ...]:
    """Return those of :data:`BETWEEN` that enter: damping does so once the evidence is over."""
    return BETWEEN if question.cohort > LAST_YEAR else DOCUMENTED


def make_works(
    draws: Mapping[str, Array],
    future: Mapping[str, Array],
    *,
    structure: Structure,
    question: Asked,
    do: Sequence[Do] = (),
) -> Works:
    """Return the costly part; parameters are those of :func:`models.outcomes.relevance.predict`."""
    year, i, listed = question.cohort, question.cohort - FIRST_YEAR, len(structure.agendas)

    def part(some: Mapping[str, Array], later: Mapping[str, Array]) -> dict[str, Array]:
        paths = make_paths(some, later, structure=structure, horizon=question.horizon, do=do)
        field = field_sums(paths, structure.link, question=question, years=(year,))
        until = works_until(field, question=question, family_of=structure.family_of)
        out = {
            "level": field.level[:, :-1, 0],
            "share": paths.share[:, i, :-1],
            "total": until[:, :listed] / some["works_2025"][:, None, None],
            "done": np.broadcast_to(paths.tracking_set[i], len(until)),
        }
        return out | _tracking(paths, i) | _uses(paths, question)

    terms = joined(over_blocks(part, draws, future, n=len(draws["use_rate"]), size=LONG))
    return {name: np.ascontiguousarray(x) for name, x in terms.items()}


def _tracking(paths: Paths, i: int) -> dict[str, Array]:
    """Return the log-odds of tracking but for the trend, and the trend apart."""
    terms, listed = paths.tracking, np.arange(paths.tracking["agenda"].shape[1] - 1)
    flat = {"agenda": listed, "year": np.zeros_like(listed), "purposive": np.zeros(1)}
    return {
        "odds": tracking.cell_base(terms, np.zeros((len(paths.trend), 1)), cells=flat),
        "odds_level": terms["level"],
        "slope": terms["trend"],
        "since": paths.trend[:, i],
    }


def _uses(paths: Paths, question: Asked) -> dict[str, Array]:
    """Return the terms of use of both sides, and the nodes of their race."""
    year = question.cohort
    ages = np.array([age_of_use(paths, year, horizon=question.horizon)])
    out: dict[str, Array] = {}
    for side in SIDES:
        found = side_terms(paths, side, years=(year,), ages=ages)
        found["agenda"] = found["agenda"][:, :-1]
        out |= {f"{side}_{name}": x for name, x in found.items()}
    lag = paths.spillover["lag"]
    u, grown, factor = race.nodes(lag[:, :1], lag[:, 1:], age=ages)
    return out | {"node": u, "node_grown": grown, "node_factor": factor}


def make_early(
    works: Works,
    draws: Mapping[str, Array],
    *,
    question: Asked,
    names: Collection[str] = HEADLINE,
) -> Early:
    """Return what the last beliefs enter, given the beliefs of :data:`BETWEEN` in ``draws``.

    Of outcomes that are not among ``names`` those that cost most are left out.
    """
    since, n = works["since"], len(works["share"])
    if DAMPING in enters(question):
        since = tracking.future_trend(draws[DAMPING], question.cohort - LAST_YEAR)[:, -1]
    terms = works | {"odds": works["odds"] + (works["slope"] * since)[:, None]}
    terms |= {name: np.array(draws[name]) for name in DOCUMENTED}
    whole, seen = question.established_in == "field", not set(SEEN).isdisjoint(names)

    def part(some: Mapping[str, Array]) -> dict[str, Array]:
        return _summed(some, whole=whole, race="capabilities_first" in names, seen=seen)

    found = joined(over_blocks(part, terms, n=n, size=BLOCK))
    used, field = found["used"], found["field"]
    moments = {"alignment": used[:, 0], "both": used[:, 1]}
    fixed = _named(np.ascontiguousarray(field.T), seen=seen)
    if "capabilities_first" not in names:
        del fixed["capabilities_first"]
    return Early(moments, works["total"], np.ones(used.shape[:1] + used.shape[2:3]), fixed)


def _summed(terms: Mapping[str, Array], **wanted: bool) -> dict[str, Array]:
    """Return use in alignment and on both sides by tracking, and outcomes over the field."""
    from models.late_kernel import Cohort, Wanted, sums
    from models.use_kernel import Side

    cap, ali = (Side(**{name: terms[f"{side}_{name}"] for name in Side._fields}) for side in SIDES)
    cohort = Cohort(**{name: terms[name] for name in Cohort._fields})
    used, field = sums(cohort, cap, ali, Wanted(**wanted))
    return {"used": used, "field": field}


def _named(field: Array, *, seen: bool) -> dict[str, Array]:
    """Return the headline's outcomes over the field from sums of the kernel, (outcome, draw)."""
    from models.late_kernel import FIELD

    out = dict(zip(FIELD, field, strict=True))
    by_ali, by_cap = (out.pop(f"documented_{side}") for side in ("alignment", "capabilities"))
    both = out.pop("both")
    if not seen:
        return out
    out |= {"alignment_only": by_ali - both, "both": both, "capabilities_only": by_cap - both}
    return out | {"neither": 1.0 - by_ali - by_cap + both}
