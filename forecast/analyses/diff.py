"""``forecast diff``: what changed between two runs, and how much of the move each change explains.

Priors, tables of evidence and options of two run folders are compared. The value of a subset of
the changes is the headline with these as in the second run and all else as in the first; a run
answers what shares its evidence by its own draws, reweighted, moved or refitted as needed. Parts
are Shapley values over the changes, and beside them the moves as changes are made one after
another, in the order listed. What is left of the move between the saved headlines is code,
libraries and sampling.
"""

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from forecast.analyses.result import Result, Row, finished_run, new_folder, outside_of, save
from forecast.analyses.statistics import shapley
from forecast.config.load import load_config
from forecast.inference.case import Answer, Case, differing, mixed
from forecast.inference.evaluate import evaluate
from forecast.inference.sampling import Fit
from forecast.progress import Stages
from forecast.runs.folder import read_manifest
from forecast.runs.open import Run, fit_of
from models.quantities import HEADLINE

SHOWN = HEADLINE[:6]
MOST = 5
"""Changes attributed one by one: 32 subsets; more priors are joined by block, then all."""


@dataclass(frozen=True)
class Change:
    """Something that differs, in words; ``priors`` and ``fields`` are what it takes of a Case.

    A change without either is attributed to nothing: it is part of what is left.
    """

    name: str
    text: str
    priors: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()

    @property
    def attributed(self) -> bool:
        """Whether the change is one of a Case."""
        return bool(self.priors or self.fields)


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
    runs = [finished_run(one, "it can be compared") for one in (run1, run2)]
    folder = new_folder(out)
    with Stages(quiet=quiet) as stages:
        with stages("read the runs"):
            fits = [fit_of(one) for one in runs]
        listed = changes(runs, fits)
        players = [change for change in listed if change.attributed]
        with stages(f"{2 ** len(players)} subsets of {len(players)} changes"):
            answers = answered(fits, players, cores=cores, tick=stages.tick)
    converged = all([*(one.converged for one in runs), *(one.converged for one in answers)])
    summary: Row = {
        "schema": 1,
        "runs": [one.folder.name for one in runs],
        "converged": converged,
        "considered": [outside_of(one.headline) for one in runs],
        "changes": [{"change": one.name, "told": one.text} for one in listed],
        "parts": part_rows(runs, players, answers=answers),
        "how": how_rows(players, answers),
    }
    if folder is not None:
        tables = {name: summary[name] for name in ("changes", "parts", "how")}
        save(folder, "diff", summary, tables=tables)
    return Diff(summary, converged, folder)


def changes(runs: Sequence[Run], fits: Sequence[Fit]) -> list[Change]:
    """Return all that differs between two runs, in the order in which it is attributed."""
    first, second = (fit.case for fit in fits)
    listed = prior_changes(first, second)
    rows = evidence_rows(*(run.folder / "evidence" for run in runs))
    off = [load_config(run.folder / "priors.toml").evidence.off for run in runs]
    if off[0] != off[1]:
        rows.append(f"tables switched off: {', '.join(off[0])} -> {', '.join(off[1])}")
    if first.evidence != second.evidence:
        listed.append(Change("evidence", "; ".join(rows), fields=("evidence",)))
    elif rows:
        listed.append(Change("evidence", "; ".join(rows) + " (none enters the fit)"))
    for field in ("question", "model", "experts"):
        mine, other = getattr(first, field), getattr(second, field)
        if mine != other:
            listed.append(Change(field, options_text(mine, other), fields=(field,)))
    if sum(change.attributed for change in listed) > MOST:
        listed = joined(listed)
    return listed + unattributed(runs, fits)


def prior_changes(first: Case, second: Case) -> list[Change]:
    """Return the priors that differ, one by one if they are few, else by block."""
    mine, other, names = first.by_name, second.by_name, differing(first, second)

    def text(name: str) -> str:
        pair = [
            f"{p.dist}({', '.join(f'{key} {value:g}' for key, value in p.params)})"
            for p in (mine[name], other[name])
        ]
        return " -> ".join(pair)

    if len(names) < MOST:
        return [Change(name, text(name), priors=(name,)) for name in names]
    blocks: dict[str, list[str]] = {}
    for name in names:
        blocks.setdefault(mine[name].block, []).append(name)
    return [
        Change(f"priors of {b}", "; ".join(f"{n}: {text(n)}" for n in of), priors=tuple(of))
        for b, of in blocks.items()
    ]


def joined(listed: Sequence[Change]) -> list[Change]:
    """Return the changes with those of priors made one, and those of options one."""
    priors = [one for one in listed if one.priors]
    options = [one for one in listed if one.fields and one.name != "evidence"]
    merged = [one for one in listed if one.name == "evidence"]
    if priors:
        names = tuple(name for one in priors for name in one.priors)
        merged.insert(0, Change("priors", "; ".join(one.text for one in priors), priors=names))
    if options:
        fields = tuple(field for one in options for field in one.fields)
        merged.append(Change("options", "; ".join(one.text for one in options), fields=fields))
    return merged


def options_text(one: Any, other: Any) -> str:
    """Return how two sets of options differ; of forecasts by others, by their weights."""
    if not is_dataclass(one):
        weights = [sum(expert.weight for expert in experts) for experts in (one, other)]
        return f"forecasts by others: weight {weights[0]:g} -> {weights[1]:g}"
    return changed_text(vars(one), vars(other))


def changed_text(mine: dict[str, Any], other: dict[str, Any]) -> str:
    """Return which values of two mappings differ."""
    return ", ".join(
        f"{key} {mine.get(key)} -> {other.get(key)}"
        for key in {**mine, **other}
        if mine.get(key) != other.get(key)
    )


def unattributed(runs: Sequence[Run], fits: Sequence[Fit]) -> list[Change]:
    """Return changes that are no part of a Case here: sampler, seed, code and libraries."""
    first, second = (read_manifest(run.folder) or {} for run in runs)
    listed = []
    if fits[0].case.sampler != fits[1].case.sampler:
        text = options_text(fits[0].case.sampler, fits[1].case.sampler)
        listed.append(Change("sampler", text))
    if first.get("seed") != second.get("seed"):
        listed.append(Change("seed", f"{first.get('seed')} -> {second.get('seed')}"))
    if first.get("code_hash") != second.get("code_hash"):
        hashes = (str(manifest.get("code_hash"))[:8] for manifest in (first, second))
        listed.append(Change("code", " -> ".join(hashes)))
    text = changed_text(*(manifest.get("versions") or {} for manifest in (first, second)))
    return listed + ([Change("versions", text)] if text else [])


def evidence_rows(one: Path, other: Path) -> list[str]:
    """Return which rows of the tables in two folders were added, removed or changed."""
    lines = []
    for name in sorted({p.name for folder in (one, other) for p in folder.glob("*.csv")}):
        mine, theirs = (keyed_rows(folder / name) for folder in (one, other))
        for word, keys in (
            ("added", theirs.keys() - mine.keys()),
            ("removed", mine.keys() - theirs.keys()),
            ("changed", {k for k in mine.keys() & theirs.keys() if mine[k] != theirs[k]}),
        ):
            if keys:
                listed = ", ".join(sorted(keys)[:5])
                more = f" and {len(keys) - 5} more" if len(keys) > 5 else ""
                lines.append(f"{name.removesuffix('.csv')}: {word} {listed}{more}")
    return lines


def keyed_rows(path: Path) -> dict[str, tuple[str, ...]]:
    """Return the rows of a table by their first column, later ones of the same key numbered."""
    rows: dict[str, tuple[str, ...]] = {}
    if not path.is_file():
        return rows
    with path.open(encoding="utf-8", newline="") as file:
        for row in list(csv.reader(file))[1:]:
            key, n = row[0] if row else "", 1
            while key in rows:
                n += 1
                key = f"{row[0]} ({n})"
            rows[key] = tuple(row)
    return rows


def subset(players: Sequence[Change], mask: int) -> list[Change]:
    """Return the changes of a bit mask."""
    return [one for i, one in enumerate(players) if mask >> i & 1]


def answered(
    fits: Sequence[Fit],
    players: Sequence[Change],
    *,
    cores: int | None,
    tick: Callable[[], None] | None,
) -> list[Answer]:
    """Return the Answer of each subset of changes, by bit mask; the ends are the runs' own."""
    first, second = (fit.case for fit in fits)
    everything, answers = 2 ** len(players) - 1, []
    for mask in range(everything + 1):
        taken, base = subset(players, mask), fits[0]
        fields = {field: getattr(second, field) for one in taken for field in one.fields}
        case = mixed(first, second, names={name for one in taken for name in one.priors})
        case = replace(case, **fields)
        if mask == everything or (mask and case.evidence != first.evidence):
            base = fits[1]
            case = replace(case, seed=second.seed, sampler=second.sampler)
        answers += evaluate([case], base=base, names=SHOWN, cores=cores, tick=tick)
    return answers


def part_rows(
    runs: Sequence[Run], players: Sequence[Change], *, answers: Sequence[Answer]
) -> list[Row]:
    """Return each change's part of the move, by Shapley and in order, and what is left.

    Errors take the subsets' answers as independent, which is too wide where they share draws.
    """
    values = np.array([[one.quantities[name].mean() for one in answers] for name in SHOWN])
    errors = np.array([[one.mcse[name] for one in answers] for name in SHOWN])
    n, parts = len(players), shapley(values)
    mcse = np.sqrt(errors**2 @ shapley(np.eye(2**n)) ** 2)
    in_order = np.diff(values[:, [2**i - 1 for i in range(n + 1)]], axis=1)
    names, rows = [*(one.name for one in players), "code, libraries and sampling"], []
    for q, name in enumerate(SHOWN):
        first, second = (run.headline["quantities"][name] for run in runs)
        move = second["mean"] - first["mean"]
        left, error = move - parts[q].sum(), np.hypot(first["mcse"], second["mcse"])
        columns = ([*parts[q], left], [*mcse[q], error], [*in_order[q], left])
        for change, *numbers in zip(names, *columns, strict=True):
            row: Row = {"quantity": name, "change": change}
            row |= dict(zip(("part", "mcse", "in_order"), map(float, numbers), strict=True))
            rows.append(row | {"move": move})
    return rows


def how_rows(players: Sequence[Change], answers: Sequence[Answer]) -> list[Row]:
    """Return how each subset of changes was answered."""
    keys = ("how", "pareto_k", "ess", "converged")
    return [
        {"changes": ", ".join(one.name for one in subset(players, mask)) or "none"}
        | {key: getattr(answer, key) for key in keys}
        for mask, answer in enumerate(answers)
    ]
