"""What every analysis varies: a Case, and the Answer to it.

The soft rows of forecasts.csv, as the model takes them: see :mod:`models.outcomes.experts`.
"""

import hashlib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from forecast.config.load import Config, ModelOptions, Question, SamplerOptions
from forecast.evidence.arrays import Evidence, to_arrays
from forecast.evidence.load import Tables
from models.dims import FIRST_YEAR, Structure
from models.errors import InputError
from models.outcomes.experts import Expert, logit, scale_of
from models.outcomes.interventions import Do
from models.outcomes.paths import Asked
from models.priors import Prior, families


def experts_of(tables: Tables, weight: float) -> tuple[Expert, ...]:
    """Return the soft rows; those of one cluster share ``weight``, so that it counts once.

    Raises
    ------
    InputError
        If a soft row is about no level, a year before the model's, or another event.
    """
    rows = [row for row in tables.forecasts if row.use == "soft"]
    size = Counter(row.cluster for row in rows)
    return tuple(_expert(row, weight / size[row.cluster]) for row in rows)


def _expert(row: Any, weight: float) -> Expert:
    if not row.level or row.by_year < FIRST_YEAR or row.relation == "other":
        raise InputError(
            f"forecasts.csv {row.row}: found level {row.level}, by_year {row.by_year}, relation "
            f"{row.relation}; a soft row takes level 1 to 7, a year from {FIRST_YEAR} and "
            "relation proxy or stricter: set its use to compare"
        )
    ends = [x for x in (row.low, row.probability, row.high) if x is not None]
    low, high = ends[0], ends[-1]
    return Expert(
        row.row,
        level=row.level,
        year=row.by_year,
        logit=0.5 * float(logit(low) + logit(high)),
        scale=scale_of(low, high),
        bound=row.relation == "stricter",
        weight=weight,
    )


CAPACITY_OF = {
    "workers": "worker_row",
    "lists": "list_row",
    "fte": "fte_row",
    "diagnosis": "diagnosis_row",
    "lags": "lag_row",
    "cells": "cell",
    "ratings": "rating",
}
"""Dim of the rows of each table of evidence arrays."""


@dataclass(frozen=True)
class Case:
    """Everything that an answer follows from; a variation is a Case with some fields replaced.

    Hashable: the evidence hashes by its content.
    """

    priors: tuple[Prior, ...]
    evidence: Evidence
    question: Question
    model: ModelOptions
    sampler: SamplerOptions
    seed: int = 0
    do: tuple[Do, ...] = ()
    experts: tuple[Expert, ...] = ()

    @property
    def by_name(self) -> dict[str, Prior]:
        """Priors by name."""
        return {prior.name: prior for prior in self.priors}

    @property
    def asked(self) -> Asked:
        """The question in the form that the generated quantities take."""
        return Asked(
            self.question.cohort,
            self.question.horizon,
            self.model.established_at,
            self.model.established_in,
        )


@dataclass(frozen=True)
class Answer:
    """Draws of each quantity, and how they were obtained.

    ``how`` is ``exact`` (same draws, forecast-only change), ``reweighted``, ``moment-matched``
    (draws moved, then weighted) or ``refit``; ``pareto_k`` is that of the importance weights (nan
    where none were tried; above 0.7 it is why a refit was needed). ``ess`` is the least effective
    number of draws, ``r_hat`` the largest R-hat and ``converged`` the verdict on the fit that
    the draws come from.
    """

    quantities: dict[str, np.ndarray]
    mcse: dict[str, float]
    how: str
    pareto_k: float
    ess: float
    r_hat: float
    converged: bool


def make_case(config: Config, tables: Tables, *, seed: int = 0) -> Case:
    """Return the Case of a priors file and its evidence."""
    return Case(
        config.priors,
        to_arrays(tables),
        config.question,
        config.model,
        config.sampler,
        seed=seed,
        experts=experts_of(tables, config.evidence.expert_weight),
    )


def structure_of(case: Case) -> Structure:
    """Return what forces a compilation: families of priors, options, labels and capacities."""
    evidence, labels = case.evidence, case.evidence.labels
    lengths = ((dim, _rows(evidence.arrays[table])) for table, dim in CAPACITY_OF.items())
    return Structure(
        families=families(case.by_name),
        link=case.model.link,
        tails=case.model.tails,
        agendas=labels["agenda"],
        family_of=evidence.family_of,
        agenda_families=labels["family"],
        definitions=labels["definition"],
        lists=labels["list"],
        studies=labels["study"],
        raters=labels["rater"],
        kind_of=evidence.kind_of,
        kinds=labels["kind"],
        capacities=tuple(lengths),
    )


def _rows(table: dict[str, np.ndarray]) -> int:
    return len(next(iter(table.values())))


def with_prior(case: Case, prior: Prior) -> Case:
    """Return the Case with one prior replaced by another of the same name."""
    return replace(case, priors=tuple(prior if p.name == prior.name else p for p in case.priors))


def differing(one: Case, other: Case) -> tuple[str, ...]:
    """Return the names of the beliefs of which two Cases say different things."""
    theirs = other.by_name
    return tuple(
        p.name
        for p in one.priors
        if (p.dist, p.params) != (theirs[p.name].dist, theirs[p.name].params)
    )


def mixed(one: Case, other: Case, *, names: Collection[str]) -> Case:
    """Return the first Case with the named beliefs as in the other."""
    theirs = other.by_name
    priors = tuple(theirs[p.name] if p.name in names else p for p in one.priors)
    return replace(one, priors=priors)


def with_arrays(case: Case, table: str, **columns: np.ndarray) -> Case:
    """Return the Case with some evidence arrays of a table replaced, weights above all."""
    arrays = {name: dict(cols) for name, cols in case.evidence.arrays.items()}
    arrays[table] |= columns
    return replace(case, evidence=replace(case.evidence, arrays=arrays))


def asked_options(case: Case) -> dict[str, object]:
    """Return the options that say what is asked: model, question, weight of forecasts by others."""
    weight = sum(expert.weight for expert in case.experts)
    return vars(case.model) | vars(case.question) | {"expert_weight": weight}


def digest(*parts: object) -> str:
    """Return the SHA-256 of values whose ``repr`` is exact (text, numbers, tuples, dataclasses)."""
    whole = hashlib.sha256()
    for part in parts:
        whole.update(repr(part).encode())
        whole.update(b"\0")
    return whole.hexdigest()
