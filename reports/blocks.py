"""Blocks of the README and of docs/model.md that a finished run fills, as Markdown.

A block stands between ``<!-- NAME -->`` and ``<!-- /NAME -->`` and begins with the hash of each
forecast that it is of, in a comment, so that a test can tell whether it still holds.
"""

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from models.errors import InputError
from models.slots import SLOTS
from reports.learned import CONFLICT, GREW, LEARNED, SOMEWHAT, UNTOUCHED, conflicts
from reports.outside import CONSIDERED, considered_of, outside_text, outside_view
from reports.tables import MAIN_TITLE, SAME_BAR_SPLIT, SAME_BAR_TITLE, label
from reports.words import INTERVAL, INTERVAL_OF_CHANCE, chance, interval, number, opening, untried

WIDTH = 100
SHOWN = ("alignment_relevant", "alignment_used", "capabilities_relevant", "capabilities_first")
"""The rows of the second table of the headline."""
HEADS = {
    "learned": f"Learned (`sd_ratio` below {LEARNED})",
    "somewhat": f"Somewhat learned (below {SOMEWHAT})",
    "hardly": f"Hardly learned (up to {GREW})",
}
"""Statuses that are listed with their ratio."""
OF_STRUCTURE = ", then `forecast check RUN --structure` for wider differences."
"""How a reader gets the one number of the block that a run alone does not give."""


def headline_block(
    head: Mapping[str, Any],
    *,
    variance: Mapping[str, Any],
    seed: int,
    command: str,
    heavy: float | None = None,
    leads: Mapping[str, Mapping[str, float]] | None = None,
) -> list[str]:
    """Return the README's first forecast: sentences, a table, and what it rests on.

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
    outside = outside_view(head)
    sentences = opening(found, head, heavy=heavy, leads=leads) + outside_text(head)
    sentences += [told] if (told := untried(found, heavy)) else []
    tables = [
        [_row(label(n), found[n], prior=prior[n]) for n in names]
        for names in (SAME_BAR_SPLIT, SHOWN)
    ]
    if outside:
        both = outside["rows"][-1][1]
        name = f"{outside['label']}, {CONSIDERED}"
        tables[1].insert(1, f"| {name} | {chance(both['mean'])} | {interval(both)} | |")
    top = ", ".join(f"`{r['parameter']}` {chance(r['share'])}" for r in variance["parts"][:3])
    return [
        *(line for told in sentences for line in [*_wrapped(told), ""]),
        *_table(SAME_BAR_TITLE, tables[0]),
        *_table(MAIN_TITLE, tables[1]),
        *_wrapped(
            f"Each interval is an {INTERVAL_OF_CHANCE}. Of the variance of "
            f"{label('alignment_relevant')} {chance(variance['untouched'])} lies in beliefs that "
            "no evidence touches"
            + (f", most in {top}" if top else "")
            + f" ([each belief's question](docs/beliefs.md)). Default priors, seed {seed}; made by"
        ),
        f"`{command}`" + (OF_STRUCTURE if heavy is not None else "."),
    ]


def _table(title: str, rows: Sequence[str]) -> list[str]:
    return [f"| {title} | mean | interval | prior alone, mean |", "|---|---|---|---|", *rows, ""]


def worldviews_block(heads: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return the README's table of several worldviews, given the contents of headline.json."""
    strict = "alignment_relevant"
    rows = {
        label(name): [_told(h["quantities"][name]) for h in heads.values()]
        for name in (*SAME_BAR_SPLIT, strict, "capabilities_first")
    }
    rows |= _considered(heads)
    rows[f"{label(strict)}, prior alone"] = [_told(h["prior"][strict]) for h in heads.values()]
    return [
        f"| mean ({INTERVAL}) | {' | '.join(heads)} |",
        "|---" * (1 + len(heads)) + "|",
        *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows.items()),
        "",
        "The first four rows are of documented use, the same bar for both sides; they sum to 1.",
    ]


def _considered(heads: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the rows of quantities into which some worldview mixes an outside view."""
    names = {h["outside_view"]["quantity"] for h in heads.values() if h.get("outside_view")}
    return {
        f"{label(name)}, {CONSIDERED}": [
            _told(considered_of(h, name) or h["quantities"][name]) for h in heads.values()
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
        some = sorted((r for r in rows if r["learned"] == status), key=_ratio)
        told = ", ".join(f"`{r['parameter']}` {_ratio(r):.2f}" for r in some)
        out += _item(f"**{head}:** {told or 'none'}.")
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
    """Return the hash of the forecast, or hashes, that a block is of; None if it says none."""
    one = "[0-9a-f]{64}"
    found = re.search(rf"<!-- {name} -->\n<!-- forecast ({one}(?: {one})*) -->", page)
    return found[1] if found else None


def _pattern(name: str) -> str:
    return rf"<!-- {name} -->.*?<!-- /{name} -->"


def _row(name: str, found: Mapping[str, float], *, prior: Mapping[str, float]) -> str:
    return f"| {name} | {chance(found['mean'])} | {interval(found)} | {_told(prior)} |"


def _told(found: Mapping[str, float]) -> str:
    return f"{chance(found['mean'])} ({interval(found)})"


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
