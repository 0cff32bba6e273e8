"""What `forecast check` prints: priors before a run, a run after it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from reports.terminal import render, told
from reports.view import HEADLINE, heavy_of, trust_view, varied_notes, varied_table
from reports.words import few_or_most, near_end, number, untried, value

MOST = 12
"""Flagged test quantities that are shown one by one."""
MEDIANS = (
    "Medians, with 9 chances in 10; `forecast run` shows means, with 89% intervals: of a chance "
    "that may be tiny the mean lies well above the median."
)
Rows = Sequence[Mapping[str, Any]]


def prior_check_text(head: str, rows: Mapping[str, Rows], *, faults: Sequence[str]) -> str:
    """Return what a check of priors found.

    Parameters
    ----------
    head
        The first line.
    rows
        ``implied``, ``evidence``, ``evidence_summary`` and ``stated``; missing ones are left out.
    faults
        Sentences, printed last.
    """
    parts: list[RenderableType] = [told(head)]
    if rows.get("implied"):
        parts += [told(""), told("What the priors alone imply", "bold"), told(MEDIANS)]
        parts += _implied(rows["implied"])
    if rows.get("evidence"):
        parts += [told(""), *_evidence(rows)]
    if rows.get("stated"):
        parts += [told(""), *_stated(rows["stated"])]
    return render([*parts, *(told(one) for one in faults)]).rstrip("\n")


def run_check_text(name: str, context: Mapping[str, Any], *, varied: Mapping[str, Rows]) -> str:
    """Return the checks that a finished run made of itself, and its tables of variations.

    Parameters
    ----------
    name
        The run's name.
    context
        That of the run; its ``checks`` are read.
    varied
        ``structure`` and ``left_out``, where they were evaluated.
    """
    view = trust_view(context.get("checks") or {})
    parts: list[RenderableType] = [told(f"{name}: {view['sentence'] or 'no checks are kept'}")]
    titles = {
        "summary": "Evidence replicated by the fit",
        "flagged": "Flagged: what the model does not reproduce",
        "loo": "Leaving one out (PSIS-LOO)",
        "influence": "Rows that move the strict headline most",
        "backcast": "Milestones: the model's first work at each level",
    }
    for key, title in titles.items():
        parts += plain(view[key], title=title)
    near = {"head": view["near"]["head"][:4], "rows": [row[:4] for row in view["near"]["rows"]]}
    parts += plain(near, title="Near predictions (rules: near.csv)")
    for key, title in (("structure", "Other structures"), ("left_out", "Without each table")):
        parts += plain(varied_table(varied.get(key, ())), title=title)
        parts += [told(note) for note in varied_notes(varied.get(key, ()))]
    parts += _ends(varied.get("structure", ()))
    return render(parts).rstrip("\n")


def plain(data: Mapping[str, Sequence[Any]], *, title: str) -> Iterator[RenderableType]:
    """Show a table of text, if it has rows."""
    if not data["rows"]:
        return
    table = grid(data["head"], left=len(data["head"]))
    for row in data["rows"]:
        table.add_row(*(told(str(cell)) for cell in row))
    yield from (told(""), told(title, "bold"), table)


def _ends(structure: Rows) -> list[RenderableType]:
    """Say what heavy tails make of a headline near 0 or 1, or why that is not known."""
    if not structure:
        return []
    p, heavy = float(structure[0][HEADLINE]), heavy_of(structure)
    if not near_end(p):
        return []
    more = untried({HEADLINE: {"mean": p}}, heavy)
    beside = few_or_most(p, heavy) + (f". {more}" if more else "")
    return [told(""), told(f"Strictly alignment-relevant, of 100 works: {beside}")]


def _implied(rows: Rows) -> Iterator[RenderableType]:
    for row in rows:
        element = f" ({row['element']})" if row["element"] else ""
        yield told(f"- {row['label']}{element}: {row['sentence']}")


def _evidence(rows: Mapping[str, Rows]) -> Iterator[RenderableType]:
    """Show by table how much of the evidence lies outside the central 99% of the prior."""
    yield told("Evidence outside the central 99% of what the priors predict", "bold")
    heads = ("table", "quantities", "outside", "by chance")
    table = grid(heads, left=1)
    for row in rows["evidence_summary"]:
        cells = (row["quantities"], row["flagged"], row["by_chance"])
        table.add_row(told(row["table"]), *(str(cell) for cell in cells))
    yield table
    yield from flagged_lines(rows["evidence"], what="the prior's 90%")


def flagged_lines(rows: Rows, *, what: str) -> Iterator[RenderableType]:
    """Show what is flagged, least probable first, as far as there is room."""
    flagged = sorted((row for row in rows if row["flag"]), key=lambda row: row["p"])
    for row in flagged[:MOST]:
        low, high, seen = (number(row[key]) for key in ("lower", "upper", "observed"))
        yield told(
            f"! {row['table']}, {row['statistic']}, {row['element']}: observed {seen}, "
            f"{what} {low} to {high}"
        )
    if len(flagged) > MOST:
        yield told(f"! and {len(flagged) - MOST} more: see --json or --out")


def _stated(rows: Rows) -> Iterator[RenderableType]:
    """Show each prior as stated and as sampled, with both tests."""
    good = sum(bool(row["ok"]) for row in rows)
    yield told("Each prior as sampled against as stated", "bold")
    yield told(
        "D: largest gap of the distribution functions, drawn by PyMC and stated; p of so large a "
        "D by chance. Gap: largest difference of log densities, Jacobian included (nats)."
    )
    table = grid(("prior", "dist", "stated 5, 50, 95%", "drawn", "D", "p", "gap", ""), left=4)
    for row in rows:
        quantiles = (
            " ".join(value(row[f"{kind}_{q}"], "") for q in (0.05, 0.5, 0.95))
            for kind in ("stated", "drawn")
        )
        verdict = "ok" if row["ok"] else "NOT AS STATED"
        numbers = (f"{row['d']:.3f}", f"{row['p']:.2f}", f"{row['density_gap']:.0e}", verdict)
        table.add_row(told(row["prior"]), row["dist"], *quantiles, *numbers)
    yield table
    yield told(f"{good} of {len(rows)} priors are sampled as they are stated")


def grid(heads: Sequence[str], *, left: int) -> Table:
    """Return an empty table whose first ``left`` columns are words, and the others numbers."""
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold", pad_edge=False)
    for i, head in enumerate(heads):
        table.add_column(head, justify="left" if i < left else "right", overflow="fold")
    return table
