"""``forecast crux``: how much of the gap between worldviews each belief explains.

All worldviews are fitted to the same evidence. Of the first and each other one, mixtures of their
beliefs are weighed draws of a few fits (:mod:`forecast.analyses.bridging`), and Shapley values over
blocks and over claims (each belief counts for its home claim) add up to the gap.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from forecast.analyses.attributing import attributed, groups_by, mixtures, subset_orders
from forecast.analyses.bridging import Pool, bridged, differs, pooled, trust
from forecast.analyses.crux_rows import (
    SHOWN,
    beliefs_rows,
    closing_rows,
    gap_rows,
    part_rows,
    swap_rows,
    table_rows,
    view_row,
)
from forecast.analyses.opinion_pool import pool_rows, weights_of
from forecast.case import Case, digest, make_case
from forecast.config import Config, load_config
from forecast.evidence import Tables, find_evidence, load_tables
from forecast.folder import MANIFEST, write_csv, write_json
from forecast.progress import Stages
from forecast.sampling import Fit
from models.blocks import limited
from models.errors import InputError

FITS = 24
"""Fits at most for a pair of worldviews, their own two included."""
MARK = "crux.json"
Row = dict[str, Any]


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
        from reports.disagreement import crux_text

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
    from forecast.parallel import fit_many

    with stages(f"fits of {len(cases)} worldviews"):
        return fit_many(cases, folder / "fits", workers=cores, tick=stages.tick)


def _bridged(
    duo: tuple[Fit, Fit], folder: Path, *, most: int, cores: int | None, stages: Stages
) -> tuple[Pool, list[Fit]]:
    """Return the pool of a pair and its fits, mixtures of their beliefs fitted as needed."""
    from forecast.parallel import fit_many

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
    from forecast.kept import fit_key

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
    from reports.decision_figures import write_crux_figures
    from reports.disagreement import crux_page

    for name in ("gaps", "parts", "swaps", "closing", "tables", "beliefs"):
        rows = [
            {"a": pair["a"], "b": pair["b"]} | row
            for pair in summary["pairs"]
            for row in pair[name]
        ]
        write_csv(folder / f"{name}.csv", rows)
    write_csv(folder / "pooled.csv", summary["pooled"])
    captions = write_crux_figures(folder, summary)
    page = crux_page(summary, captions, folder=folder)
    (folder / "crux.html").write_text(page, encoding="utf-8", newline="\n")
    write_json(folder / MARK, summary)


__all__ = ["Crux", "crux", "same_asked", "unique"]
