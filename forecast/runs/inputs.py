"""What a user gives: a priors file and its evidence, the Case that they make, changes to it."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from forecast.config.load import Config, SamplerOptions, load_config
from forecast.config.schema import SamplerTable
from forecast.config.toml import near_miss
from forecast.evidence.load import Tables, find_evidence, load_tables
from forecast.inference.case import Case, make_case, with_prior
from models.errors import InputError
from models.priors import FAMILIES


@dataclass(frozen=True)
class Job:
    """One run: its inputs, the hash that names it, and whether a report is wanted."""

    config: Config
    tables: Tables
    case: Case
    hash: str
    report: bool


def load_inputs(priors: str | Path, *, evidence: str | Path | None = None) -> tuple[Config, Tables]:
    """Read the priors file and the evidence tables, before anything that costs time.

    Parameters
    ----------
    priors
        Path or shipped name.
    evidence
        Folder of tables; else the one the priors file names, else the shipped one.
    """
    config = load_config(priors)
    folder = evidence if evidence is not None else config.evidence.path
    path = find_evidence(Path(folder) if folder is not None else None)
    return config, load_tables(path, off=config.evidence.off)


def with_options(sampler: SamplerOptions, **given: Any) -> SamplerOptions:
    """Return sampler options with those that are given (None is not), as a priors file may state.

    Raises
    ------
    InputError
        If one is out of its range; the native sampler would crash on some.
    """
    options = replace(sampler, **{name: x for name, x in given.items() if x is not None})
    try:
        SamplerTable(**vars(options))
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        name, remedy = str(fault["loc"][0]), fault["msg"][:1].lower() + fault["msg"][1:]
        raise InputError(f"{name}: found {getattr(options, name)!r}; {remedy}") from None
    return options


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
        ends = f"lower {values['lower']} and upper {values['upper']}"
        raise InputError(f"{name}: found {ends}; give lower below upper")
    changed = replace(prior, params=tuple(values.items()), quantiles=None)
    return with_prior(case, changed)
