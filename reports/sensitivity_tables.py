"""The tables of a sensitivity analysis, as heads and cells of text."""

from collections.abc import Mapping
from typing import Any

from reports.sensitivity_words import MOVES, how, points, question, table
from reports.words import chance, interval, number

Row = Mapping[str, Any]
Table = dict[str, Any]
SHOWN = 20
"""Beliefs in the tables of a page; the CSV files hold all."""


def tables(s: Row) -> dict[str, Table]:
    """Return every table by name."""
    return {
        "power": power(s),
        "tornado": tornado(s),
        "factors": factors(s),
        "blocks": blocks(s),
        "beliefs": beliefs(s),
        "pairs": pairs(s),
        "left_out": left_out(s),
        "ladder": ladder(s),
        "tipping": tipping(s),
        "learned": learned(s),
        "disagreement": disagreement(s),
    }


def power(s: Row) -> Table:
    """Return power scaling, a row for each block and table."""
    head = ["", "block or table", "sensitivity", "flag", "change for a doubling, points"]
    groups = {"prior": "priors", "likelihood": "evidence"}
    return table(
        head,
        [
            [
                groups[r["group"]],
                r["component"],
                f"{r['sensitivity']:.3f} ± {r['error']:.1g}",
                "moves it" if r["flagged"] else "",
                points(r["direction"], r["mcse"]),
            ]
            for r in s["power"]
        ],
    )


def tornado(s: Row) -> Table:
    """Return the bars of the beliefs that move the target most."""
    names = [r["parameter"] for r in s["largest"]][:SHOWN]
    bars = {(r["parameter"], r["move"]): r for r in s["tornado"]}
    rows = []
    for name in names:
        some = [bars[name, move] for move in MOVES]
        rows.append(
            [name, question(name)] + [f"{points(r['shift'], r['mcse'])} ({how(r)})" for r in some]
        )
    return table(["belief", "question", *MOVES.values()], rows)


def factors(s: Row) -> Table:
    """Return Sobol and Shapley indices by block."""
    head = ["block", "alone (Sobol first)", "in all (Sobol total)", "Shapley", "led by"]
    return table(
        head,
        [
            [r["block"], *(_share(r, key) for key in ("first", "total", "shapley")), r["led_by"]]
            for r in s["factors"]
        ],
    )


def _share(r: Row, key: str) -> str:
    ends = {"lower": r[f"{key}_lower"], "upper": r[f"{key}_upper"]}
    return f"{chance(r[key])} ({interval(ends)})"


def blocks(s: Row) -> Table:
    """Return the variance explained on posterior draws."""
    rows = [
        [r["block"], str(r["beliefs"]), f"{chance(r['share'])} ({interval(r)})"]
        for r in s["blocks"]
    ]
    return table(["block", "beliefs", "variance explained"], rows)


def beliefs(s: Row) -> Table:
    """Return rank correlations of the beliefs with the largest partial ones."""
    rows = [
        [r["parameter"], r["block"]]
        + [
            f"{r[key]:+.2f} ({r[f'{key}_lower']:+.2f} to {r[f'{key}_upper']:+.2f})"
            for key in ("rank", "partial")
        ]
        for r in s["beliefs"][:SHOWN]
    ]
    return table(["belief", "block", "rank correlation", "partial"], rows)


def pairs(s: Row) -> Table:
    """Return the pairs that evidence cannot tell apart."""
    head = ["pair", "correlation", "narrowed singly to", "together to", "left", "explain together"]
    return table(
        head,
        [
            [
                f"{p['first']} and {p['second']}",
                f"{p['correlation']:+.2f}",
                f"{p['first_sd']:.2f} and {p['second_sd']:.2f}",
                f"{p['learned_sd']:.2f}",
                f"{p['left_sd']:.2f}",
                f"{chance(p['together'])} (up to {chance(p['together_upper'])})",
            ]
            for p in s["pairs"]
        ],
    )


def left_out(s: Row) -> Table:
    """Return the target without each piece of evidence."""
    head = ["left out", "", "rows", "mean", "change, points", "width of interval, points", "how"]
    return table(
        head,
        [
            [
                r["kind"],
                r["left_out"],
                number(r["rows"]),
                _mean(r),
                points(r["shift"], r["mcse"]),
                points(r["width_change"], r["width_mcse"]),
                how(r),
            ]
            for r in s["left_out"]
        ],
    )


def ladder(s: Row) -> Table:
    """Return the target as evidence is added."""
    rows = [[r["evidence"], _mean(r), points(r["shift"], r["mcse"]), how(r)] for r in s["ladder"]]
    return table(["evidence", "mean (interval)", "less the run's, points", "how"], rows)


def _mean(r: Row) -> str:
    return "-" if r["how"] == "withheld" else f"{chance(r['mean'])} ({interval(r)})"


def tipping(s: Row) -> Table:
    """Return the crossings that there are."""
    head = ["belief", "target reaches", "if centred at", "its own quantile", "how"]
    crossing = [r for r in s["tipping"] if r["value"] is not None]
    return table(
        head,
        [
            [
                r["parameter"],
                f"{r['threshold']} ({chance(r['target'])})",
                number(r["value"]) + (f" ± {r['error']:.1g}" if r["error"] else ""),
                chance(r["quantile"]),
                r["how"],
            ]
            for r in crossing
        ],
    )


def learned(s: Row) -> Table:
    """Return what evidence did to each belief, by status."""
    order = ("learned", "somewhat", "hardly", "conflict", "untouched")
    words = {"untouched": "prior only", "conflict": "in conflict with the prior"}
    rows = []
    for status in order:
        names = [str(r["parameter"]) for r in s["learned"] if r.get("learned") == status]
        word = words.get(status, status if status == "learned" else f"{status} learned")
        rows.append([word, str(len(names)), ", ".join(names) or "none"])
    return table(["", "number", "beliefs"], rows)


def disagreement(s: Row) -> Table:
    """Return what each method says of each block."""
    head = ["block", "power scaling", "largest move, of the mean", "variance explained"]
    head += ["Shapley of its factor", "which to trust"]
    return table(
        head,
        [
            [
                r["block"],
                f"{r['sensitivity']:.3f}{' flagged' if r['flagged'] else ''}",
                chance(r["tornado"]),
                chance(r["explained"]),
                chance(r["shapley"]),
                (f"They differ: {r['reading']}" if r["reading"] else "They agree")
                + (f". Note: {r['notes']}." if r["notes"] else "."),
            ]
            for r in s["disagreement"]
        ],
    )
