"""Forecasts by others as importance weights on the draws of a fit, and beside what it says.

A level established by a year rests on beliefs that are not sampled (ceilings, clusters, number of
works), so the penalty cannot enter the sampler: it weighs the draws, each paired with its
forecast-only priors. The worker paths up to an expert's year are draws of their own, so that the
weight does not depend on the horizon that is asked about.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from forecast.case import Case
from forecast.forward import Draws, all_draws, future
from forecast.sampling import Fit
from models.experts import READS, penalty, reached_by


def soft_part(case: Case) -> tuple[Any, ...]:
    """Return what the weights follow from besides sampled draws; empty if nothing weighs."""
    if not any(expert.weight for expert in case.experts):
        return ()
    read = tuple(prior for prior in case.priors if prior.name in READS)
    return (case.experts, read, case.model.established_at, case.model.established_in)


def asked_of(case: Case) -> Case:
    """Return the Case with the experts' latest year for horizon."""
    last = max(expert.year for expert in case.experts)
    question = replace(case.question, horizon=last, cohort=min(case.question.cohort, last))
    return replace(case, question=question)


def reached(fit: Fit, case: Case) -> np.ndarray:
    """Return the model's chance of each expert's event, dims (draw, expert).

    That of the fit's own Case is kept with it: every changed Case is held against it.
    """
    if case is fit.case and "reached" in fit.held:
        return fit.held["reached"]
    later = future(fit, asked_of(case))
    found = reached_from(all_draws(fit, case), later, fit=fit, case=case)
    if case is fit.case:
        fit.held["reached"] = found
    return found


def reached_from(draws: Draws, later: Draws, *, fit: Fit, case: Case) -> np.ndarray:
    """Return the same from draws of every variable, and normals that reach the experts' years."""
    structure, asked = fit.compiled.structure, asked_of(case).asked
    return reached_by(draws, later, structure=structure, question=asked, experts=case.experts)


def log_weights(fit: Fit, case: Case) -> np.ndarray:
    """Return what the experts of ``case`` weigh at each draw, as a logarithm."""
    if not soft_part(case):
        return np.zeros(fit.n)
    return penalty(reached(fit, case), case.experts)


def soft_ratio(fit: Fit, case: Case) -> np.ndarray:
    """Return the log weights of ``case`` less those that the fit's draws bear already."""
    if soft_part(case) == soft_part(fit.case):
        return np.zeros(fit.n)
    return log_weights(fit, case) - log_weights(fit, fit.case)
