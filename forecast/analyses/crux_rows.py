"""The tables of a crux: gaps, parts, swaps, what would close the gap, and what each learned."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from forecast.analyses.attributing import Groups, Parts, estimate
from forecast.analyses.predictive import TABLES
from forecast.analyses.result_folder import beside_model
from forecast.config import Config
from forecast.engine import answer
from forecast.forward import future_normals, taken
from forecast.outside import add_outside, outside_view
from forecast.pointwise import log_likelihoods
from forecast.reweighting import MAX_PARETO_K, smoothed
from forecast.sampling import Fit
from forecast.seeds import stream
from forecast.summaries import TAILS, Quantities, learned_rows, with_mcse
from models.late import headline, make_early
from models.observe import likelihoods
from models.prior_draws import prior_draws
from models.slots import BLOCKS

SHOWN = ("alignment_relevant", "alignment_used", "capabilities_relevant", "capabilities_first")
"""Quantities whose gap is attributed."""
CLAIMS = (*(f"C{i}" for i in range(1, 15)), "none")
PRIOR_DRAWS, SCORED = 4000, 2000
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
    early = make_early(draws, future, structure=structure, question=case.asked)
    return draws, headline(early, draws, question=case.asked)


def view_row(name: str, config: Config, *, fit: Fit) -> Row:
    """Return a worldview's quantities before and after the evidence."""
    view, alone = outside_view(config.outside_view), before(fit)[1]
    names = dict.fromkeys((*SHOWN, *([view.quantity] if view else [])))
    found = answer(fit, fit.case, names=tuple(names))
    after = {n: with_mcse(found[n], fit.chains) for n in names}
    head = add_outside({"quantities": after}, config.outside_view, found=found, tails=TAILS)
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
        thin = taken(fit, np.linspace(0, fit.n - 1, min(fit.n, SCORED)).astype(int))
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


__all__ = ["SHOWN", "closing_rows", "gap_rows", "part_rows", "swap_rows", "table_rows", "view_row"]
