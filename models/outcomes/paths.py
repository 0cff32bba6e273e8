"""Paths: what is asked, what is done, and every term of the forecast by agenda and year.

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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special, stats

from models.components import faults, maturity, output, spillover, tracking, workers
from models.dims import FIRST_YEAR, LAST_YEAR, YEARS, Structure
from models.errors import InputError
from models.ops import NumPy
from models.outcomes.interventions import Do, check_agendas, level, on_log, with_set_shares
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
"""What the standard normals of ``future['new_agenda']`` stand for, in order."""


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


@dataclass(frozen=True)
class Paths:
    """Every term by draw, with agendas the listed ones and then the new one.

    ``log_workers`` (draw, group, year), ``effort``, ``trend`` and ``works`` (draw, year), ``share``
    (draw, year, agenda), ``diagnosed`` (draw, level). By year and done: ``tracking_set``, a chance
    or NaN; ``withheld``, the share of capabilities uses prevented; ``delay``, years until others
    can use a work. The rest are terms by sub-model.
    """

    years: tuple[int, ...]
    log_workers: Array
    effort: Array
    trend: Array
    works: Array
    share: Array
    diagnosed: Array
    tracking_set: Array
    withheld: Array
    delay: Array
    maturity: dict[str, Array]
    tracking: dict[str, Array]
    spillover: dict[str, Array]


def axis_years(horizon: int) -> tuple[int, ...]:
    """Return the years of the forecast's axis: the fixed axis, and on to the horizon."""
    return tuple(range(FIRST_YEAR, max(horizon, LAST_YEAR) + 1))


def forecast_years(horizon: int) -> tuple[int, ...]:
    """Return the coordinate ``forecast_year``: from the first year to the horizon."""
    return tuple(range(FIRST_YEAR, horizon + 1))


def make_paths(
    draws: Mapping[str, Array],
    future: Mapping[str, Array],
    *,
    structure: Structure,
    horizon: int,
    do: Sequence[Do] = (),
) -> Paths:
    """Return the paths of every draw.

    Parameters
    ----------
    draws
        Posterior (or prior) draws by name, each with a leading draw axis.
    future
        Standard normals: ``worker_shocks`` (draw, group, future year) with a year for each after
        2026 up to the horizon or more, ``new_agenda`` (draw, :data:`NEW_AGENDA`).
    do
        Interventions; see :class:`models.outcomes.interventions.Do`.
    """
    years = axis_years(horizon)
    undisturbed = worker_paths(draws, future["worker_shocks"], years=years)
    size = _workers_done(undisturbed, years, do=do)
    relative = _relative_output(draws["output_elasticity"], size, undisturbed=undisturbed)
    n_future = len(years) - len(YEARS)
    late = tracking.future_trend(draws["tracking_damping"], n_future)
    early = np.broadcast_to(tracking.YEARS_FROM_CENTRE, (len(late), len(YEARS)))
    paths = Paths(
        years=years,
        log_workers=size,
        effort=maturity.effort_from_draws(size),
        trend=np.concatenate([early, late], axis=-1),
        works=draws["works_2025"][:, None] * relative,
        share=_shares(draws, future["new_agenda"], structure=structure, years=years, do=do),
        diagnosed=faults.diagnosed(NumPy, fault_shares(draws), practice_rates(draws)),
        tracking_set=level("tracking", years, do=do, none=np.nan),
        withheld=level("withhold", years, do=do, none=0.0),
        delay=level("delay", years, do=do, none=0.0),
        maturity=maturity.from_draws(draws),
        tracking=tracking.from_draws(draws),
        spillover=spillover.from_draws(draws),
    )
    return _with_new_agenda(paths, draws, new=future["new_agenda"], tails=structure.tails)


def worker_paths(draws: Mapping[str, Array], shocks: Array, *, years: Sequence[int]) -> Array:
    """Return log workers of the axis and after; dims (draw, group, year)."""
    log_size = workers.workers_from_draws(draws)
    scaled = draws["worker_shock_sd"][:, None, None] * shocks[..., : len(years) - len(YEARS)]
    log_size = workers.future_log_workers(log_size, damping=draws["worker_damping"], shocks=scaled)
    if log_size.shape[-1] != len(years):
        raise ValueError(f"worker_shocks reach {log_size.shape[-1]} of {len(years)} years")
    return log_size


def _workers_done(log_size: Array, years: Sequence[int], *, do: Sequence[Do]) -> Array:
    """Return log workers after interventions; a ratio is met by the number on capabilities."""
    out = log_size.copy()
    people, beside = maturity.INTERPRETABILITY, log_size[:, spillover.ALIGNMENT]
    out[:, people] = on_log(log_size[:, people], "effort", years=years, do=do)
    capabilities = log_size[:, spillover.CAPABILITIES]
    out[:, spillover.CAPABILITIES] = on_log(capabilities, "ratio", years=years, do=do, base=beside)
    return out


def _relative_output(elasticity: Array, log_size: Array, *, undisturbed: Array) -> Array:
    """Return works by year, as a multiple of those of 2025 had nothing been done by then."""
    people, before = (x[:, maturity.INTERPRETABILITY] for x in (log_size, undisturbed))
    change = people[:, output.REFERENCE] - before[:, output.REFERENCE]
    relative = output.relative_output(NumPy, people, elasticity)
    return np.asarray(relative * np.exp(elasticity * change)[:, None])


def fault_shares(draws: Mapping[str, Array]) -> Array:
    """Return the shares of the fault worlds; dims (draw, world)."""
    learned, none = draws["fault_learned_share"], draws["fault_no_learning"]
    return np.asarray(faults.world_shares(NumPy, learned, none))


def practice_rates(draws: Mapping[str, Array]) -> Array:
    """Return the diagnosis rate in practice; dims (draw, world, task)."""
    return np.asarray(faults.rates(NumPy, faults.diagnosis_from_draws(draws)))


def _shares(
    draws: Mapping[str, Array],
    new: Array,
    *,
    structure: Structure,
    years: Sequence[int],
    do: Sequence[Do],
) -> Array:
    """Return shares of works, (draw, year, agenda): the listed add to 1; the new one's is last.

    Where nothing is done to them they are the same in all years.
    """
    every, done = len(years), any(act.key.startswith("share.") for act in do)
    years = years if done else years[:1]
    agendas = structure.agendas
    check_agendas(do, agendas)
    sd = draws["agenda_share_sd"][:, None]
    bigger, none = [act for act in do if act.times], np.zeros(len(years))
    shift = [on_log(none, f"share.{agenda}", years=years, do=bigger) for agenda in agendas]
    size = (sd * draws["agenda_share_z"])[:, None, :] + np.stack(shift, axis=-1)
    one_more = np.broadcast_to((sd * _column(new, "share"))[:, None, :], (len(size), len(years), 1))
    together = output.agenda_shares(np.concatenate([size, one_more], axis=-1))
    listed = with_set_shares(output.agenda_shares(size), agendas, years=years, do=do)
    share = np.concatenate([listed, together[..., -1:]], axis=-1)
    return np.broadcast_to(share, (len(share), every, share.shape[-1]))


def _column(new: Array, name: str) -> Array:
    i = NEW_AGENDA.index(name)
    return new[:, i : i + 1]


def _heavy(z: Array, tails: str) -> Array:
    """Return standard normals as the structure's tails have them (Student's t, 4 degrees)."""
    return z if tails == "normal" else np.asarray(stats.t.ppf(special.ndtr(z), 4))


def _with_new_agenda(paths: Paths, draws: Mapping[str, Array], *, new: Array, tails: str) -> Paths:
    def add(terms: dict[str, Array], **more: Array) -> dict[str, Array]:
        return terms | {k: np.concatenate([terms[k], v], axis=-1) for k, v in more.items()}

    def scaled(sd: str, name: str) -> Array:
        return draws[sd][:, None] * _column(new, name)

    theta = scaled("maturity_family_sd", "maturity_family")
    theta = theta + draws["maturity_agenda_sd"][:, None] * _heavy(
        _column(new, "maturity_agenda"), tails
    )
    slope = draws["effort_slope"][:, None] + scaled("effort_slope_sd", "effort_slope")
    track = draws["tracking_agenda_sd"][:, None] * _heavy(_column(new, "tracking"), tails)
    use = {
        f"{side}_agenda": scaled(f"{side}_agenda_sd", side)
        for side in ("capabilities", "alignment")
    }
    return replace(
        paths,
        maturity=add(paths.maturity, agenda=theta, slope=slope),
        tracking=add(paths.tracking, agenda=track),
        spillover=add(paths.spillover, **use),
    )
