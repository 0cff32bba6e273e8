"""The write-up of the model for the docs site: the sub-models' own docstrings, beliefs, registry.

Nothing is typed here: the mathematics are the docstrings that the code carries, the beliefs are
those of a priors file, the quantities those of the registry. So text and model cannot drift apart.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from models.prior import Prior
from models.quantities import CLAIMS, QUANTITIES
from models.slots import BLOCKS, SLOTS
from reports.beliefs import cells, escaped

PARTS: dict[str, tuple[str, ...]] = {
    "workers": ("workers",),
    "maturity": ("maturity", "milestones"),
    "output": ("output",),
    "tracking": ("tracking",),
    "faults": ("faults",),
    "spillover": ("spillover", "race"),
    "ratings": ("ratings",),
    "relevance": ("forecast_paths", "forecast_states", "relevance", "claims"),
}
"""Each block of beliefs, and the sub-models whose docstrings speak of it."""
INLINE = re.compile(r":math:`([^`]+)`")
ROLE = re.compile(r":\w+:`~?([^`]+)`")
BLOCK = re.compile(r"^\.\. math::[ ]*(.*(?:\n(?:[ \t]+\S.*|[ \t]*(?=\n[ \t]+\S)))*)", re.MULTILINE)
Formula = Callable[[str, str], str]
"""Turns LaTeX into markup of a page; the second argument is ``inline`` or ``block``."""


def model_page(
    docstrings: Mapping[str, str], priors: Mapping[str, Prior], *, formula: Formula
) -> str:
    """Return the write-up: block by block the mathematics and the beliefs it takes.

    Parameters
    ----------
    docstrings
        Of the sub-models, by module name.
    priors
        Of the priors file that the tables show.
    formula
        Turns LaTeX into markup.
    """
    out = [
        "# The model, from its own code",
        "",
        "Made from the docstrings of the sub-models, the questions that they ask and the default "
        "priors, whenever this site is built. [The model](model.md) tells the same in words, with "
        "what was learned and its weaknesses.",
    ]
    for block in BLOCKS:
        out += ["", f"## {block.capitalize()}"]
        for name in PARTS[block]:
            out += ["", f"### `models/{name}.py`", "", markdown(docstrings[name], formula)]
        out += ["", f"### Beliefs: {block}", "", *belief_table(block, priors)]
    return "\n".join(out) + "\n"


def belief_table(block: str, priors: Mapping[str, Prior]) -> list[str]:
    """Return the lines of a table of a block's beliefs, with the distribution as stated."""
    rows = []
    for slot in (slot for slot in SLOTS.values() if slot.block == block):
        prior = priors[slot.name]
        name, question, unit, median, low_high, claim, source, _ = cells(slot, prior)
        numbers = ", ".join(f"{key} = {value:g}" for key, value in prior.params)
        stated = f"`{prior.dist}({numbers})`"
        row = (
            name,
            question,
            stated,
            f"{median} ({low_high}) {unit}",
            claim,
            f"{source}. {prior.why}",
        )
        rows.append(f"| {' | '.join(map(escaped, row))} |")
    head = ("belief", "question", "stated", "median (90% range)", "claim", "source and reason")
    return [f"| {' | '.join(head)} |", "|---" * len(head) + "|", *rows]


def quantities_page() -> str:
    """Return the page of every quantity that a run predicts, from the registry."""
    out = ["# Every quantity", "", "From the registry, `models/quantities.py`.", ""]
    out += ["| name | label | unit | question | claims | by |", "|---|---|---|---|---|---|"]
    variants = ("agenda_", "cohort_", "new_agenda_")
    for q in QUANTITIES.values():
        if q.name.startswith(variants) and q.name.split("_", 1)[1] in QUANTITIES:
            continue
        row = (f"`{q.name}`", q.label, q.unit, q.question, " ".join(q.claims), " ".join(q.dims))
        out.append(f"| {' | '.join(map(escaped, row))} |")
    out += ["", "The first sixteen come also by agenda, by cohort and for a new agenda, as"]
    out += ["`agenda_NAME`, `cohort_NAME` and `new_agenda_NAME`.", "", "## The claims", ""]
    out += [f"- **{key}** ({claim.who}): {claim.text}" for key, claim in CLAIMS.items()]
    return "\n".join(out) + "\n"


def markdown(docstring: str, formula: Formula) -> str:
    """Return a docstring as Markdown, formulas in the markup that ``formula`` makes."""
    text = BLOCK.sub(lambda m: f"\n{formula(dedented(m[1]), 'block')}\n", docstring.strip())
    text = INLINE.sub(lambda m: formula(m[1], "inline"), text)
    text = ROLE.sub(r"`\1`", text)
    return re.sub(r"``([^`]+)``", r"`\1`", text)


def dedented(text: str) -> str:
    """Return the lines of a directive as one formula."""
    return " ".join(line.strip() for line in text.strip().splitlines())


def command_page(commands: Iterable[tuple[str, str]]) -> str:
    """Return the page of the command line, from each command's name and ``--help``."""
    out = ["# The command line", "", "What `--help` prints, command by command."]
    for name, text in commands:
        out += ["", f"## `{name}`", "", "```text", text.rstrip(), "```"]
    return "\n".join(out) + "\n"


def python_page(exports: Mapping[str, str], groups: Sequence[str]) -> str:
    """Return the page of public Python functions, each to be filled from its docstring."""
    out = ["# From Python", "", "`import forecast as fc`, then `fc.NAME`.", ""]
    for name, module in exports.items():
        out += [f"## fc.{name}", "", f"::: {module}.{name}", ""]
    for group in groups:
        out += [f"## fc.{group}", "", f"::: forecast.{group}", ""]
    return "\n".join(out)
