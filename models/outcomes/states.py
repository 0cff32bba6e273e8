r"""States of forecast works: level and tracking by agenda and year, and the uses of a cohort.

The sixteen states (k, z), their chances and their uses are those of
:mod:`models.components.states`, for any
year up to the horizon and with known cases and year effects off. Raters see documented uses;
a forecast asks for actual ones, so with M the documented mean by others and own use (documented
always) of chance :math:`1 - e^{-\rho M}`

.. math::

    P(\text{used}) &= 1 - e^{-\rho M}\, e^{-M G(x) / \text{documented}} \\
    P(\text{documented}) &= 1 - e^{-\rho M}\, e^{-M G(x - \text{delay})},
        \qquad x = H - t + \tfrac12 .

Everything is computed per draw and state; :func:`moments` then sums over levels and keeps tracking
apart, since the gate to relevance depends on it alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.components import maturity, spillover, tracking
from models.dims import FIRST_YEAR, SIDES
from models.ops import NumPy
from models.outcomes import race
from models.outcomes.paths import Paths
from models.priors import Array


@dataclass(frozen=True)
class States:
    """P(level) and P(tracks | level), dims (draw, agenda, year, level); P(level >= 1..7)."""

    level: Array
    track: Array
    reach: Array

    def joint(self, year: int) -> Array:
        """Return P(level, tracking) of a cohort; dims (draw, agenda, tracking, level)."""
        i = year - FIRST_YEAR
        level, track = self.level[:, :, i], self.track[:, :, i]
        joint = np.stack([level * (1.0 - track), level * track], axis=-1)
        return _levels_apart(joint)


def _levels_apart(x: Array) -> Array:
    """Return dims (draw, agenda, level, tracking) as (draw, agenda, tracking, level).

    In memory levels come before agendas: what is one number a draw meets long rows, and sums over
    levels add rows.
    """
    return np.moveaxis(np.ascontiguousarray(x.swapaxes(1, 2)), 1, -1)


@dataclass(frozen=True)
class Uses:
    """What happens to a work of a state on one side; dims (draw, agenda, tracking, level).

    ``mean`` is the long-run mean of actual uses by others; the others are chances of *none*: of own
    use, of actual use by others by the horizon, and of documented use by others by then.
    """

    mean: Array
    no_own: Array
    no_others: Array
    no_documented: Array

    @property
    def used(self) -> Array:
        """Chance of actual use, own or by others."""
        return 1.0 - self.no_own * self.no_others

    @property
    def documented(self) -> Array:
        """Chance of documented use, own or by others."""
        return 1.0 - self.no_own * self.no_documented


def make_states(paths: Paths, link: str) -> States:
    """Return the chances of every state by agenda and year."""
    cells, steps = _cells(paths), _steps(paths, link)
    base = tracking.cell_base(paths.tracking, paths.trend, cells=cells)
    track = tracking.tracking_probability(NumPy, paths.tracking["level"][:, None, :], base)
    track = track.reshape(_shape(paths))
    chance = paths.tracking_set
    done = ~np.isnan(chance)
    track[:, :, done] = chance[done][:, None]
    reach = maturity.reach_probabilities(steps).reshape(_shape(paths))
    level = maturity.level_probabilities(NumPy, steps.reshape(_shape(paths)))
    return States(level, track, reach)


def make_reach(paths: Paths, link: str) -> Array:
    """Return P(level >= 1..7) by agenda and year, dims (draw, agenda, year, step)."""
    return np.asarray(maturity.reach_probabilities(_steps(paths, link)).reshape(_shape(paths)))


def _shape(paths: Paths) -> tuple[int, ...]:
    """Return the shape of what is by draw, agenda and year."""
    return (len(paths.works), paths.maturity["agenda"].shape[1], len(paths.years), -1)


def _cells(paths: Paths) -> dict[str, Any]:
    """Return agenda and year of each forecast cell; none is a known case."""
    _, agendas, n, _ = _shape(paths)
    where = {"agenda": np.repeat(np.arange(agendas), n)}
    return where | {"year": np.tile(np.arange(n), agendas), "purposive": np.zeros(1)}


def _steps(paths: Paths, link: str) -> Array:
    terms, theta = (
        paths.maturity,
        maturity.cell_theta(paths.maturity, paths.effort, cells=_cells(paths)),
    )
    step, upper = (terms[name][:, None, :] for name in ("step", "upper"))
    return np.asarray(maturity.step_probabilities(NumPy, theta, step, upper=upper, name=link))


def documented_mean(paths: Paths, side: str, *, year: int) -> Array:
    """Return M, the long-run mean of documented uses by others of a cohort's works.

    Returns
    -------
    ndarray, dims (draw, agenda, tracking, level)
    """
    base, level, factor = mean_factors(paths, side, year=year)
    means = _levels_apart(spillover.use_means(NumPy, base, level, tracked=factor))
    withheld = paths.withheld[year - FIRST_YEAR]
    return means * (1.0 - withheld) if side == "capabilities" else means


def mean_factors(paths: Paths, side: str, *, year: int) -> tuple[Array, Array, Array]:
    """Return what M is the product of, but for uses withheld.

    Returns
    -------
    tuple of ndarray
        The logarithm of the agenda's factor (draw, agenda), then factors of the level (draw,
        level), and of a work that tracks (draw,).
    """
    terms = paths.spillover
    ratio = spillover.log_ratio(paths.log_workers)[:, year - FIRST_YEAR]
    base = spillover.log_use(side, terms, ratio=ratio)[:, None] + terms[f"{side}_agenda"]
    level = spillover.level_factor(NumPy, side, terms, diagnosed=paths.diagnosed)
    return base, level, spillover.tracking_factor(NumPy, side, terms)


def age_of_use(paths: Paths, year: int, *, horizon: int) -> float:
    """Return the years that others have to use a cohort's works: a delay takes off its own."""
    return max(horizon - year + 0.5 - float(paths.delay[year - FIRST_YEAR]), 0.0)


def shares_by(paths: Paths, side: str, *, age: float) -> tuple[Array, Array]:
    """Return the shares of uses by others that come, and that are seen, by an age; dims (draw,)."""
    terms = paths.spillover
    lag = terms["lag"][:, SIDES.index(side)]
    seen = spillover.seen_age(NumPy, age, terms["delay"])
    return spillover.reached(NumPy, age, lag), spillover.reached(NumPy, seen, lag)


def uses(paths: Paths, draws: Mapping[str, Array], *, side: str, year: int, horizon: int) -> Uses:
    """Return the uses on one side of a cohort's works by the end of ``horizon``."""
    m = documented_mean(paths, side, year=year)
    grown, shown = shares_by(paths, side, age=age_of_use(paths, year, horizon=horizon))
    actual = m / _spread(draws[f"{side}_documented"])
    return Uses(
        mean=actual,
        no_own=np.exp(-m * _spread(paths.spillover[f"{side}_own"])),
        no_others=np.exp(-actual * _spread(grown)),
        no_documented=np.exp(-m * _spread(shown)),
    )


def _spread(x: Array) -> Array:
    return x[:, None, None, None]


def capabilities_first(cap: Uses, ali: Uses, *, lag: Array, age: float) -> Array:
    """Return the chance that the first actual use by the horizon is a capabilities use.

    Own use comes with the work, so it is first; where a work is its own use on both sides, one half
    counts. Without own use the two sides race (:mod:`models.outcomes.race`). ``lag`` has dims
    (draw, side).
    """
    later = race.first_by(cap.mean, ali.mean, lag=lag[:, 0], other_lag=lag[:, 1], age=age)
    own = 1.0 - cap.no_own
    return own * (0.5 + 0.5 * ali.no_own) + cap.no_own * ali.no_own * later


def moments(
    paths: Paths, draws: Mapping[str, Array], *, states: States, year: int, horizon: int
) -> dict[str, Array]:
    """Return sums over levels of P(level, tracking) times each use; dims (draw, agenda, tracking).

    Returns
    -------
    dict
        ``share`` (of works in that tracking state), ``alignment``, ``capabilities``, ``both``
        (actual use), ``alignment_others``, ``capabilities_others``, ``alignment_documented``,
        ``capabilities_documented``, ``both_documented``, ``first``, ``mean`` (actual capabilities
        uses by others), ``none_ever`` (no such use, ever); ``alike``, capabilities use of works at
        the levels of all, whether or not they track.
    """
    cap = uses(paths, draws, side="capabilities", year=year, horizon=horizon)
    ali = uses(paths, draws, side="alignment", year=year, horizon=horizon)
    lag, age = paths.spillover["lag"], age_of_use(paths, year, horizon=horizon)
    state = states.joint(year)
    values = {
        "alignment": ali.used,
        "capabilities": cap.used,
        "both": ali.used * cap.used,
        "alignment_others": 1.0 - ali.no_others,
        "capabilities_others": 1.0 - cap.no_others,
        "alignment_documented": ali.documented,
        "capabilities_documented": cap.documented,
        "both_documented": ali.documented * cap.documented,
        "first": capabilities_first(cap, ali, lag=lag, age=age),
        "mean": cap.mean,
        "none_ever": np.exp(-cap.mean),
    }
    out = {name: (state * x).sum(axis=3) for name, x in values.items()}
    level = states.level[:, :, year - FIRST_YEAR]
    alike = (level[:, :, None] * cap.used).sum(axis=3)
    return out | {"share": state.sum(axis=3), "alike": alike}


def tracking_ratio(alike: Array, share: Array) -> Array:
    """Return capabilities use of works that track over that of works that do not, by draw.

    Both over the same levels and agendas (the listed ones, by share), so that the ratio is what
    tracking does and not where it is found. Where no work is ever used it is 1.

    Parameters
    ----------
    alike
        From :func:`moments`, dims (draw, agenda, tracking).
    share
        Shares of the listed agendas, dims (draw, agenda).
    """
    mean = np.einsum("sa,saz->sz", share, alike[:, : share.shape[1]])
    base, one = mean[:, 0], np.ones(len(mean))
    return np.asarray(np.divide(mean[:, 1], base, out=one, where=base > 0.0))
