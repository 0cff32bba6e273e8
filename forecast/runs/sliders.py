r"""What the page's sliders need: compact draws, beliefs and presets, as plain data.

The page answers a moved belief as :func:`forecast.inference.evaluate.evaluate` does. A belief that
enters last and that no likelihood touches is exact: its fixed uniforms go through the new quantile
function. Any other is reweighted by :math:`p_{new}(x) / p_{old}(x)` at the draws, smoothed, and
withheld by the rule of :mod:`forecast.inference.reweighting`. Numbers are 32-bit floats, column by
column. Per draw the page holds, with shares of agendas summed out,

.. math::

    A_z = \sum_a \text{share}_a \sum_k P(k, z)\, \text{used}_{ali}, \qquad
    \text{strong} = (A_0\, \text{leak} + A_1\, \text{on\_target}\; q)\,
        [s\, c_6 n_6 + (1 - s)\, c_7 n_7]

with :math:`c_k = P(K^* \ge k)` from the ceilings and :math:`n_k = P(\text{works} \ge m)`; the same
with use on both sides gives the strict split. The sum over agendas is the forecast only where a
level counts once the *field* has it.

A shipped view whose Pareto k is too poor, or whose weights are worth less than a tenth of the
draws, has draws of its own in the page: the moved or refitted ones that answered it, else those
that the page of a finished run of it beside holds, else moved ones, else the draws of that run.
They are thinned: equal weights evenly, unequal ones :math:`w_i` by the unbiased scheme with the
least variance (Fearnhead & Clifford 2003, JRSS B 65:887). With :math:`c` such that
:math:`\sum_i \min(w_i / c, 1) = N`, draws with :math:`w_i > c` stay as they are, and of the others
each stays with chance :math:`w_i / c`, at weight :math:`c`.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from forecast.config.load import Config, load_config
from forecast.evidence.load import Tables, find_evidence, hash_tables, load_tables
from forecast.inference.case import Case, asked_options
from forecast.inference.evaluate import answer, forward
from forecast.inference.forward import all_draws, future, taken
from forecast.inference.outcomes import predict
from forecast.inference.reweighting import (
    LEAST_ESS,
    LEAST_SHARE,
    MAX_PARETO_K,
    asked_of,
    smoothed,
    soft_part,
)
from forecast.inference.sampling import Fit
from forecast.inference.seeds import integer, stream
from forecast.runs.folder import read_json, read_manifest
from forecast.runs.open import find_lender
from forecast.runs.variants import WORLDVIEWS, NearFit, moved, of_run
from models.dims import FIRST_YEAR
from models.errors import InputError
from models.outcomes.experts import penalty
from models.outcomes.relevance import SUMMED, cohorts
from models.parameters import SLOTS
from models.prior_draws import uniforms
from models.priors import Prior, logpdf

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
    draws = all_draws(fit, case)
    found = answer(fit, case, names=FIXED) if found is None else found
    out = {name: found[name] for name in FIXED}
    out |= _uses(fit)
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


def _uses(fit: Fit) -> dict[str, np.ndarray]:
    """Return uses by tracking and cohort, and the chance of enough works by level and year."""
    case, out = fit.case, dict[str, np.ndarray]()
    found = predict(**forward(fit, replace(case, do=())), names=SUMMED)
    for i, year in enumerate(cohorts(case.asked)):
        for z, name in enumerate(("untracked", "tracked")):
            out[f"alignment {name} {year}"] = found["used_alignment"][:, i, z]
            if year == case.asked.cohort:
                out[f"both {name}"] = found["used_both"][:, i, z]
        out[f"capabilities {year}"] = found["used_capabilities"][:, i].sum(axis=-1)
    for k in LEVELS:
        for year in years(case):
            out[f"enough {k} {year}"] = found["enough"][:, k - 1, year - FIRST_YEAR]
    return out


def _experts(fit: Fit, draws: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return P(n_k >= m) at each expert's level and year, on the paths of their own."""
    asked, structure = asked_of(fit.case), fit.compiled.structure
    parts: Any = {"structure": structure, "question": asked.asked, "names": ("enough",)}
    enough = predict(draws, future(fit, asked), **parts, kind="levels")["enough"]
    return {
        f"expert {i}": enough[:, e.level - 1, e.year - FIRST_YEAR]
        for i, e in enumerate(fit.case.experts)
    }


def years(case: Case) -> list[int]:
    """Return the years of the page's curves of levels: from the cohort to the horizon."""
    return list(range(min(case.question.cohort, case.question.horizon), case.question.horizon + 1))


SLIDER_BASES_MOST = 2000
"""Most draws of all views together, so that the page stays below 6 MB."""
WEIGHT = "log weight"
"""Column of the logarithm of a draw's own weight, where these are unequal."""


def bases(
    fit: Fit,
    views: Sequence[str],
    *,
    made: Mapping[str, np.ndarray],
    near: Mapping[Any, NearFit],
    beside: Path | None,
) -> list[dict[str, Any]]:
    """Return the draws of each view that the page would withhold, or almost.

    Parameters
    ----------
    fit
        The run's own.
    views
        Shipped views that the page has a button for.
    made
        Columns of the run's own draws (:func:`forecast.runs.sliders.columns`).
    near
        Draws of Cases that the run answered already, by their priors.
    beside
        Folder of finished runs; None where there is none.
    """
    far = {}
    for view in views:
        case = replace(fit.case, priors=load_config(view).priors)
        if not reached(fit, case, made=made):
            far[view] = case
    names = [name.removeprefix("x ") for name in made if name.startswith("x ")]
    rows = []
    for view, case in far.items():
        most, own = SLIDER_BASES_MOST // len(far), near.get(case.priors)
        page = of_page(case, beside, columns=list(made)) if beside and own is None else None
        if page is not None:
            rows.append(thinner(page, most) | _values(case, names) | {"view": view})
            continue
        own = own or moved(fit, case) or (of_run(case, beside) if beside else None)
        rows += [_base(own, names, most=most) | {"view": view}] if own is not None else []
    return rows


def of_page(case: Case, beside: Path, *, columns: Sequence[str]) -> dict[str, Any] | None:
    """Return sliders.json of a finished, converged run of just this Case, if it will do."""
    lender = find_lender(case, beside)
    if lender is None:
        return None
    try:
        manifest = read_manifest(lender.folder) or {}
        page = read_json(lender.folder / "sliders.json")
        same = asked_options(case).items() <= manifest["options"].items()
        same = same and manifest["checks"]["converged"]
        same = same and load_config(lender.folder / "priors.toml").priors == case.priors
        same = same and page["columns"] == list(columns) and page["experts"] == experts_of(case)
        return dict(page) if same and len(page["draws"]) else None
    except (OSError, InputError, LookupError, TypeError, AttributeError):
        return None  # a damaged run beside is no reason to stop this one


def thinner(page: Mapping[str, Any], most: int) -> dict[str, Any]:
    """Return fewer of the draws that a page holds, evenly spaced."""
    n, columns = page["n"], page["columns"]
    table = np.frombuffer(b64decode(page["draws"]), dtype="<f4").reshape(len(columns), n)
    places = np.linspace(0, n - 1, min(most, n)).astype(int)
    return {
        "how": "run",
        "n": len(places),
        "drawn": page["drawn"],
        "ess": page["ess"],
        "columns": columns,
        "draws": packed(dict(zip(columns, table[:, places], strict=True))),
    }


def _values(case: Case, names: Sequence[str]) -> dict[str, Any]:
    """Return the numbers of the beliefs that draws are of."""
    return {"values": {name: [x for _, x in case.by_name[name].params] for name in names}}


def reached(fit: Fit, case: Case, *, made: Mapping[str, np.ndarray]) -> bool:
    """Return whether the run's draws, columns ``made``, can be weighed amply to those of a Case.

    Beliefs that move exactly there have no part in the weights, but through forecasts by others.
    """
    old, new, total = fit.case.by_name, case.by_name, np.zeros(fit.n)
    for column in made:
        name = column.removeprefix("x ")
        exact = name in EXACT and name in fit.compiled.alone
        if column.startswith("x ") and not exact and new[name].params != old[name].params:
            total += logpdf(new[name], made[column]) - logpdf(old[name], made[column])
    if _ample(total) and soft_part(case):
        total += _weighed(fit, case, made=made) - _weighed(fit, fit.case, made=made)
    return _ample(total)


def _ample(log_weights: np.ndarray) -> bool:
    """Return whether weights are to be trusted, and worth a tenth of the draws."""
    weights = smoothed(log_weights)
    return weights.good and weights.ess >= LEAST_SHARE * len(log_weights)


def _weighed(fit: Fit, case: Case, *, made: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the log weights of forecasts by others at the run's draws, under a Case's ceilings."""
    x = all_draws(fit, case)
    open_6 = 1.0 - x["stop_6"]
    allowed = {6: open_6, 7: open_6 * (1.0 - x["stop_7"])}
    chances = [allowed.get(e.level, 1.0) * made[f"expert {i}"] for i, e in enumerate(case.experts)]
    return penalty(np.stack(chances, axis=-1), case.experts)


def _base(near: NearFit, names: Sequence[str], *, most: int) -> dict[str, Any]:
    """Return the draws of a view as plain data."""
    fit, weights = near.fit, near.weights
    most, least = min(most, fit.n), fit.diagnosis.min_ess
    if weights is None:
        places, thin = np.linspace(0, fit.n - 1, most).astype(int), None
    else:
        places, thin = thinned(weights.weights, most, seed=fit.case.seed)
    made = columns(taken(fit, places), names)
    if thin is not None:
        made[WEIGHT] = np.log(thin)
    return {
        "how": near.how,
        "n": len(places),
        "drawn": fit.n,
        "ess": float(least) if weights is None else float(len(places)),
        "columns": list(made),
        "draws": packed(made),
    } | _values(fit.case, names)


def thinned(weights: np.ndarray, most: int, *, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return at most ``most`` places of normalised weights, and the weights there; sums to 1.

    Parameters
    ----------
    weights
        Dims (draw,).
    most
        Number of draws to keep.
    seed
        Of the one uniform that chooses among the draws below the threshold.
    """
    order = np.argsort(-weights)
    if most >= len(weights):
        return np.arange(len(weights)), weights
    rest = 1.0 - np.concatenate([[0.0], np.cumsum(weights[order])])[:most]
    level = rest / (most - np.arange(most))
    whole = int(np.argmax(weights[order][:most] <= level))
    low, c = np.sort(order[whole:]), level[whole]
    steps = np.cumsum(weights[low]) / c
    points = np.arange(most - whole) + stream(seed, "slider bases").uniform()
    picked = low[np.searchsorted(steps, points).clip(0, len(low) - 1)]
    at = np.concatenate([order[:whole], picked])
    kept = np.concatenate([weights[order[:whole]], np.full(len(picked), c)])
    sort = np.argsort(at, kind="stable")
    return at[sort], kept[sort] / kept.sum()


REWEIGHTED = (
    "step_6",
    "step_7",
    "ease",
    "bottleneck",
    "tracking_capabilities",
    "capabilities_documented",
)
"""Beliefs that move by weights: at home in the claims that the exact ones leave out."""
SLIDERS_MOST = 4000
"""Most draws that a page holds, evenly spaced among all."""
BESIDE = ("paths",)
"""Beliefs that no headline quantity reads: a preset states them, and nothing is computed."""


def slider_data(
    fit: Fit,
    config: Config,
    *,
    tables: Tables,
    near: Mapping[Any, NearFit] = MappingProxyType({}),
    beside: Path | None = None,
    found: Mapping[str, np.ndarray] | None = None,
) -> dict[str, Any] | None:
    """Return the content of sliders.json; None where levels count elsewhere than in the field.

    Parameters
    ----------
    fit, config, tables
        The run's own.
    near
        Draws of Cases that the run answered already, by their priors.
    beside
        Folder of finished runs, which may be of shipped views; None where there is none.
    found
        The fit's quantities by draw, where they are at hand.
    """
    case = fit.case
    if case.model.established_in != "field":
        return None
    at = np.unique(np.linspace(0, fit.n - 1, min(SLIDERS_MOST, fit.n)).astype(int))
    names = embedded(fit)
    made = columns(fit, names, found=found)
    views = presets(case, names)
    return {
        "schema": 1,
        "n": len(at),
        "drawn": fit.n,
        "seed": case.seed,
        "ess": float(min(fit.diagnosis.min_ess_bulk, fit.diagnosis.min_ess_tail)),
        "rule": {"pareto_k": MAX_PARETO_K, "ess": LEAST_ESS, "share": LEAST_SHARE},
        "cohort": case.question.cohort,
        "horizon": case.question.horizon,
        "cohorts": list(cohorts(case.asked)),
        "years": years(case),
        "experts": experts_of(case),
        "beliefs": [_belief(case.by_name[name], fit) for name in _ordered(names)],
        "beside": [_belief(case.by_name[name], fit) for name in BESIDE],
        "presets": views,
        "bases": bases(fit, list(views), made=made, near=near, beside=beside),
        "toml": toml_head(case, config, tables=tables),
        "columns": list(made),
        "draws": packed({name: x[at] for name, x in made.items()}),
    }


def save_sliders(folder: Path, data: Mapping[str, Any] | None) -> None:
    """Write sliders.json into the folder of a run, on one line: it is draws above all."""
    if data is not None:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False)
        (folder / "sliders.json").write_text(text, encoding="utf-8", newline="\n")


def embedded(fit: Fit) -> list[str]:
    """Return the beliefs whose draws the page needs: those that sliders or presets move."""
    moved = {name for view in presets(fit.case, None).values() for name in view}
    names = {*EXACT, *REWEIGHTED, *moved} - {*BESIDE}
    return [name for name in SLOTS if name in names and fit.draws.get(name, np.zeros(1)).ndim == 1]


def _ordered(names: list[str]) -> list[str]:
    """Return beliefs with those of the sliders first."""
    shown = [name for name in (*EXACT, *REWEIGHTED) if name in names]
    return [*shown, *(name for name in names if name not in shown)]


def _belief(prior: Prior, fit: Fit) -> dict[str, Any]:
    exact = prior.name in EXACT and prior.name in fit.compiled.alone
    slot = SLOTS[prior.name]
    return {
        "name": prior.name,
        "dist": prior.dist,
        "params": [name for name, _ in prior.params],
        "values": [value for _, value in prior.params],
        "unit": slot.unit,
        "block": slot.block,
        "question": slot.question,
        "claims": list(prior.claims),
        "source": prior.source,
        "why": prior.why,
        "exact": exact,
        "slider": prior.name in (*EXACT, *REWEIGHTED),
    }


def presets(case: Case, names: list[str] | None) -> dict[str, dict[str, Any]]:
    """Return each shipped worldview as the beliefs that it states otherwise than the Case.

    With ``names``, a view that moves another belief than these is left out: it needs a run.
    """
    out = {}
    for view in WORLDVIEWS:
        stated = {prior.name: prior for prior in load_config(view).priors}
        other = {
            p.name: {"dist": q.dist, "values": [x for _, x in q.params]}
            for p in case.priors
            for q in [stated[p.name]]
            if (p.dist, p.params) != (q.dist, q.params)
        }
        same = all(case.by_name[name].dist == found["dist"] for name, found in other.items())
        if other and same and (names is None or {*other} <= {*names, *BESIDE}):
            out[view] = other
    return out


def toml_head(case: Case, config: Config, *, tables: Tables) -> dict[str, Any]:
    """Return what a copied priors file begins with, and where it has to lie.

    It extends the shipped file that the run is of, else the priors.toml of the run's folder.
    """
    shipped = config.name in WORLDVIEWS and _as_shipped(case, config.name, tables=tables)
    return {
        "extends": f"{config.name}.toml" if shipped else "priors.toml",
        "shipped": shipped,
        "name": f"{config.name[:34]}-moved",
        "author": config.author,
    }


def _as_shipped(case: Case, view: str, *, tables: Tables) -> bool:
    """Return whether a Case is, but for its seed, that of a shipped file and the shipped tables."""
    shipped = load_config(view)
    told = (case.priors, case.question, case.model, case.sampler)
    same = told == (shipped.priors, shipped.question, shipped.model, shipped.sampler)
    return same and _same_tables(tables)


def _same_tables(tables: Tables) -> bool:
    return hash_tables(tables) == hash_tables(load_tables(find_evidence(None)))
