"""What a decision comes to, for the terminal."""

from collections.abc import Mapping
from typing import Any

from reports.table import Table
from reports.terminal import render
from reports.words import chance, number, of_hundred

Row = Mapping[str, Any]
BARS = {"same-bar": "same bar", "strict": "strict bar"}
"""The splits, in words."""


def decision_text(s: Row) -> str:
    """Return the options with their payoffs, and what would change the choice."""
    return render(
        "decide",
        **s,
        option_table=_options(s),
        sureness=sureness(s),
        other=other_text(s["other_split"]),
        switch_table=_switches(s),
    )


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


def other_text(other: Row) -> str:
    """Return one sentence on the choice under the other split, and how sure it is."""
    same = "the same" if other["same_choice"] else other["choice"]
    bar = BARS[other["split"]]
    return f"At the {bar} the choice would be {same}, by the same payoffs. {sureness(other)}"


def sureness(s: Row) -> str:
    """Return whether the sampler's noise leaves the choice open."""
    near = [
        row["option"]
        for row in s["options"]
        if row["option"] != s["choice"] and -row["behind"] <= 2 * row["behind_mcse"]
    ]
    if near:
        return f"Not told apart from {', '.join(near)} (within two Monte Carlo errors)."
    return "Its lead over each other option is more than two Monte Carlo errors."


def _options(s: Row) -> Table:
    def behind(row: Row, text: str) -> str:
        return "" if row["option"] == s["choice"] else text

    return Table.by_column(
        "",
        {
            "option": lambda r: r["option"],
            "payoff": lambda r: number(r["mean"]),
            "interval": lambda r: _ends(r),
            "best": lambda r: chance(r["p_best"]),
            "behind": lambda r: behind(r, number(r["behind"])),
            "interval ": lambda r: behind(r, _ends(r, "behind_")),
            "regret": lambda r: number(r["regret"]),
        },
        sorted(s["options"], key=lambda row: -row["mean"]),
    )


def _switches(s: Row) -> Table:
    def end(row: Row, side: str) -> str:
        return "never" if row[side] is None else number(row[side])

    return Table.by_column(
        "",
        {
            "the choice changes if": lambda r: r["of"],
            "stated": lambda r: number(r["stated"]),
            "falls below": lambda r: end(r, "below"),
            "to": lambda r: r["below_to"],
            "rises above": lambda r: end(r, "above"),
            "to ": lambda r: r["above_to"],
        },
        s["switches"],
    )


def _ends(row: Row, before: str = "") -> str:
    return f"{number(row[f'{before}lower'])} to {number(row[f'{before}upper'])}"
