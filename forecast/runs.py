"""Runs: sample, summarise, plot and report; show again; rebuild the report."""

import os
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any

from forecast import folder as folders
from forecast.case import make_case
from forecast.config import load_config
from forecast.evidence import load_tables
from forecast.filling import fill
from forecast.identity import run_hash
from forecast.inputs import Job, load_inputs, with_options
from forecast.older import with_sides
from forecast.progress import Stages
from models.errors import InputError

ADDED = ("structure", "left_out")
"""Tables that `forecast check RUN` adds to a finished run."""
SENTENCES = "not_observed"
"""The one list of a context that holds text; the others hold rows."""
JSON_KINDS = {list: "list", dict: "object"}


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

    @property
    def dt(self) -> Any:
        """The DataTree of the run."""
        from forecast.tree import load_tree

        path = self.folder / "posterior.nc"
        try:
            return load_tree(path)
        except OSError as error:
            found = os.strerror(error.errno) if error.errno else "not a whole netCDF file"
            raise folders.unreadable(path, found) from None

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
        self.demand_whole("works have a posterior")
        works = [row["work"] for row in self.context.get("works", [])]
        context = self.context
        if key not in works:  # of many works the context holds some, works.csv all
            from forecast.faults import near_miss
            from forecast.work_rows import read_work

            found = read_work(self.folder / "works.csv", key)
            if found is None:
                raise InputError(f"--work {key}: not in this run; {near_miss(key, works)}")
            context = context | {"works": [found]}
        from reports import work_text

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


def run(
    priors: str | Path,
    *,
    out: str | Path | None = None,
    evidence: str | Path | None = None,
    draws: int | None = None,
    tune: int | None = None,
    chains: int | None = None,
    cores: int | None = None,
    seed: int = 0,
    quiet: bool = False,
    report: bool = True,
    force: bool = False,
    retry: bool | None = None,
) -> Run:
    """Sample, summarise, plot and report the forecast of a priors file.

    Parameters
    ----------
    priors
        Path or shipped name.
    out
        Folder of the run; ``runs/NAME-HASH8`` by default.
    evidence
        Folder of tables; else the one the priors file names, else the shipped one.
    draws, tune, chains
        Sampler options; else those of the priors file.
    cores
        Processor cores; does not change numbers.
    seed
        Seed of every random number.
    quiet
        Show no progress.
    report
        Write figures and report.html.
    force
        Draw anew, also over a finished run, and though a run beside it has the same draws.
    retry
        Fit once more, with longer tuning, if the fit does not converge; else as the priors file
        says.

    Raises
    ------
    InputError
        If the user's input or a folder is at fault.
    """
    config, tables = load_inputs(priors, evidence=evidence)
    given: dict[str, Any] = {"draws": draws, "tune": tune, "chains": chains, "retry": retry}
    options = with_options(config.sampler, **given)
    case = replace(make_case(config, tables, seed=seed), sampler=options)
    name = run_hash(config, tables, case=case)
    target = Path(out) if out is not None else folders.default_folder(config.name, name)
    if out is None and not force and folders.is_complete(target):
        return replace(show(target), already=True)
    folders.check_target(target, force=force, stated=out is not None)
    job = Job(config, tables, case, name, report)
    with folders.partial_folder(target) as partial:
        with Stages(quiet=quiet) as stages:
            fill(partial, job, stages=stages, cores=cores, beside=None if force else target.parent)
        folders.publish(partial, target, force=force)
    return show(target)


def show(folder: str | Path, *, work: str | None = None) -> Run:
    """Return a finished run, or what an interrupted one left.

    Raises
    ------
    InputError
        If the folder holds no run.
    """
    found = folders.find_run(Path(folder))
    if folders.is_complete(found):
        made = Run(found, _json(found / "headline.json"), _context(found))
        folders.check_unchanged(found)
        made.context["manifest"] = folders.read_manifest(found)
        made.context["claims"] = with_sides(made.context.get("claims", ()), found)
        for name in ADDED:
            if (found / f"{name}.json").is_file():
                made.context[name] = _rows(found / f"{name}.json")
    else:
        made = Run(found, {}, {})
    if work is not None:
        made.work_text(work)
    return made


def report(folder: str | Path) -> Path:
    """Rebuild report.html of a finished run from what it saved; return its path.

    What the sliders need, and agendas compared in pairs, are made from the draws where the run,
    being older, did not save them. A sensitivity analysis of the run, in its own place beside it,
    is summarised there.
    """
    from forecast.asked_before import sensitivity_of
    from forecast.paired import save_stored
    from reports import write_page

    made = show(folder)
    made.demand_whole("a report can be built")
    beside = made.folder.resolve().parent
    if not (made.folder / "sliders.json").is_file():
        from forecast.sliders import save_sliders, slider_data

        fit, config = fit_of(made), load_config(made.folder / "priors.toml")
        tables = load_tables(made.folder / "evidence", off=config.evidence.off)
        save_sliders(made.folder, slider_data(fit, config, tables=tables, beside=beside))
    save_stored(made.folder)
    asked = sensitivity_of(beside, made.folder.resolve().name, context=made.context)
    return write_page(made.folder, context=made.context, sensitivity=asked)


def fit_of(run: Run | str | Path) -> Any:
    """Return the fit of a finished run, read from its folder, for reweighting and exact changes."""
    from forecast.stored import stored_fit

    made = run if isinstance(run, Run) else show(run)
    made.demand_whole("its fit can be used")
    config = load_config(made.folder / "priors.toml")
    tables = load_tables(made.folder / "evidence", off=config.evidence.off)
    manifest = folders.read_manifest(made.folder) or {}
    case = replace(make_case(config, tables, seed=manifest["seed"]), sampler=config.sampler)
    return stored_fit(case, made.dt, diagnostics=made.context["diagnostics"])


def _json(path: Path) -> dict[str, Any]:
    made = _read(path)
    if not isinstance(made, dict) or not made:
        raise folders.unreadable(path, "no JSON object, or an empty one")
    return made


def _context(folder: Path) -> dict[str, Any]:
    """Return context.json, each part of the kind that text and page read."""
    from reports.tables import EMPTY

    path = folder / "context.json"
    made = _json(path)
    for name, value in made.items():
        kind = type(EMPTY.get(name))
        if kind in (list, dict) and not isinstance(value, kind):
            raise folders.unreadable(path, f"{name} is no {JSON_KINDS[kind]}")
        if kind is list and name != SENTENCES and not all(isinstance(x, dict) for x in value):
            raise folders.unreadable(path, f"{name} is no list of objects")
    return made


def _rows(path: Path) -> list[dict[str, Any]]:
    made = _read(path)
    if not isinstance(made, list) or not all(isinstance(row, dict) for row in made):
        raise folders.unreadable(path, "no JSON list of objects")
    return made


def _read(path: Path) -> Any:
    try:
        return folders.read_json(path)
    except OSError as error:
        raise folders.unreadable(path, error.strerror) from None


__all__ = ["Run", "fit_of", "report", "run", "show"]
