"""A finished run, opened: its numbers, its text, its fit, and its draws for another run.

Two runs share their draws if evidence, code, sampler options, seed and every sampled prior are the
same. The question, what makes a level established, and priors that no likelihood touches may
differ, so such a run costs no sampling.
"""

import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from forecast.config.load import load_config
from forecast.config.toml import near_miss
from forecast.evidence.load import load_tables
from forecast.inference.case import Answer, Case, digest, make_case, structure_of
from forecast.inference.diagnostics import Diagnosis, Moves
from forecast.inference.evaluate import evaluate, exactly, fitted
from forecast.inference.identity import code_hash, versions
from forecast.inference.sampling import Compiled, Fit, flat
from forecast.inference.tree import load_tree
from forecast.runs import folder as folders
from forecast.runs.folder import read_json, read_manifest
from forecast.runs.summarise import read_work
from models.errors import InputError
from models.quantities import HEADLINE
from reports.view import EMPTY

LOG = logging.getLogger("forecast")
ADDED = ("structure", "left_out")
"""Tables that `forecast check RUN` adds to a finished run."""
SENTENCES = "not_observed"
"""The one list of a context that holds text; the others hold rows."""
JSON_KINDS = {list: "list", dict: "object"}
DERIVED = ("worker_ratio_elasticity", "ease")
"""Draws that follow from sampled ones (:func:`forecast.inference.forward.with_ease`)."""
TIGHT = 1e-9
"""Relative difference of two means of the same draws, as JSON holds them."""


@dataclass(frozen=True)
class Run:
    """A finished run, or the draws that an interrupted one left.

    ``headline`` is the content of headline.json; ``dt`` the DataTree, read on first use.
    """

    folder: Path
    headline: dict[str, Any] = field(repr=False)
    context: dict[str, Any] = field(repr=False)
    already: bool = False

    @property
    def converged(self) -> bool:
        """Whether the sampler converged by the project's rule."""
        return bool(self.headline.get("converged"))

    @cached_property
    def dt(self) -> Any:
        """The DataTree of the run."""
        return read_tree(self.folder)

    def text(self) -> str:
        """Return the table that the terminal shows."""
        if not self.headline:
            return partial_text(self)
        from reports import terminal_table

        return f"{terminal_table(self.context)}\n{self.folder}"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the headline, as the terminal has it."""
        if not self.headline:
            return f"<p>{escape(partial_text(self))}</p>"
        from reports.notebook import notebook_html

        return notebook_html(self.context, folder=str(self.folder))

    @property
    def draws_of(self) -> str | None:
        """Name of the run whose draws this one took, as only what follows from them differs."""
        origin = self.context.get("manifest", {}).get("draws_of")
        return None if origin is None else str(origin)

    def work_text(self, key: str) -> str:
        """Return one work's posterior."""
        from reports import work_text

        self.demand_whole("works have a posterior")
        context = self.context
        works = [row["work"] for row in context.get("works", [])]
        if key not in works:  # of many works the context holds some, works.csv all
            row = read_work(self.folder / "works.csv", key)
            if row is None:
                raise InputError(f"--work {key}: not in this run; {near_miss(key, works)}")
            context = context | {"works": [row]}
        return work_text(context, key)

    def demand_whole(self, what: str) -> None:
        """Refuse what an interrupted run cannot give.

        Raises
        ------
        InputError
            If the run was interrupted.
        """
        if not self.headline:
            raise InputError(
                f"{self.folder}: the run was interrupted, and only some draws are kept; "
                f"{what} once it is run again to its end"
            )


def partial_text(run: Run) -> str:
    """Return what an interrupted run left."""
    posterior = run.dt["posterior"].sizes
    return (
        f"{run.folder}: interrupted and not complete; {posterior['chain']} chains of "
        f"{posterior['draw']} draws are kept. Run the same command to start afresh."
    )


def show(folder: str | Path, *, work: str | None = None) -> Run:
    """Return a finished run, or what an interrupted one left.

    Raises
    ------
    InputError
        If the folder holds no run.
    """
    path = folders.find_run(Path(folder))
    run = Run(path, {}, {})
    if folders.is_complete(path):
        run = Run(path, _object(path / "headline.json"), _context(path))
        folders.check_unchanged(path)
        run.context["manifest"] = read_manifest(path)
        for name in ADDED:
            if (path / f"{name}.json").is_file():
                run.context[name] = _rows(path / f"{name}.json")
    if work is not None:
        run.work_text(work)
    return run


def _object(path: Path) -> dict[str, Any]:
    content = _read(path)
    if not isinstance(content, dict) or not content:
        raise folders.unreadable(path, "no JSON object, or an empty one")
    return content


def _context(folder: Path) -> dict[str, Any]:
    """Return context.json, each part of the kind that text and page read."""
    path = folder / "context.json"
    context = _object(path)
    for name, value in context.items():
        kind = type(EMPTY.get(name))
        if kind in (list, dict) and not isinstance(value, kind):
            raise folders.unreadable(path, f"{name} is no {JSON_KINDS[kind]}")
        if kind is list and name != SENTENCES and not all(isinstance(x, dict) for x in value):
            raise folders.unreadable(path, f"{name} is no list of objects")
    return context


def _rows(path: Path) -> list[dict[str, Any]]:
    rows = _read(path)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise folders.unreadable(path, "no JSON list of objects")
    return rows


def _read(path: Path) -> Any:
    try:
        return read_json(path)
    except OSError as error:
        raise folders.unreadable(path, error.strerror) from None


def read_tree(folder: Path, groups: Iterable[str] | None = None) -> Any:
    """Return the DataTree of a run's folder, or some of its groups.

    Raises
    ------
    InputError
        If the file cannot be read, or a group is missing.
    """
    path = folder / "posterior.nc"
    try:
        return load_tree(path, groups)
    except OSError as error:  # the netCDF library's own errors are below zero
        system = error.errno is not None and error.errno > 0
        reason = os.strerror(error.errno or 0) if system else "not a whole netCDF file"
        raise folders.unreadable(path, reason) from None


def fit_of(run: Run | str | Path) -> Fit:
    """Return the fit of a finished run, read from its folder, for reweighting and exact changes."""
    run = run if isinstance(run, Run) else show(run)
    run.demand_whole("its fit can be used")
    config = load_config(run.folder / "priors.toml")
    tables = load_tables(run.folder / "evidence", off=config.evidence.off)
    manifest = read_manifest(run.folder) or {}
    case = replace(make_case(config, tables, seed=manifest["seed"]), sampler=config.sampler)
    tree = read_tree(run.folder, ("posterior", "sample_stats"))
    compiled = Compiled(structure_of(case), None, tuple(manifest["alone"]), {}, 0.0)
    stats = tree["sample_stats"]
    chosen = stats["chosen"].to_numpy().ravel() if "chosen" in stats else None
    verdict = _diagnosis(run.context["diagnostics"])
    return Fit(case, compiled, tree, flat(tree["posterior"]), verdict, chosen=chosen)


def _diagnosis(saved: Mapping[str, Any]) -> Diagnosis:
    """Return the diagnosis that diagnostics.json describes."""
    names = ("parameter", "r_hat", "ess_bulk", "ess_tail")
    return Diagnosis(
        converged=saved["converged"],
        failures=tuple(saved["failures"]),
        max_rhat=saved["max_rhat"],
        min_ess_bulk=saved["min_ess_bulk"],
        min_ess_tail=saved["min_ess_tail"],
        moves=Moves(saved["divergences"], saved["bfmi"], saved["leapfrog_steps"]),
        rows=tuple(tuple(row[name] for name in names) for row in saved["parameters"]),
        retried=saved["retried"],
    )


def reweight(
    run: Run | str | Path, priors: str | Path, *, names: Sequence[str] | None = None
) -> Answer:
    """Return the Answer of a finished run under other priors, by reweighting its draws.

    Where only beliefs that no likelihood touches differ, its draws need no weights (``exact``).

    Parameters
    ----------
    run
        A run or its folder.
    priors
        A priors file or shipped name, of the run's families. The Answer says its Pareto k: above
        0.7 it is not to be trusted.
    names
        Quantities wanted; all by default, which takes seconds.
    """
    fit, config = fit_of(run), load_config(priors)
    case = replace(fit.case, priors=config.priors, question=config.question)
    how = "exact" if exactly(fit, case) else "reweight"
    return evaluate([case], how=how, base=fit, names=names)[0]


@dataclass(frozen=True)
class Lender:
    """A finished run whose draws another takes.

    ``origin`` names the run that drew them, ``alone`` the priors that were not drawn.
    """

    folder: Path
    origin: str
    alone: tuple[str, ...]


def sampled_hash(case: Case, alone: tuple[str, ...]) -> str:
    """Return the SHA-256 of all that the draws of a Case follow from.

    The priors ``alone``, which no likelihood touches, do not count.
    """
    priors = sorted((p.name, p.dist, p.params) for p in case.priors if p.name not in alone)
    options = (case.model.link, case.model.tails, case.sampler, case.seed)
    evidence = (case.evidence.key, case.evidence.kind_of)
    return digest(priors, options, evidence, code_hash(), versions())


def find_lender(case: Case, beside: Path) -> Lender | None:
    """Return a finished run in the folder ``beside`` that has the draws of a Case, if any."""
    for file in sorted(beside.glob(f"*/{folders.MANIFEST}")):
        try:
            manifest = read_manifest(file.parent) or {}
        except InputError:
            continue  # damaged; no reason to stop another run
        alone = tuple(manifest.get("alone", ()))
        complete = bool(alone) and manifest.get("complete")
        if complete and manifest.get("sampled_hash") == sampled_hash(case, alone):
            return Lender(file.parent, manifest.get("draws_of") or file.parent.name, alone)
    return None


def lent_fit(case: Case, lender: Lender) -> Fit | None:
    """Return the fit of a Case from the draws of a run; None if they cannot be read."""
    try:
        tree = _sampled_tree(lender)
    except (InputError, KeyError, ValueError, RuntimeError) as error:
        LOG.warning("%s: its draws cannot be read (%s); drawing anew", lender.folder, error)
        return None
    compiled = Compiled(structure_of(case), None, lender.alone, {}, 0.0)
    return fitted(case, compiled, tree=tree)


def _sampled_tree(lender: Lender) -> Any:
    """Return what the sampler drew, in its order, and its statistics."""
    import xarray as xr

    tree = read_tree(lender.folder, ("sample_stats", "posterior"))
    stats, posterior = (tree[name].to_dataset() for name in ("sample_stats", "posterior"))
    posterior = posterior.drop_vars([*lender.alone, *DERIVED], errors="ignore")
    if "chosen" in stats:
        left_out = read_tree(lender.folder, ("left_out",))["left_out"]
        posterior = _in_order(posterior, left_out, chosen=stats["chosen"].to_numpy().ravel())
    stats = stats.drop_vars("chosen", errors="ignore")
    return xr.DataTree.from_dict({"posterior": posterior, "sample_stats": stats})


def _in_order(posterior: Any, left_out: Any, *, chosen: np.ndarray) -> Any:
    """Return every draw in its order, of those that forecasts by others chose and left out."""
    variables = {}
    for name, values in posterior.data_vars.items():
        draws = values.to_numpy().reshape(-1, *values.shape[2:])
        ordered = np.empty_like(draws)
        ordered[chosen] = draws
        ordered[left_out["left_out"].to_numpy()] = left_out[name].to_numpy()
        variables[name] = values.copy(data=ordered.reshape(values.shape))
    return posterior.assign(variables)


def sensitivity_of(beside: Path, name: str, *, context: Mapping[str, Any]) -> Path | None:
    """Return the folder of a finished sensitivity analysis of the strict headline, if there is one.

    Parameters
    ----------
    beside
        Folder of runs.
    name
        That of the run's folder.
    context
        The run's context. The analysis has to be of the same draws: of its code, with its mean. A
        damaged one, or one of other draws, is as good as none.
    """
    folder, target = beside / f"sensitivity-{name}", HEADLINE[0]
    try:
        manifest, saved = read_manifest(folder) or {}, read_json(folder / "sensitivity.json")
        own, mean = context["headline"]["quantities"][target]["mean"], saved["headline"]["mean"]
        same = (saved["run"], saved["target"]) == (name, target)
        same = same and manifest["code_hash"] == context["manifest"]["code_hash"]
        return folder if same and abs(mean - own) <= TIGHT * abs(own) else None
    except (OSError, InputError, LookupError, TypeError):
        return None
