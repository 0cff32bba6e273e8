r"""States of forecast works: level and tracking by agenda and year, and the uses of cohorts.

The sixteen states (k, z), their chances and their uses are those of
:mod:`models.components.states`, for any
year up to the horizon and with known cases and year effects off. Raters see documented uses;
a forecast asks for actual ones, so with M the documented mean by others and own use (documented
always) of chance :math:`1 - e^{-\rho M}`

.. math::

    P(\text{used}) &= 1 - e^{-\rho M}\, e^{-M G(x) / \text{documented}} \\
    P(\text{documented}) &= 1 - e^{-\rho M}\, e^{-M G(x - \text{delay})},
        \qquad x = H - t + \tfrac12 .

:func:`moments` sums over levels and keeps tracking apart, since the gate to relevance depends on it
alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.components import maturity, spillover, tracking
from models.dims import SIDES
from models.ops import graph
from models.outcomes import race
from models.outcomes.paths import Paths


@dataclass(frozen=True)
class States:
    """P(level), P(tracks | level), dims (agenda, year, level); P(level >= 1..7), (.., step)."""

    level: Any
    track: Any
    reach: Any


def make_states(paths: Paths, link: str) -> States:
    """Return the chances of every state by agenda and year."""
    import pytensor.tensor as pt

    xp, grow, tracks = graph(), paths.maturity, paths.tracking
    theta = grow["agenda"][:, None] + grow["slope"][:, None] * paths.effort
    steps = maturity.step_probabilities(xp, theta, grow["step"], upper=grow["upper"], name=link)
    base = tracks["mean"] + tracks["agenda"][:, None] + tracks["trend"] * paths.trend
    track = tracking.tracking_probability(xp, tracks["level"], base)
    stated = paths.tracking_set[:, None]
    return States(
        level=maturity.level_probabilities(xp, steps),
        track=pt.switch(pt.isnan(stated), track, stated),
        reach=maturity.reach_probabilities(xp, steps),
    )


@dataclass(frozen=True)
class Uses:
    """What happens to a work of a state on one side; dims (cohort, agenda, tracking, level).

    ``mean`` is the long-run mean of actual uses by others; the others are chances of *none*: of own
    use, of actual use by others by the horizon, and of documented use by others by then.
    """

    mean: Any
    no_own: Any
    no_others: Any
    no_documented: Any

    @property
    def used(self) -> Any:
        """Chance of actual use, own or by others."""
        return 1.0 - self.no_own * self.no_others

    @property
    def documented(self) -> Any:
        """Chance of documented use, own or by others."""
        return 1.0 - self.no_own * self.no_documented


def documented_mean(paths: Paths, side: str, *, at: Any) -> Any:
    """Return M, the long-run mean of documented uses by others of works of the years ``at``.

    Returns
    -------
    TensorVariable, dims (cohort, agenda, tracking, level)
    """
    import pytensor.tensor as pt

    xp, terms = graph(), paths.spillover
    year = xp.exp(spillover.log_use(side, terms, ratio=spillover.log_ratio(paths.log_workers)[at]))
    if side == "capabilities":
        year = year * (1.0 - paths.withheld[at])
    agenda = xp.exp(terms[f"{side}_agenda"])
    level = spillover.level_factor(xp, side, terms, diagnosed=paths.faults["diagnosed"])
    tracked = spillover.tracking_factor(xp, side, terms)
    tracked = pt.stack([pt.ones_like(tracked), tracked])
    return ((year[:, None] * agenda)[:, :, None] * tracked)[..., None] * level


def ages_of_use(paths: Paths, at: Any, *, last: int) -> Any:
    """Return the years that others have to use works of the years ``at`` by the year ``last``.

    Both are places on the axis; a delay takes off its own.
    """
    import pytensor.tensor as pt

    return pt.maximum(last - at + 0.5 - paths.delay[at], 0.0)


def uses(paths: Paths, v: Mapping[str, Any], *, side: str, at: Any, age: Any) -> Uses:
    """Return the uses on one side of works of the years ``at`` by an age; ``age`` (cohort,)."""
    xp, terms = graph(), paths.spillover
    m, lag = documented_mean(paths, side, at=at), terms["lag"][SIDES.index(side)]
    grown = spillover.reached(xp, age, lag)
    shown = spillover.reached(xp, spillover.seen_age(xp, age, terms["delay"]), lag)
    actual = m / v[f"{side}_documented"]
    return Uses(
        mean=actual,
        no_own=xp.exp(-m * terms[f"{side}_own"]),
        no_others=xp.exp(-actual * grown[:, None, None, None]),
        no_documented=xp.exp(-m * shown[:, None, None, None]),
    )


def capabilities_first(cap: Uses, ali: Uses, *, lag: Any, age: Any) -> Any:
    """Return the chance that the first actual use by the horizon is a capabilities use.

    Own use comes with the work, so it is first; where a work is its own use on both sides, one half
    counts. Without own use the two sides race (:mod:`models.outcomes.race`). ``lag`` has dims
    (side,).
    """
    xp = graph()
    later = race.first_by(xp, cap.mean, ali.mean, lag=lag[0], other_lag=lag[1], age=age)
    own = 1.0 - cap.no_own
    return own * (0.5 + 0.5 * ali.no_own) + cap.no_own * ali.no_own * later


def moments(
    paths: Paths, v: Mapping[str, Any], *, states: States, at: Any, last: int
) -> dict[str, Any]:
    """Return sums over levels of P(level, tracking) times each use; (cohort, agenda, tracking).

    Returns
    -------
    dict
        ``share`` (of works in that tracking state), ``alignment``, ``capabilities``, ``both``
        (actual use), ``alignment_others``, ``capabilities_others``, ``alignment_documented``,
        ``capabilities_documented``, ``both_documented``, ``first``, ``mean`` (actual capabilities
        uses by others), ``none_ever`` (no such use, ever); ``alike``, capabilities use of works at
        the levels of all, whether or not they track.
    """
    import pytensor.tensor as pt

    age = ages_of_use(paths, at, last=last)
    cap, ali = (uses(paths, v, side=side, at=at, age=age) for side in SIDES)
    level, track = (x.swapaxes(0, 1)[at] for x in (states.level, states.track))
    state = pt.stack([level * (1.0 - track), level * track], axis=2)
    values = {
        "alignment": ali.used,
        "capabilities": cap.used,
        "both": ali.used * cap.used,
        "alignment_others": 1.0 - ali.no_others,
        "capabilities_others": 1.0 - cap.no_others,
        "alignment_documented": ali.documented,
        "capabilities_documented": cap.documented,
        "both_documented": ali.documented * cap.documented,
        "first": capabilities_first(cap, ali, lag=paths.spillover["lag"], age=age),
        "mean": cap.mean,
        "none_ever": pt.exp(-cap.mean),
    }
    sums = {name: (state * x).sum(axis=-1) for name, x in values.items()}
    alike = (level[:, :, None] * cap.used).sum(axis=-1)
    return sums | {"share": state.sum(axis=-1), "alike": alike}


def tracking_ratio(alike: Any, share: Any) -> Any:
    """Return capabilities use of works that track over that of works that do not.

    Both over the same levels and agendas (the listed ones, by share), so that the ratio is what
    tracking does and not where it is found. Where no work is ever used it is 1.

    Parameters
    ----------
    alike
        From :func:`moments`, dims (agenda, tracking).
    share
        Shares of the listed agendas, dims (agenda,).
    """
    import pytensor.tensor as pt

    untracked, tracked = ((share * alike[:-1, z]).sum() for z in (0, 1))
    return pt.switch(untracked > 0.0, tracked / untracked, 1.0)
