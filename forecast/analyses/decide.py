r"""Which option to take: expected payoffs, regret, and what would change the choice.

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

from forecast.analyses.result import Result, opened, outside_of, target_of
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

Row = dict[str, Any]


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
    made = opened(run, "it can be decided on")
    target = target_of(out)
    where = str(decision if decision is not None else made.folder / "priors.toml")
    text = load_decision(decision) if decision is not None else load_config(where).decision
    stated = decision_of(text, since=made.headline["cohort"], where=where)
    with Stages(quiet=quiet) as stages:
        with stages("read the run"):
            fit = fit_of(made)
        asked = [one.scenario for one in stated.options]
        agendas = fit.compiled.structure.agendas
        check_scenarios(asked, agendas, horizon=made.headline["horizon"])
        with stages(f"{len(asked)} options"):
            worth, other = all_worths(fit, [stated, other_split(stated)])
    summary = {"schema": 1, "run": made.folder.name, "converged": made.converged}
    summary |= outside_of(made)
    summary |= {"cohort": made.headline["cohort"], "horizon": made.headline["horizon"]}
    summary |= left_out(stated, made.headline["quantities"])
    summary |= decided(worth, stated, chains=fit.chains)
    summary |= {"other_split": under_other(other, stated, summary=summary, chains=fit.chains)}
    if target is not None:
        _write(target, summary)
    return Decided(summary, made.converged, target)


def worths(fit: Fit, decision: Decision) -> np.ndarray:
    """Return what a payoff of 1 for each outcome is worth; dims (option, draw, outcome)."""
    return all_worths(fit, [decision])[0]


def all_worths(fit: Fit, decisions: Sequence[Decision]) -> list[np.ndarray]:
    """Return the worths of decisions that differ in their outcomes alone, from one evaluation."""
    names = [name for one in decisions for name in one.outcomes]
    field = decisions[0].per == "field"
    cases = [replace(fit.case, do=one.scenario.do) for one in decisions[0].options]
    out: list[list[np.ndarray]] = [[] for _ in decisions]
    asked = [*names, *(["field_works"] if field else [])]
    for answer in evaluate(cases, base=fit, how="exact", names=asked):
        works = np.ones((1, 1))
        if field:
            at = fit.case.question.cohort - FIRST_YEAR
            works = answer.quantities["field_works"][:, at, None]
        for one, made in zip(decisions, out, strict=True):
            x = np.stack([answer.quantities[name] for name in one.outcomes], axis=-1)
            made.append(x * works)
    return [np.stack(made) for made in out]


def left_out(decision: Decision, found: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    """Return the bar of a decision and what it leaves out, in chances of a work and in words.

    Parameters
    ----------
    found
        Quantities of headline.json: the forecast with nothing done.
    """
    from reports.decide import left_out_text

    alone, both, other = (found[name]["mean"] for name in decision.outcomes[:3])
    any_use = (found[name]["mean"] for name in ("alignment_used", "capabilities_relevant"))
    counted = (alone + both, other + both)
    sides = {
        side: {"any_use": used, "counted": told}
        for side, used, told in zip(("alignment", "capabilities"), any_use, counted, strict=True)
    }
    told = {"text": left_out_text(decision.split, sides)} | sides
    return {"split": decision.split, "left_out": told}


def under_other(
    worth: np.ndarray, decision: Decision, *, summary: Mapping[str, Any], chains: int
) -> dict[str, Any]:
    """Return the same decision under the other split, and whether the choice stays.

    Parameters
    ----------
    worth
        That of the other split's outcomes.
    summary
        Of the decision as stated.
    """
    other = other_split(decision)
    made = decided(worth, other, chains=chains)
    kept = {key: made[key] for key in ("payoffs", "choice", "perfect_information", "options")}
    return {"split": other.split, "same_choice": made["choice"] == summary["choice"]} | kept


def decided(worth: np.ndarray, decision: Decision, *, chains: int) -> dict[str, Any]:
    """Return the options with payoffs, chances of being best and regret, and what would switch."""
    payoffs = np.array([one.payoffs for one in decision.options])
    costs = np.array([one.cost for one in decision.options])
    value = np.einsum("osj,oj->os", worth, payoffs) - costs[:, None]
    mean, best = value.mean(axis=1), value.max(axis=0)
    choice = int(np.argmax(mean))
    is_best = value == best
    chance = (is_best / is_best.sum(axis=0)).mean(axis=1)
    rows = []
    for i, one in enumerate(decision.options):
        row: Row = {"option": one.scenario.name, "cost": one.cost}
        row |= with_mcse(value[i], chains) | {"p_best": float(chance[i])}
        behind = with_mcse(value[i] - value[choice], chains)
        names = {"mean": "behind", "lower": "behind_lower", "upper": "behind_upper"}
        row |= {new: behind[old] for old, new in names.items()} | {"behind_mcse": behind["mcse"]}
        regret = with_mcse(best - value[i], chains)
        row |= {"regret": regret["mean"], "regret_upper": regret["upper"]}
        rows.append(row | {"regret_mcse": regret["mcse"]})
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
    names = [one.scenario.name for one in decision.options]
    rows = []
    for j, outcome in enumerate(decision.outcomes):
        shared = np.array([outcome not in one.own for one in decision.options])
        slope = np.where(shared, worth[:, j], 0.0)
        stated = decision.payoffs[j]
        rows.append(
            {"of": f"payoff {outcome}", "stated": stated}
            | _nearest(slope, mean, choice=choice, stated=stated, names=names)
        )
    for i, one in enumerate(decision.options):
        slope = np.where(np.arange(len(names)) == i, -1.0, 0.0)
        rows.append(
            {"of": f"cost {names[i]}", "stated": one.cost}
            | _nearest(slope, mean, choice=choice, stated=one.cost, names=names)
        )
    return rows


def _nearest(
    slope: np.ndarray, mean: np.ndarray, *, choice: int, stated: float, names: Sequence[str]
) -> Row:
    """Return the nearest value below and above at which a rival overtakes, and which one."""
    out: Row = {"below": None, "below_to": "", "above": None, "above_to": ""}
    lead, gain = mean[choice] - mean, slope - slope[choice]
    for i, name in enumerate(names):
        if i == choice or gain[i] == 0.0:
            continue
        at, side = stated + lead[i] / gain[i], "above" if gain[i] > 0 else "below"
        nearer = out[side] is None or abs(at - stated) < abs(out[side] - stated)
        if nearer:
            out |= {side: float(at), f"{side}_to": name}
    return out


def _write(folder: Path, summary: dict[str, Any]) -> None:
    from forecast.files import write_csv, write_json
    from reports.figures.choices import write_decision_figure

    folder.mkdir(parents=True)
    write_csv(folder / "options.csv", summary["options"])
    write_csv(folder / "switches.csv", summary["switches"])
    write_decision_figure(folder, summary)
    write_json(folder / "decide.json", summary)
