"""The pages of the documentation that are made from code and runs.

The write-up's mathematics are the docstrings of the sub-models, its beliefs those of a priors file,
its quantities those of the registry, so that text and model cannot drift apart.

Blocks of the README and of docs/ are filled from a finished run. A block stands between
``<!-- NAME -->`` and ``<!-- /NAME -->``, and begins with a stamp in a comment: the version, and the
hash of the inputs of each forecast that it is of, so that a test can tell whether it still holds.
"""

import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from models.errors import InputError
from models.parameters import BLOCKS, SLOTS, Slot
from models.priors import FAMILIES, Prior, ppf
from models.quantities import CLAIMS, QUANTITIES
from reports.sensitivity import differ_line, reach_line, surrogate_line, tables
from reports.table import Table
from reports.view import MAIN_TITLE, SAME_BAR_SPLIT, SAME_BAR_TITLE, conflicts
from reports.words import (
    CONFLICT,
    CONSIDERED,
    GREW,
    INTERVAL,
    INTERVAL_OF_CHANCE,
    LEARNED,
    SOMEWHAT,
    UNTOUCHED,
    chance,
    considered_of,
    label,
    mean_and_interval,
    number,
    opening,
    outside_text,
    outside_view,
    untried,
)

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
    """Return the page, from models/parameters.py and the priors of priors/default.toml."""
    priors = {prior.name: prior for prior in stated}
    kinds = ["positive", "unit", "real", "bounds"]
    words = RANGES | {"bounds": "within the bounds you give"}
    families = [
        f"- {words[kind]}: " + ", ".join(f"`{n}`" for n, f in FAMILIES.items() if f.support == kind)
        for kind in kinds
    ]
    parts = [HEAD.format(families="\n".join(families))]
    for block in BLOCKS:
        rows = [cells(slot, priors[slot.name]) for slot in SLOTS.values() if slot.block == block]
        table = Table.of("", BELIEF_HEADS, rows)
        parts.append("\n".join([f"## {block}", "", *table.markdown(), ""]))
    return "\n".join(parts)


BELIEF_HEADS = ("belief", "question", "unit", "median", "90% range", "claim", "source", "may lie")


def cells(slot: Slot, prior: Prior) -> list[str]:
    """Return the cells of a belief's row."""
    median, low, high = (number(float(x)) for x in ppf(prior, QUANTILES))
    lies = RANGES[slot.support] + "".join(f", `{family}` only" for family in slot.families)
    about = [f"`{slot.name}`", slot.question, slot.unit]
    return [*about, median, f"{low} to {high}", prior.claims[0], prior.source, lies]


PARTS: dict[str, tuple[str, ...]] = {
    "workers": ("components/workers",),
    "maturity": ("components/maturity", "outcomes/milestones"),
    "output": ("components/output",),
    "tracking": ("components/tracking",),
    "faults": ("components/faults",),
    "spillover": ("components/spillover", "outcomes/race"),
    "ratings": ("ratings/formula",),
    "relevance": ("outcomes/paths", "outcomes/states", "outcomes/relevance", "outcomes/claims"),
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
        name, question, unit, median, ends, claim, source, _ = cells(slot, prior)
        numbers = ", ".join(f"{key} = {value:g}" for key, value in prior.params)
        stated = f"`{prior.dist}({numbers})`"
        median = f"{median} ({ends}) {unit}"
        rows.append((name, question, stated, median, claim, f"{source}. {prior.why}"))
    heads = ("belief", "question", "stated", "median (90% range)", "claim", "source and reason")
    return Table.of("", heads, rows).markdown()


def quantities_page() -> str:
    """Return the page of every quantity that a run predicts, from the registry."""
    variants = ("agenda_", "cohort_", "new_agenda_")
    rows = [
        (f"`{q.name}`", q.label, q.unit, q.question, " ".join(q.claims), " ".join(q.dims))
        for q in QUANTITIES.values()
        if not (q.name.startswith(variants) and q.name.split("_", 1)[1] in QUANTITIES)
    ]
    table = Table.of("", ("name", "label", "unit", "question", "claims", "by"), rows)
    out = ["# Every quantity", "", "From the registry, `models/quantities.py`.", ""]
    out += table.markdown()
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


def python_page(exports: Mapping[str, str], groups: Mapping[str, str]) -> str:
    """Return the page of public Python functions, each to be filled from its docstring."""
    out = ["# From Python", "", "`import forecast as fc`, then `fc.NAME`.", ""]
    for name, module in exports.items():
        out += [f"## fc.{name}", "", f"::: {module}.{name}", ""]
    for group, module in groups.items():
        out += [f"## fc.{group}", "", f"::: {module}", ""]
    return "\n".join(out)


WIDTH = 100
SHOWN = ("alignment_relevant", "alignment_used", "capabilities_relevant", "capabilities_first")
"""The rows of the second table of the headline."""
HEADS_OF_MEANS = ("mean", "interval", "prior alone, mean")
HEADS = {
    "learned": f"Learned (`sd_ratio` below {LEARNED})",
    "somewhat": f"Somewhat learned (below {SOMEWHAT})",
    "hardly": f"Hardly learned (up to {GREW})",
}
"""Statuses that are listed with their ratio."""
OF_STRUCTURE = ", then `forecast check RUN --structure` for wider differences."
"""How a reader gets the one number of the block that a run alone does not give."""


def answer_block(head: Mapping[str, Any]) -> list[str]:
    """Return the README's answer: a sentence and a table, from the content of headline.json."""
    quantities = head["quantities"]
    sentences = opening(quantities, head)
    names = (*SAME_BAR_SPLIT, "alignment_relevant")
    rows = [(label(name), *mean_and_interval(quantities[name])) for name in names]
    table = Table.of("", (MAIN_TITLE, *HEADS_OF_MEANS[:2]), rows)
    return [*_wrapped(sentences[0]), "", *table.markdown()]


def headline_block(
    head: Mapping[str, Any],
    *,
    variance: Mapping[str, Any],
    seed: int,
    command: str,
    heavy: float | None = None,
    leads: Mapping[str, Mapping[str, float]] | None = None,
) -> list[str]:
    """Return the default's forecast: sentences, tables, and what it rests on.

    Parameters
    ----------
    head
        The content of headline.json.
    variance
        ``untouched``, the share of strict relevance's variance that rests on beliefs no evidence
        touches, and ``parts`` of it.
    seed, command
        Seed of the run, and what made it.
    heavy
        Strict relevance with heavy-tailed agendas, where a rerun says it.
    leads
        How surely each side is ahead, where the run says it.
    """
    found, prior = head["quantities"], head["prior"]
    sentences = opening(found, head, heavy=heavy, leads=leads) + outside_text(head)
    sentences += filter(None, [untried(found, heavy)])
    same_bar, main = (
        [(label(n), *mean_and_interval(found[n]), _summary(prior[n])) for n in names]
        for names in (SAME_BAR_SPLIT, SHOWN)
    )
    if outside := outside_view(head):
        name = f"{outside['label']}, {CONSIDERED}"
        main.insert(1, (name, *mean_and_interval(outside["rows"][-1][1]), ""))
    top = ", ".join(f"`{r['parameter']}` {chance(r['share'])}" for r in variance["parts"][:3])
    return [
        *(line for sentence in sentences for line in [*_wrapped(sentence), ""]),
        *Table.of("", (SAME_BAR_TITLE, *HEADS_OF_MEANS), same_bar).markdown(),
        "",
        *Table.of("", (MAIN_TITLE, *HEADS_OF_MEANS), main).markdown(),
        "",
        *_wrapped(
            f"Each interval is an {INTERVAL_OF_CHANCE}. Of the variance of "
            f"{label('alignment_relevant')} {chance(variance['untouched'])} lies in beliefs that "
            "no evidence touches"
            + (f", most in {top}" if top else "")
            + f" ([each belief's question](beliefs.md)). Default priors, seed {seed}; made by"
        ),
        f"`{command}`" + (OF_STRUCTURE if heavy is not None else "."),
    ]


def worldviews_block(heads: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the README's table of several worldviews, given the contents of headline.json."""
    strict = "alignment_relevant"
    rows = {
        label(name): [_summary(h["quantities"][name]) for h in heads.values()]
        for name in (*SAME_BAR_SPLIT, strict, "capabilities_first")
    }
    rows |= _considered(heads)
    rows[f"{label(strict)}, prior alone"] = [_summary(h["prior"][strict]) for h in heads.values()]
    table = Table.of("", (f"mean ({INTERVAL})", *heads), ((k, *x) for k, x in rows.items()))
    return [
        *table.markdown(),
        "",
        "The first four rows are of documented use, the same bar for both sides; they sum to 1.",
    ]


def _considered(heads: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the rows of quantities into which some worldview mixes an outside view."""
    names = {h["outside_view"]["quantity"] for h in heads.values() if h.get("outside_view")}
    return {
        f"{label(name)}, {CONSIDERED}": [
            _summary(considered_of(h, name) or h["quantities"][name]) for h in heads.values()
        ]
        for name in sorted(names)
    }


def learned_block(rows: Sequence[Mapping[str, Any]], *, seed: int) -> list[str]:
    """Return the list of docs/model.md: what the evidence did to each scalar belief.

    Parameters
    ----------
    rows
        Rows of summary.csv.
    seed
        Seed of the run.
    """
    out = [f"Each scalar belief of the default run, seed {seed}:", ""]
    for status, head in HEADS.items():
        beliefs = sorted((r for r in rows if r["learned"] == status), key=_ratio)
        names = ", ".join(f"`{r['parameter']}` {_ratio(r):.2f}" for r in beliefs)
        out += _item(f"**{head}:** {names or 'none'}.")
    against = "; ".join(map(_conflict, conflicts(rows)))
    out += _item(f"**In {CONFLICT} with the prior** (medians): {against or 'none'}.")
    alone = ", ".join(sorted(f"`{r['parameter']}`" for r in rows if r["learned"] == UNTOUCHED))
    return out + _item(f"**Untouched, prior alone by the graph:** {alone or 'none'}.")


def filled(page: str, name: str, *, lines: Sequence[str], identity: str) -> str:
    """Return a page with the block ``name`` replaced.

    Raises
    ------
    InputError
        If the page has no such block, or more than one.
    """
    found = re.findall(_pattern(name), page, flags=re.DOTALL)
    if len(found) != 1:
        raise InputError(
            f"block {name}: found {len(found)} in the page, not one; "
            f"put <!-- {name} --> and <!-- /{name} --> where it belongs"
        )
    body = "\n".join([f"<!-- {name} -->", f"<!-- forecast {identity} -->", *lines])
    new = f"{body}\n<!-- /{name} -->"
    return re.sub(_pattern(name), lambda _: new, page, flags=re.DOTALL)


def identity_in(page: str, name: str) -> str | None:
    """Return the version and the hashes of the inputs that a block is of; None if it has none."""
    match = re.search(rf"<!-- {name} -->\n<!-- forecast ([^ ]+(?: [0-9a-f]{{64}})+) -->", page)
    return match[1] if match else None


def _pattern(name: str) -> str:
    return rf"<!-- {name} -->.*?<!-- /{name} -->"


def _summary(found: Mapping[str, Any]) -> str:
    return "{} ({})".format(*mean_and_interval(found))


def _ratio(r: Mapping[str, Any]) -> float:
    return float(r["sd_ratio"])


def _conflict(r: Mapping[str, Any]) -> str:
    name = str(r["parameter"])
    unit = f" ({SLOTS[name].unit})" if name in SLOTS else ""
    before, after = (number(float(r[f"{group}_median"])) for group in ("prior", "posterior"))
    return (
        f"`{name}`{unit}, prior {before}, posterior {after}, `shift` {float(r['shift']):+.1f}, "
        f"`sd_ratio` {_ratio(r):.2f}"
    )


def _item(text: str) -> list[str]:
    return _wrapped(text, first="- ", later="  ")


def _wrapped(text: str, *, first: str = "", later: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )


TEN = 10
"""Beliefs in the table of priors moved."""


def sensitivity_block(summary: Mapping[str, Any], *, command: str) -> list[str]:
    """Return the lines of docs/sensitivity.md that a finished analysis fills.

    Parameters
    ----------
    summary
        Content of sensitivity.json.
    command
        What made it.
    """
    s = _with_nan(summary)
    lines = [f"Made by `{command}{' --quick' if s['quick'] else ''}`.", ""]
    for line in s["lines"]:
        lines += [*textwrap.wrap(f"- {line}", WIDTH, subsequent_indent="  "), ""]
    sentences = {"disagreement": differ_line(s), "tipping": reach_line(s)}
    sentences["factors"] = surrogate_line(s) if s["factors"] else ""
    for name, table in tables(s).items():
        if table.rows and name != "beliefs":
            rows = table.markdown()[: TEN + 2 if name == "tornado" else None]
            sentence = textwrap.wrap(sentences.get(name, ""), WIDTH)
            lines += [f"### {table.title}", "", *sentence, *[""][: len(sentence)], *rows, ""]
    return lines[:-1]


NUMBERS = {"mean", "lower", "upper", "shift", "mcse", "pareto_k", "width_change", "width_mcse"}


def _with_nan(x: Any) -> Any:
    """Return what JSON holds with NaN for the numbers of a bar that are null."""
    if isinstance(x, Mapping):
        return {
            key: float("nan") if value is None and key in NUMBERS else _with_nan(value)
            for key, value in x.items()
        }
    return [_with_nan(item) for item in x] if isinstance(x, list) else x
