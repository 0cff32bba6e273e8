"""``forecast diff``: what changed between two runs, and how much of the move each change explains.

Priors, tables of evidence and options of two run folders are compared. The value of a subset of
the changes is the headline with these as in the second run and all else as in the first; a run
answers what shares its evidence by its own draws, reweighted, moved or refitted as needed. Parts
are Shapley values over the changes, and beside them the moves as changes are made one after
another, in the order listed. What is left of the move between the saved headlines is code,
libraries and sampling.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from forecast.analyses.bridging import differs
from forecast.analyses.result import Result, opened, outside_of, target_of
from forecast.analyses.statistics import shapley
from forecast.config.load import load_config
from forecast.inference.case import Answer, Case
from forecast.inference.evaluate import evaluate
from forecast.inference.sampling import Fit
from forecast.progress import Stages
from forecast.runs.folder import read_manifest
from forecast.runs.open import Run, fit_of
from models.quantities import HEADLINE

SHOWN = HEADLINE[:6]
MOST = 5
"""Changes told apart: 32 subsets; more priors are joined by block, then all."""
Row = dict[str, Any]


@dataclass(frozen=True)
class Change:
    """Something that differs, told in words; ``apply`` names the fields of the Case it takes."""

    name: str
    told: str
    priors: tuple[str, ...] = ()
    tables: bool = False
    fields: tuple[str, ...] = ()


class Diff(Result):
    """Two runs compared: ``summary`` is diff.json."""

    words = ("reports.diff", "diff_text")


def diff(
    run1: Run | str | Path,
    run2: Run | str | Path,
    *,
    out: str | Path | None = None,
    cores: int | None = None,
    quiet: bool = False,
) -> Diff:
    """Say which changes between two runs moved the headline, and by how much.

    Parameters
    ----------
    run1, run2
        Finished runs or their folders.
    out
        New folder for diff.json, changes.csv and parts.csv.
    cores
        Processor cores of a fit.
    quiet
        Show no progress.

    Raises
    ------
    InputError
        If a folder holds no finished run, or ``out`` is taken.
    """
    runs = [opened(one, "it can be compared") for one in (run1, run2)]
    target = target_of(out)
    with Stages(quiet=quiet) as stages:
        with stages("read the runs"):
            fits = [fit_of(one) for one in runs]
        found = changes(runs, fits)
        players = [one for one in found if one.priors or one.tables or one.fields]
        with stages(f"{2 ** len(players)} subsets of {len(players)} changes"):
            answers = answered(fits, players, cores=cores, tick=stages.tick)
    converged = all(one.converged for one in runs) and all(one.converged for one in answers)
    summary = {"schema": 1, "runs": [one.folder.name for one in runs], "converged": converged}
    summary["considered"] = [outside_of(one) for one in runs]
    summary |= {"changes": [{"change": one.name, "told": one.told} for one in found]}
    summary |= {
        "parts": part_rows(runs, players, answers=answers),
        "how": how_rows(players, answers),
    }
    if target is not None:
        _write(target, summary)
    return Diff(summary, converged, target)


def changes(runs: Sequence[Run], fits: Sequence[Fit]) -> list[Change]:
    """Return all that differs between two runs, in the order in which it is attributed."""
    first, second = (fit.case for fit in fits)
    out = _prior_changes(first, second)
    rows = evidence_rows(*(run.folder / "evidence" for run in runs))
    off = [load_config(run.folder / "priors.toml").evidence.off for run in runs]
    if off[0] != off[1]:
        rows.append(f"tables switched off: {', '.join(off[0])} -> {', '.join(off[1])}")
    moved = first.evidence != second.evidence
    if rows or moved:
        note = "" if moved else " (none enters the fit)"
        out.append(Change("evidence", "; ".join(rows) + note, tables=moved))
    for field in ("question", "model", "experts"):
        mine, other = getattr(first, field), getattr(second, field)
        if mine != other:
            out.append(Change(field, _options(mine, other), fields=(field,)))
    if len([one for one in out if one.priors or one.tables or one.fields]) > MOST:
        out = _joined(out)
    return out + _untold(runs, fits)


def _prior_changes(first: Case, second: Case) -> list[Change]:
    other = second.by_name
    found = [p for p in first.priors if differs(p, other[p.name])]
    if len(found) < MOST:
        return [Change(p.name, _said(p, other[p.name]), priors=(p.name,)) for p in found]
    out = []
    for block in dict.fromkeys(p.block for p in found):
        some = [p for p in found if p.block == block]
        told = "; ".join(f"{p.name}: {_said(p, other[p.name])}" for p in some)
        out.append(Change(f"priors of {block}", told, priors=tuple(p.name for p in some)))
    return out


def _joined(found: Sequence[Change]) -> list[Change]:
    """Return the changes with those of priors made one, and those of options one."""
    priors = [one for one in found if one.priors]
    options = [one for one in found if one.fields]
    names = tuple(name for one in priors for name in one.priors)
    out = [Change("priors", "; ".join(one.told for one in priors), priors=names)] if priors else []
    out += [one for one in found if not one.priors and not one.fields]
    if options:
        fields = tuple(field for one in options for field in one.fields)
        out.append(Change("options", "; ".join(one.told for one in options), fields=fields))
    return out


def _said(one: Any, other: Any) -> str:
    texts = [
        f"{p.dist}({', '.join(f'{key} {value:g}' for key, value in p.params)})"
        for p in (one, other)
    ]
    return " -> ".join(texts)


def _options(one: Any, other: Any) -> str:
    if not hasattr(one, "__dataclass_fields__"):
        weights = [sum(expert.weight for expert in some) for some in (one, other)]
        return f"forecasts by others: weight {weights[0]:g} -> {weights[1]:g}"
    pairs = ((key, getattr(one, key), getattr(other, key)) for key in vars(one))
    return ", ".join(f"{key} {mine} -> {theirs}" for key, mine, theirs in pairs if mine != theirs)


def _untold(runs: Sequence[Run], fits: Sequence[Fit]) -> list[Change]:
    """Return changes that are no part of a Case here: sampler, seed, code and libraries."""
    first, second = (read_manifest(run.folder) or {} for run in runs)
    out = []
    if fits[0].case.sampler != fits[1].case.sampler:
        out.append(Change("sampler", _options(fits[0].case.sampler, fits[1].case.sampler)))
    if first.get("seed") != second.get("seed"):
        out.append(Change("seed", f"{first.get('seed')} -> {second.get('seed')}"))
    if first.get("code_hash") != second.get("code_hash"):
        hashes = (str(m.get("code_hash"))[:8] for m in (first, second))
        out.append(Change("code", " -> ".join(hashes)))
    mine, other = (m.get("versions") or {} for m in (first, second))
    told = [
        f"{k} {mine.get(k)} -> {other.get(k)}"
        for k in {**mine, **other}
        if mine.get(k) != other.get(k)
    ]
    return out + ([Change("versions", ", ".join(told))] if told else [])


def evidence_rows(one: Path, other: Path) -> list[str]:
    """Return which rows of the tables in two folders were added, removed or changed."""
    out = []
    for name in sorted({p.name for folder in (one, other) for p in folder.glob("*.csv")}):
        mine, theirs = (_rows(folder / name) for folder in (one, other))
        for word, keys in (
            ("added", theirs.keys() - mine.keys()),
            ("removed", mine.keys() - theirs.keys()),
            ("changed", {k for k in mine.keys() & theirs.keys() if mine[k] != theirs[k]}),
        ):
            if keys:
                some = ", ".join(sorted(keys)[:5])
                more = f" and {len(keys) - 5} more" if len(keys) > 5 else ""
                out.append(f"{name.removesuffix('.csv')}: {word} {some}{more}")
    return out


def _rows(path: Path) -> dict[str, tuple[str, ...]]:
    """Return the rows of a table by their first column, later ones of the same key numbered."""
    out: dict[str, tuple[str, ...]] = {}
    if not path.is_file():
        return out
    with path.open(encoding="utf-8", newline="") as file:
        for row in list(csv.reader(file))[1:]:
            key, n = row[0] if row else "", 1
            while key in out:
                n += 1
                key = f"{row[0]} ({n})"
            out[key] = tuple(row)
    return out


def varied(first: Case, second: Case, *, some: Sequence[Change]) -> Case:
    """Return the first Case with some of the changes."""
    names = {name for one in some for name in one.priors}
    other = second.by_name
    fields = {field: getattr(second, field) for one in some for field in one.fields}
    if any(one.tables for one in some):
        fields["evidence"] = second.evidence
    priors = tuple(other[p.name] if p.name in names else p for p in first.priors)
    return replace(first, priors=priors, **fields)


def answered(
    fits: Sequence[Fit], players: Sequence[Change], *, cores: int | None, tick: Any
) -> list[Answer]:
    """Return the Answer of each subset of changes, by bit mask; the ends are the runs' own."""
    first, second = (fit.case for fit in fits)
    whole, out = 2 ** len(players) - 1, []
    for mask in range(whole + 1):
        some = [one for i, one in enumerate(players) if mask >> i & 1]
        case, base = varied(first, second, some=some), fits[0]
        if mask == whole or (mask and case.evidence != first.evidence):
            base = fits[1]
            case = replace(case, seed=second.seed, sampler=second.sampler)
        out += evaluate([case], base=base, names=SHOWN, cores=cores, tick=tick)
    return out


def part_rows(
    runs: Sequence[Run], players: Sequence[Change], *, answers: Sequence[Answer]
) -> list[Row]:
    """Return each change's part of the move, by Shapley and in order, and what is left.

    Errors take the subsets' answers as independent, which is too wide where they share draws.
    """
    values = np.array([[one.quantities[name].mean() for one in answers] for name in SHOWN])
    errors = np.array([[one.mcse[name] for one in answers] for name in SHOWN])
    n, parts = len(players), shapley(values)
    weights = shapley(np.eye(2**n)).T if n else np.zeros((0, 1))
    ordered = np.array([2**i - 1 for i in range(n + 1)])
    out = []
    for q, name in enumerate(SHOWN):
        ends = [run.headline["quantities"][name] for run in runs]
        move = ends[1]["mean"] - ends[0]["mean"]
        for i, ((a, b), one) in enumerate(zip(pairwise(ordered), players, strict=True)):
            row: Row = {"quantity": name, "change": one.name, "part": float(parts[q, i])}
            row |= {"mcse": float(np.sqrt(weights[i] ** 2 @ errors[q] ** 2))}
            out.append(row | {"in_order": float(values[q, b] - values[q, a]), "move": move})
        left = move - float(parts[q].sum())
        row = {"quantity": name, "change": "code, libraries and sampling", "part": left}
        row |= {"mcse": float(np.hypot(ends[0]["mcse"], ends[1]["mcse"]))}
        out.append(row | {"in_order": left, "move": move})
    return out


def how_rows(players: Sequence[Change], answers: Sequence[Answer]) -> list[Row]:
    """Return how each subset of changes was answered."""
    return [
        {
            "changes": ", ".join(p.name for i, p in enumerate(players) if mask >> i & 1) or "none",
            "how": one.how,
            "pareto_k": one.pareto_k,
            "ess": one.ess,
            "converged": one.converged,
        }
        for mask, one in enumerate(answers)
    ]


def _write(folder: Path, summary: Mapping[str, Any]) -> None:
    from forecast.files import write_csv, write_json

    folder.mkdir(parents=True)
    for name in ("changes", "parts", "how"):
        write_csv(folder / f"{name}.csv", summary[name])
    write_json(folder / "diff.json", summary)
