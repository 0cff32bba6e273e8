"""docs/beliefs.md: every belief that a priors file answers, made from the slots and the default.

``scripts/refresh_docs.py`` writes it; it needs no run.
"""

from collections.abc import Iterable, Mapping, Sequence

from models.prior import FAMILIES, Prior, ppf
from models.slots import BLOCKS, SLOTS, Slot
from reports.words import number

QUANTILES = (0.5, 0.05, 0.95)
"""Median and the ends of the 90% range."""
RANGES = {"real": "any number", "positive": "above 0", "unit": "0 to 1"}
"""Supports, in words."""
HEAD = """\
# The beliefs, one by one

Every question that a priors file answers, block by block, with what `priors/default.toml` answers:
its median, the range from the 5th to the 95th percentile, and the source of it (a key of
[sources.csv](../evidence/sources.csv), or in words; the reason stands beside it in the file, as
`why`). To answer one otherwise, see [a priors file](../README.md#a-priors-file).

A table of your own repeats `block` and `unit`, though the model knows them, since a file that
`extends` another replaces whole tables: so each answer can be read, checked and copied by itself,
and hangs on nothing in a file that may change. Where one is missing, the message says the line to
add.

*Claim* is the belief's home among [C1 to C14](index.md#the-claims); "none" is a nuisance. The last
column says where a prior may lie, and the one distribution allowed where the algebra needs it.
Elsewhere any family within that range will do:

{families}

Made by `scripts/refresh_docs.py`; change the slots or the priors, not this page.
"""


def beliefs_page(stated: Iterable[Prior]) -> str:
    """Return the page, from models/slots.py and the priors of priors/default.toml."""
    priors = {prior.name: prior for prior in stated}
    kinds = ["positive", "unit", "real", "bounds"]
    words = RANGES | {"bounds": "within the bounds you give"}
    families = [
        f"- {words[kind]}: " + ", ".join(f"`{n}`" for n, f in FAMILIES.items() if f.support == kind)
        for kind in kinds
    ]
    parts = [HEAD.format(families="\n".join(families))]
    for block in BLOCKS:
        slots = [slot for slot in SLOTS.values() if slot.block == block]
        parts.append("\n".join([f"## {block}", "", *table(slots, priors), ""]))
    return "\n".join(parts)


def table(slots: Sequence[Slot], priors: Mapping[str, Prior]) -> list[str]:
    """Return the lines of a block's table."""
    return [
        "| belief | question | unit | median | 90% range | claim | source | may lie |",
        "|---|---|---|---|---|---|---|---|",
        *(f"| {' | '.join(map(escaped, cells(slot, priors[slot.name])))} |" for slot in slots),
    ]


def cells(slot: Slot, prior: Prior) -> list[str]:
    """Return the cells of a belief's row."""
    median, low, high = (number(float(x)) for x in ppf(prior, QUANTILES))
    lies = RANGES[slot.support] + "".join(f", `{family}` only" for family in slot.families)
    about = [f"`{slot.name}`", slot.question, slot.unit]
    return [*about, median, f"{low} to {high}", prior.claims[0], prior.source, lies]


def escaped(text: str) -> str:
    """Return text that fits into one cell."""
    return " ".join(text.split()).replace("|", "\\|")
