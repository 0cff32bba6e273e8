"""Draws of beliefs that weights cannot reach: moved draws with weights, else those of a refit.

:func:`forecast.engine.evaluate` makes the same and keeps the numbers alone; the page's sliders need
the draws too, so that a shipped view which lies too far from a run has draws of its own there.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from forecast.ahead import far
from forecast.case import Answer, Case
from forecast.engine import evaluate, exactly, judged, summed, wanted
from forecast.forward import taken
from forecast.matching import moment_matched
from forecast.reusing import drawn_fit, find_drawn
from forecast.reweighting import Importance, importance
from forecast.sampling import Fit
from models.quantities import HEADLINE


@dataclass(frozen=True)
class NearFit:
    """Draws of a Case near that of a run: ``how`` they were obtained, and their weights, if any."""

    fit: Fit
    how: str
    weights: Importance | None = None


def answered(
    fit: Fit, case: Case, *, names: Sequence[str], refit: Callable[[Case], Fit] | None
) -> tuple[Answer | None, NearFit | None]:
    """Answer a Case as :func:`forecast.engine.evaluate` does, and return the draws behind it.

    Parameters
    ----------
    fit
        What to start from.
    case
        Of the same evidence.
    names
        Quantities of the headline.
    refit
        Makes a refit, if one is needed; with None there is no answer where weights fail.

    Returns
    -------
    tuple
        The answer; and its draws, None where those of ``fit`` will do.
    """
    exact = exactly(fit, case)
    if refit is None and not exact and far(fit, case):
        return None, None
    weights = None if exact else importance(fit, case)
    if weights is None:
        return evaluate([case], base=fit, names=names)[0], None
    if weights.good:
        own = NearFit(fit, "reweighted", weights)
        return _weighed(own, weights, base=fit, case=case, names=names), None
    if refit is None:
        return None, None
    near = moved(fit, case)
    if near is not None and near.weights is not None:
        return _weighed(near, near.weights, base=fit, case=case, names=names), near
    made_fit = refit(case)
    found = wanted(made_fit, case, names=list(dict.fromkeys((*names, *HEADLINE))))
    made_fit = judged(made_fit, found)
    made = summed({name: found[name] for name in names}, made_fit, how="refit")
    return replace(made, pareto_k=weights.pareto_k), NearFit(made_fit, "refit")


def _weighed(
    near: NearFit, weights: Importance, *, base: Fit, case: Case, names: Sequence[str]
) -> Answer:
    """Return the answer of weighted draws, whose errors and verdict are those of ``base``.

    Quantities are computed once for each draw that is chosen, however often it is.
    """
    some, place = np.unique(weights.chosen(case.seed), return_inverse=True)
    found = wanted(taken(near.fit, some), case, names=names)
    made = summed({k: x[place] for k, x in found.items()}, base, how=near.how, ess=weights.ess)
    return replace(made, pareto_k=weights.pareto_k)


def moved(fit: Fit, case: Case) -> NearFit | None:
    """Return moved draws of ``fit`` as those of a Case, None where they cannot be trusted."""
    made = moment_matched(fit, case)
    good = made is not None and made.weights.good
    return NearFit(made.fit, "moment-matched", made.weights) if made is not None and good else None


def of_run(case: Case, beside: Path) -> NearFit | None:
    """Return the draws of a finished, converged run of a Case in the folder ``beside``."""
    drawn = find_drawn(case, beside)
    fit = None if drawn is None else drawn_fit(case, drawn)
    return NearFit(fit, "run") if fit is not None and fit.diagnosis.converged else None
