"""Everything that a run writes besides its inputs and manifest."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from forecast.analyses import predictive
from forecast.analyses.run_checks import RunChecks, run_checks, statistics_groups
from forecast.config.load import Config
from forecast.config.outside import add_outside, outside_frames
from forecast.evidence.load import Tables, hash_tables
from forecast.files import write_csv, write_json
from forecast.inference import pointwise, tree
from forecast.inference.evaluate import answer, judged
from forecast.inference.forward import all_draws
from forecast.inference.sampling import Fit
from forecast.inference.seeds import stream
from forecast.progress import Stages
from forecast.runs import summarise as parts
from forecast.runs import summarise as summaries
from forecast.runs import variants
from forecast.runs.folder import default_folder
from forecast.runs.inputs import Job
from forecast.runs.paired import pair_rows
from forecast.runs.sliders import save_sliders, slider_data
from forecast.runs.summarise import save_works, work_rows
from forecast.runs.variants import Refit, refits_ahead
from models.prior_draws import prior_draws

SHOWN = ("works", "milestones", "agendas", "ratings_agreement")
"""Frames that the page shows as tables too."""


@dataclass(frozen=True)
class Results:
    """What the report needs: the fit with its final verdict, and the context."""

    fit: Fit
    context: dict[str, Any]


def save_draws(folder: Path, partial: Any) -> None:
    """Keep the draws of an interrupted fit."""
    import xarray as xr

    stats = partial["sample_stats"].to_dataset()
    stats = stats.drop_vars("divergence_message", errors="ignore")
    kept = {"posterior": partial["posterior"].to_dataset(), "sample_stats": stats}
    tree.save_tree(xr.DataTree.from_dict(kept), folder / "posterior.nc")


def save_results(
    folder: Path, fit: Fit, *, job: Job, stages: Stages, cores: int | None = None
) -> Results:
    """Compute and write the tables, JSON and netCDF of a run.

    Parameters
    ----------
    job
        Inputs, and whether a report follows: what that alone shows is left out otherwise.
    cores
        Processor cores of refits.
    """
    from reports import write_figures

    tables = job.tables
    with stages("forecast"):
        rng, structure = stream(fit.case.seed, "prior"), fit.compiled.structure
        prior = prior_draws(fit.case.by_name, structure, n=fit.n, rng=rng)
        found = answer(fit, fit.case)
        before = summaries.prior_quantities(fit, prior)
    with stages("diagnose"):
        fit = judged(fit, found)
    with stages("rows of evidence"):
        loglik, states = pointwise.scored(fit)
        again, rows = predictive.of_both(fit.case, fit.draws, prior=prior)
    with stages("checks"):
        checked = run_checks(fit, found, tables=tables, loglik=loglik, again=again)
    needed = variants.rater_cases(fit.case) if job.report else []
    with refits_ahead(fit, needed, cores=cores, tick=stages.tick) as refit:
        with stages("tree"):
            groups = {"predictions": found, "prior_predictions": before, "log_likelihood": loglik}
            groups |= rows | {"more": statistics_groups(checked)}
            groups["posterior"] = all_draws(fit, fit.case)
            whole = tree.make_tree(fit, prior, groups=groups)
        with _writing(whole, folder / "posterior.nc"), stages("tables"):
            tabled = _tabled(fit, prior, found=found, before=before, tables=tables)
            head = _headline(fit, found, before=before, config=job.config)
            _save_tables(folder, fit, head=head, tabled=tabled | checked.tables)
            save_works(folder / "works.csv", tables, states=states)
            frames = _frames(job, states, tabled=tabled | checked.tables, head=head)
        context = _told(job, head, tabled=tabled, checked=checked)
        context |= {name: frames[name] for name in SHOWN}
        if job.report:
            with stages("figures"):
                context["figures"] = write_figures(whole, frames, folder=folder / "figures")
        context |= _beside(folder, fit, found=found, job=job, refit=refit, stages=stages)
    return Results(fit, context | _extras(fit, found, tables=tables, stages=stages))


def _told(
    job: Job, head: dict[str, Any], *, tabled: dict[str, list[dict[str, Any]]], checked: RunChecks
) -> dict[str, Any]:
    """Return what text and page say of the headline, claims, parameters and checks."""
    learned = tabled["summary"]
    context = parts.base_context(job.config, head) | {"parameters": learned}
    context |= {"experts": tabled["experts"], "checks": checked.context()}
    return context | {"claims": parts.claims_context(tabled["claims"], learned=learned)}


def _beside(
    folder: Path, fit: Fit, *, found: dict[str, np.ndarray], job: Job, refit: Refit, stages: Stages
) -> dict[str, Any]:
    """Return the rows of worldviews and raters; with a report, write what its sliders need.

    Finished runs beside this one's folder are read. Without a report nothing more is drawn: a
    worldview out of reach of weights on this run's draws is then told by its priors alone.
    """
    beside, same = folder.resolve().parent.parent, hash_tables(job.tables)
    near: dict[Any, Any] = {}
    with stages("worldviews and raters"):
        evaluated = variants.evaluator(fit, found, refit=refit if job.report else None, near=near)
        rows = variants.beside_rows(
            fit, evaluated, beside=beside, evidence_hash=same, report=job.report
        )
    if job.report:
        with stages("sliders"):
            where: Any = {"tables": job.tables, "near": near, "beside": beside}
            save_sliders(folder, slider_data(fit, job.config, found=found, **where))
    return rows


@contextmanager
def _writing(whole: Any, path: Path) -> Iterator[None]:
    """Write the tree in a thread meanwhile; a fault of the disk is raised at the end."""
    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(tree.save_tree, whole, path)
        yield
        written.result()


def _headline(
    fit: Fit,
    found: dict[str, np.ndarray],
    *,
    before: dict[str, np.ndarray],
    config: Config,
) -> dict[str, Any]:
    """Return the content of headline.json, with the outside view if there is one."""
    head = summaries.headline(fit, found, prior=before, converged=fit.diagnosis.converged)
    return add_outside(head, config.outside_view, draws=found, tails=summaries.TAILS)


def _frames(
    job: Job,
    states: dict[str, np.ndarray],
    *,
    tabled: dict[str, list[dict[str, Any]]],
    head: dict[str, Any],
) -> dict[str, Any]:
    """Return what figures draw from besides the tree."""
    works = work_rows(job.tables, states)
    frames = parts.frames_of(job.tables, works, learned=tabled["summary"])
    frames["backcast"] = tabled["backcast"]
    return frames | outside_frames(head, job.config.outside_view)


def _tabled(
    fit: Fit,
    prior: dict[str, np.ndarray],
    *,
    found: dict[str, np.ndarray],
    before: dict[str, np.ndarray],
    tables: Tables,
) -> dict[str, list[dict[str, Any]]]:
    """Return the rows of summary.csv, claims.csv, experts.csv and agenda_pairs.csv."""
    learned, coords = summaries.learned_rows(fit, prior), tree.coordinates(fit)
    agendas = fit.compiled.structure.agendas
    return {
        "summary": learned,
        "claims": summaries.claim_rows(found, before, coords=coords, learned=learned),
        "experts": summaries.expert_rows(fit, prior, tables=tables),
        "agenda_pairs": pair_rows(found, agendas, chains=fit.chains),
    }


def _save_tables(
    folder: Path, fit: Fit, *, head: dict[str, Any], tabled: dict[str, list[dict[str, Any]]]
) -> None:
    write_json(folder / "headline.json", head)
    write_json(folder / "diagnostics.json", parts.diagnostics_dict(fit.diagnosis))
    write_json(folder / "near.json", {"schema": 1, "predictions": tabled["near"]})
    for name, rows in tabled.items():
        write_csv(folder / f"{name}.csv", [flat(row) for row in rows])


def flat(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row whose nested figures are columns: ``prior_mean`` and so on."""
    nested = {key: value for key, value in row.items() if isinstance(value, dict)}
    return {key: value for key, value in row.items() if key not in nested} | {
        f"{key}_{name}": x for key, value in nested.items() for name, x in value.items()
    }


def leads(found: dict[str, np.ndarray], chains: int) -> dict[str, dict[str, float]]:
    """Return how probable it is that alignment is ahead, with Monte Carlo errors.

    ``documented`` and ``used`` compare use with use, ``strict`` relevance with capabilities use:
    the share of draws in which the first is the likelier. Use on both sides counts for each.
    """
    pairs = {
        "documented": ("alignment_only", "capabilities_only"),
        "used": ("alignment_used", "capabilities_relevant"),
        "strict": ("alignment_relevant", "capabilities_relevant"),
    }
    ahead = {name: (found[a] > found[b]).astype(float) for name, (a, b) in pairs.items()}
    told = {name: summaries.with_mcse(x, chains) for name, x in ahead.items()}
    return {name: {"mean": row["mean"], "mcse": row["mcse"]} for name, row in told.items()}


def _extras(
    fit: Fit, found: dict[str, np.ndarray], *, tables: Tables, stages: Stages
) -> dict[str, Any]:
    """Return what the report shows beside the headline: variance, units, what was not observed."""
    with stages("share of variance"):
        share = summaries.untouched_share(fit, found)
        share = share if parts.has_evidence(fit.case.evidence) else 1.0
        moving = summaries.variance_parts(fit, found)
    units = ("field", "family", "agenda")
    return {
        "variance_share": {
            "untouched": share,
            "touched": 1.0 - share,
            "parts": moving,
            "text": parts.untouched_text(share, moving),
        },
        "leads": leads(found, fit.chains),
        "raters": parts.raters_of(tables),
        "not_observed": parts.not_observed(tables),
        "unit_headlines": {u: summaries.spread(found[f"alignment_relevant_{u}"]) for u in units},
        "works_by_2026": parts.levels_2026(found, tables),
        "diagnostics": parts.diagnostics_dict(fit.diagnosis),
        "evidence": parts.evidence_summary(tables, fit.case.evidence),
    }


def save_report(folder: Path, context: dict[str, Any], *, stages: Stages) -> None:
    """Write report.html, with what was asked of the same run before."""
    from forecast.runs.open import sensitivity_of
    from reports import write_page

    with stages("report"):
        made, beside = context["manifest"], folder.resolve().parent.parent
        name = default_folder(made["name"], made["hash"]).name
        asked = sensitivity_of(beside, name, context=context)
        write_page(folder, context=context, sensitivity=asked)
