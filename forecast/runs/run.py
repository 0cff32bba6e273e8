"""`forecast run`: load, gate, sample, answer, check, write, report, publish.

A run is written into a folder of its own under ``TARGET.partial`` and renamed when it is whole
(:mod:`forecast.runs.folder`). Its inputs come first and its manifest last, so that a folder with a
complete manifest holds everything. Ctrl-C while sampling keeps the draws so far.
"""

import functools
import shutil
import time
import warnings
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

from forecast.config.load import Config, load_config, resolved_toml
from forecast.evidence.arrays import keep_evidence
from forecast.evidence.load import Tables, hash_tables, load_tables
from forecast.files import write_json
from forecast.inference.backend import FellBack
from forecast.inference.case import Case, asked_options, make_case
from forecast.inference.identity import code_hash, run_hash, versions
from forecast.progress import Stages
from forecast.runs import folder as folders
from forecast.runs.inputs import Job, load_inputs, with_options
from forecast.runs.open import (
    Run,
    find_lender,
    fit_of,
    lent_fit,
    sampled_hash,
    sensitivity_of,
    show,
)
from models.batches import limited

INPUTS = ("priors.toml", "evidence")
"""Written before a fit, and left beside the draws of an interrupted one."""


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
    backend: str | None = None,
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
    backend
        What compiles the model: ``auto``, ``native`` or ``stock``; else as the priors file says.

    Raises
    ------
    InputError
        If the user's input or a folder is at fault.
    """
    config, tables = load_inputs(priors, evidence=evidence)
    given: dict[str, Any] = {"draws": draws, "tune": tune, "chains": chains, "retry": retry}
    options = with_options(config.sampler, **given, backend=backend)
    case = replace(make_case(config, tables, seed=seed), sampler=options)
    outcome = functools.partial(
        _run, config, tables, out=out, cores=cores, quiet=quiet, report=report
    )
    try:
        return outcome(case, force=force)
    except FellBack:
        return outcome(replace(case, sampler=replace(options, backend="stock")), force=force)


def _run(
    config: Config,
    tables: Tables,
    case: Case,
    *,
    out: str | Path | None,
    cores: int | None,
    quiet: bool,
    report: bool,
    force: bool,
) -> Run:
    """Show the finished run of a Case, or make it."""
    identity = run_hash(config, tables, case=case)
    target = Path(out) if out is not None else folders.default_folder(config.name, identity)
    if out is None and not force and folders.is_complete(target):
        return replace(show(target), already=True)
    folders.check_target(target, force=force, stated=out is not None)
    job = Job(config, tables, case, identity, report)
    with folders.partial_folder(target) as folder:
        with Stages(quiet=quiet) as stages:
            fill(folder, job, stages=stages, cores=cores, beside=None if force else target.parent)
        folders.publish(folder, target, force=force)
    return show(target)


def fill(
    partial: Path, job: Job, *, stages: Stages, cores: int | None, beside: Path | None
) -> None:
    """Write everything of a run into ``partial``.

    Parameters
    ----------
    partial
        An empty folder.
    job
        The run.
    stages
        Progress.
    cores
        Processor cores of the fit, and threads of what follows from it.
    beside
        Folder of finished runs whose draws may be taken; None draws anew.

    Raises
    ------
    KeyboardInterrupt
        With the draws so far in ``partial``, if there are any and no other run holds them.
    """
    from forecast.inference.sampling import Interrupted

    fit, origin = None, None
    Thread(target=import_module, args=("nutpie",)).start()  # takes a second, beside what is next
    try:
        _save_inputs(partial, job)
        with limited(cores), warnings.catch_warnings():
            # ArviZ's, of chains that were stopped after fewer draws than there are chains.
            warnings.filterwarnings("ignore", "Found chain dimension to be longer than draw")
            fit, origin = _draw(job, stages=stages, cores=cores, beside=beside)
            _save_results(partial, job, fit=fit, origin=origin, stages=stages, cores=cores)
    except KeyboardInterrupt as stop:
        # A refit for the report may be what was interrupted: its draws are not the run's.
        tree = stop.partial if isinstance(stop, Interrupted) and fit is None else fit and fit.tree
        if tree is not None and origin is None:
            _save_interrupted(partial, job, tree=tree, stages=stages)
        raise


def _draw(
    job: Job, *, stages: Stages, cores: int | None, beside: Path | None
) -> tuple[Any, str | None]:
    """Return the fit, and the name of the run whose draws it took."""
    from forecast.analyses.check import check_gates
    from forecast.analyses.near import QUESTION
    from forecast.inference.evaluate import posterior, start_compiling

    lender = None if beside is None else find_lender(job.case, beside)
    compiled = start_compiling(job.case, near=QUESTION) if lender is None else None
    with stages("gates"):
        check_gates(job.case)
    if lender is not None:
        with stages(f"draws of {lender.origin}"):
            fit = lent_fit(job.case, lender)
        if fit is not None:
            return fit, lender.origin
    with stages("compile"):
        model = (compiled or start_compiling(job.case, near=QUESTION))()
        if model.backend == "stock" != job.case.sampler.backend:
            raise FellBack
    with stages("sample"):
        return posterior(job.case, cores=cores, tick=stages.tick), None


def _save_inputs(partial: Path, job: Job) -> None:
    folder = replace(job.config.evidence, path="evidence")
    text = resolved_toml(replace(job.config, evidence=folder, sampler=job.case.sampler))
    (partial / "priors.toml").write_text(text, encoding="utf-8", newline="\n")
    keep_evidence(job.tables, job.case.evidence, target=partial / "evidence")


def _save_results(
    partial: Path, job: Job, *, fit: Any, origin: str | None, stages: Stages, cores: int | None
) -> None:
    """Write what follows from the draws; the manifest comes last."""
    from forecast.runs.write import save_results

    results = save_results(partial, fit, job=job, stages=stages, cores=cores)
    alone = tuple(fit.compiled.alone)  # what tells a later run whether these draws are its own
    draws = {"alone": list(alone), "sampled_hash": sampled_hash(job.case, alone)}
    draws |= {} if origin is None else {"draws_of": origin}
    results.context["manifest"] = _manifest(job, stages) | draws
    if job.report:
        with stages("report"):
            name = folders.default_folder(job.config.name, job.hash).name
            _save_page(partial, results.context, beside=partial.resolve().parents[1], name=name)
    with stages("write context"):
        write_json(partial / "context.json", results.context)
    done = {"complete": True, "interrupted": False, "timings_s": _timings(stages)}
    done |= {"written": folders.digests(partial)}
    done |= {"checks": {"converged": results.fit.diagnosis.converged}}
    write_json(partial / folders.MANIFEST, results.context["manifest"] | done)


def _save_interrupted(partial: Path, job: Job, *, tree: Any, stages: Stages) -> None:
    """Leave the inputs, the draws so far, and a manifest that says they are not a run."""
    from forecast.runs.write import save_draws

    for path in partial.iterdir():
        if path.name not in INPUTS:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    save_draws(partial, tree)
    state = {"complete": False, "interrupted": True}
    write_json(partial / folders.MANIFEST, _manifest(job, stages) | state)


def _manifest(job: Job, stages: Stages) -> dict[str, Any]:
    """Return what made the numbers: hashes, options, versions, seconds by stage so far."""
    return {
        "schema": folders.SCHEMA,
        "name": job.config.name,
        "hash": job.hash,
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "seed": job.case.seed,
        "backend": "stock" if job.case.sampler.backend == "stock" else "native",
        "options": vars(job.case.sampler) | asked_options(job.case),
        "evidence_hash": hash_tables(job.tables),
        "code_hash": code_hash(),
        "versions": versions(),
        "timings_s": _timings(stages),
    }


def _timings(stages: Stages) -> dict[str, float]:
    return {name: round(s, 3) for name, s in stages.seconds.items()}


def report(folder: str | Path) -> Path:
    """Rebuild report.html of a finished run from what it saved; return its path.

    What the sliders need is computed where a run with ``--no-report`` did not. A sensitivity
    analysis of the run, in its own place beside it, is summarised there.
    """
    finished = show(folder)
    finished.demand_whole("a report can be built")
    path = finished.folder.resolve()
    if not (path / "sliders.json").is_file():
        from forecast.runs.sliders import save_sliders, slider_data

        config = load_config(path / "priors.toml")
        tables = load_tables(path / "evidence", off=config.evidence.off)
        data = slider_data(fit_of(finished), config, tables=tables, beside=path.parent)
        save_sliders(path, data)
    return _save_page(finished.folder, finished.context, beside=path.parent, name=path.name)


def _save_page(folder: Path, context: dict[str, Any], *, beside: Path, name: str) -> Path:
    """Write report.html, with a sensitivity analysis in ``beside`` of the run of this name."""
    from reports import write_page

    analysis = sensitivity_of(beside, name, context=context)
    return write_page(folder, context=context, sensitivity=analysis)
