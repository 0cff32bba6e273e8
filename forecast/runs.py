"""Runs: sample, summarise, plot and report; show again; rebuild the report."""

import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from forecast import folder as folders
from forecast.case import Case, asked_options, make_case
from forecast.checks import load_inputs
from forecast.config import Config, load_config, resolved_toml
from forecast.evidence import Tables, hash_tables, load_tables
from forecast.identity import code_hash, run_hash, versions
from forecast.progress import Stages
from models.errors import InputError


@dataclass(frozen=True)
class Run:
    """A finished run, or the draws that an interrupted one left.

    ``headline`` is the content of headline.json; ``dt`` the DataTree, read on first use.
    """

    folder: Path
    headline: dict[str, Any]
    context: dict[str, Any]
    already: bool = False

    @property
    def converged(self) -> bool:
        """Whether the sampler converged by the project's rule."""
        return bool(self.headline.get("converged"))

    @property
    def dt(self) -> Any:
        """The DataTree of the run."""
        from forecast.tree import load_tree

        return load_tree(self.folder / "posterior.nc")

    def text(self) -> str:
        """Return the table that the terminal shows."""
        if not self.headline:
            return partial_text(self)
        from reports import terminal_table

        return f"{terminal_table(self.context)}\n{self.folder}"

    def work_text(self, key: str) -> str:
        """Return one work's posterior."""
        works = [row["work"] for row in self.context.get("works", [])]
        if key not in works:
            from forecast.faults import near_miss

            raise InputError(f"--work {key}: not in this run; {near_miss(key, works)}")
        from reports import work_text

        return work_text(self.context, key)


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
        Draw anew, also over a finished run.

    Raises
    ------
    InputError
        If the user's input or a folder is at fault.
    """
    config, tables = load_inputs(priors, evidence=evidence)
    given = {"draws": draws, "tune": tune, "chains": chains}
    options = replace(config.sampler, **{k: v for k, v in given.items() if v is not None})
    case = replace(make_case(config, tables, seed=seed), sampler=options)
    name = run_hash(config, tables, case=case)
    target = Path(out) if out is not None else folders.default_folder(config.name, name)
    if out is None and not force and folders.is_complete(target):
        return replace(show(target), already=True)
    if out is not None:
        folders.check_target(target, force=force)
    partial = folders.open_partial(target)
    try:
        with Stages(quiet=quiet) as stages:
            _fill(partial, _Job(config, tables, case, name, report), stages=stages, cores=cores)
        folders.publish(partial, target, force=force or out is not None)
    except KeyboardInterrupt:
        raise
    except BaseException:
        folders.drop_partial(partial)
        raise
    return show(target)


@dataclass(frozen=True)
class _Job:
    config: Config
    tables: Tables
    case: Case
    hash: str
    report: bool


def _fill(partial: Path, job: _Job, *, stages: Stages, cores: int | None) -> None:
    """Write everything of a run into ``partial``."""
    from forecast.sampling import Interrupted
    from forecast.writing import save_draws, save_report, save_results

    _save_inputs(partial, job)
    try:
        with stages("gates"):
            from forecast.gates import check_gates

            check_gates(job.case)
        with stages("compile"):
            from forecast.sampling import compiled_model

            compiled_model(job.case)
        with stages("sample"):
            from forecast.engine import posterior

            fit = posterior(job.case, cores=cores, tick=stages.tick)
    except Interrupted as stop:
        save_draws(partial, stop.partial)
        _save_manifest(partial, job, stages=stages, interrupted=True)
        raise
    except KeyboardInterrupt:
        folders.drop_partial(partial)
        raise
    results = save_results(
        partial, fit, config=job.config, tables=job.tables, stages=stages, cores=cores
    )
    results.context["manifest"] = _manifest(job, stages)
    if job.report:
        save_report(partial, results, stages=stages)
    with stages("write context"):
        folders.write_json(partial / "context.json", results.context)
    verdict = {"converged": results.fit.diagnosis.converged}
    _save_manifest(partial, job, stages=stages, checks=verdict)


def _save_inputs(partial: Path, job: _Job) -> None:
    where = replace(job.config.evidence, path="evidence")
    text = resolved_toml(replace(job.config, evidence=where, sampler=job.case.sampler))
    (partial / "priors.toml").write_text(text, encoding="utf-8", newline="\n")
    folders.copy_evidence(job.tables.folder, partial / "evidence")


def _save_manifest(partial: Path, job: _Job, *, stages: Stages, **more: Any) -> None:
    """Write the manifest; it is the last file, and says whether the run is whole."""
    interrupted = bool(more.pop("interrupted", False))
    whole = {"complete": not interrupted, "interrupted": interrupted}
    folders.write_json(partial / folders.MANIFEST, _manifest(job, stages) | whole | more)


def _manifest(job: _Job, stages: Stages) -> dict[str, Any]:
    """Return what made the numbers: hashes, options, versions, seconds by stage so far."""
    return {
        "schema": folders.SCHEMA,
        "name": job.config.name,
        "hash": job.hash,
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "seed": job.case.seed,
        "options": vars(job.case.sampler) | asked_options(job.case),
        "evidence_hash": hash_tables(job.tables),
        "code_hash": code_hash(),
        "versions": versions(),
        "timings_s": {name: round(s, 3) for name, s in stages.seconds.items()},
    }


def show(folder: str | Path, *, work: str | None = None) -> Run:
    """Return a finished run, or what an interrupted one left.

    Raises
    ------
    InputError
        If the folder holds no run.
    """
    found = folders.find_run(Path(folder))
    if not folders.is_complete(found):
        return Run(found, {}, {})
    made = Run(found, _json(found / "headline.json"), _json(found / "context.json"))
    made.context["manifest"] = folders.read_manifest(found)
    if work is not None:
        made.work_text(work)
    return made


def report(folder: str | Path) -> Path:
    """Rebuild report.html of a finished run from what it saved; return its path."""
    from reports import write_page

    made = show(folder)
    if not made.headline:
        raise InputError(f"{folder}: the run was interrupted; run it again before a report")
    return write_page(made.folder, context=made.context)


def fit_of(run: Run | str | Path) -> Any:
    """Return the fit of a finished run, read from its folder, for reweighting and exact changes."""
    from forecast.stored import stored_fit

    made = run if isinstance(run, Run) else show(run)
    config = load_config(made.folder / "priors.toml")
    tables = load_tables(made.folder / "evidence", off=config.evidence.off)
    manifest = folders.read_manifest(made.folder) or {}
    case = replace(make_case(config, tables, seed=manifest["seed"]), sampler=config.sampler)
    return stored_fit(case, made.dt, diagnostics=made.context["diagnostics"])


def reweight(run: Run | str | Path, priors: str | Path) -> Any:
    """Return the Answer of a finished run under other priors, by reweighting its draws.

    Parameters
    ----------
    run
        A run or its folder.
    priors
        A priors file or shipped name, of the run's families. The Answer says its Pareto k: above
        0.7 it is not to be trusted.
    """
    from forecast.engine import evaluate

    fit, config = fit_of(run), load_config(priors)
    case = replace(fit.case, priors=config.priors, question=config.question)
    return evaluate([case], how="reweight", base=fit)[0]


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path}: not readable ({error}); draw the run anew with --force"
        ) from None
    return dict(content)


__all__ = ["Run", "fit_of", "report", "reweight", "run", "show"]
