r"""``forecast crux``: how much of the gap between worldviews each belief explains.

All worldviews are fitted to the same evidence. Of the first and each other one, mixtures of their
beliefs are weighed draws of a few fits (:mod:`forecast.analyses.bridging`), and Shapley values over
blocks and over claims (each belief counts for its home claim) add up to the gap.

How much of the gap between two worldviews each group of beliefs explains.

The value of a subset of groups is the mean of a quantity with the beliefs of these groups as in the
second worldview and all others as in the first, given the same evidence: weighed draws of a
:class:`forecast.analyses.bridging.Pool`, each with its forecast-only beliefs. Shapley values are
exact over all subsets where few groups hold forecast-only beliefs, else over sampled orders.

The tables of a crux: gaps, parts, swaps, what would close the gap, and what each learned.

Several worldviews as one forecast: linear, logarithmic, and weighted by stacking.

The linear pool is :math:`\sum_i w_i p_i`, and its interval that of the mixture of the worldviews'
draws; the logarithmic pool of an event's chances is
:math:`\mathrm{logit}\, p = \sum_i w_i \,\mathrm{logit}\, p_i` (Genest & Zidek 1986, Statist. Sci.
1:114). Stacking weights are those by which a linear pool would have predicted the rated works best
(:mod:`forecast.analyses.loo`): they judge what evidence can tell, which is little of what
divides worldviews.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from forecast.analyses.bridging import GROUPS, ROWS, Pool, bridged, differs, mixed, pooled, trust
from forecast.analyses.loo import stacked, work_elpd
from forecast.analyses.predictive import TABLES
from forecast.analyses.result import beside_model
from forecast.analyses.statistics import joining, shapley, shapley_by_orders, some_orders
from forecast.config.load import Config, load_config
from forecast.config.outside import add_outside, outside_view
from forecast.config.toml import near_miss, read_toml
from forecast.evidence.load import Tables, find_evidence, load_tables
from forecast.files import write_csv, write_json
from forecast.inference.case import Case, digest, make_case
from forecast.inference.evaluate import Ahead, answer, late
from forecast.inference.forward import future_normals, taken
from forecast.inference.outcomes import headline
from forecast.inference.pointwise import log_likelihoods
from forecast.inference.reweighting import MAX_PARETO_K, smoothed, soft_part
from forecast.inference.sampling import Fit
from forecast.inference.seeds import stream
from forecast.progress import Stages
from forecast.runs.folder import MANIFEST
from forecast.runs.summarise import TAILS, Quantities, learned_rows, with_mcse
from models.batches import limited
from models.errors import InputError
from models.likelihoods import likelihoods
from models.parameters import BLOCKS
from models.prior_draws import prior_draws

MOST_ALONE = 7
"""Groups with forecast-only beliefs up to which all subsets are computed."""
MOST_GROUPS = 15
"""Groups up to which all subsets are computed: 14 claims and the rest."""
ORDERS = 64
"""Orders sampled otherwise, half of them reverses of the others."""
NO_CLAIM = "none"
Groups = dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Parts:
    """Groups' parts of a gap. ``value`` and ``error`` have dims (quantity, group).

    ``alone``, the first worldview with one group as in the second, and ``lacking``, the second with
    one group as in the first, have dims (1 + stretch, quantity, group); row 0 is the estimate, the
    others those without a stretch. ``ends`` are the first and the second themselves.
    """

    groups: tuple[str, ...]
    value: np.ndarray
    error: np.ndarray
    alone: np.ndarray
    lacking: np.ndarray
    ends: np.ndarray
    exact: bool


def groups_by(a: Case, b: Case, *, by: str) -> Groups:
    """Return the names of the beliefs that differ, by ``block`` or by home ``claim``."""
    other = b.by_name
    found: dict[str, list[str]] = {}
    for prior in a.priors:
        if differs(prior, other[prior.name]):
            key = prior.block if by == "block" else prior.claims[0]
            found.setdefault(key, []).append(prior.name)

    def place(key: str) -> int:
        if by == "block":
            return BLOCKS.index(key)
        return 99 if key == NO_CLAIM else int(key[1:])

    return {key: tuple(found[key]) for key in sorted(found, key=place)}


def members_of(pool: Pool, groups: Groups) -> np.ndarray:
    """Return the sampled beliefs of each group as zeros and ones, dims (group, belief)."""
    rows = [pool.member(names) for names in groups.values()]
    return np.array(rows).reshape(len(groups), len(pool.names))


def subset_orders(groups: Groups, alone: Sequence[str], *, seed: int) -> np.ndarray | None:
    """Return the sampled orders of the groups; None where all subsets are computed."""
    held = sum(bool(set(names) & set(alone)) for names in groups.values())
    if held <= MOST_ALONE and len(groups) <= MOST_GROUPS:
        return None
    return some_orders(len(groups), ORDERS, rng=stream(seed, "orders"))


def mixtures(pool: Pool, groups: Groups, *, orders: np.ndarray | None) -> np.ndarray:
    """Return the mixtures of sampled beliefs that the subsets need, dims (mixture, belief)."""
    n = len(groups)
    masks = np.arange(2**n) if orders is None else np.unique(_visited(orders, n))
    return np.unique(bits(masks, n) @ members_of(pool, groups), axis=0)


def bits(masks: np.ndarray, n: int) -> np.ndarray:
    """Return subsets as zeros and ones, dims (subset, group)."""
    return ((np.asarray(masks)[:, None] >> np.arange(n)) & 1).astype(float)


def _visited(orders: np.ndarray, n: int) -> np.ndarray:
    """Return the subsets that orders need, with all and none, and all groups alone or lacking."""
    single, whole = 1 << np.arange(n), 2**n - 1
    return np.concatenate([joining(orders).ravel(), single, whole ^ single, [0, whole]])


def attributed(
    pool: Pool, groups: Groups, *, names: Sequence[str], orders: np.ndarray | None = None
) -> Parts:
    """Return each group's part of the gap (second less first) of each quantity."""
    n = len(groups)
    masks = np.arange(2**n) if orders is None else np.unique(_visited(orders, n))
    found = values(pool, groups, masks=masks, names=names)
    whole, single = 2**n - 1, 1 << np.arange(n)

    def at(some: Any) -> np.ndarray:
        return found[..., np.searchsorted(masks, some)]

    if orders is None:
        every, chosen = shapley(found), 0.0
    else:
        every, error = shapley_by_orders(at(joining(orders)), orders)
        chosen = error[0]
    return Parts(
        tuple(groups),
        every[0],
        np.hypot(jackknife(every), chosen),
        alone=at(single),
        lacking=at(whole ^ single),
        ends=at([0, whole]),
        exact=orders is None,
    )


def values(pool: Pool, groups: Groups, *, masks: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Return the mean of each quantity for each subset, dims (1 + stretch, quantity, subset).

    Row 0 is of all draws, the others without one stretch of them.
    """
    alone, n = set(pool.fit.compiled.alone), len(groups)
    held = [tuple(name for name in some if name in alone) for some in groups.values()]
    last = late(pool.fit)
    ends = [not set(some) - last for some in held]
    keep = sum(1 << i for i, some in enumerate(held) if some)
    early = sum(1 << i for i, some in enumerate(ends) if not some)
    keys, ahead, member = masks & keep, Ahead(names), members_of(pool, groups)
    out = np.empty((1 + GROUPS, len(names), len(masks)))
    soft: dict[Any, np.ndarray] = {}
    without = np.exp(pool.log_mix - pool.log_mix_without)
    factor = np.vstack([np.ones(pool.fit.n), without])
    for g in range(GROUPS):
        factor[1 + g, pool.group == g] = 0.0
    for key in sorted({int(x) for x in keys}, key=lambda x: (x & early, x)):
        here = [name for i, some in enumerate(held) if key >> i & 1 for name in some]
        case = mixed(pool.a, pool.b, names=here)
        what = soft_part(case)
        if what not in soft:
            soft[what] = pool.soft(case)
        found = ahead(pool.fit, case)
        told = np.stack([np.ones(pool.fit.n), *(found[name] for name in names)])
        to = np.flatnonzero(keys == key)
        rows = bits(masks[to], n) @ member
        sums = _sums(pool, rows, soft=soft[what], columns=factor[:, None] * told)
        out[:, :, to] = np.moveaxis(sums[..., 1:] / sums[..., :1], 0, -1)
    return out


def _sums(pool: Pool, rows: np.ndarray, *, soft: Any, columns: np.ndarray) -> np.ndarray:
    """Return weighted sums of columns (stretch, column, draw); dims (mixture, stretch, column)."""
    kinds, inverse = np.unique(rows, axis=0, return_inverse=True)
    right, parts = columns.reshape(-1, columns.shape[-1]).T, []
    for i in range(0, len(kinds), ROWS):
        logs = pool.log_weights(kinds[i : i + ROWS], soft)
        parts.append(np.exp(logs - logs.max(axis=1, keepdims=True)) @ right)
    made = np.concatenate(parts).reshape(len(kinds), *columns.shape[:2])
    return np.asarray(made[inverse.ravel()])


def jackknife(found: np.ndarray) -> np.ndarray:
    """Return the standard error of row 0 from the rows without a stretch each."""
    parts = found[1:]
    return np.asarray(((len(parts) - 1) * parts.var(axis=0)) ** 0.5)


def estimate(found: np.ndarray) -> dict[str, float]:
    """Return a number, dims (1 + stretch,), with its standard error."""
    return {"mean": float(found[0]), "mcse": float(jackknife(found))}


SHOWN = ("alignment_relevant", "alignment_used", "capabilities_relevant", "capabilities_first")
"""Quantities whose gap is attributed."""
CLAIMS = (*(f"C{i}" for i in range(1, 15)), "none")
PRIOR_DRAWS, SCORED_ROWS = 4000, 2000
"""Draws of the priors alone; draws whose rows are scored."""
Row = dict[str, Any]


def own(fit: Fit) -> Quantities:
    """Return the shown quantities of a worldview, given the evidence."""
    return answer(fit, fit.case, names=SHOWN)


def before(fit: Fit) -> tuple[Quantities, Quantities]:
    """Return draws of a worldview's priors alone, and the headline under them; paired by seed."""
    case, structure = fit.case, fit.compiled.structure
    draws = prior_draws(case.by_name, structure, n=PRIOR_DRAWS, rng=stream(case.seed, "prior"))
    future = future_normals(case, PRIOR_DRAWS)
    parts = {"structure": structure, "question": case.asked, "varying": fit.compiled.alone}
    return draws, headline(draws, future, **parts)


def view_row(name: str, config: Config, *, fit: Fit) -> Row:
    """Return a worldview's quantities before and after the evidence."""
    view, alone = outside_view(config.outside_view), before(fit)[1]
    names = dict.fromkeys((*SHOWN, *([view.quantity] if view else [])))
    found = answer(fit, fit.case, names=tuple(names))
    after = {n: with_mcse(found[n], fit.chains) for n in names}
    head = add_outside({"quantities": after}, config.outside_view, draws=found, tails=TAILS)
    row: Row = {"name": name, "summary": config.summary, "converged": fit.diagnosis.converged}
    row |= {"prior": {n: with_mcse(alone[n], 1) for n in SHOWN}}
    row |= {"posterior": {n: after[n] for n in SHOWN}}
    return row | beside_model(head)


def gap_rows(duo: tuple[Fit, Fit], parts: Parts) -> list[Row]:
    """Return each quantity's gap, second less first: before the evidence, and given it.

    ``gap`` is of the two fits' own draws, ``weighed`` that of the pooled ones, which the parts add
    up to; the two have draws in common. ``closed`` is the share of the prior's gap that is gone.
    """
    after, prior = [own(fit) for fit in duo], [before(fit)[1] for fit in duo]
    out = []
    for q, name in enumerate(SHOWN):
        first, second = (with_mcse(x[name], f.chains) for x, f in zip(after, duo, strict=True))
        change = prior[1][name] - prior[0][name]
        gap, was = second["mean"] - first["mean"], float(change.mean())
        weighed = estimate(parts.ends[:, q, 1] - parts.ends[:, q, 0])
        row: Row = {"quantity": name, "prior_gap": was}
        row |= {"prior_mcse": float(change.std() / len(change) ** 0.5)}
        row |= {"gap": gap, "mcse": float(np.hypot(first["mcse"], second["mcse"]))}
        if duo[0].case.priors == duo[1].case.priors:
            row |= {"gap": 0.0, "mcse": 0.0}
        row |= {"weighed": weighed["mean"], "weighed_mcse": weighed["mcse"]}
        row["sum_of_parts"] = float(parts.value[q].sum())
        out.append(row | {"closed": 1.0 - abs(gap) / abs(was) if was else None})
    return out


def part_rows(parts: Parts, groups: Groups, *, by: str) -> list[Row]:
    """Return each group's part of each gap; a group without a difference has 0."""
    at = {group: i for i, group in enumerate(parts.groups)}
    out = []
    for q, name in enumerate(SHOWN):
        for group in BLOCKS if by == "block" else CLAIMS:
            row: Row = {"by": by, "group": group, "quantity": name}
            i = at.get(group)
            part = (0.0, 0.0) if i is None else (parts.value[q, i], parts.error[q, i])
            row |= {"part": float(part[0]), "mcse": float(part[1])}
            out.append(row | {"beliefs": " ".join(groups.get(group, ()))})
    return out


def swap_rows(parts: Parts) -> list[Row]:
    """Return what each would say with the other's view of one claim alone."""
    out = []
    for q, name in enumerate(SHOWN):
        a, b = parts.ends[:, q, 0], parts.ends[:, q, 1]
        for i, group in enumerate(parts.groups):
            row: Row = {"claim": group, "quantity": name}
            for who, said, own_view in (
                ("a_with_b", parts.alone[:, q, i], a),
                ("b_with_a", parts.lacking[:, q, i], b),
            ):
                change = estimate(said - own_view)
                row |= {who: float(said[0]), f"{who}_mcse": estimate(said)["mcse"]}
                row |= {f"{who}_change": change["mean"], f"{who}_change_mcse": change["mcse"]}
            out.append(row)
    return out


def closing_rows(parts: Parts, groups: Groups, *, alone: Sequence[str]) -> list[Row]:
    """Return the strict headline's gap that is left where both hold the one's or the other's view.

    ``left`` is the mean size of the two gaps. ``reached`` says whether any evidence of today's
    kinds touches a belief of the claim, ``untouched`` which ones it does not.
    """
    a, b = parts.ends[:, 0, 0], parts.ends[:, 0, 1]
    out = []
    for i, group in enumerate(parts.groups):
        mine, theirs = parts.lacking[:, 0, i] - a, b - parts.alone[:, 0, i]
        left = estimate((np.abs(mine) + np.abs(theirs)) / 2.0)
        row: Row = {"claim": group, "left": left["mean"], "mcse": left["mcse"]}
        row |= {"left_on_a": float(mine[0]), "left_on_b": float(theirs[0])}
        untouched = [name for name in groups[group] if name in alone]
        row |= {"gap": float((b - a)[0]), "untouched": " ".join(untouched)}
        row["reached"] = len(untouched) < len(groups[group])
        out.append(row)
    return sorted(out, key=lambda row: float(row["left"]))


def table_rows(duo: tuple[Fit, Fit]) -> list[Row]:
    """Return the strict headline's gap if each table held twice as many rows that say the same.

    Each worldview's draws are weighed by the table's likelihood once more; where Pareto k is above
    0.7 the weights cannot tell.
    """
    found: dict[str, list[tuple[float, float, float]]] = {}
    for fit in duo:
        thin = taken(fit, np.linspace(0, fit.n - 1, min(fit.n, SCORED_ROWS)).astype(int))
        logs, x = log_likelihoods(thin), own(thin)[SHOWN[0]]
        for like in likelihoods(fit.compiled.structure):
            weight = fit.case.evidence.arrays[like.table]["weight"].astype(float)
            if not weight.any():
                continue
            made = smoothed(logs[like.name] @ weight)
            mean = made.mean(x)
            error = float((made.weights**2 @ (x - mean) ** 2) ** 0.5)
            row = (mean - float(x.mean()), error, made.pareto_k)
            found.setdefault(TABLES[like.name], []).append(row)
    gap = float(own(duo[1])[SHOWN[0]].mean() - own(duo[0])[SHOWN[0]].mean())
    return [
        {
            "table": table,
            "gap": gap,
            "doubled": gap + rows[1][0] - rows[0][0],
            "mcse": float(np.hypot(rows[0][1], rows[1][1])),
            "pareto_k": max(rows[0][2], rows[1][2]),
            "trusted": bool(max(rows[0][2], rows[1][2]) <= MAX_PARETO_K),
        }
        for table, rows in found.items()
    ]


def beliefs_rows(duo: tuple[Fit, Fit], groups: Mapping[str, Sequence[str]]) -> list[Row]:
    """Return what each learned of the beliefs on which they differ, by claim."""
    told = [{r["parameter"]: r for r in learned_rows(fit, before(fit)[0])} for fit in duo]
    out = []
    for claim, names in groups.items():
        for name in names:
            if name not in told[0]:
                continue
            row: Row = {"claim": claim, "belief": name}
            for who, rows in zip("ab", told, strict=True):
                for key in ("prior_mean", "posterior_mean", "sd_ratio", "shift", "learned"):
                    row[f"{who}_{key}"] = rows[name][key]
            out.append(row)
    return out


POOLS_SCORED = 1000
"""Draws from which works are scored."""


def weights_of(
    names: Sequence[str], stated: Sequence[str], *, file: str | Path | None = None
) -> dict[str, float]:
    """Return the weight of each worldview, summing to 1; equal where none is stated.

    Raises
    ------
    InputError
        If a weight is of nobody, no number, negative or missing, or all are 0.
    """
    found = dict(_file_weights(file)) if file is not None else {}
    for text in stated:
        name, _, number = text.partition("=")
        found[name.strip()] = number
    if not found:
        return dict.fromkeys(names, 1.0 / len(names))
    out = {}
    for name, value in found.items():
        if name not in names:
            raise InputError(f"weight of {name!r}: no such worldview; {near_miss(name, names)}")
        try:
            out[name] = float(value)
        except (TypeError, ValueError):
            raise InputError(f"weight of {name!r}: found {value!r}; write NAME=NUMBER") from None
        if not 0.0 <= out[name] < np.inf:
            raise InputError(f"weight of {name!r}: found {value}; give a number of 0 or more")
    missing = [name for name in names if name not in out]
    if missing:
        raise InputError(
            f"weights: found none for {', '.join(missing)}; state each, or none at all"
        )
    if not sum(out.values()):
        raise InputError("weights: found 0 for all; give some worldview more")
    return {name: out[name] / sum(out.values()) for name in names}


def _file_weights(file: str | Path) -> Mapping[str, Any]:
    table = read_toml(Path(file)).data.get("weights")
    if not isinstance(table, Mapping):
        raise InputError(f"{file}: found no table [weights]; add it, with NAME = NUMBER")
    return table


def pool_rows(fits: Mapping[str, Fit], shares: Mapping[str, float]) -> list[Row]:
    """Return the pooled forecasts, one row for each way and quantity."""
    scored = stacked({name: work_elpd(fit, most=POOLS_SCORED) for name, fit in fits.items()})
    best = {name: row["stacking_weight"] for name, row in scored.items()}
    draws = {name: own(fit) for name, fit in fits.items()}
    out = []
    for name in SHOWN:
        x = {who: found[name] for who, found in draws.items()}
        out += [
            {"quantity": name, "way": "linear"} | mixture(x, shares) | _told(shares),
            {"quantity": name, "way": "logarithmic"} | geometric(x, shares) | _told(shares),
            {"quantity": name, "way": "stacking"} | mixture(x, best) | _told(best),
        ]
    return out


def mixture(x: Mapping[str, np.ndarray], shares: Mapping[str, float]) -> Row:
    """Return mean and interval of the linear pool of draws."""
    values = np.concatenate([x[who] for who in x])
    w = np.concatenate([np.full(len(x[who]), shares[who] / len(x[who])) for who in x])
    order = np.argsort(values)
    at = np.searchsorted(np.cumsum(w[order]) / w.sum(), TAILS).clip(0, len(values) - 1)
    lower, median, upper = values[order][at]
    ends = {"lower": float(lower), "median": float(median), "upper": float(upper)}
    return {"mean": float(w @ values / w.sum())} | ends


def geometric(x: Mapping[str, np.ndarray], shares: Mapping[str, float]) -> Row:
    """Return the logarithmic pool of the means; it has no interval."""
    p = np.clip([x[who].mean() for who in x], 1e-12, 1.0 - 1e-12)
    w = np.array([shares[who] for who in x])
    mean = 1.0 / (1.0 + np.exp(-(w @ (np.log(p) - np.log1p(-p)))))
    return {"mean": float(mean), "lower": None, "median": None, "upper": None}


def _told(shares: Mapping[str, float]) -> Row:
    return {f"weight {who}": share for who, share in shares.items()}


FITS = 24
"""Fits at most for a pair of worldviews, their own two included."""
MARK = "crux.json"


@dataclass(frozen=True)
class Crux:
    """A finished crux; ``summary`` is what crux.json holds."""

    folder: Path
    summary: Row

    @property
    def converged(self) -> bool:
        """Whether every fit met the rule."""
        return bool(self.summary["converged"])

    def text(self) -> str:
        """Return what the terminal shows."""
        from reports.crux import crux_text

        return f"{crux_text(self.summary)}\n{self.folder}"


def crux(
    priors: Sequence[str | Path],
    *,
    out: str | Path | None = None,
    evidence: str | Path | None = None,
    weight: Sequence[str] = (),
    weights: str | Path | None = None,
    fits: int = FITS,
    quick: bool = False,
    cores: int | None = None,
    seed: int = 0,
    quiet: bool = False,
) -> Crux:
    """Attribute the gap between the first worldview and each other one to beliefs.

    Parameters
    ----------
    priors
        Two or more priors files, shipped names or folders of runs.
    out
        Folder; ``runs/crux-NAMES-HASH8`` by default. Fits that lie there are not made again.
    evidence
        Folder of tables for all; else what the first names, else the shipped one.
    weight, weights
        Weights of the pooled forecasts: texts ``NAME=NUMBER``, or a TOML file with a table
        ``[weights]``; equal by default.
    fits
        Fits at most for each pair; mixtures that would need more are marked.
    quick
        Make no fit but those of the worldviews themselves.
    cores
        Fits at a time; all cores by default.
    seed
        Seed of every random number.
    quiet
        Show no progress.

    Raises
    ------
    InputError
        If the user's input or the folder is at fault.
    """
    check_asked(priors, fits)
    configs = [load_config(_file(one)) for one in priors]
    tables = load_tables(
        _evidence(priors[0], configs[0], stated=evidence), off=configs[0].evidence.off
    )
    names = unique([config.name for config in configs])
    cases = same_asked(configs, tables, seed=seed)
    shares = weights_of(names, weight, file=weights)
    folder = make_folder(out, names, cases=cases)
    with Stages(quiet=quiet) as stages, limited(cores):
        made = _fitted(cases, folder, cores=cores, stages=stages)
        own = dict(zip(names, made, strict=True))
        views = [view_row(n, c, fit=f) for n, c, f in zip(names, configs, made, strict=True)]
        pairs, most = [], 2 if quick else fits
        for other in names[1:]:
            duo = (own[names[0]], own[other])
            pool, found = _bridged(duo, folder, most=most, cores=cores, stages=stages)
            with stages(f"{names[0]} and {other}"):
                told: Row = {"a": names[0], "b": other, "fits": len(found)}
                pairs.append(told | compared(pool, duo, converged=_all(found)))
        with stages("pooled forecasts"):
            pooled_rows = pool_rows(own, shares)
    summary: Row = {"schema": 1, **vars(cases[0].question), "seed": seed, "names": names}
    summary["converged"] = _all(made) and all(pair["converged"] for pair in pairs)
    summary |= {"quick": quick, "worldviews": views, "pairs": pairs, "pooled": pooled_rows}
    write(folder, summary)
    return Crux(folder, summary)


def as_default(case: Case) -> list[str]:
    """Return the beliefs that say what the shipped default says: the worldview's file is silent."""
    plain = {prior.name: prior for prior in load_config("default").priors}
    return [p.name for p in case.priors if not differs(p, plain[p.name])]


def check_asked(priors: Sequence[str | Path], fits: int) -> None:
    """Refuse fewer than two worldviews, or than two fits."""
    if len(priors) < 2:
        raise InputError(f"crux: found {len(priors)} worldview; name two or more")
    if fits < 2:
        raise InputError(f"--fits {fits}: two worldviews take two fits; give 2 or more")


def compared(pool: Pool, duo: tuple[Fit, Fit], *, converged: bool) -> Row:
    """Return all that is said of two worldviews."""
    a, b = (fit.case for fit in duo)
    out: Row = {"converged": converged, "trust": {}, "exact": {}, "parts": []}
    out["default"] = {"a": as_default(a), "b": as_default(b)}
    for by in ("block", "claim"):
        groups = groups_by(a, b, by=by)
        orders = subset_orders(groups, pool.fit.compiled.alone, seed=a.seed)
        made = attributed(pool, groups, names=SHOWN, orders=orders)
        out["parts"] += part_rows(made, groups, by=by)
        out["exact"][by] = made.exact
        out["trust"][by] = trust(pool, mixtures(pool, groups, orders=orders))
    out["gaps"] = gap_rows(duo, made)
    out["swaps"] = swap_rows(made)
    out["closing"] = closing_rows(made, groups, alone=pool.fit.compiled.alone)
    out["tables"] = table_rows(duo)
    out["beliefs"] = beliefs_rows(duo, groups)
    return out


def _fitted(cases: Sequence[Case], folder: Path, *, cores: int | None, stages: Stages) -> list[Fit]:
    from forecast.inference.parallel import fit_many

    with stages(f"fits of {len(cases)} worldviews"):
        return fit_many(cases, folder / "fits", workers=cores, tick=stages.tick)


def _bridged(
    duo: tuple[Fit, Fit], folder: Path, *, most: int, cores: int | None, stages: Stages
) -> tuple[Pool, list[Fit]]:
    """Return the pool of a pair and its fits, mixtures of their beliefs fitted as needed."""
    from forecast.inference.parallel import fit_many

    a, b = (fit.case for fit in duo)
    start, turn = ([duo[0]] if a.priors == b.priors else list(duo)), count(1)
    pool, wanted = pooled(a, b, fits=start), []
    for by in ("block", "claim"):
        groups = groups_by(a, b, by=by)
        orders = subset_orders(groups, pool.fit.compiled.alone, seed=a.seed)
        wanted.append(mixtures(pool, groups, orders=orders))

    def make(cases: list[Case]) -> list[Fit]:
        how: Row = {"workers": cores, "tick": stages.tick}
        place = folder / "fits"
        with stages(f"mixtures, round {next(turn)}"):
            made = fit_many(cases, place, base=a, **how)
            again = [i for i, fit in enumerate(made) if not fit.diagnosis.converged]
            afresh = [replace(cases[i], sampler=replace(a.sampler, retry=True)) for i in again]
            for i, fit in zip(again, fit_many(afresh, place, **how) if again else [], strict=True):
                made[i] = fit
        return made

    members = np.unique(np.concatenate(wanted), axis=0)
    return bridged(pool, start, members=members, make=make, most=most)


def same_asked(configs: Sequence[Config], tables: Tables, *, seed: int) -> list[Case]:
    """Return the Cases of worldviews, which must ask the same question of the same model.

    Raises
    ------
    InputError
        If question, model or the weight of forecasts by others differ.
    """
    first, out = configs[0], []
    for config in configs:
        for table in ("question", "model"):
            mine, other = vars(getattr(first, table)), vars(getattr(config, table))
            for key in mine:
                if mine[key] != other[key]:
                    raise InputError(
                        f"{config.path}: [{table}] {key} found {other[key]}, where {first.path} "
                        f"has {mine[key]}; a crux is of beliefs, so ask both the same"
                    )
        evidence = replace(config.evidence, expert_weight=first.evidence.expert_weight)
        made = make_case(replace(config, evidence=evidence), tables, seed=seed)
        out.append(replace(made, sampler=first.sampler))
    return out


def unique(names: Sequence[str]) -> list[str]:
    """Return the names, a second one of the same numbered."""
    out: list[str] = []
    for name in names:
        n = sum(one == name or one.startswith(f"{name} (") for one in out)
        out.append(name if not n else f"{name} ({n + 1})")
    return out


def _all(fits: Sequence[Fit]) -> bool:
    return all(fit.diagnosis.converged for fit in fits)


def _file(place: str | Path) -> Path | str:
    """Return the priors file of a run folder, or the place itself."""
    return Path(place) / "priors.toml" if (Path(place) / MANIFEST).is_file() else place


def _evidence(first: str | Path, config: Config, *, stated: str | Path | None) -> Path:
    if stated is None and (Path(first) / MANIFEST).is_file():
        return Path(first) / "evidence"
    place = stated if stated is not None else config.evidence.path
    return find_evidence(Path(place) if place is not None else None)


def make_folder(out: str | Path | None, names: Sequence[str], *, cases: Sequence[Case]) -> Path:
    """Make the folder of a crux, or take one that is there.

    Raises
    ------
    InputError
        If something else is there, or it cannot be written.
    """
    from forecast.inference.parallel import fit_key

    key = digest(*(fit_key(case) for case in cases))[:8]
    usual = Path("runs") / f"crux-{'-'.join(dict.fromkeys(n.split(' ')[0] for n in names))}-{key}"
    folder = usual if out is None else Path(out)
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "fits").is_dir():
        raise InputError(f"--out {folder}: exists and is no folder of a crux; name another")
    try:
        (folder / "fits").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {folder}: cannot be written ({error.strerror})") from None
    return folder


def write(folder: Path, summary: Row) -> None:
    """Write tables, figures, the page and crux.json."""
    from reports.crux import write_crux
    from reports.figures.choices import write_crux_figures

    for name in ("gaps", "parts", "swaps", "closing", "tables", "beliefs"):
        rows = [
            {"a": pair["a"], "b": pair["b"]} | row
            for pair in summary["pairs"]
            for row in pair[name]
        ]
        write_csv(folder / f"{name}.csv", rows)
    write_csv(folder / "pooled.csv", summary["pooled"])
    captions = write_crux_figures(folder, summary)
    write_crux(folder, summary, captions=captions)
    write_json(folder / MARK, summary)
