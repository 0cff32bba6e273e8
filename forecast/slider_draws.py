r"""Compact draws of the page's sliders: what of each draw the headline needs.

Per draw the page holds, with shares of agendas summed out,

.. math::

    A_z = \sum_a \text{share}_a \sum_k P(k, z)\, \text{used}_{ali}, \qquad
    \text{strong} = (A_0\, \text{leak} + A_1\, \text{on\_target}\; q)\,
        [s\, c_6 n_6 + (1 - s)\, c_7 n_7]

with :math:`c_k = P(K^* \ge k)` from the ceilings and :math:`n_k = P(\text{works} \ge m)`; the same
with use on both sides gives the strict split.
The sum over agendas is the forecast only where a level counts once the *field* has it.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from forecast.case import Case
from forecast.engine import answer
from forecast.forward import all_draws, future
from forecast.sampling import Fit
from forecast.seeds import integer
from forecast.soft import asked_of, soft_part
from models import milestones
from models.blocks import over_blocks
from models.forecast_paths import Asked, Paths, make_paths
from models.forecast_states import States, make_reach, make_states, uses
from models.prior_draws import uniforms
from models.relevance import cohorts, over_field
from models.structure import FIRST_YEAR

EXACT = ("gate_tracked", "leak_untracked", "on_target", "value_constancy", "stop_6", "stop_7")
"""Beliefs that move exactly, if no likelihood touches them."""
FIXED = (
    "alignment_used",
    "capabilities_relevant",
    "alignment_used_by_others",
    "capabilities_used_by_others",
    "capabilities_first",
    "alignment_only",
    "both",
    "capabilities_only",
    "neither",
)
"""Headline quantities that no exact belief moves; the others follow from these and the rest."""
LEVELS = (6, 7)
"""Levels whose establishment the sliders move."""


def columns(
    fit: Fit, names: Sequence[str], *, found: Mapping[str, np.ndarray] | None = None
) -> dict[str, np.ndarray]:
    """Return every column by name, dims (draw,); ``names`` are the beliefs whose draws are held.

    ``found`` are the fit's quantities by draw, if they are at hand.
    """
    case = fit.case
    draws, later = all_draws(fit, case), future(fit, case)
    found = answer(fit, case, names=FIXED) if found is None else found
    out = {name: found[name] for name in FIXED}
    out |= _uses(fit, draws, later=later)
    if soft_part(case):
        out |= _experts(fit, draws)
    out |= {f"x {name}": draws[name] for name in names}
    moved = [name for name in EXACT if name in fit.compiled.alone]
    return out | {f"u {name}": _uniforms(fit, name) for name in moved}


def experts_of(case: Case) -> list[dict[str, Any]]:
    """Return the forecasts by others that weigh the draws, as plain data."""
    names = ("level", "logit", "scale", "bound", "weight")
    experts = case.experts if soft_part(case) else ()
    return [{name: getattr(expert, name) for name in names} for expert in experts]


def packed(made: Mapping[str, np.ndarray]) -> str:
    """Return columns one after the other as 32-bit floats in base 64."""
    return b64encode(np.stack(list(made.values())).astype("<f4").tobytes()).decode("ascii")


def _uniforms(fit: Fit, name: str) -> np.ndarray:
    """Return the fixed uniforms of a forecast-only belief, inside (0, 1) as 32-bit floats."""
    n = fit.n if fit.chosen is None else int(fit.chosen.max()) + 1
    u = uniforms(integer(fit.case.seed, "forecast-only"), name, shape=(n,))
    u = u if fit.chosen is None else u[fit.chosen]
    return np.clip(u, 1e-9, float(np.nextafter(np.float32(1), np.float32(0))))


def _uses(
    fit: Fit, draws: Mapping[str, np.ndarray], *, later: Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Return uses by tracking and cohort, and the chance of enough works by level and year."""
    structure, asked = fit.compiled.structure, fit.case.asked

    def part(some: Mapping[str, np.ndarray], to_come: Mapping[str, np.ndarray]) -> dict[str, Any]:
        paths = make_paths(some, to_come, structure=structure, horizon=asked.horizon)
        states = make_states(paths, structure.link)
        out = _by_cohort(paths, some, states=states, asked=asked)
        works = milestones.yearly_works(paths, states.reach)
        return out | _enough(works, some, case=fit.case)

    parts = over_blocks(part, draws, later, n=fit.n)
    return {name: np.concatenate([p[name] for p in parts]) for name in parts[0]}


def _by_cohort(
    paths: Paths, draws: Mapping[str, np.ndarray], *, states: States, asked: Asked
) -> dict[str, Any]:
    """Return the field's uses by tracking and cohort; use on both sides of the cohort asked for."""
    out: dict[str, Any] = {}
    for year in cohorts(asked):
        state, share = states.joint(year), paths.share[:, year - FIRST_YEAR, :-1]
        ali, cap = (
            uses(paths, draws, side=side, year=year, horizon=asked.horizon).used
            for side in ("alignment", "capabilities")
        )
        sides = {"alignment": ali, "capabilities": cap, "both": ali * cap}
        found = {side: (state * x).sum(axis=-1) for side, x in sides.items()}
        for z, name in enumerate(("untracked", "tracked")):
            out[f"alignment {name} {year}"] = over_field(share, found["alignment"][..., z])
            if year == asked.cohort:
                out[f"both {name}"] = over_field(share, found["both"][..., z])
        out[f"capabilities {year}"] = over_field(share, found["capabilities"].sum(axis=-1))
    return out


def _enough(
    works: np.ndarray, draws: Mapping[str, np.ndarray], *, case: Case
) -> dict[str, np.ndarray]:
    """Return P(n_k >= m) of the field by the end of each year, ceilings left out."""
    mean = np.cumsum(works[:, :-1].sum(axis=1), axis=1)
    size = draws["cluster_size"][:, None]
    return {
        f"enough {k} {year}": chance[:, i]
        for k in LEVELS
        for chance in [milestones.at_least(mean[..., k - 1], size, m=case.model.established_at)]
        for i, year in ((year - FIRST_YEAR, year) for year in years(case))
    }


def _experts(fit: Fit, draws: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return P(n_k >= m) at each expert's level and year, on the paths of their own."""
    case, structure = fit.case, fit.compiled.structure
    asked = asked_of(case)

    def part(some: Mapping[str, np.ndarray], later: Mapping[str, np.ndarray]) -> np.ndarray:
        paths = make_paths(some, later, structure=structure, horizon=asked.question.horizon)
        works = milestones.yearly_works(paths, make_reach(paths, structure.link))
        mean = np.cumsum(works[:, :-1].sum(axis=1), axis=1)
        chosen = [mean[:, e.year - FIRST_YEAR, e.level - 1] for e in case.experts]
        size = some["cluster_size"][:, None]
        m = case.model.established_at
        return milestones.at_least(np.stack(chosen, axis=-1), size, m=m)

    found = np.concatenate(over_blocks(part, draws, future(fit, asked), n=fit.n))
    return {f"expert {i}": found[:, i] for i in range(len(case.experts))}


def years(case: Case) -> list[int]:
    """Return the years of the page's curves of levels: from the cohort to the horizon."""
    return list(range(min(case.question.cohort, case.question.horizon), case.question.horizon + 1))
