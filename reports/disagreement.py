"""What divides worldviews, as tables for the terminal and as a page."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from models.quantities import CLAIMS
from reports.plain_page import Section, plain_page
from reports.plain_tables import Cells, grid
from reports.tables import label
from reports.text import render, told
from reports.whatif import points
from reports.words import INTERVAL, NOT_CONVERGED, chance, interval

Row = Mapping[str, Any]
HEADLINE = "alignment_relevant"
PAIR = (HEADLINE, "capabilities_relevant")
"""Quantities whose parts the terminal shows; the files hold all."""
ABOUT = (
    "All see the same evidence. Gaps and parts are in points of percentage, the second worldview "
    "less the first, each with its Monte Carlo error; parts are Shapley values and add up to the "
    "gap. Worldviews are our reading of sides in an argument; no person is meant."
)
CLOSING = (
    "Left: the size of the gap if both held the one's view of the claim, or the other's (mean of "
    "the two); no promise that evidence could bring that about."
)
TABLES = (
    "The gap if a table held twice as many rows that say what its rows say now. Where Pareto k is "
    "above 0.7 draws cannot tell, and only more evidence and a fit would."
)


def crux_text(s: Row) -> str:
    """Return what the terminal shows of a crux."""
    head = (
        f"Crux of {' and '.join(s['names'])}: works of {s['cohort']} by the end of {s['horizon']}"
    )
    parts: list[RenderableType] = [told(head, "bold"), told(ABOUT), Text("")]
    if not s["converged"]:
        parts.insert(
            0, told(f"{NOT_CONVERGED}: a fit missed the rule, so this is no result.", "red")
        )
    for title, heads, rows, note in tables(s):
        parts += [told(title, "bold"), *([told(note)] if note else []), grid(heads, rows), Text("")]
    return render(parts)


def crux_page(s: Row, captions: Sequence[Row], *, folder: Path) -> str:
    """Return the page of a crux: the same tables, and its figures, in one file."""
    sections = [Section(title, note, tuple(heads), rows) for title, heads, rows, note in tables(s)]
    head = f"What divides {' and '.join(s['names'])}"
    intro = [ABOUT]
    if not s["converged"]:
        intro.insert(0, f"{NOT_CONVERGED}: a fit missed the rule, so this is no result.")
    return plain_page(head, intro, sections=sections, captions=captions, folder=folder)


def tables(s: Row) -> list[tuple[str, list[str], Cells, str]]:
    """Return title, heads, cells and note of each table."""
    out = [("Worldviews", ["", "prior", "with evidence", "interval"], _views(s), INTERVAL)]
    for pair in s["pairs"]:
        duo = f"{pair['b']} less {pair['a']}"
        heads = ["", "prior gap", "gap", "error", "closed", "sum of parts", "error"]
        out.append((f"Gap: {duo}", heads, _gaps(pair), ""))
        for by in ("block", "claim"):
            heads = ["", *(label(name) for name in PAIR), "beliefs"]
            out.append((f"Parts by {by}: {duo}", heads, _parts(pair, by), _trust(pair, by)))
        heads = ["", f"{pair['a']} would say", "change", f"{pair['b']} would say", "change"]
        out.append(
            (f"With the other's view of one claim: {label(HEADLINE)}", heads, _swaps(pair), "")
        )
        heads = ["", "left", "error", "any evidence"]
        out.append(("What would close the gap: claims", heads, _closing(pair), CLOSING))
        heads = ["", "gap", "with twice the table", "error", "Pareto k"]
        out.append(("What would close the gap: tables", heads, _tables(pair), TABLES))
        heads = ["", f"{pair['a']}: prior, posterior", "", f"{pair['b']}: prior, posterior", ""]
        out.append(("What each learned", heads, _beliefs(pair), ""))
    out.append(
        ("Pooled forecasts", ["", "way", "mean", "interval", "weights"], _pooled(s), INTERVAL)
    )
    return out


def with_error(mean: float, error: float) -> str:
    """Return a difference of chances with its error, in points."""
    return "0" if mean == 0.0 and error == 0.0 else f"{points(mean)} +- {100 * error:.1g}"


def _views(s: Row) -> Cells:
    out: Cells = []
    for name in s["worldviews"][0]["posterior"]:
        out.append((label(name), "", "", ""))
        for view in s["worldviews"]:
            found = view["posterior"][name]
            cells = (chance(view["prior"][name]["mean"]), chance(found["mean"]), interval(found))
            out.append((f"  {view['name']}", *cells))
    return out


def _gaps(pair: Row) -> Cells:
    out: Cells = []
    for r in pair["gaps"]:
        closed = "none" if r["closed"] is None else f"{100 * r['closed']:.0f}%"
        cells = [points(r["prior_gap"]), points(r["gap"]), f"{100 * r['mcse']:.1g}", closed]
        cells += [points(r["sum_of_parts"]), f"{100 * r['weighed_mcse']:.1g}"]
        out.append((label(r["quantity"]), *cells))
    return out


def _parts(pair: Row, by: str) -> Cells:
    out: Cells = []
    found = {(r["group"], r["quantity"]): r for r in pair["parts"] if r["by"] == by}
    groups = dict.fromkeys(group for group, _ in found)
    differ = [g for g in groups if found[g, HEADLINE]["beliefs"]]
    for group in sorted(differ, key=lambda g: -abs(found[g, HEADLINE]["part"])):
        rows = [found[group, name] for name in PAIR]
        cells = (with_error(r["part"], r["mcse"]) for r in rows)
        out.append((named(group), *cells, rows[0]["beliefs"].replace(" ", ", ")))
    return out or [("no belief differs", "0", "0", "")]


def named(group: str) -> str:
    """Return a claim with what it says, or a block's name."""
    if group not in CLAIMS:
        return "no claim" if group == "none" else group
    text = CLAIMS[group].text
    return f"{group} {text if len(text) < 60 else text[:57].rsplit(' ', 1)[0] + ' ...'}"


def _trust(pair: Row, by: str) -> str:
    found = pair["trust"][by]
    way = "all subsets" if pair["exact"][by] else "sampled orders"
    text = (
        f"{way}; {found['mixtures']} mixtures weighed from {pair['fits']} fits: at least "
        f"{found['least_ess']:.0f} effective draws, Pareto k at most {found['largest_k']:.2f} "
        f"(of the {found['k_checked']} with fewest)."
    )
    if found["untrusted"]:
        text += f" {found['untrusted']} of them are not to be trusted: allow more --fits."
    return text


def _swaps(pair: Row) -> Cells:
    rows = [r for r in pair["swaps"] if r["quantity"] == HEADLINE]
    out = []
    for r in sorted(rows, key=lambda r: -abs(r["a_with_b_change"])):
        cells = [
            cell
            for who in ("a_with_b", "b_with_a")
            for cell in (chance(r[who]), with_error(r[f"{who}_change"], r[f"{who}_change_mcse"]))
        ]
        out.append((named(r["claim"]), *cells))
    return out


def _closing(pair: Row) -> Cells:
    out: Cells = []
    for r in pair["closing"]:
        rest = r["untouched"].replace(" ", ", ")
        reached = (f"not of {rest}" if rest else "yes") if r["reached"] else "none touches it"
        numbers = (f"{100 * r['left']:.2g}", f"{100 * r['mcse']:.1g}")
        out.append((named(r["claim"]), *numbers, reached))
    return out


def _tables(pair: Row) -> Cells:
    out: Cells = []
    for r in pair["tables"]:
        told_ = (
            (points(r["doubled"]), f"{100 * r['mcse']:.1g}") if r["trusted"] else ("not known", "")
        )
        out.append((r["table"], points(r["gap"]), *told_, f"{r['pareto_k']:.2f}"))
    return out


def _beliefs(pair: Row) -> Cells:
    out = []
    for r in pair["beliefs"]:
        cells = [f"{r['claim']} {r['belief']}"]
        for who in "ab":
            means = (r[f"{who}_prior_mean"], r[f"{who}_posterior_mean"])
            cells += [", ".join(f"{x:.3g}" for x in means), r[f"{who}_learned"]]
        out.append(tuple(cells))
    return out


def _pooled(s: Row) -> Cells:
    out: Cells = []
    for r in s["pooled"]:
        weights = ", ".join(
            f"{key.removeprefix('weight ')} {x:.2g}" for key, x in r.items() if "weight " in key
        )
        ends = "none" if r["lower"] is None else interval(r)
        out.append((label(r["quantity"]), r["way"], chance(r["mean"]), ends, weights))
    return out


__all__ = ["crux_page", "crux_text"]
