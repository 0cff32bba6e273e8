"""What divides worldviews, as tables for the terminal and as a page."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from models.quantities import CLAIMS, QUANTITIES
from reports.html import Section, plain_page
from reports.terminal import Cells, grid, render, told
from reports.view import label
from reports.whatif import points
from reports.words import INTERVAL, NOT_CONVERGED, chance, interval, outside_opening

Row = Mapping[str, Any]
HEADLINE = "alignment_relevant"
PAIR = (HEADLINE, "capabilities_relevant")
SHOWN = (HEADLINE, "alignment_used", "capabilities_relevant", "capabilities_first")
"""Quantities whose parts the terminal shows; the files hold all."""
ABOUT = (
    "All see the same evidence. Gaps and parts are in points of percentage, the second worldview "
    "less the first; parts are Shapley values and add up to the sum of parts. Errors are Monte "
    "Carlo errors: how unsure each worldview is, its interval says. Worldviews are our reading of "
    "sides in an argument; no person is meant."
)
HOME = (
    "A belief counts for the first of its claims alone. Beliefs marked * are the default's in "
    "{b}'s file, those marked ^ in {a}'s: there the default speaks, and no side."
)
CLOSING = (
    "Left: the size of the gap if both held the one's view of the claim, or the other's; no "
    "promise that evidence could bring that about. Learned: how far today's evidence moved or "
    "narrowed each sampled belief of the claim, for the one and the other; 'no table' names what "
    "none touches."
)
POOLED = (
    f"{INTERVAL}. Stacking weights say who would have predicted the rated works better, which is "
    "little of what divides the worldviews: no verdict on the argument."
)
LARGE = 0.1
"""Share of a gap from which on a claim's part is named at the top."""
TABLES = (
    "The gap if a table held twice as many rows that say what its rows say now. Where Pareto k is "
    "above 0.7 draws cannot tell, and only more evidence and a fit would."
)


def crux_text(s: Row) -> str:
    """Return what the terminal shows of a crux."""
    head = (
        f"Crux of {' and '.join(s['names'])}: works of {s['cohort']} by the end of {s['horizon']}"
    )
    parts: list[RenderableType] = [told(head, "bold"), *map(told, findings(s)), told(ABOUT)]
    parts.append(Text(""))
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
    intro = [f"Works of {s['cohort']} by the end of {s['horizon']}.", *findings(s), ABOUT]
    if not s["converged"]:
        intro.insert(0, f"{NOT_CONVERGED}: a fit missed the rule, so this is no result.")
    return plain_page(head, intro, sections=sections, captions=captions, folder=folder)


def findings(s: Row) -> list[str]:
    """Return what was asked, who says what, and which claims make most of each gap."""
    asked = "; ".join(f"{label(n)}: {QUANTITIES[n].question}" for n in SHOWN)
    out = [f"Asked: {asked}"]
    for view in s["worldviews"]:
        said = [view["summary"]] if view["summary"] else []
        out += [f"{view['name']}: {line}" for line in (*said, *outside_opening(view))]
    views = {view["name"]: view for view in s["worldviews"]}
    for pair in s["pairs"]:
        out += [_finding(pair, name, views=views) for name in PAIR]
    return out


def _finding(pair: Row, name: str, *, views: Mapping[str, Row]) -> str:
    one, other = (views[pair[who]]["posterior"][name]["mean"] for who in "ab")
    was, is_ = (_times(views, pair, key=key, name=name) for key in ("prior", "posterior"))
    rows = [r for r in pair["parts"] if r["by"] == "claim" and r["quantity"] == name]
    gap = sum(r["part"] for r in rows)
    large = sorted(rows, key=lambda r: -abs(r["part"]))
    named_ = [f"{r['group']} {points(r['part'])}" for r in large if _is_large(r, gap)]
    told_ = f"; most of the gap is {', '.join(named_)} (points)" if named_ else ""
    return (
        f"{label(name)}: {pair['a']} says {chance(one)}, {pair['b']} {chance(other)}, {is_}; "
        f"before the evidence {was}{told_}."
    )


def _is_large(row: Row, gap: float) -> bool:
    return abs(row["part"]) > max(LARGE * abs(gap), 2.0 * row["mcse"])


def _times(views: Mapping[str, Row], pair: Row, *, key: str, name: str) -> str:
    """Return how many times as much the one who says more says."""
    found = {pair[who]: views[pair[who]][key][name]["mean"] for who in "ab"}
    low, high = sorted(found, key=lambda n: found[n])
    if low == high or found[low] <= 0.0:
        return "as much"
    return f"{high} {found[high] / found[low]:.2g} times as much"


def tables(s: Row) -> list[tuple[str, list[str], Cells, str]]:
    """Return title, heads, cells and note of each table."""
    out = [("Worldviews", ["", "prior", "with evidence", "interval"], _views(s), INTERVAL)]
    for pair in s["pairs"]:
        duo = f"{pair['b']} less {pair['a']}"
        heads = ["", "prior gap", "gap", "error", "closed", "sum of parts", "error"]
        out.append((f"Gap: {duo}", heads, _gaps(pair), ""))
        for by in ("block", "claim"):
            heads = ["", *(label(name) for name in PAIR), "beliefs"]
            note = f"{_trust(pair, by)} {HOME.format(a=pair['a'], b=pair['b'])}"
            out.append((f"Parts by {by}: {duo}", heads, _parts(pair, by), note))
        heads = ["", f"{pair['a']} would say", "change", f"{pair['b']} would say", "change"]
        out.append(
            (f"With the other's view of one claim: {label(HEADLINE)}", heads, _swaps(pair), "")
        )
        heads = ["", f"left on {pair['a']}", f"left on {pair['b']}", "error", "learned"]
        out.append(("What would close the gap: claims", heads, _closing(pair), CLOSING))
        heads = ["", "gap", "with twice the table", "error", "Pareto k"]
        out.append(("What would close the gap: tables", heads, _tables(pair), TABLES))
        heads = ["", f"{pair['a']}: prior, posterior", "", f"{pair['b']}: prior, posterior", ""]
        out.append(("What each learned", heads, _beliefs(pair), ""))
    out.append(("Pooled forecasts", ["", "way", "mean", "interval", "weights"], _pooled(s), POOLED))
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
        beliefs = (_marked(name, pair) for name in rows[0]["beliefs"].split())
        out.append((named(group, whole=True), *cells, ", ".join(beliefs)))
    return out or [("no belief differs", "0", "0", "")]


def _marked(name: str, pair: Row) -> str:
    """Return a belief's name with a mark for each side whose file leaves it to the default."""
    plain = pair.get("default", {"a": (), "b": ()})
    return name + ("^" if name in plain["a"] else "") + ("*" if name in plain["b"] else "")


def named(group: str, *, whole: bool = False) -> str:
    """Return a claim with what it says (and whose it is, if ``whole``), or a block's name."""
    if group not in CLAIMS:
        return "no claim" if group == "none" else group
    text = CLAIMS[group].text
    if whole:
        return f"{group} ({CLAIMS[group].who}) {text}"
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
    learned = {r["belief"]: (r["a_learned"], r["b_learned"]) for r in pair["beliefs"]}
    out: Cells = []
    for r in pair["closing"]:
        untouched = r["untouched"].split()
        words = [f"no table: {', '.join(untouched)}"] if untouched else []
        for name, both in learned.items():
            if name not in untouched and _home(pair, name) == r["claim"]:
                words.append(f"{name} {' and '.join(dict.fromkeys(both))}")
        numbers = (f"{100 * abs(r[key]):.2f}" for key in ("left_on_a", "left_on_b"))
        out.append((named(r["claim"]), *numbers, f"{100 * r['mcse']:.1g}", "; ".join(words)))
    return out


def _home(pair: Row, name: str) -> str:
    return next(str(r["claim"]) for r in pair["beliefs"] if r["belief"] == name)


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
