r"""Paths: what is asked, what is done, and every term of the forecast by agenda and year.

The forecast goes on with the terms of the sub-models after the evidence closes:

- workers by damped growth with a shock a year (:func:`models.workers.future_log_workers`), hence
  effort, output and the ratio :math:`l(t)`; tracking by a damped trend;
- known cases and year effects are off: a forecast is about works of the sampled population;
- one *new agenda* stands after the listed ones. Its family and agenda effects are drawn anew from
  the pools, around the mean that the listed agendas' zero-sum effects leave at zero; it is its own
  family, and its share is that of one more draw from the pool of sizes. It adds
  nothing to the field, whose shares are those of the listed agendas.

An intervention (:class:`Do`) changes works of its year and later: it multiplies the ratio of
workers, the number of interpretability workers, the capabilities uses or an agenda's size, or sets
the chance of tracking. Source: the sub-models' own docstrings.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special, stats

from models import faults, maturity, output, spillover, tracking, workers
from models.errors import InputError
from models.ops import NumPy
from models.prior import Array
from models.structure import FIRST_YEAR, LAST_YEAR, YEARS, Structure

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
DO_KEYS = ("worker_ratio", "interpretability_workers", "capabilities_use", "tracking")
"""What can be done, besides ``share.AGENDA``."""


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
class Do:
    """An intervention on works of the year ``since`` and later.

    ``value`` is a factor, but for ``tracking``, which it sets to a chance.
    """

    key: str
    value: float
    since: int

    def __post_init__(self) -> None:
        if self.key not in DO_KEYS and not self.key.startswith("share."):
            known = ", ".join((*DO_KEYS, "share.AGENDA"))
            raise InputError(f"do: no key {self.key!r}; use one of {known}")
        ok = 0.0 <= self.value <= 1.0 if self.key == "tracking" else 0.0 < self.value < np.inf
        if not ok:
            need = "a chance from 0 to 1" if self.key == "tracking" else "a factor above 0"
            raise InputError(f"do: {self.key} = {self.value}; give {need}")


@dataclass(frozen=True)
class Paths:
    """Every term by draw, with agendas the listed ones and then the new one.

    ``log_workers`` (draw, group, year), ``effort``, ``trend`` and ``works`` (draw, year), ``share``
    (draw, year, agenda), ``capabilities_use`` (year,) the factor done, ``tracking_set`` (year,)
    the chance done or NaN; ``diagnosed`` (draw, level); the rest are terms by sub-model.
    """

    years: tuple[int, ...]
    log_workers: Array
    effort: Array
    trend: Array
    works: Array
    share: Array
    diagnosed: Array
    capabilities_use: Array
    tracking_set: Array
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
        Interventions; see :class:`Do`.
    """
    years = axis_years(horizon)
    size = worker_paths(draws, future["worker_shocks"], years=years, do=do)
    people = size[..., maturity.INTERPRETABILITY, :]
    relative = output.relative_output(NumPy, people, draws["output_elasticity"])
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
        capabilities_use=_factor("capabilities_use", years, do=do),
        tracking_set=_tracking_set(years, do),
        maturity=maturity.from_draws(draws),
        tracking=tracking.from_draws(draws),
        spillover=spillover.from_draws(draws),
    )
    return _with_new_agenda(paths, draws, new=future["new_agenda"], tails=structure.tails)


def worker_paths(
    draws: Mapping[str, Array], shocks: Array, *, years: Sequence[int], do: Sequence[Do] = ()
) -> Array:
    """Return log workers of the axis and after; dims (draw, group, year)."""
    log_size = workers.workers_from_draws(draws)
    scaled = draws["worker_shock_sd"][:, None, None] * shocks[..., : len(years) - len(YEARS)]
    log_size = workers.future_log_workers(log_size, damping=draws["worker_damping"], shocks=scaled)
    if log_size.shape[-1] != len(years):
        raise ValueError(f"worker_shocks reach {log_size.shape[-1]} of {len(years)} years")
    log_size[:, spillover.CAPABILITIES] += np.log(_factor("worker_ratio", years, do=do))
    log_size[:, maturity.INTERPRETABILITY] += np.log(
        _factor("interpretability_workers", years, do=do)
    )
    return log_size


def fault_shares(draws: Mapping[str, Array]) -> Array:
    """Return the shares of the fault worlds; dims (draw, world)."""
    learned, none = draws["fault_learned_share"], draws["fault_no_learning"]
    return np.asarray(faults.world_shares(NumPy, learned, none))


def practice_rates(draws: Mapping[str, Array]) -> Array:
    """Return the diagnosis rate in practice; dims (draw, world, task)."""
    return np.asarray(faults.rates(NumPy, faults.diagnosis_from_draws(draws)))


def _factor(key: str, years: Sequence[int], *, do: Sequence[Do]) -> Array:
    factor = np.ones(len(years))
    for act in do:
        if act.key == key:
            factor *= np.where(np.asarray(years) >= act.since, act.value, 1.0)
    return factor


def _tracking_set(years: Sequence[int], do: Sequence[Do]) -> Array:
    chance = np.full(len(years), np.nan)
    for act in do:
        if act.key == "tracking":
            chance[np.asarray(years) >= act.since] = act.value
    return chance


def _shares(
    draws: Mapping[str, Array],
    new: Array,
    *,
    structure: Structure,
    years: Sequence[int],
    do: Sequence[Do],
) -> Array:
    """Return shares of works, (draw, year, agenda): the listed add to 1; the new one's is last."""
    for act in do:
        if act.key.startswith("share.") and act.key[6:] not in structure.agendas:
            raise InputError(f"do: no agenda {act.key[6:]!r}; see agendas.csv")
    sd = draws["agenda_share_sd"][:, None]
    shift = np.stack(
        [np.log(_factor(f"share.{agenda}", years, do=do)) for agenda in structure.agendas], axis=-1
    )
    size = (sd * draws["agenda_share_z"])[:, None, :] + shift
    one_more = np.broadcast_to((sd * _column(new, "share"))[:, None, :], (len(size), len(years), 1))
    together = output.agenda_shares(np.concatenate([size, one_more], axis=-1))
    return np.concatenate([output.agenda_shares(size), together[..., -1:]], axis=-1)


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
