"""``forecast whatif``: scenarios beside the forecast, paired draw by draw.

All scenarios share the draws of the run, its forecast-only priors and its future paths, so that a
difference is that of each draw with itself. ``noise`` is the Monte Carlo error of its mean;
``noise_unpaired`` is what the difference of two runs with seeds of their own would have.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from forecast.analyses.result import Result, Row, finished_run, new_folder, outside_of, save
from forecast.config.scenarios import BASE, Scenario, check_scenarios, load_scenarios, scenarios_of
from forecast.inference.evaluate import evaluate
from forecast.inference.sampling import Fit
from forecast.progress import Stages
from forecast.runs.open import Run, fit_of
from forecast.runs.summarise import spread, with_mcse
from models.errors import InputError
from models.outcomes.relevance import cohorts
from models.quantities import HEADLINE

AS_FORECAST = Scenario(BASE, ())
"""Nothing done."""


class WhatIf(Result):
    """Scenarios answered: ``summary`` is whatif.json; ``converged`` is the verdict on the run."""

    words = ("reports.whatif", "whatif_text")


def whatif(
    run: Run | str | Path,
    *,
    do: Sequence[str] = (),
    scenarios: str | Path | None = None,
    since: int | None = None,
    out: str | Path | None = None,
    quiet: bool = False,
) -> WhatIf:
    """Answer a finished run under interventions, each scenario beside the forecast.

    Parameters
    ----------
    run
        A run or its folder.
    do
        Acts as ``tracking=0.8``, ``effort=2x`` or ``ratio=50@2030``: each alone, then all together.
    scenarios
        A TOML file of scenarios.
    since
        Year from which on an act holds that states none; the run's cohort by default.
    out
        New folder for whatif.json, scenarios.csv, by_cohort.csv and the figure.
    quiet
        Show no progress.

    Raises
    ------
    InputError
        If the user's input or a folder is at fault.
    """
    run, folder = finished_run(run, "it can be asked what if"), new_folder(out)
    start = run.headline["cohort"] if since is None else since
    stated = scenarios_of(do, start) + (load_scenarios(scenarios, start) if scenarios else [])
    if not stated:
        raise InputError("whatif: nothing to do; add --do KEY=VALUE, or --scenarios FILE")
    with Stages(quiet=quiet) as stages:
        with stages("read the run"):
            fit = fit_of(run)
        agendas, horizon = fit.compiled.structure.agendas, run.headline["horizon"]
        stated = check_scenarios(stated, agendas, horizon=horizon)
        with stages(f"{len(stated)} scenarios"):
            draws = answers(fit, stated)
    summary: Row = {"schema": 1, "run": run.folder.name, "converged": run.converged}
    summary |= summarised(fit, stated, draws=draws) | outside_of(run.headline)
    if folder is not None:
        from reports.figures.choices import write_whatif_figure

        tables = {"scenarios": summary["rows"], "by_cohort": summary["by_cohort"]}
        save(folder, "whatif", summary, tables=tables, figures=write_whatif_figure)
    return WhatIf(summary, run.converged, folder)


def answers(fit: Fit, scenarios: Sequence[Scenario]) -> list[dict[str, np.ndarray]]:
    """Return the headline by draw, also by cohort, of the forecast and of each scenario."""
    names = [*HEADLINE, *(f"cohort_{name}" for name in HEADLINE)]
    cases = [replace(fit.case, do=scenario.do) for scenario in (AS_FORECAST, *scenarios)]
    return [one.quantities for one in evaluate(cases, base=fit, how="exact", names=names)]


def summarised(
    fit: Fit, scenarios: Sequence[Scenario], *, draws: Sequence[dict[str, np.ndarray]]
) -> Row:
    """Return the acts of the scenarios, and rows at the question's cohort and by cohort."""
    years, chains, base = cohorts(fit.case.asked), fit.chains, draws[0]
    listed = [AS_FORECAST, *scenarios]
    rows, by_cohort = [], []
    for scenario, x in zip(listed, draws, strict=True):
        for name in HEADLINE:
            labels = {"scenario": scenario.name, "quantity": name}
            rows.append(labels | compared(x[name], base[name], chains=chains))
            cohort = f"cohort_{name}"
            by_cohort += [
                labels
                | {"cohort": year}
                | compared(x[cohort][:, i], base[cohort][:, i], chains=chains)
                for i, year in enumerate(years)
            ]
    acts = [
        {"name": one.name, "summary": one.summary, "do": [vars(act) for act in one.do]}
        for one in listed
    ]
    question = fit.case.question
    summary: Row = {"cohort": question.cohort, "horizon": question.horizon, "scenarios": acts}
    return summary | {"rows": rows, "by_cohort": by_cohort}


def compared(x: np.ndarray, base: np.ndarray, *, chains: int) -> Row:
    """Return the summary of a scenario's draws and of their paired differences from the base's."""
    change, own = with_mcse(x - base, chains), with_mcse(x, chains)
    unpaired = float(np.hypot(own["mcse"], with_mcse(base, chains)["mcse"]))
    return spread(x) | {
        "change": change["mean"],
        "change_lower": change["lower"],
        "change_upper": change["upper"],
        "noise": change["mcse"],
        "noise_unpaired": unpaired,
        "p_higher": float((x > base).mean()),
    }
