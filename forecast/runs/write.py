"""Everything that a run writes besides its inputs and manifest."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forecast.analyses import predictive
from forecast.analyses.run_checks import RunChecks, run_checks, statistics_groups
from forecast.config.outside import add_outside, outside_frames
from forecast.evidence.load import hash_tables
from forecast.files import write_csv, write_json
from forecast.inference import pointwise, tree
from forecast.inference.evaluate import answer, judged
from forecast.inference.forward import all_draws
from forecast.inference.sampling import Fit
from forecast.inference.seeds import stream
from forecast.progress import Stages
from forecast.runs import summarise, variants
from forecast.runs.inputs import Job
from forecast.runs.sliders import save_sliders, slider_data
from forecast.runs.summarise import Quantities
from models.prior_draws import prior_draws

Rows = list[dict[str, Any]]
SHOWN = ("works", "milestones", "agendas", "ratings_agreement")
"""Frames that the page shows as tables too."""
UNITS = ("field", "family", "agenda")
"""Where a level may have to be established."""


@dataclass(frozen=True)
class Results:
    """What the report needs: the fit with its final verdict, and the context."""

    fit: Fit
    context: dict[str, Any]


def save_draws(folder: Path, interrupted: Any) -> None:
    """Save the draws of an interrupted fit."""
    import xarray as xr

    stats = interrupted["sample_stats"].to_dataset()
    stats = stats.drop_vars("divergence_message", errors="ignore")
    groups = {"posterior": interrupted["posterior"].to_dataset(), "sample_stats": stats}
    tree.save_tree(xr.DataTree.from_dict(groups), folder / "posterior.nc")


def save_results(
    folder: Path, fit: Fit, *, job: Job, stages: Stages, cores: int | None = None
) -> Results:
    """Compute and write the tables, JSON and netCDF of a run.

    Parameters
    ----------
    folder
        The run's, not yet whole.
    fit
        Its fit.
    job
        Inputs, and whether a report follows: what that alone shows is left out otherwise.
    stages
        Progress.
    cores
        Processor cores of refits.
    """
    from reports import write_figures

    tables = job.tables
    with stages("forecast"):
        prior = prior_draws(
            fit.case.by_name, fit.compiled.structure, n=fit.n, rng=stream(fit.case.seed, "prior")
        )
        posterior = answer(fit, fit.case)
        before = summarise.prior_quantities(fit, prior)
    with stages("diagnose"):
        fit = judged(fit, posterior)
    with stages("rows of evidence"):
        loglik, states = pointwise.scored(fit)
        replicates, rows = predictive.of_both(fit.case, fit.draws, prior=prior)
    with stages("checks"):
        checks = run_checks(fit, posterior, tables=tables, loglik=loglik, again=replicates)
    needed = variants.rater_cases(fit.case) if job.report else []
    with variants.refits_ahead(fit, needed, cores=cores, tick=stages.tick) as refit:
        with stages("tree"):
            groups = {"predictions": posterior, "prior_predictions": before}
            groups |= {"log_likelihood": loglik, "posterior": all_draws(fit, fit.case)}
            groups |= rows | {"more": statistics_groups(checks)}
            data = tree.make_tree(fit, prior, groups=groups)
        with _writing(data, folder / "posterior.nc"), stages("tables"):
            tabled = _tables(fit, prior, posterior=posterior, before=before, job=job)
            tabled |= checks.tables
            verdict = fit.diagnosis.converged
            head = summarise.headline(fit, posterior, prior=before, converged=verdict)
            outside = job.config.outside_view
            head = add_outside(head, outside, draws=posterior, tails=summarise.TAILS)
            _save_tables(folder, fit, head=head, tabled=tabled)
            summarise.save_works(folder / "works.csv", tables, states=states)
            works = summarise.work_rows(tables, states)
            frames = summarise.frames_of(tables, works, learned=tabled["summary"])
            frames |= {"backcast": tabled["backcast"]}
            frames |= outside_frames(head, outside)
        context = _context(job, head, tabled=tabled, checks=checks)
        context |= {name: frames[name] for name in SHOWN}
        if job.report:
            with stages("figures"):
                context["figures"] = write_figures(data, frames, folder=folder / "figures")
        context |= _beside(folder, fit, posterior=posterior, job=job, refit=refit, stages=stages)
    return Results(fit, context | _shown_beside(fit, posterior, job=job, stages=stages))


@contextmanager
def _writing(data: Any, path: Path) -> Iterator[None]:
    """Write the tree in a thread meanwhile; a fault of the disk is raised at the end."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(tree.save_tree, data, path)
        yield
        future.result()


def _tables(
    fit: Fit, prior: Quantities, *, posterior: Quantities, before: Quantities, job: Job
) -> dict[str, Rows]:
    """Return the rows of summary.csv, claims.csv, experts.csv and agenda_pairs.csv."""
    learned, coords = summarise.learned_rows(fit, prior), tree.coordinates(fit)
    agendas = fit.compiled.structure.agendas
    return {
        "summary": learned,
        "claims": summarise.claim_rows(posterior, before, coords=coords, learned=learned),
        "experts": summarise.expert_rows(fit, prior, tables=job.tables),
        "agenda_pairs": summarise.pair_rows(posterior, agendas, chains=fit.chains),
    }


def _save_tables(folder: Path, fit: Fit, *, head: dict[str, Any], tabled: dict[str, Rows]) -> None:
    write_json(folder / "headline.json", head)
    write_json(folder / "diagnostics.json", summarise.diagnostics_dict(fit.diagnosis))
    write_json(folder / "near.json", {"schema": 1, "predictions": tabled["near"]})
    for name, rows in tabled.items():
        write_csv(folder / f"{name}.csv", [flat(row) for row in rows])


def flat(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row whose nested figures are columns: ``prior_mean`` and so on."""
    nested = {key: value for key, value in row.items() if isinstance(value, dict)}
    return {key: value for key, value in row.items() if key not in nested} | {
        f"{key}_{name}": x for key, value in nested.items() for name, x in value.items()
    }


def _context(
    job: Job, head: dict[str, Any], *, tabled: dict[str, Rows], checks: RunChecks
) -> dict[str, Any]:
    """Return what text and page say of the question, headline, claims, parameters and checks."""
    learned, config = tabled["summary"], job.config
    return {
        "name": config.name,
        "author": config.author,
        "date": str(config.date),
        "summary": config.summary,
        "question": {"cohort": head["cohort"], "horizon": head["horizon"]},
        "headline": head,
        "parameters": learned,
        "experts": tabled["experts"],
        "checks": checks.context(),
        "claims": summarise.claims_context(tabled["claims"], learned=learned),
    }


def _beside(
    folder: Path,
    fit: Fit,
    *,
    posterior: Quantities,
    job: Job,
    refit: variants.Refit,
    stages: Stages,
) -> dict[str, Rows]:
    """Return the rows of worldviews and raters; with a report, write what its sliders need.

    Finished runs beside this one's folder are read. Without a report nothing more is drawn: a
    worldview out of reach of weights on this run's draws then stands by its priors alone.
    """
    beside = folder.resolve().parents[1]
    near: dict[Any, Any] = {}
    with stages("worldviews and raters"):
        evaluated = variants.evaluator(
            fit, posterior, refit=refit if job.report else None, near=near
        )
        rows = variants.beside_rows(
            fit,
            evaluated,
            beside=beside,
            evidence_hash=hash_tables(job.tables),
            report=job.report,
        )
    if job.report:
        with stages("sliders"):
            data = slider_data(
                fit, job.config, found=posterior, tables=job.tables, near=near, beside=beside
            )
            save_sliders(folder, data)
    return rows


def _shown_beside(fit: Fit, posterior: Quantities, *, job: Job, stages: Stages) -> dict[str, Any]:
    """Return what is shown beside the headline: variance, units, what was not observed."""
    tables, evidence = job.tables, fit.case.evidence
    with stages("share of variance"):
        rated = summarise.has_evidence(evidence)
        share = summarise.untouched_share(fit, posterior) if rated else 1.0
        parts = summarise.variance_parts(fit, posterior)
    return {
        "variance_share": {
            "untouched": share,
            "touched": 1.0 - share,
            "parts": parts,
            "text": summarise.untouched_text(share, parts),
        },
        "leads": summarise.leads(posterior, fit.chains),
        "raters": summarise.raters_of(tables),
        "not_observed": summarise.not_observed(tables),
        "unit_headlines": {
            unit: summarise.spread(posterior[f"alignment_relevant_{unit}"]) for unit in UNITS
        },
        "works_by_2026": summarise.levels_2026(posterior, tables),
        "diagnostics": summarise.diagnostics_dict(fit.diagnosis),
        "evidence": summarise.evidence_summary(tables, evidence),
    }
