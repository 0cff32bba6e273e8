"""The tables of a sensitivity analysis as Markdown, for the page of the documentation."""

import textwrap
from collections.abc import Mapping
from typing import Any

from reports.sensitivity_tables import tables
from reports.sensitivity_words import differ_line, reach_line, surrogate_line

WIDTH = 100
TITLES = {
    "disagreement": "Block by block, method by method",
    "tornado": "Priors moved",
    "tipping": "Tipping points",
    "power": "Power scaling",
    "factors": "One factor a block",
    "blocks": "What is left uncertain: variance explained on posterior draws",
    "pairs": "Pairs that evidence cannot tell apart",
    "left_out": "Evidence left out",
    "ladder": "Evidence added",
    "learned": "Prior against posterior",
}
"""Tables of the page in order."""
MOST = 10
"""Beliefs in the table of priors moved."""


def page_block(told: Mapping[str, Any], *, command: str) -> list[str]:
    """Return the lines of the page that a finished analysis fills.

    Parameters
    ----------
    told
        Content of sensitivity.json.
    command
        What made it.
    """
    plain = _filled(told)
    made = tables(plain)
    if made["tornado"]["rows"]:
        made["tornado"]["rows"] = made["tornado"]["rows"][:MOST]
    quick = " --quick" if told["quick"] else ""
    out = [f"Made by `{command}{quick}`.", ""]
    for line in told["lines"]:
        out += [*textwrap.wrap(f"- {line}", WIDTH, subsequent_indent="  "), ""]
    said = {"disagreement": differ_line(plain), "tipping": reach_line(plain)}
    said["factors"] = surrogate_line(plain) if plain["factors"] else ""
    for name, title in TITLES.items():
        if made[name]["rows"]:
            out += [f"### {title}", ""]
            out += [*textwrap.wrap(said[name], WIDTH), ""] if name in said else []
            out += [*markdown(made[name]), ""]
    return out[:-1]


def markdown(data: Mapping[str, Any]) -> list[str]:
    """Return a table as Markdown."""
    head = [str(one) or " " for one in data["head"]]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    return lines + [f"| {' | '.join(map(str, row))} |" for row in data["rows"]]


def _filled(x: Any) -> Any:
    """Return what JSON holds as numbers again: an empty number of a bar is no number."""
    keys = ["mean", "lower", "upper", "shift", "mcse", "pareto_k", "width_change", "width_mcse"]
    if isinstance(x, Mapping):
        return {k: float("nan") if v is None and k in keys else _filled(v) for k, v in x.items()}
    return [_filled(one) for one in x] if isinstance(x, list) else x
