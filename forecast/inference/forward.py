"""What a forecast adds to the draws of a fit: forecast-only priors, normals of years to come.

Both are fixed by seed and name, so that scenarios are paired draw by draw. A fit whose draws were
chosen among those sampled (``Fit.chosen``) takes the same places of them.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from forecast.inference.case import Case
from forecast.inference.sampling import Fit
from forecast.inference.seeds import integer, stream
from models.batches import over_blocks
from models.components.spillover import elasticity_from_draws
from models.dims import LAST_YEAR, LOG_RATIO
from models.outcomes.paths import NEW_AGENDA
from models.prior_draws import uniforms
from models.priors import Prior, frozen

Draws = dict[str, np.ndarray]
BLOCK = 2000
"""Quantiles that a thread finds at a time: many enough that SciPy's checks cost little."""


def alone_draws(case: Case, names: Sequence[str], *, n: int) -> Draws:
    """Return draws of forecast-only priors: fixed uniforms through the stated quantile function."""
    root, priors = integer(case.seed, "forecast-only"), case.by_name
    return {name: _alone(priors[name], root, n=n) for name in names}


@lru_cache(maxsize=64)
def _alone(prior: Prior, root: int, *, n: int) -> np.ndarray:
    """Return the draws of one prior; kept, since a variation changes one of many."""
    made = frozen(prior)
    q = {"q": uniforms(root, prior.name, shape=(n,))}
    parts = over_blocks(lambda some: made.ppf(some["q"]), q, n=n, size=BLOCK)
    out = np.concatenate(parts).astype(float, copy=False)
    out.flags.writeable = False
    return out


def future_normals(case: Case, n: int) -> Draws:
    """Return the standard normals of years and agendas to come: common to all scenarios."""
    years = max(case.question.horizon - LAST_YEAR, 0)
    return {
        "worker_shocks": stream(case.seed, "worker paths").standard_normal((n, 3, years)),
        "new_agenda": stream(case.seed, "new agenda").standard_normal((n, len(NEW_AGENDA))),
    }


def with_ease(draws: dict[str, np.ndarray], case: Case) -> dict[str, np.ndarray]:
    """Add the elasticity and ease, which follow exactly from what was sampled."""
    elasticity = elasticity_from_draws(draws, case.by_name)
    ease = draws["use_ratio"] - LOG_RATIO * elasticity
    return draws | {"worker_ratio_elasticity": elasticity, "ease": ease}


def all_draws(fit: Fit, case: Case, *, names: Collection[str] | None = None) -> Draws:
    """Return the fit's draws, each with the forecast-only priors of ``case`` at its place.

    Of these priors only those among ``names``, all by default.
    """
    some = [name for name in fit.compiled.alone if names is None or name in names]
    return fit.draws | _placed(fit, alone_draws(case, some, n=_places(fit)))


def future(fit: Fit, case: Case) -> Draws:
    """Return the normals of years and agendas to come, each draw of the fit at its place."""
    return _placed(fit, future_normals(case, _places(fit)))


def taken(fit: Fit, at: np.ndarray) -> Fit:
    """Return the fit with the draws ``at`` alone; each keeps its place."""
    places = at if fit.chosen is None else fit.chosen[at]
    made = replace(fit, draws={name: x[at] for name, x in fit.draws.items()}, chosen=places)
    made.held.update({name: x[at] for name, x in fit.held.items()})
    return made


def thinned(fit: Fit, most: int) -> Fit:
    """Return the fit with at most ``most`` of its draws, evenly spaced."""
    return taken(fit, np.linspace(0, fit.n - 1, min(fit.n, most)).astype(int))


def _places(fit: Fit) -> int:
    return fit.n if fit.chosen is None else int(fit.chosen.max()) + 1


def _placed(fit: Fit, draws: Draws) -> Draws:
    return draws if fit.chosen is None else {name: x[fit.chosen] for name, x in draws.items()}
