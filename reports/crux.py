"""What divides worldviews: tables and sentences for the terminal and the page."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from models.quantities import CLAIMS, QUANTITIES
from reports.html import write_plain
from reports.table import Table
from reports.terminal import render
from reports.words import INTERVAL, NOT_CONVERGED, chance, interval, label, outside_opening, points

Row = Mapping[str, Any]
HEADLINE = "alignment_relevant"
PAIR = (HEADLINE, "capabilities_relevant")
SHOWN = (HEADLINE, "alignment_used", "capabilities_relevant", "capabilities_first")
"""Quantities whose parts are shown; the files hold all."""
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
    return render("crux", **s, findings=findings(s), analysis_tables=tables(s))


def write_crux(folder: Path, s: Row, *, captions: Sequence[Row]) -> Path:
    """Write ``crux.html``, with the same tables and the figures of ``folder``; return it."""
    lines = [f"Works of {s['cohort']} by the end of {s['horizon']}.", *findings(s)]
    if not s["converged"]:
        lines.insert(0, f"{NOT_CONVERGED}: a fit missed the rule, so this is no result.")
    title = f"What divides {' and '.join(s['names'])}"
    return write_plain(
        folder / "crux.html", title, lines=lines, tables=tables(s), captions=captions, figures=""
    )


def findings(s: Row) -> list[str]:
    """Return what was asked, who says what, and which claims make most of each gap."""
    questions = "; ".join(f"{label(name)}: {QUANTITIES[name].question}" for name in SHOWN)
    lines = [f"Asked: {questions}"]
    for view in s["worldviews"]:
        sentences = [*filter(None, [view["summary"]]), *outside_opening(view)]
        lines += [f"{view['name']}: {sentence}" for sentence in sentences]
    views = {view["name"]: view for view in s["worldviews"]}
    lines += [_finding(pair, name, views=views) for pair in s["pairs"] for name in PAIR]
    return [*lines, ABOUT]


def _finding(pair: Row, name: str, *, views: Mapping[str, Row]) -> str:
    """Return what the two say of a quantity, before and after, and what makes the gap."""
    first, second = (views[pair[side]]["posterior"][name]["mean"] for side in "ab")
    before, after = (_times(views, pair, key=key, name=name) for key in ("prior", "posterior"))
    rows = [r for r in pair["parts"] if r["by"] == "claim" and r["quantity"] == name]
    gap = sum(r["part"] for r in rows)
    large = [r for r in rows if abs(r["part"]) > max(LARGE * abs(gap), 2.0 * r["mcse"])]
    parts = ", ".join(
        f"{r['group']} {points(r['part'])}" for r in sorted(large, key=lambda r: -abs(r["part"]))
    )
    return (
        f"{label(name)}: {pair['a']} says {chance(first)}, {pair['b']} {chance(second)}, {after}; "
        f"before the evidence {before}{f'; most of the gap is {parts} (points)' if parts else ''}."
    )


def _times(views: Mapping[str, Row], pair: Row, *, key: str, name: str) -> str:
    """Return how many times as much the one who says more says."""
    means = {pair[side]: views[pair[side]][key][name]["mean"] for side in "ab"}
    low, high = sorted(means, key=lambda side: means[side])
    if low == high or means[low] <= 0.0:
        return "as much"
    return f"{high} {means[high] / means[low]:.2g} times as much"


def tables(s: Row) -> list[Table]:
    """Return the tables of a crux, those of each pair between the worldviews and the pools."""
    pairs = [table for pair in s["pairs"] for table in pair_tables(pair)]
    return [_worldviews(s), *pairs, _pooled(s)]


def pair_tables(pair: Row) -> Iterator[Table]:
    """Yield the tables of two worldviews."""
    a, b = pair["a"], pair["b"]
    yield Table.by_column(
        f"Gap: {b} less {a}",
        {
            "": lambda r: label(r["quantity"]),
            "prior gap": lambda r: points(r["prior_gap"]),
            "gap": lambda r: points(r["gap"]),
            "error": lambda r: f"{100 * r['mcse']:.1g}",
            "closed": lambda r: "none" if r["closed"] is None else f"{100 * r['closed']:.0f}%",
            "sum of parts": lambda r: points(r["sum_of_parts"]),
            "error ": lambda r: f"{100 * r['weighed_mcse']:.1g}",
        },
        pair["gaps"],
    )
    for by in ("block", "claim"):
        yield _parts(pair, by)
    swaps = [r for r in pair["swaps"] if r["quantity"] == HEADLINE]
    yield Table.by_column(
        f"With the other's view of one claim: {label(HEADLINE)}",
        {
            "": lambda r: claim_text(r["claim"]),
            f"{a} would say": lambda r: chance(r["a_with_b"]),
            "change": lambda r: points(r["a_with_b_change"], r["a_with_b_change_mcse"]),
            f"{b} would say": lambda r: chance(r["b_with_a"]),
            "change ": lambda r: points(r["b_with_a_change"], r["b_with_a_change_mcse"]),
        },
        sorted(swaps, key=lambda r: -abs(r["a_with_b_change"])),
    )
    yield Table.by_column(
        "What would close the gap: claims",
        {
            "": lambda r: claim_text(r["claim"]),
            f"left on {a}": lambda r: f"{100 * abs(r['left_on_a']):.2f}",
            f"left on {b}": lambda r: f"{100 * abs(r['left_on_b']):.2f}",
            "error": lambda r: f"{100 * r['mcse']:.1g}",
            "learned": lambda r: "; ".join(_learned(pair, r)),
        },
        pair["closing"],
        CLOSING,
    )
    yield Table.by_column(
        "What would close the gap: tables",
        {
            "": lambda r: r["table"],
            "gap": lambda r: points(r["gap"]),
            "with twice the table": lambda r: points(r["doubled"]) if r["trusted"] else "not known",
            "error": lambda r: f"{100 * r['mcse']:.1g}" if r["trusted"] else "",
            "Pareto k": lambda r: f"{r['pareto_k']:.2f}",
        },
        pair["tables"],
        TABLES,
    )
    rows = [
        [f"{r['claim']} {r['belief']}"]
        + [
            text
            for side in "ab"
            for text in (
                f"{r[f'{side}_prior_mean']:.3g}, {r[f'{side}_posterior_mean']:.3g}",
                r[f"{side}_learned"],
            )
        ]
        for r in pair["beliefs"]
    ]
    heads = ("", f"{a}: prior, posterior", "", f"{b}: prior, posterior", "")
    yield Table.of("What each learned", heads, rows)


def _worldviews(s: Row) -> Table:
    rows = []
    for name in s["worldviews"][0]["posterior"]:
        rows.append((label(name), "", "", ""))
        for view in s["worldviews"]:
            before, after = view["prior"][name], view["posterior"][name]
            cells = (chance(before["mean"]), chance(after["mean"]), interval(after))
            rows.append((f"  {view['name']}", *cells))
    return Table.of("Worldviews", ("", "prior", "with evidence", "interval"), rows, INTERVAL)


def _parts(pair: Row, by: str) -> Table:
    """Return each block's or claim's part of the gap, the largest first, and its beliefs."""
    parts = {(r["group"], r["quantity"]): r for r in pair["parts"] if r["by"] == by}
    groups = [g for g in dict.fromkeys(g for g, _ in parts) if parts[g, HEADLINE]["beliefs"]]
    plain = pair.get("default", {"a": (), "b": ()})
    rows = []
    for group in sorted(groups, key=lambda g: -abs(parts[g, HEADLINE]["part"])):
        beliefs = (
            name + ("^" if name in plain["a"] else "") + ("*" if name in plain["b"] else "")
            for name in parts[group, HEADLINE]["beliefs"].split()
        )
        cells = (points(parts[group, x]["part"], parts[group, x]["mcse"]) for x in PAIR)
        rows.append((claim_text(group, full=True), *cells, ", ".join(beliefs)))
    return Table.of(
        f"Parts by {by}: {pair['b']} less {pair['a']}",
        ("", *(label(name) for name in PAIR), "beliefs"),
        rows or [("no belief differs", "0", "0", "")],
        f"{_trust(pair, by)} {HOME.format(a=pair['a'], b=pair['b'])}",
    )


def claim_text(group: str, *, full: bool = False) -> str:
    """Return a claim with its text, cut at 60 characters unless ``full``, or a block's name."""
    if group not in CLAIMS:
        return "no claim" if group == "none" else group
    text = CLAIMS[group].text
    if full:
        return f"{group} ({CLAIMS[group].who}) {text}"
    return f"{group} {text if len(text) < 60 else text[:57].rsplit(' ', 1)[0] + ' ...'}"


def _trust(pair: Row, by: str) -> str:
    """Return how the parts were obtained, and how far the weights behind them are to be trusted."""
    trust = pair["trust"][by]
    text = (
        f"{'all subsets' if pair['exact'][by] else 'sampled orders'}; {trust['mixtures']} mixtures "
        f"weighed from {pair['fits']} fits: at least {trust['least_ess']:.0f} effective draws, "
        f"Pareto k at most {trust['largest_k']:.2f} (of the {trust['k_checked']} with fewest)."
    )
    if trust["untrusted"]:
        text += f" {trust['untrusted']} of them are not to be trusted: allow more --fits."
    return text


def _learned(pair: Row, row: Row) -> Iterator[str]:
    """Yield what each learned of the beliefs of a claim, first those that no table touches."""
    untouched = row["untouched"].split()
    if untouched:
        yield f"no table: {', '.join(untouched)}"
    for r in pair["beliefs"]:
        if r["claim"] == row["claim"] and r["belief"] not in untouched:
            statuses = dict.fromkeys((r["a_learned"], r["b_learned"]))
            yield f"{r['belief']} {' and '.join(statuses)}"


def _pooled(s: Row) -> Table:
    columns = {
        "": lambda r: label(r["quantity"]),
        "way": lambda r: r["way"],
        "mean": lambda r: chance(r["mean"]),
        "interval": lambda r: "none" if r["lower"] is None else interval(r),
        "weights": lambda r: ", ".join(
            f"{key.removeprefix('weight ')} {x:.2g}" for key, x in r.items() if "weight " in key
        ),
    }
    return Table.by_column("Pooled forecasts", columns, s["pooled"], POOLED)
