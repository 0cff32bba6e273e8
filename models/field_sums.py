"""The field by year: works by level, levels and tracking, and the states of some cohorts.

Under the logit link the sums are compiled (:mod:`models.field_kernel`); :func:`plain` has them for
any, from the formulas on arrays. They agree to about 1e-12.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.components.maturity import inverse_link
from models.dims import FIRST_YEAR
from models.ops import NumPy
from models.outcomes import milestones
from models.outcomes.paths import Asked, Paths
from models.outcomes.states import make_states
from models.priors import Array


@dataclass(frozen=True)
class Field:
    """Sums by draw.

    ``level`` and ``track``, P(level) and P(tracks | level), of cohorts (draw, agenda, cohort,
    level); ``tracked``, the share of works that track (draw, agenda, year). Of the field:
    ``by_level``, shares of works (draw, year, level), and ``by_step``, works of each year at a
    level or above (draw, year, step). ``total``, such works by the horizon (draw, agenda, step);
    ``yearly``, the field's or, if a level is not established in the field, each agenda's (draw,
    agenda, year, step).
    """

    level: Array
    track: Array
    tracked: Array
    by_level: Array
    by_step: Array
    total: Array
    yearly: Array


def field_sums(paths: Paths, link: str, *, question: Asked, years: Sequence[int]) -> Field:
    """Return the sums of every draw, with the states of the cohorts ``years``."""
    if link != "logit":
        return plain(paths, link, question=question, years=years)
    from models.field_kernel import Terms, sums

    in_field = question.established_in == "field"
    place, end = np.array([year - FIRST_YEAR for year in years], dtype=np.int64), _end(question)
    arrays = [np.ascontiguousarray(x, dtype=float) for x in _terms(paths)]
    made = sums(Terms(*arrays), place, end, not in_field)
    level, track, tracked, by_level, by_step, total, reach = made
    yearly = by_step if in_field else milestones.yearly_works(paths, reach)
    return Field(level, track, tracked, by_level, by_step, total, yearly)


def plain(paths: Paths, link: str, *, question: Asked, years: Sequence[int]) -> Field:
    """Return the same from the formulas on arrays."""
    states = make_states(paths, link)
    at, share = [year - FIRST_YEAR for year in years], paths.share[..., :-1]
    yearly = milestones.yearly_works(paths, states.reach)
    by_step = yearly[:, :-1].sum(axis=1)
    return Field(
        level=np.ascontiguousarray(states.level[:, :, at]),
        track=np.ascontiguousarray(states.track[:, :, at]),
        tracked=(states.level * states.track).sum(axis=-1),
        by_level=np.einsum("sya,sayk->syk", share, states.level[:, :-1]),
        by_step=by_step,
        total=yearly[:, :, : _end(question)].sum(axis=2),
        yearly=by_step if question.established_in == "field" else yearly,
    )


def _end(question: Asked) -> int:
    """Return how many years come before the end of the horizon."""
    return question.horizon - FIRST_YEAR + 1


def _terms(paths: Paths) -> tuple[Array, ...]:
    """Return the terms of :class:`models.field_kernel.Terms`, in its order."""
    maturity, track = paths.maturity, paths.tracking
    return (
        maturity["agenda"],
        maturity["slope"],
        paths.effort,
        maturity["upper"],
        np.exp(-inverse_link(NumPy, "logit", maturity["step"])),
        track["mean"][:, None] + track["agenda"],
        track["trend"],
        paths.trend,
        np.exp(-track["level"]),
        paths.tracking_set,
        paths.works,
        paths.share,
    )
