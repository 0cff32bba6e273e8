"""Paths: every term of the forecast of one draw by agenda and year.

The forecast goes on with the terms of the sub-models after the evidence closes:

- workers by damped growth with a shock a year
(:func:`models.components.workers.future_log_workers`), hence
  effort, output and the ratio :math:`l(t)`; tracking by a damped trend;
- known cases and year effects are off: a forecast is about works of the sampled population;
- one *new agenda* stands after the listed ones. Its family and agenda effects are drawn anew from
  the pools, around the mean that the listed agendas' zero-sum effects leave at zero; it is its own
  family, and its share is that of one more draw from the pool of sizes. It adds
  nothing to the field, whose shares are those of the listed agendas.

Interventions (:mod:`models.outcomes.interventions`) change works of their year and later. Source:
the sub-models' own docstrings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special, stats

from models.components import faults, maturity, output, spillover, tracking, workers
from models.dims import FIRST_YEAR, LAST_YEAR, YEARS
from models.errors import InputError
from models.ops import graph
from models.priors import Array

UNITS = ("field", "family", "agenda")
"""Where a level can be established."""
NEW_AGENDA = (
    "maturity_family",
    "maturity_agenda",
    "effort_slope",
    "tracking",
    "capabilities",
    "alignment",
    "share",
)
"""What the numbers of ``future['new_agenda']`` stand for, in order."""
HEAVY = ("maturity_agenda", "tracking")
"""Those of them that the structure's tails are about."""


@dataclass(frozen=True)
class Asked:
    """Works of the year ``cohort`` at the end of ``horizon``.

    A level is established once ``established_at`` works have it in ``established_in`` (field,
    family or agenda).
    """

    cohort: int
    horizon: int
    established_at: int
    established_in: str

    def __post_init__(self) -> None:
        if not FIRST_YEAR <= self.cohort <= self.horizon:
            raise InputError(
                f"question: found cohort {self.cohort}, horizon {self.horizon}; "
                f"make {FIRST_YEAR} <= cohort <= horizon"
            )
        if self.established_in not in UNITS:
            raise InputError(
                f"established_in: found {self.established_in!r}; use one of {', '.join(UNITS)}"
            )


def axis_years(horizon: int) -> tuple[int, ...]:
    """Return the years of the forecast's axis: the fixed axis, and on to the horizon."""
    return tuple(range(FIRST_YEAR, max(horizon, LAST_YEAR) + 1))


def forecast_years(horizon: int) -> tuple[int, ...]:
    """Return the coordinate ``forecast_year``: from the first year to the horizon."""
    return tuple(range(FIRST_YEAR, horizon + 1))


def with_tails(future: Mapping[str, Array], tails: str) -> dict[str, Array]:
    """Return normals of the future, those of :data:`HEAVY` as Student's t, 4 degrees, if asked."""
    if tails == "normal":
        return dict(future)
    new = np.array(future["new_agenda"])
    at = [NEW_AGENDA.index(name) for name in HEAVY]
    new[..., at] = stats.t.ppf(special.ndtr(new[..., at]), 4)
    return {**future, "new_agenda": new}


@dataclass(frozen=True)
class Paths:
    """Every term of one draw, with agendas the listed ones and then the new one.

    ``log_workers`` (group, year), ``effort``, ``trend`` and ``relative``, works for each work of
    2025 (year,), ``share`` (year, agenda). By year and done: ``tracking_set``, a chance or NaN;
    ``withheld``, the share of capabilities uses prevented; ``delay``, years until others can use a
    work. The rest are terms by sub-model.
    """

    log_workers: Any
    effort: Any
    trend: Any
    relative: Any
    share: Any
    tracking_set: Any
    withheld: Any
    delay: Any
    maturity: dict[str, Any]
    tracking: dict[str, Any]
    spillover: dict[str, Any]
    faults: dict[str, Any]


def make_paths(
    v: Mapping[str, Any], future: Mapping[str, Any], do: Mapping[str, Any], *, n_years: int
) -> Paths:
    """Return the paths of one draw.

    Parameters
    ----------
    v
        Variables by name.
    future
        Standard normals ``worker_shocks`` (group, future year) and ``new_agenda``
        (:data:`NEW_AGENDA`).
    do
        Interventions by year (:mod:`models.outcomes.interventions`).
    n_years
        Years of the axis.
    """
    import pytensor.tensor as pt

    xp, n_future = graph(), n_years - len(YEARS)
    before = worker_paths(v, future["worker_shocks"], n_future=n_future)
    size = _workers_done(before, do)
    late = tracking.future_trend(xp, v["tracking_damping"], n_future)
    new = future["new_agenda"]
    return Paths(
        log_workers=size,
        effort=maturity.effort(xp, size[maturity.INTERPRETABILITY]),
        trend=pt.concatenate([tracking.YEARS_FROM_CENTRE, late]),
        relative=_relative_output(v["output_elasticity"], size, before=before),
        share=_shares(v, _part(new, "share"), do),
        tracking_set=do["tracking_set"],
        withheld=do["withheld"],
        delay=do["delay"],
        **_with_new_agenda(v, new),
    )


def worker_paths(v: Mapping[str, Any], shocks: Any, *, n_future: int) -> Any:
    """Return log workers of the axis and after; dims (group, year)."""
    observed = workers.terms(graph(), v)["log_workers"]
    scaled = v["worker_shock_sd"] * shocks[:, :n_future]
    return workers.future_log_workers(
        graph(), observed, damping=v["worker_damping"], shocks=scaled, n=n_future
    )


def on_log(x: Any, do: Mapping[str, Any], key: str, *, base: Any = 0.0) -> Any:
    """Return the log of a quantity by year after what is done to it; dims (year,)."""
    import pytensor.tensor as pt

    stated = do[f"{key}_set"]
    return pt.switch(pt.isnan(stated), x, base + stated) + do[f"{key}_factor"]


def _workers_done(log_size: Any, do: Mapping[str, Any]) -> Any:
    """Return log workers after interventions; a ratio is met by the number on capabilities."""
    import pytensor.tensor as pt

    rows = [log_size[g] for g in range(3)]
    people, cap = maturity.INTERPRETABILITY, spillover.CAPABILITIES
    rows[people] = on_log(rows[people], do, "effort")
    rows[cap] = on_log(rows[cap], do, "ratio", base=rows[spillover.ALIGNMENT])
    return pt.stack(rows)


def _relative_output(elasticity: Any, log_size: Any, *, before: Any) -> Any:
    """Return works by year, as a multiple of those of 2025 had nothing been done by then."""
    xp, people = graph(), maturity.INTERPRETABILITY
    change = log_size[people, output.REFERENCE] - before[people, output.REFERENCE]
    return output.relative_output(xp, log_size[people], elasticity) * xp.exp(elasticity * change)


def _shares(v: Mapping[str, Any], new: Any, do: Mapping[str, Any]) -> Any:
    """Return shares of works, (year, agenda): the listed add to 1; the new one's is last."""
    import pytensor.tensor as pt

    sd = v["agenda_share_sd"]
    size, one_more = sd * v["agenda_share_z"], sd * new
    top = pt.maximum(size.max(), one_more)
    weight = pt.exp(size - top) * do["share_factor"]
    total, extra = weight.sum(axis=1), pt.exp(one_more - top)
    listed = _with_set_shares(weight / total[:, None], do["share_set"])
    return pt.concatenate([listed, (extra / (total + extra))[:, None]], axis=1)


def _with_set_shares(share: Any, stated: Any) -> Any:
    """Return shares (year, agenda) with those that are set; the others keep their ratios."""
    import pytensor.tensor as pt

    free = pt.isnan(stated)
    rest = pt.switch(free, share, 0.0)
    left = 1.0 - pt.switch(free, 0.0, stated).sum(axis=1)
    total, is_set = rest.sum(axis=1), pt.invert(free).any(axis=1)
    scale = pt.switch(is_set & (total > 0.0), left / total, 1.0)
    return pt.switch(free, rest * scale[:, None], stated)


def _part(new: Any, name: str) -> Any:
    return new[NEW_AGENDA.index(name)]


def _with_new_agenda(v: Mapping[str, Any], new: Any) -> dict[str, dict[str, Any]]:
    """Return the terms of maturity, tracking, spillover and faults, the new agenda last."""
    import pytensor.tensor as pt

    xp = graph()

    def scaled(sd: str, name: str) -> Any:
        return v[sd] * _part(new, name)

    def add(terms: dict[str, Any], **more: Any) -> dict[str, Any]:
        return terms | {k: pt.concatenate([terms[k], x[None]]) for k, x in more.items()}

    theta = scaled("maturity_family_sd", "maturity_family")
    theta = theta + scaled("maturity_agenda_sd", "maturity_agenda")
    slope = v["effort_slope"] + scaled("effort_slope_sd", "effort_slope")
    use = {
        f"{side}_agenda": scaled(f"{side}_agenda_sd", side)
        for side in ("capabilities", "alignment")
    }
    return {
        "maturity": add(maturity.terms(xp, v), agenda=theta, slope=slope),
        "tracking": add(tracking.terms(xp, v), agenda=scaled("tracking_agenda_sd", "tracking")),
        "spillover": add(spillover.terms(xp, v), **use),
        "faults": faults.terms(xp, v),
    }
