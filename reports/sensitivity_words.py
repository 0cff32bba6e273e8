"""What a sensitivity analysis says, in sentences; the numbers are computed elsewhere."""

from collections.abc import Mapping, Sequence
from typing import Any

from models.slots import SLOTS
from reports.learned import UNTOUCHED
from reports.words import INTERVAL, chance, interval, number

Row = Mapping[str, Any]
HOW = {
    "exact": "exact",
    "reweighted": "reweighted",
    "moment-matched": "moved, reweighted",
    "refit": "refitted",
    "withheld": "withheld",
}
MOVES = {
    "low": "centre at its 5%",
    "high": "centre at its 95%",
    "narrow": "spread halved",
    "wide": "spread doubled",
}
WHOLE = (0.0101, 0.9899)
"""Quantiles between which a prior is looked at whole, but for rounding."""


def points(x: float | None, error: float | None = None) -> str:
    """Return a change of a chance in points of a hundred, with its Monte Carlo error."""
    if x is None or x != x:
        return "-"
    told = f"{100 * x:+.2g}"
    return told if error is None or error != error else f"{told} ± {100 * error:.1g}"


def how(row: Row) -> str:
    """Return how a bar was obtained; of a withheld one, why."""
    k = row.get("pareto_k")
    known = k is not None and k == k
    if row["how"] == "withheld":
        return f"withheld: k = {k:.2f}" if known else "withheld"
    told = HOW.get(row["how"], str(row["how"]))
    told += f", k {k:.2f}" if known and row["how"] in ("reweighted", "moment-matched") else ""
    return told if row.get("converged", True) else f"{told}, NOT CONVERGED"


def summary_lines(s: Row) -> list[str]:
    """Return the summary in plain words."""
    head = s["headline"]
    first = (
        f"{s['label']}, works of {s['cohort']} by the end of {s['horizon']}: "
        f"{chance(head['mean'])} ({interval(head)}), Monte Carlo error "
        f"{100 * head['mcse']:.1g} points."
    )
    return [first, beliefs_line(s), tables_line(s), believe_line(s), alone_line(s), *pair_lines(s)]


def beliefs_line(s: Row) -> str:
    """Return the sentence on the three beliefs that matter most."""
    top = [row for row in s["largest"] if abs(row["most"]) > 2.0 * row["mcse"]][:3]
    if not top:
        return "No belief moved within its own 5 to 95% moves it by more than twice the error."
    told = "; ".join(
        f"{row['parameter']} ({asked(row['parameter'])}{MOVES[row['move']]}: "
        f"{points(row['most'], row['mcse'])} points)"
        for row in top
    )
    held = sum(row["withheld"] for row in s["largest"])
    more = f" {held} moves of priors are withheld." if held else ""
    return f"The beliefs that matter most: {told}.{more}"


def tables_line(s: Row) -> str:
    """Return the sentence on the two tables that matter most."""
    rows = [row for row in s["left_out"] if row["kind"] == "table"]
    known = [row for row in rows if row["how"] != "withheld"]
    if not known:
        flagged = [r for r in s["power"] if r["group"] == "likelihood"][:2]
        names = ", ".join(f"{r['component']} ({r['sensitivity']:.2f})" for r in flagged)
        return (
            "What a whole table does is withheld here, since leaving it out by weights is not to "
            f"be trusted; by power scaling the first two are {names or 'none'}."
        )
    clear = [row for row in known if abs(row["shift"]) > 2.0 * row["mcse"]]
    top = sorted(clear, key=lambda row: -abs(row["shift"]))[:2]
    held = ", ".join(row["left_out"] for row in rows if row["how"] == "withheld")
    more = f" Leaving out {held} is withheld: weights cannot tell." if held else ""
    if not top:
        return f"No table that can be left out moves it by more than twice the error.{more}"
    told = "; ".join(
        f"without {row['left_out']} {points(row['shift'], row['mcse'])} points"
        + ("" if row["converged"] else " (by a refit that missed the rule)")
        for row in top
    )
    return f"The tables that matter most: {told}.{more}"


def believe_line(s: Row) -> str:
    """Return what a reader would have to believe to get half or double the target."""
    told = []
    for name, word in (("half", "half of it"), ("double", "double")):
        rows = [r for r in s["tipping"] if r["threshold"] == name and r["value"] is not None]
        some = "; or ".join(
            f"{r['parameter']} centred at {number(r['value'])} (its own {chance(r['quantile'])} "
            "point)"
            for r in rows[:3]
        )
        told.append(f"{word} ({chance(s['thresholds'][name])}): {some or _jointly(s, name)}")
    return f"To get {told[0]}. To get {told[1]}."


def _jointly(s: Row, name: str) -> str:
    """Return how far a whole block would have to move where no single prior does."""
    gap = s["thresholds"][name] - s["headline"]["mean"]
    ways = [(abs(gap / r["slope"]), r) for r in s["factors"] if r["slope"]]
    ways = [way for way in ways if way[0] * s["surrogate"]["unit"] <= 3.0]
    if not ways:
        return "no single prior within its 1 to 99%"
    size, row = min(ways, key=lambda way: way[0])
    return (
        f"no single prior within its 1 to 99%; about {size * s['surrogate']['unit']:.1f} prior sds "
        f"along the direction of the whole block {row['block']} would"
    )


def alone_line(s: Row) -> str:
    """Return what is prior only."""
    alone = [r["parameter"] for r in s["learned"] if r.get("learned") == UNTOUCHED]
    hardly = [r["parameter"] for r in s["learned"] if r.get("learned") == "hardly"]
    return (
        f"Prior only, by the graph: {', '.join(alone) or 'none'}. Evidence bears on "
        f"{len(s['learned']) - len(alone)} other beliefs and hardly narrows {len(hardly)} of them."
    )


def pair_lines(s: Row) -> list[str]:
    """Return a sentence for each pair that evidence cannot tell apart."""
    return [
        f"{p['first']} and {p['second']} are not identified singly: evidence narrows one "
        f"combination of the two to {p['learned_sd']:.2f} of its prior sd and leaves the other at "
        f"{p['left_sd']:.2f} (correlation {p['correlation']:+.2f}). Read them as one: together "
        f"they explain {chance(p['together'])} of the variance."
        for p in s["pairs"]
    ]


def differ_line(s: Row) -> str:
    """Return the warning that methods differ, with the blocks on which they do."""
    names = [r["block"] for r in s["disagreement"] if r["reading"]]
    if not names:
        return "The methods agree on every block."
    return (
        f"Warning: the methods differ on {', '.join(names)} ({len(names)} of "
        f"{len(s['disagreement'])} blocks); the last column says which to trust for what."
    )


def reach_line(s: Row) -> str:
    """Return for how many priors there is no tipping point, and how far each was looked for."""
    names = list(dict.fromkeys(r["parameter"] for r in s["tipping"]))
    crossing = {r["parameter"] for r in s["tipping"] if r["value"] is not None}
    short = {
        r["parameter"]: f"{r['parameter']} ({chance(r['from_quantile'])} to "
        f"{chance(r['to_quantile'])})"
        for r in s["tipping"]
        if r["from_quantile"] > WHOLE[0] or r["to_quantile"] < WHOLE[1]
    }
    left = [told for name, told in short.items() if name not in crossing]
    none = len(names) - len(crossing) - len(left)
    line = f"None within its 1 to 99%: {none} of {len(names)} priors."
    if not left:
        return line
    return (
        f"{line} None within a shorter stretch, since weights cannot be trusted beyond it: "
        f"{', '.join(left)}."
    )


def surrogate_line(s: Row) -> str:
    """Return what the factors are, and how good the surrogate of the target is."""
    made = s["surrogate"]
    return (
        f"Each factor is standard normal and moves the centres of its block's priors by "
        f"{made['unit']} of their sds along the direction that moves the target fastest. Of "
        f"{made['points'] + made['left_out']} points {made['left_out']} had no trusted weights. "
        f"The surrogate foretells {chance(made['accuracy'])} of the variance at points that it did "
        f"not see. Shapley effects sum to {made['shapley_sum']:.3g}, the variance to "
        f"{made['variance']:.3g} (error {made['variance_error']:.1g}; of the points themselves "
        f"{made['variance_of_points']:.3g}). Sobol indices are SALib's on the surrogate. In "
        f"brackets the {INTERVAL}."
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Return a table for the page and the terminal."""
    return {"head": list(head), "rows": [list(row) for row in rows]}


def asked(name: str) -> str:
    """Return the question of a belief, to stand before its move; nothing if it has none."""
    return f"\u201c{question(name)}\u201d " if question(name) else ""


def question(name: str) -> str:
    """Return the question that a belief answers."""
    slot = SLOTS.get(name)
    return slot.question if slot else ""
