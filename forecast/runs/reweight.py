"""Variations from Python: a priors file as a Case, another belief in it, a run reweighted."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from forecast.config.load import load_config
from forecast.config.toml import near_miss
from forecast.inference.case import Answer, Case, make_case, with_prior
from forecast.runs.inputs import load_inputs
from models.errors import InputError
from models.priors import FAMILIES

if TYPE_CHECKING:
    from forecast.runs.open import Run


def load_case(priors: str | Path, *, evidence: str | Path | None = None, seed: int = 0) -> Case:
    """Return the Case of a priors file and its evidence: what ``evaluate`` and its like take.

    Parameters
    ----------
    priors, evidence
        As for :func:`forecast.runs.run.run`.
    seed
        Seed of every random number.

    Raises
    ------
    InputError
        If the priors file or a table is at fault.
    """
    return make_case(*load_inputs(priors, evidence=evidence), seed=seed)


def with_belief(case: Case, name: str, **numbers: float) -> Case:
    """Return the Case with other numbers in one belief, whose family stays.

    Parameters
    ----------
    case
        Any Case.
    name
        A belief, as ``gate_tracked``.
    numbers
        Parameters of its family, as ``alpha=2.0, beta=18.0``; those not given stay.

    Raises
    ------
    InputError
        If there is no such belief or parameter, or the numbers are none that the family can have.
    """
    if name not in case.by_name:
        raise InputError(f"{name}: no such belief; {near_miss(name, case.by_name)}")
    prior = case.by_name[name]
    family, values = FAMILIES[prior.dist], prior.values
    for param, number in numbers.items():
        if param not in family.params:
            remedy = f"{prior.dist} has {', '.join(family.params)}"
            raise InputError(f"{name}: found a parameter {param!r}; {remedy}")
        least = "a number above 0" if param in family.positive else "a finite number"
        if not math.isfinite(number) or (param in family.positive and number <= 0.0):
            raise InputError(f"{name}: {param}: found {number!r}; give {least}")
        values[param] = float(number)
    if "lower" in values and not values["lower"] < values["upper"]:
        found = f"lower {values['lower']} and upper {values['upper']}"
        raise InputError(f"{name}: found {found}; give lower below upper")
    changed = replace(prior, params=tuple(values.items()), quantiles=None)
    return with_prior(case, changed)


def reweight(
    run: "Run | str | Path", priors: str | Path, *, names: Sequence[str] | None = None
) -> Answer:
    """Return the Answer of a finished run under other priors, by reweighting its draws.

    Where only beliefs that no likelihood touches differ, its draws need no weights (``exact``).

    Parameters
    ----------
    run
        A run or its folder.
    priors
        A priors file or shipped name, of the run's families. The Answer says its Pareto k: above
        0.7 it is not to be trusted.
    names
        Quantities wanted; all by default, which takes seconds.
    """
    from forecast.inference.evaluate import evaluate, exactly
    from forecast.runs.open import fit_of

    fit, config = fit_of(run), load_config(priors)
    case = replace(fit.case, priors=config.priors, question=config.question)
    how = "exact" if exactly(fit, case) else "reweight"
    return evaluate([case], how=how, base=fit, names=names)[0]
