"""Runs: sample, summarise, plot and report; show again; rebuild the report.

What `forecast run` does between an empty folder and a whole one.
"""

import shutil
import time
import warnings
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

from forecast.config.load import load_config, resolved_toml
from forecast.evidence.load import hash_tables, load_tables
from forecast.files import write_json
from forecast.inference.case import Case, asked_options, make_case
from forecast.inference.identity import code_hash, run_hash, versions
from forecast.progress import Stages
from forecast.runs import folder as folders
from forecast.runs.inputs import Job, load_inputs, with_options
from forecast.runs.open import Run, fit_of, show
from models.batches import limited

INPUTS = ("priors.toml", "evidence")
"""Written before a fit, and kept beside the draws of an interrupted one."""


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
            fit, origin = _draws(job, stages=stages, cores=cores, beside=beside)
            _save_outputs(partial, job, fit=fit, stages=stages, origin=origin, cores=cores)
    except KeyboardInterrupt as stop:
        # A refit for the report may be what was interrupted: its draws are not the run's.
        partly = stop.partial if isinstance(stop, Interrupted) else None
        left = partly if fit is None else fit.tree
        if left is not None and origin is None:
            _keep_draws(partial, job, tree=left, stages=stages)
        raise


def _draws(
    job: Job, *, stages: Stages, cores: int | None, beside: Path | None
) -> tuple[Any, str | None]:
    """Return the fit, and the name of the run whose draws it took."""
    from forecast.analyses.check import check_gates

    with stages("gates"):
        check_gates(job.case)
    if beside is not None:
        from forecast.runs.load import drawn_fit, find_drawn

        drawn = find_drawn(job.case, beside)
        if drawn is not None:
            with stages(f"draws of {drawn.origin}"):
                fit = drawn_fit(job.case, drawn)
            if fit is not None:
                return fit, drawn.origin
    with stages("compile"):
        from forecast.inference.backend import FellBack
        from forecast.inference.sampling import compiled_model

        if compiled_model(job.case).backend == "stock" != job.case.sampler.backend:
            raise FellBack
    with stages("sample"):
        from forecast.inference.evaluate import posterior

        return posterior(job.case, cores=cores, tick=stages.tick), None


def _save_outputs(
    partial: Path, job: Job, *, fit: Any, stages: Stages, origin: str | None, cores: int | None
) -> None:
    """Write what follows from the draws; the manifest comes last."""
    from forecast.runs.write import save_report, save_results

    results = save_results(partial, fit, job=job, stages=stages, cores=cores)
    made = _manifest(job, stages) | _source(job.case, fit, origin=origin)
    results.context["manifest"] = made
    if job.report:
        save_report(partial, results.context, stages=stages)
    with stages("write context"):
        write_json(partial / "context.json", results.context)
    verdict = {"checks": {"converged": results.fit.diagnosis.converged}}
    whole = {"complete": True, "interrupted": False, "timings_s": _timings(stages)}
    whole["written"] = folders.digests(partial)
    write_json(partial / folders.MANIFEST, made | whole | verdict)


def _source(case: Case, fit: Any, *, origin: str | None) -> dict[str, Any]:
    """Return what tells a later run whether these draws are its own, and where they came from."""
    from forecast.runs.load import sampled_hash

    alone = tuple(fit.compiled.alone)
    made = {"alone": list(alone), "sampled_hash": sampled_hash(case, alone)}
    return made if origin is None else {"draws_of": origin} | made


def _keep_draws(partial: Path, job: Job, *, tree: Any, stages: Stages) -> None:
    """Leave the inputs, the draws so far, and a manifest that says they are not a run."""
    from forecast.runs.write import save_draws

    for made in partial.iterdir():
        if made.is_dir() and made.name not in INPUTS:
            shutil.rmtree(made)
        elif made.name not in INPUTS:
            made.unlink()
    save_draws(partial, tree)
    left = {"complete": False, "interrupted": True}
    write_json(partial / folders.MANIFEST, _manifest(job, stages) | left)


def _save_inputs(partial: Path, job: Job) -> None:
    from forecast.evidence.arrays import keep_evidence

    where = replace(job.config.evidence, path="evidence")
    text = resolved_toml(replace(job.config, evidence=where, sampler=job.case.sampler))
    (partial / "priors.toml").write_text(text, encoding="utf-8", newline="\n")
    keep_evidence(job.tables, job.case.evidence, target=partial / "evidence")


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
    from forecast.inference.backend import FellBack

    config, tables = load_inputs(priors, evidence=evidence)
    given: dict[str, Any] = {"draws": draws, "tune": tune, "chains": chains, "retry": retry}
    options = with_options(config.sampler, **given, backend=backend)
    case = replace(make_case(config, tables, seed=seed), sampler=options)

    def sampled(case: Case) -> Run:
        name = run_hash(config, tables, case=case)
        target = Path(out) if out is not None else folders.default_folder(config.name, name)
        if out is None and not force and folders.is_complete(target):
            return replace(show(target), already=True)
        folders.check_target(target, force=force, stated=out is not None)
        job = Job(config, tables, case, name, report)
        return _fill_and_publish(job, target, quiet=quiet, cores=cores, force=force)

    try:
        return sampled(case)
    except FellBack:
        return sampled(replace(case, sampler=replace(options, backend="stock")))


def _fill_and_publish(
    job: Job, target: Path, *, quiet: bool, cores: int | None, force: bool
) -> Run:
    """Make the run in a folder of its own, move it to its place, and open it."""
    with folders.partial_folder(target) as partial:
        with Stages(quiet=quiet) as stages:
            fill(partial, job, stages=stages, cores=cores, beside=None if force else target.parent)
        folders.publish(partial, target, force=force)
    return show(target)


def report(folder: str | Path) -> Path:
    """Rebuild report.html of a finished run from what it saved; return its path.

    What the sliders need, and agendas compared in pairs, are made from the draws where the run,
    being older, did not save them. A sensitivity analysis of the run, in its own place beside it,
    is summarised there.
    """
    from forecast.runs.open import sensitivity_of
    from forecast.runs.paired import save_stored
    from reports import write_page

    made = show(folder)
    made.demand_whole("a report can be built")
    beside = made.folder.resolve().parent
    if not (made.folder / "sliders.json").is_file():
        from forecast.runs.sliders import save_sliders, slider_data

        fit, config = fit_of(made), load_config(made.folder / "priors.toml")
        tables = load_tables(made.folder / "evidence", off=config.evidence.off)
        save_sliders(made.folder, slider_data(fit, config, tables=tables, beside=beside))
    save_stored(made.folder)
    asked = sensitivity_of(beside, made.folder.resolve().name, context=made.context)
    return write_page(made.folder, context=made.context, sensitivity=asked)
