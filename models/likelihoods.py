"""Simulators of the standard likelihoods, each ``(rng, *params)`` as its log density takes them.

Where evidence enters: seven weighted likelihoods, each a CustomDist with its simulator.

A row's weight multiplies its log probability: 0 pads, masks or leaves out, a count collapses equal
rows. One formula serves the graph, the saved ``log_likelihood`` and the tests, since ``params`` and
``logp`` take either kind of array (:mod:`models.ops`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from models.components import faults, maturity, output, spillover, states, workers
from models.dims import Structure
from models.ops import NumPy
from models.priors import Array
from models.ratings import formula as ratings
from models.ratings import simulate as ratings_random
from models.ratings.formula import ordering


def negative_binomial_random(rng: np.random.Generator, mean: Array, size: Array) -> Array:
    """Simulate counts of mean ``mean`` and variance mean + mean^2 / size."""
    return rng.poisson(rng.gamma(size, mean / size)).astype(float)


def normal_random(rng: np.random.Generator, mean: Array, sd: Array) -> Array:
    """Simulate normal figures."""
    return rng.normal(mean, sd)


def beta_binomial_random(rng: np.random.Generator, total: Array, a: Array, b: Array) -> Array:
    """Simulate overdispersed counts out of ``total``."""
    p = rng.beta(*np.broadcast_arrays(a, b, total)[:2])
    return rng.binomial(total.astype(int), p).astype(float)


ORDER = "order"
"""Column of the ratings that graphs alone have: :func:`models.ratings.formula.ordering`."""
N_RATINGS = len(states.TERMS) + len(ratings.TERMS) + 2
"""Parameters of the ratings without it."""


@dataclass(frozen=True)
class Likelihood:
    """One observed variable.

    ``params(xp, parts, data, structure=...)`` gives the distribution's parameters from the terms of
    the sub-models; ``logp(xp, value, *params)`` the log probability of each row;
    ``random(rng, *params)`` simulated values; ``signature`` the core dims of each parameter.
    ``total(value, weight, *params)``, if there is one, gives the graph of the weighted sum at once.
    """

    name: str
    table: str
    params: Callable[..., tuple[Any, ...]]
    logp: Callable[..., Any]
    random: Callable[..., np.ndarray]
    signature: str
    dtype: str = "float64"
    total: Callable[..., Any] | None = None


def _workers(xp: Any, parts: Any, data: Any, *, structure: Structure) -> tuple[Any, ...]:
    term, rows = parts["workers"], data["workers"]
    centre = workers.figure_centre(xp, term["log_workers"], term["offsets"], data=rows)
    scale = workers.figure_scale(xp, term["error"], rows)
    return centre, scale, rows["bound"], rows["threshold"]


def _lists(xp: Any, parts: Any, data: Any, *, structure: Structure) -> tuple[Any, ...]:
    term, size = parts["output"], parts["workers"]["log_workers"]
    relative = output.relative_output(
        xp, size[..., maturity.INTERPRETABILITY, :], term["elasticity"]
    )
    mean = output.list_mean(relative, term["level"], data=data["lists"])
    return mean, term["dispersion"][..., None]


def _fte(xp: Any, parts: Any, data: Any, *, structure: Structure) -> tuple[Any, ...]:
    term, rows = parts["output"], data["fte"]
    centre = term["fte_level"][..., None] + term["size"][..., rows["agenda"]]
    return centre, output.fte_scale(xp, term["fte_error"], rows["spread"])


def _mixed(xp: Any, parts: Any, data: Any, *, structure: Structure) -> tuple[Any, ...]:
    p, size = (parts["faults"][name][..., None] for name in ("mixed", "study"))
    total = data["studies"]["total"]
    return total, p * size, (1.0 - p) * size


def _found(xp: Any, parts: Any, data: Any, *, structure: Structure) -> tuple[Any, ...]:
    term = parts["faults"]
    rate = faults.row_rates(xp, term["diagnosis"], data["diagnosis"])
    c = term["concentration"][..., None]
    return data["diagnosis"]["total"], rate * c, (1.0 - rate) * c


def _lags(xp: Any, parts: Any, data: Any, *, structure: Structure) -> tuple[Any, ...]:
    term, rows = parts["spillover"], data["lags"]
    return term["lag"][..., rows["side"]], term["slip"][..., None], rows["age"], rows["cells"]


def _ratings(xp: Any, parts: Any, data: Any, *, structure: Structure) -> tuple[Any, ...]:
    terms, rows = states.cell_terms(xp, parts, data["cells"]), data["ratings"]
    raters = (parts["raters"][name] for name in ratings.TERMS)
    of_rows = (rows[name] for name in ("cell", "asked", ORDER) if name in rows)
    return *(terms[name] for name in states.TERMS), *raters, *of_rows


def _from_states(xp: Any, params: Sequence[Any], *, link: str) -> tuple[Any, ...]:
    """Return the parameters of ``row_logp`` from those of the likelihood."""
    n = len(states.TERMS)
    terms = dict(zip(states.TERMS, params[:n], strict=True))
    state, unused = states.states_of(xp, terms, link=link)
    return state, *unused, *params[n:]


def _ratings_logp(xp: Any, value: Any, *params: Any, structure: Structure) -> Any:
    params = _from_states(xp, params, link=structure.link)
    return ratings.row_logp(xp, value, *params, kind_of=structure.kind_of)


def _ratings_random(rng: np.random.Generator, *params: Any, structure: Structure) -> np.ndarray:
    params = _from_states(NumPy, params[:N_RATINGS], link=structure.link)
    return ratings_random.row_random(rng, *params, kind_of=structure.kind_of)


def _ratings_total(value: Any, weight: Any, *params: Any, structure: Structure) -> Any:
    """Return the weighted sum as one node, in place of the hundreds of ``_ratings_logp``."""
    from models.ops import graph
    from models.ratings.op import WeightedRatings, weighted_ratings

    theta, step, *terms, _, _, order = params
    logits = maturity.inverse_link(graph(), structure.link, step)
    op = WeightedRatings(structure.kind_of, len(structure.kinds), link=structure.link)
    return weighted_ratings((theta, logits, *terms, order, value, weight), op)


COUNTS_AND_FIGURES = (
    Likelihood(
        "worker_figures",
        "workers",
        _workers,
        workers.figure_logp,
        workers.figure_random,
        "(i),(i),(i),(i),(i)->(i)",
    ),
    Likelihood(
        "list_counts",
        "lists",
        _lists,
        output.negative_binomial_logp,
        negative_binomial_random,
        "(i),(o),(i)->(i)",
    ),
    Likelihood(
        "fte_figures",
        "fte",
        _fte,
        output.normal_logp,
        normal_random,
        "(i),(i),(i)->(i)",
    ),
    Likelihood(
        "mixed_faults",
        "studies",
        _mixed,
        faults.beta_binomial_logp,
        beta_binomial_random,
        "(i),(o),(o),(i)->(i)",
    ),
    Likelihood(
        "found_faults",
        "diagnosis",
        _found,
        faults.beta_binomial_logp,
        beta_binomial_random,
        "(i),(i),(i),(i)->(i)",
    ),
    Likelihood(
        "use_lags",
        "lags",
        _lags,
        spillover.lag_logp,
        spillover.lag_random,
        "(i),(o),(i),(i),(i)->(i)",
    ),
)
"""Every observed variable but the ratings, in order."""


def likelihoods(structure: Structure) -> tuple[Likelihood, ...]:
    """Return every observed variable, in order."""
    rated = Likelihood(
        "ratings",
        "ratings",
        _ratings,
        partial(_ratings_logp, structure=structure),
        partial(_ratings_random, structure=structure),
        "(c),(t),(o),(c),(k),(c),(k),(),(),(c),(c),(k),(),(),(c),"
        "(q),(q),(q,v),(q,v),(),(r),(r),(r),(r,v),(r,v),(),(),(i),(i,a),(p),(i)->(i,a)",
        dtype="int64",
        total=partial(_ratings_total, structure=structure),
    )
    return (*COUNTS_AND_FIGURES, rated)


def with_order(arrays: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the evidence arrays with the order in which the graph's kernel takes the ratings."""
    rows, n = arrays["ratings"], len(arrays["cells"]["year"])
    order = ordering(rows["cell"], rows["value"], weight=rows["weight"], n_cells=n)
    return {**arrays, "ratings": {**rows, ORDER: order}}


def add_evidence(
    parts: Mapping[str, Any], data: Mapping[str, Any], *, structure: Structure
) -> None:
    """Add the observed variables to the model in context."""
    import pymc as pm
    import pytensor.tensor as pt

    from models.ops import graph

    xp = graph()
    for like in likelihoods(structure):
        params = like.params(xp, parts, data, structure=structure)
        pm.CustomDist(
            like.name,
            *(pt.as_tensor_variable(p) for p in params),
            data[like.table]["weight"],
            logp=_weighted(like, xp),
            random=_simulator(like),
            signature=like.signature,
            dtype=like.dtype,
            observed=data[like.table]["value"],
            class_name=like.name.title().replace("_", ""),
        )


def _weighted(like: Likelihood, xp: Any) -> Callable[..., Any]:
    def logp(value: Any, *params: Any) -> Any:
        if like.total is not None:
            return like.total(value, params[-1], *params[:-1])
        return (params[-1] * like.logp(xp, value, *params[:-1])).sum()

    return logp


def _simulator(like: Likelihood) -> Callable[..., Any]:
    def random(*params: Any, rng: np.random.Generator, size: Any = None) -> np.ndarray:
        return like.random(rng, *params[:-1])

    return random
