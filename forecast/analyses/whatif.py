"""What if: scenarios beside the forecast, paired draw by draw.

All scenarios share the draws of the run, its forecast-only priors and its future paths, so that a
difference is that of each draw with itself. ``noise`` is the Monte Carlo error of its mean;
``noise_unpaired`` is what the difference of two runs with seeds of their own would have.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from forecast.analyses.result import Result, opened, outside_of, target_of
from forecast.config.scenarios import BASE, Scenario, check_scenarios, load_scenarios, scenarios_of
from forecast.inference.evaluate import evaluate
from forecast.inference.sampling import Fit
from forecast.progress import Stages
from forecast.runs.open import Run, fit_of
from forecast.runs.summarise import spread, with_mcse
from models.errors import InputError
from models.outcomes.relevance import cohorts
from models.quantities import HEADLINE

Row = dict[str, Any]
Draws = dict[str, np.ndarray]


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
    made = opened(run, "it can be asked what if")
    target = target_of(out)
    question = made.headline
    start = question["cohort"] if since is None else since
    asked = scenarios_of(do, start) + (load_scenarios(scenarios, start) if scenarios else [])
    if not asked:
        raise InputError("whatif: nothing to do; add --do KEY=VALUE, or --scenarios FILE")
    with Stages(quiet=quiet) as stages:
        with stages("read the run"):
            fit = fit_of(made)
        agendas = fit.compiled.structure.agendas
        asked = check_scenarios(asked, agendas, horizon=question["horizon"])
        with stages(f"{len(asked)} scenarios"):
            found = answers(fit, asked)
    summary = summarised(fit, asked, found=found)
    summary = {"schema": 1, "run": made.folder.name, "converged": made.converged} | summary
    summary |= outside_of(made)
    if target is not None:
        _write(target, summary)
    return WhatIf(summary, made.converged, target)


def answers(fit: Fit, scenarios: Sequence[Scenario], *, more: Sequence[str] = ()) -> list[Draws]:
    """Return the headline by draw, also by cohort, of the forecast and of each scenario."""
    names = [*HEADLINE, *(f"cohort_{name}" for name in HEADLINE), *more]
    cases = [replace(fit.case, do=scenario.do) for scenario in (Scenario(BASE, ()), *scenarios)]
    made = evaluate(cases, base=fit, how="exact", names=names)
    return [one.quantities for one in made]


def summarised(
    fit: Fit, scenarios: Sequence[Scenario], *, found: Sequence[Draws]
) -> dict[str, Any]:
    """Return what is said of the scenarios: their acts, and rows at the cohort and by cohort."""
    years, chains = cohorts(fit.case.asked), fit.chains
    listed = [Scenario(BASE, ()), *scenarios]
    rows, by_cohort = [], []
    for scenario, draws in zip(listed, found, strict=True):
        for name in HEADLINE:
            who: Row = {"scenario": scenario.name, "quantity": name}
            rows.append(who | compared(draws[name], found[0][name], chains=chains))
            pair = (draws[f"cohort_{name}"], found[0][f"cohort_{name}"])
            by_cohort += [
                who | {"cohort": t} | compared(pair[0][:, i], pair[1][:, i], chains=chains)
                for i, t in enumerate(years)
            ]
    told = [
        {"name": one.name, "summary": one.summary, "do": [vars(act) for act in one.do]}
        for one in listed
    ]
    asked = {"cohort": fit.case.question.cohort, "horizon": fit.case.question.horizon}
    return {**asked, "scenarios": told, "rows": rows, "by_cohort": by_cohort}


def compared(x: np.ndarray, base: np.ndarray, *, chains: int) -> Row:
    """Return the summary of a scenario's draws and of their paired differences from the base's."""
    alone, other = with_mcse(x, chains), with_mcse(base, chains)
    change = with_mcse(x - base, chains)
    unpaired = float(np.hypot(alone["mcse"], other["mcse"]))
    keys = {"mean": "change", "lower": "change_lower", "upper": "change_upper", "mcse": "noise"}
    row = spread(x) | {new: change[old] for old, new in keys.items()}
    return row | {"noise_unpaired": unpaired, "p_higher": float((x > base).mean())}


def _write(folder: Path, summary: dict[str, Any]) -> None:
    from forecast.files import write_csv, write_json
    from reports.figures.choices import write_whatif_figure

    folder.mkdir(parents=True)
    write_csv(folder / "scenarios.csv", summary["rows"])
    write_csv(folder / "by_cohort.csv", summary["by_cohort"])
    write_whatif_figure(folder, summary)
    write_json(folder / "whatif.json", summary)


__all__ = ["WhatIf", "answers", "compared", "whatif"]
