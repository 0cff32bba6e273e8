r"""``forecast decide``: which option to take, and what would change the choice.

The payoff of option o at a draw is :math:`U_o = n \sum_j v_{oj}\, p_j(o) - c_o`, with :math:`p_j`
the chance of outcome j of a work of the cohort once o is done, :math:`v_{oj}` what that outcome is
worth, :math:`c_o` the cost and n = 1, or the cohort's number of works. Options are paired draw by
draw. The choice is the option of the largest mean; *regret* is what knowing the draw would have
gained, :math:`\max_k U_k - U_o`, and its mean for the choice is the expected value of perfect
information (Raiffa & Schlaifer 1961). The mean is linear in each payoff and cost, so the numbers at
which the choice changes are exact given the draws.

Each split leaves something out: the same bar what nobody documents, the strict one alignment use
that misses the milestone. So the decision is worked out under the other split too, its payoffs read
outcome for outcome.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from forecast.analyses.result import Result, Row, finished_run, new_folder, outside_of, save
from forecast.config.load import load_config
from forecast.config.scenarios import (
    Decision,
    check_scenarios,
    decision_of,
    load_decision,
    other_split,
)
from forecast.inference.evaluate import evaluate
from forecast.inference.sampling import Fit
from forecast.progress import Stages
from forecast.runs.open import Run, fit_of
from forecast.runs.summarise import with_mcse
from models.dims import FIRST_YEAR


class Decided(Result):
    """A decision worked out: ``summary`` is decide.json."""

    words = ("reports.decide", "decision_text")


def decide(
    run: Run | str | Path,
    *,
    decision: str | Path | None = None,
    out: str | Path | None = None,
    quiet: bool = False,
) -> Decided:
    """Say which option of a decision has the largest expected payoff, and how surely.

    Parameters
    ----------
    run
        A run or its folder; its priors file holds ``[decision]``, unless ``decision`` does.
    decision
        A TOML file with a table ``[decision]``.
    out
        New folder for decide.json, options.csv, switches.csv and the figure.
    quiet
        Show no progress.

    Raises
    ------
    InputError
        If the user's input or a folder is at fault.
    """
    run, folder = finished_run(run, "it can be decided on"), new_folder(out)
    where = str(decision if decision is not None else run.folder / "priors.toml")
    text = load_decision(decision) if decision is not None else load_config(where).decision
    cohort, horizon = run.headline["cohort"], run.headline["horizon"]
    stated = decision_of(text, since=cohort, where=where)
    with Stages(quiet=quiet) as stages:
        with stages("read the run"):
            fit = fit_of(run)
        scenarios = [one.scenario for one in stated.options]
        check_scenarios(scenarios, fit.compiled.structure.agendas, horizon=horizon)
        with stages(f"{len(scenarios)} options"):
            worth, other = all_worths(fit, [stated, other_split(stated)])
    summary: Row = {"schema": 1, "run": run.folder.name, "converged": run.converged}
    summary |= outside_of(run.headline) | {"cohort": cohort, "horizon": horizon}
    summary |= left_out(stated, run.headline["quantities"])
    summary |= decided(worth, stated, chains=fit.chains)
    summary["other_split"] = under_other(other, stated, summary=summary, chains=fit.chains)
    if folder is not None:
        from reports.figures.choices import write_decision_figure

        tables = {name: summary[name] for name in ("options", "switches")}
        save(folder, "decide", summary, tables=tables, figures=write_decision_figure)
    return Decided(summary, run.converged, folder)


def all_worths(fit: Fit, decisions: Sequence[Decision]) -> list[np.ndarray]:
    """Return what a payoff of 1 for each outcome is worth; dims (option, draw, outcome).

    The decisions differ in their outcomes alone, so that one evaluation answers all.
    """
    names = [name for one in decisions for name in one.outcomes]
    field = decisions[0].per == "field"
    names += ["field_works"] if field else []
    cases = [replace(fit.case, do=one.scenario.do) for one in decisions[0].options]
    worths: list[list[np.ndarray]] = [[] for _ in decisions]
    for answer in evaluate(cases, base=fit, how="exact", names=names):
        draws, year = answer.quantities, fit.case.question.cohort - FIRST_YEAR
        works = draws["field_works"][:, year, None] if field else 1.0
        for one, worth in zip(decisions, worths, strict=True):
            worth.append(np.stack([draws[name] for name in one.outcomes], axis=-1) * works)
    return [np.stack(worth) for worth in worths]


def payoffs(worth: np.ndarray, decision: Decision) -> np.ndarray:
    """Return each option's payoff less its cost, dims (option, draw)."""
    stated = np.array([one.payoffs for one in decision.options])
    costs = np.array([one.cost for one in decision.options])
    return np.asarray(np.einsum("osj,oj->os", worth, stated) - costs[:, None])


def left_out(decision: Decision, quantities: Mapping[str, Mapping[str, float]]) -> Row:
    """Return the bar of a decision and what it leaves out, in chances of a work and in words.

    Parameters
    ----------
    quantities
        Of headline.json: the forecast with nothing done.
    """
    from reports.decide import left_out_text

    alone, both, other = (quantities[name]["mean"] for name in decision.outcomes[:3])
    used = {"alignment": "alignment_used", "capabilities": "capabilities_relevant"}
    counted = {"alignment": alone + both, "capabilities": other + both}
    sides = {
        side: {"any_use": quantities[name]["mean"], "counted": counted[side]}
        for side, name in used.items()
    }
    text = {"text": left_out_text(decision.split, sides)}
    return {"split": decision.split, "left_out": text | sides}


def under_other(
    worth: np.ndarray, decision: Decision, *, summary: Mapping[str, Any], chains: int
) -> Row:
    """Return the same decision under the other split, and whether the choice stays.

    Parameters
    ----------
    worth
        That of the other split's outcomes.
    summary
        Of the decision as stated.
    """
    other = other_split(decision)
    under = decided(worth, other, chains=chains)
    row: Row = {"split": other.split, "same_choice": under["choice"] == summary["choice"]}
    keys = ("payoffs", "choice", "perfect_information", "options")
    return row | {key: under[key] for key in keys}


def decided(worth: np.ndarray, decision: Decision, *, chains: int) -> Row:
    """Return the options with payoffs, chances of being best and regret, and what would switch."""
    value = payoffs(worth, decision)
    mean, best = value.mean(axis=1), value.max(axis=0)
    choice = int(np.argmax(mean))
    is_best = value == best
    chance = (is_best / is_best.sum(axis=0)).mean(axis=1)
    rows = []
    for i, one in enumerate(decision.options):
        behind = with_mcse(value[i] - value[choice], chains)
        regret = with_mcse(best - value[i], chains)
        row: Row = {"option": one.scenario.name, "cost": one.cost} | with_mcse(value[i], chains)
        row |= {
            "p_best": float(chance[i]),
            "behind": behind["mean"],
            "behind_lower": behind["lower"],
            "behind_upper": behind["upper"],
            "behind_mcse": behind["mcse"],
            "regret": regret["mean"],
            "regret_upper": regret["upper"],
            "regret_mcse": regret["mcse"],
        }
        rows.append(row)
    return {
        "unit": decision.unit,
        "per": decision.per,
        "payoffs": dict(zip(decision.outcomes, decision.payoffs, strict=True)),
        "choice": decision.options[choice].scenario.name,
        "perfect_information": rows[choice]["regret"],
        "options": rows,
        "switches": switches(worth.mean(axis=1), mean, decision=decision, choice=choice),
    }


def switches(worth: np.ndarray, mean: np.ndarray, *, decision: Decision, choice: int) -> list[Row]:
    """Return for each payoff and cost the nearest numbers at which another option is chosen.

    Parameters
    ----------
    worth
        Mean worth of each outcome, dims (option, outcome).
    mean
        Expected payoff of each option.
    """
    options = decision.options
    numbers = []  # (what it is of, as stated, its slope in each option's expected payoff)
    for j, outcome in enumerate(decision.outcomes):
        shared = np.array([outcome not in one.own for one in options])
        slope = np.where(shared, worth[:, j], 0.0)
        numbers.append((f"payoff {outcome}", decision.payoffs[j], slope))
    for i, one in enumerate(options):
        slope = np.where(np.arange(len(options)) == i, -1.0, 0.0)
        numbers.append((f"cost {one.scenario.name}", one.cost, slope))
    rows = []
    for name, stated, slope in numbers:
        row: Row = {"of": name, "stated": stated}
        row |= {"below": None, "below_to": "", "above": None, "above_to": ""}
        lead, gain = mean[choice] - mean, slope - slope[choice]
        for i, rival in enumerate(options):
            if i != choice and gain[i] != 0.0:
                number = stated + lead[i] / gain[i]
                side = "above" if gain[i] > 0 else "below"
                if row[side] is None or abs(number - stated) < abs(row[side] - stated):
                    row |= {side: float(number), f"{side}_to": rival.scenario.name}
        rows.append(row)
    return rows
