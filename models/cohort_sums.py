"""The moments of several cohorts at once, by compiled sums (:mod:`models.cohort_kernel`).

The formulas are those of :mod:`models.outcomes.states`, and so are the numbers, to about 1e-12.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from models.components import spillover
from models.dims import FIRST_YEAR, SIDES
from models.field_sums import Field
from models.ops import NumPy
from models.outcomes import race
from models.outcomes.paths import Paths
from models.outcomes.states import age_of_use
from models.priors import Array


def cohort_moments(
    paths: Paths, draws: Mapping[str, Array], *, field: Field, years: Sequence[int], horizon: int
) -> dict[str, Array]:
    """Return the moments of the cohorts that ``field`` has; dims (draw, cohort, agenda, tracking).

    Names are those of :func:`models.outcomes.states.moments`, and ``alike``: capabilities use of
    works at the levels of all, whether or not they track.
    """
    from models.cohort_kernel import NAMES, Cohorts, sums
    from models.use_kernel import Side

    ages = np.array([age_of_use(paths, year, horizon=horizon) for year in years])
    cap, ali = (
        Side(
            **side_terms(paths, side, years=years, ages=ages),
            documented=draws[f"{side}_documented"],
        )
        for side in SIDES
    )
    lag = paths.spillover["lag"]
    nodes = race.nodes(lag[:, :1], lag[:, 1:], age=ages)
    found = sums(Cohorts(field.level, field.track, *map(np.ascontiguousarray, nodes)), cap, ali)
    return {name: found[:, :, i].swapaxes(-1, -2) for i, name in enumerate(NAMES)}


def side_terms(paths: Paths, side: str, *, years: Sequence[int], ages: Array) -> dict[str, Array]:
    """Return the terms of :class:`models.use_kernel.Side` but for the share documented."""
    terms, at = paths.spillover, [year - FIRST_YEAR for year in years]
    ratio = spillover.log_ratio(paths.log_workers)[:, at]
    columns = {name: terms[name][:, None] for name in ("rate", "eta", "elasticity")}
    kept = 1.0 - paths.withheld[at] if side == "capabilities" else 1.0
    lag, delay = terms["lag"][:, SIDES.index(side), None], terms["delay"][:, None]
    seen = spillover.seen_age(NumPy, ages, delay)
    out = {
        "year": kept * np.exp(spillover.log_use(side, columns, ratio=ratio)),
        "agenda": np.exp(terms[f"{side}_agenda"]),
        "level": spillover.level_factor(NumPy, side, terms, diagnosed=paths.diagnosed),
        "tracked": spillover.tracking_factor(NumPy, side, terms),
        "own": terms[f"{side}_own"],
        "grown": spillover.reached(NumPy, ages, lag),
        "shown": spillover.reached(NumPy, seen, lag),
    }
    return {name: np.ascontiguousarray(x) for name, x in out.items()}
