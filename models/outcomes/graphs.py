"""The graphs of a forecast: what each takes and gives, for one draw.

A :class:`Request` is all that shapes a graph. The inputs are the variables by name (posterior
variables and forecast-only priors), the standard normals of the future, the interventions by year,
and the question; numbers of these are data, so that another cohort, another number of works that
establish a level, or an intervention compiles nothing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.dims import FIRST_YEAR, SIDES, YEARS, Structure
from models.outcomes import milestones, relevance
from models.outcomes.interventions import Do, changes
from models.outcomes.paths import Asked, axis_years, make_paths, with_tails
from models.outcomes.relevance import Shape, cohorts, forecast
from models.outcomes.states import documented_mean, make_states
from models.prior_draws import dims_of
from models.priors import Array
from models.quantities import HEADLINE

MOST = 10
"""Works that ``established_at`` may ask for within one graph; more take a graph of their own."""
USED = ("year", "shock", "group", "level", "world", "task", "agenda", "family", "definition")
"""Dims of the variables that a forecast reads."""
SHARES = (0.6, 0.1)
"""Shares of the work below which a varying input enters a later stage of the headline."""


@dataclass(frozen=True)
class Request:
    """What a graph is of.

    ``kind`` is a name of :data:`GRAPHS`; ``lengths`` are (dim, length) pairs of the variables'
    dims; ``varying`` the variables that change while the others stay.
    """

    kind: str
    shape: Shape
    n_cohorts: int
    lengths: tuple[tuple[str, int], ...]
    varying: tuple[str, ...] = ()


def request_of(
    kind: str,
    *,
    structure: Structure,
    question: Asked,
    varying: Sequence[str] = (),
) -> Request:
    """Return the request for a graph of a question and a structure."""
    shape = Shape(
        n_years=len(axis_years(question.horizon)),
        end=question.horizon - FIRST_YEAR + 1,
        most=max(MOST, question.established_at),
        established_in=question.established_in,
        family_of=tuple(structure.family_of),
        link=structure.link,
    )
    lengths = tuple((dim, len(labels)) for dim, labels in structure.coords().items() if dim in USED)
    n = len(reported(kind, question))
    return Request(kind, shape, n, lengths, tuple(sorted(varying)))


def reported(kind: str, question: Asked) -> tuple[int, ...]:
    """Return the cohorts that a graph is about."""
    return cohorts(question) if kind == "relevance" else (question.cohort,)


def data_of(
    kind: str,
    future: Mapping[str, Array],
    *,
    structure: Structure,
    question: Asked,
    do: Sequence[Do] = (),
) -> dict[str, Array]:
    """Return all inputs of a graph but the variables: by draw the normals, the rest for all."""
    axis, years = axis_years(question.horizon), reported(kind, question)
    n_future = len(axis) - len(YEARS)
    if future["worker_shocks"].shape[-1] < n_future:
        n = future["worker_shocks"].shape[-1] + len(YEARS)
        raise ValueError(f"worker_shocks reach {n} of {len(axis)} years")
    normals = {**future, "worker_shocks": future["worker_shocks"][..., :n_future]}
    return {
        **with_tails(normals, structure.tails),
        **changes(do, years=axis, agendas=structure.agendas),
        "cohorts": np.array([year - FIRST_YEAR for year in years]),
        "asked": np.array(years.index(question.cohort)),
        "established_at": np.array(question.established_at),
    }


class Variables(Mapping[str, Any]):
    """The variables of one draw by name, each made when it is first read."""

    def __init__(self, lengths: Mapping[str, int]) -> None:
        self._lengths, self.read = lengths, dict[str, Any]()

    def __getitem__(self, name: str) -> Any:
        from pytensor.tensor import TensorType

        if name not in self.read:
            shape = tuple(self._lengths[dim] for dim in dims_of(name))
            self.read[name] = TensorType("float64", shape=shape)(name)
        return self.read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.read)

    def __len__(self) -> int:
        return len(self.read)


def build(request: Request) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return inputs and outputs of a graph, by name; inputs that no output needs are left out."""
    from pytensor.graph.traversal import explicit_graph_inputs
    from pytensor.tensor import TensorType

    def inputs(shapes: Mapping[str, tuple[int, ...]], dtype: str = "float64") -> dict[str, Any]:
        return {name: TensorType(dtype, shape=shape)(name) for name, shape in shapes.items()}

    shape, n = request.shape, request.shape.n_years
    by_year = ["tracking_set", "withheld", "delay", "effort_set", "effort_factor"]
    by_year += ["ratio_set", "ratio_factor"]
    agendas = len(shape.family_of)
    v = Variables(dict(request.lengths))
    future = inputs({"worker_shocks": (3, n - len(YEARS)), "new_agenda": (7,)})
    data = inputs(dict.fromkeys(by_year, (n,)))
    data |= inputs({"share_set": (n, agendas), "share_factor": (n, agendas)})
    places = {"cohorts": (request.n_cohorts,), "asked": (), "established_at": ()}
    data |= inputs(places, "int64")
    outputs = GRAPHS[request.kind](v, future, data, shape)
    needed = set(explicit_graph_inputs(list(outputs.values())))
    every = {**v.read, **future, **data}
    return {name: x for name, x in every.items() if x in needed}, outputs


def _relevance(v: Any, future: Any, data: Any, shape: Shape) -> dict[str, Any]:
    return forecast(v, future, data, shape=shape)


def _headline(v: Any, future: Any, data: Any, shape: Shape) -> dict[str, Any]:
    every = forecast(v, future, data, shape=shape)
    return {name: every[name] for name in HEADLINE}


def _levels(v: Any, future: Any, data: Any, shape: Shape) -> dict[str, Any]:
    """Return when levels are established, and works at a level or above.

    Returns
    -------
    dict
        ``established`` (step, year), ``first`` (level, year) the chance of a first work by the end
        of a year, ``enough`` (step, year) P(n_k >= m) of the field, ceilings left out.
    """
    import pytensor.tensor as pt

    paths = make_paths(v, future, data, n_years=shape.n_years)
    yearly = relevance.yearly_works(paths, make_states(paths, shape.link))
    works, weight = v["works_2025"], paths.share[data["cohorts"][0], :-1]
    until = works * pt.cumsum(yearly[:-1, : shape.end].sum(axis=0), axis=0)
    size, m = v["cluster_size"], data["established_at"]
    return {
        "established": relevance.established_by_year(yearly, v, data, shape=shape, weight=weight),
        "first": milestones.first_by_year(works * yearly, works * paths.relative, v),
        "enough": milestones.at_least(until, size, m=m, most=shape.most).T,
    }


def _near(v: Any, future: Any, data: Any, shape: Shape) -> dict[str, Any]:
    """Return what near predictions start from, of the question's cohort.

    Returns
    -------
    dict
        ``state``, P(level, tracking), and ``SIDE_mean``, M of a side, (agenda, tracking, level);
        ``log_workers`` (group,); ``relative``, works for each work of 2025; ``first_works``, the
        chance that the year's works hold one at level k or above, (step,).
    """
    import pytensor.tensor as pt

    paths, at = make_paths(v, future, data, n_years=shape.n_years), data["cohorts"]
    states, year = make_states(paths, shape.link), data["cohorts"][0]
    level, track = states.level[:, year], states.track[:, year]
    works = v["works_2025"] * relevance.yearly_works(paths, states)[:-1, year].sum(axis=0)
    means = {f"{side}_mean": documented_mean(paths, side, at=at)[0] for side in SIDES}
    return means | {
        "state": pt.stack([level * (1.0 - track), level * track], axis=1),
        "log_workers": paths.log_workers[:, year],
        "relative": paths.relative[year],
        "first_works": milestones.established(works, v, m=1, most=1),
    }


GRAPHS: dict[str, Callable[..., dict[str, Any]]] = {
    "relevance": _relevance,
    "headline": _headline,
    "levels": _levels,
    "near": _near,
}
"""Every graph by name."""
