"""What a decision comes to, as tables for the terminal."""

from collections.abc import Mapping
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from reports.terminal import render, told
from reports.words import INTERVAL, NOT_CONVERGED, chance, number, of_hundred

PER = {"work": "for one work", "field": "for all works"}
BARS = {"same-bar": "same bar", "strict": "strict bar"}
"""The splits, as they are told."""
ABOUT = (
    f"Expected payoff less cost, with the {INTERVAL} over beliefs. Behind: paired difference from "
    "the choice. Regret: what knowing the truth would have gained over the option, on average."
)


def decision_text(summary: Mapping[str, Any]) -> str:
    """Return the options with their payoffs, and what would change the choice."""
    s = summary
    head = f"Payoff in {s['unit']} {PER[s['per']]} of {s['cohort']} by the end of {s['horizon']}"
    parts: list[RenderableType] = [told(head, "bold"), told(ABOUT), told(s["left_out"]["text"])]
    parts.append(Text(""))
    if not s["converged"]:
        parts.insert(0, told(f"{NOT_CONVERGED}: the run's draws are no result.", "bold red"))
    parts += [_options(s), Text("")]
    parts.append(told(f"Choice: {s['choice']}. {_sureness(s)}"))
    parts.append(told(other_text(s["other_split"])))
    worth = number(s["perfect_information"])
    parts += [told(f"Knowing every belief for sure would be worth {worth} {s['unit']}."), Text("")]
    return render([*parts, _switches(s)])


def left_out_text(split: str, sides: Mapping[str, Mapping[str, float]]) -> str:
    """Return what a bar leaves out, with the numbers of the forecast as it stands.

    ``sides`` holds, for ``alignment`` and ``capabilities``, the chance of ``any_use`` of a work and
    of a use that is ``counted``.
    """
    ali, cap = (
        [of_hundred(sides[side][key]) for key in ("counted", "any_use")]
        for side in ("alignment", "capabilities")
    )
    if split == "same-bar":
        return (
            "The same bar counts documented uses alone; a use that nobody documents counts as none."
            f" Of 100 works it counts {ali[0]} of the {ali[1]} that alignment work uses, and "
            f"{cap[0]} of the {cap[1]} that capabilities work uses."
        )
    return (
        "The strict bar counts every use by capabilities work, documented or not, but alignment "
        "use only where it helps to reach the required milestone; any other alignment use counts "
        f"as none. Of 100 works it counts {ali[0]} of the {ali[1]} that alignment work uses, and "
        f"all {cap[1]} that capabilities work uses."
    )


def other_text(other: Mapping[str, Any]) -> str:
    """Return one sentence on the choice under the other split, and how sure it is."""
    same = "the same" if other["same_choice"] else other["choice"]
    bar = BARS[other["split"]]
    return f"At the {bar} the choice would be {same}, by the same payoffs. {_sureness(other)}"


def _sureness(s: Mapping[str, Any]) -> str:
    """Return whether the sampler's noise leaves the choice open."""
    rivals = [row for row in s["options"] if row["option"] != s["choice"]]
    near = [row["option"] for row in rivals if -row["behind"] <= 2 * row["behind_mcse"]]
    if near:
        return f"Not told apart from {', '.join(near)} (within two Monte Carlo errors)."
    return "Its lead over each other option is more than two Monte Carlo errors."


def _options(s: Mapping[str, Any]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    heads = ("option", "payoff", "interval", "best", "behind", "interval", "regret")
    for i, head in enumerate(heads):
        table.add_column(head, justify="left" if i == 0 else "right", overflow="fold")
    for row in sorted(s["options"], key=lambda one: -one["mean"]):
        mine = row["option"] == s["choice"]
        behind = ("", "") if mine else (number(row["behind"]), _ends(row, "behind_"))
        cells = (number(row["mean"]), _ends(row), chance(row["p_best"]), *behind)
        table.add_row(told(row["option"]), *cells, number(row["regret"]))
    return table


def _switches(s: Mapping[str, Any]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for head in ("the choice changes if", "stated", "falls below", "to", "rises above", "to"):
        table.add_column(head, justify="left" if head in ("to",) else "right", overflow="fold")
    table.columns[0].justify = "left"
    for row in s["switches"]:
        ends = [
            cell
            for side in ("below", "above")
            for cell in (
                "never" if row[side] is None else number(row[side]),
                told(row[f"{side}_to"]),
            )
        ]
        table.add_row(told(row["of"]), number(row["stated"]), *ends)
    return table


def _ends(row: Mapping[str, Any], before: str = "") -> str:
    return f"{number(row[f'{before}lower'])} to {number(row[f'{before}upper'])}"
