"""What a sensitivity analysis says: sentences and tables for the terminal and the page."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from reports.figures.choices import plot_blocks, plot_ladder, plot_learned, plot_tornado
from reports.figures.drawing import draw_all
from reports.html import write_template
from reports.table import Table
from reports.terminal import render
from reports.words import (
    INTERVAL,
    UNTOUCHED,
    chance,
    interval,
    mean_and_interval,
    method,
    number,
    points,
    question_of,
)

Row = Mapping[str, Any]
MOVES = {
    "low": "centre at its 5%",
    "high": "centre at its 95%",
    "narrow": "spread halved",
    "wide": "spread doubled",
}
SEARCHED = (0.0101, 0.9899)
"""Quantiles between which a prior is looked at in full, but for rounding."""
SHOWN = 20
"""Beliefs in the tables of a page; the CSV files hold all."""
ON_TERMINAL = ("table", "rater", "selection")
"""Kinds of evidence left out that the terminal shows; the page has all."""
FIGURES = {
    "tornado": plot_tornado,
    "blocks": plot_blocks,
    "ladder": plot_ladder,
    "learned": plot_learned,
}


def sensitivity_text(s: Row) -> str:
    """Return the summary and the tables that the terminal shows."""
    left_out = [row for row in s["left_out"] if row["kind"] in ON_TERMINAL]
    shown = tables(dict(s) | {"left_out": left_out})
    methods = shown["disagreement"]
    return render(
        "sensitivity",
        converged=s["converged"],
        lines=s["lines"],
        methods=methods.first(len(methods.columns) - 1),
        differ=differ_line(s),
        readings=[(row[0], row[-1]) for row in methods.rows if row[-1] != "They agree."],
        others=[shown["left_out"], shown["tipping"]],
        reach=reach_line(s),
    )


def write_sensitivity(folder: Path, s: Row) -> Path:
    """Draw the figures and write ``sensitivity.html``; return the page."""
    plots = {name: partial(plot, s) for name, plot in FIGURES.items()}
    captions = draw_all(folder / "figures", plots)
    view = {
        "s": s,
        "converged": s["converged"],
        "lines": s["lines"],
        "differ": differ_line(s),
        "reach": reach_line(s),
        "surrogate": surrogate_line(s) if s["factors"] else "",
        "tables": tables(s),
        "captions": {caption["name"]: caption for caption in captions},
    }
    return write_template(folder / "sensitivity.html", "sensitivity.html.j2", view=view)


def summary_lines(s: Row) -> list[str]:
    """Return the summary in plain words."""
    mean = s["headline"]
    first = (
        f"{s['label']}, works of {s['cohort']} by the end of {s['horizon']}: "
        f"{chance(mean['mean'])} ({interval(mean)}), Monte Carlo error "
        f"{100 * mean['mcse']:.1g} points."
    )
    return [first, beliefs_line(s), tables_line(s), believe_line(s), alone_line(s), *pair_lines(s)]


def beliefs_line(s: Row) -> str:
    """Return the sentence on the three beliefs that matter most."""
    top = [row for row in s["largest"] if abs(row["most"]) > 2.0 * row["mcse"]][:3]
    if not top:
        return "No belief moved within its own 5 to 95% moves it by more than twice the error."
    moves = "; ".join(
        f"{row['parameter']} ({_quoted(question_of(row['parameter']))}{MOVES[row['move']]}: "
        f"{points(row['most'], row['mcse'])} points)"
        for row in top
    )
    withheld = sum(row["withheld"] for row in s["largest"])
    more = f" {withheld} moves of priors are withheld." if withheld else ""
    return f"The beliefs that matter most: {moves}.{more}"


def _quoted(question: str) -> str:
    return f"“{question}” " if question else ""


def tables_line(s: Row) -> str:
    """Return the sentence on the two tables that matter most."""
    rows = [row for row in s["left_out"] if row["kind"] == "table"]
    answered = [row for row in rows if row["how"] != "withheld"]
    if not answered:
        flagged = [r for r in s["power"] if r["group"] == "likelihood"][:2]
        names = ", ".join(f"{r['component']} ({r['sensitivity']:.2f})" for r in flagged)
        return (
            "What a whole table does is withheld here, since leaving it out by weights is not to "
            f"be trusted; by power scaling the first two are {names or 'none'}."
        )
    clear = [row for row in answered if abs(row["shift"]) > 2.0 * row["mcse"]]
    top = sorted(clear, key=lambda row: -abs(row["shift"]))[:2]
    withheld = ", ".join(row["left_out"] for row in rows if row["how"] == "withheld")
    more = f" Leaving out {withheld} is withheld: weights cannot tell." if withheld else ""
    if not top:
        return f"No table that can be left out moves it by more than twice the error.{more}"
    moves = "; ".join(
        f"without {row['left_out']} {points(row['shift'], row['mcse'])} points"
        + ("" if row["converged"] else " (by a refit that missed the rule)")
        for row in top
    )
    return f"The tables that matter most: {moves}.{more}"


def believe_line(s: Row) -> str:
    """Return what a reader would have to believe to get half or double the target."""
    ways = []
    for name, word in (("half", "half of it"), ("double", "double")):
        rows = [r for r in s["tipping"] if r["threshold"] == name and r["value"] is not None]
        single = "; or ".join(
            f"{r['parameter']} centred at {number(r['value'])} (its own {chance(r['quantile'])} "
            "point)"
            for r in rows[:3]
        )
        ways.append(f"{word} ({chance(s['thresholds'][name])}): {single or _jointly(s, name)}")
    return f"To get {ways[0]}. To get {ways[1]}."


def _jointly(s: Row, name: str) -> str:
    """Return how far a whole block would have to move where no single prior does."""
    unit, gap = s["surrogate"]["unit"], s["thresholds"][name] - s["headline"]["mean"]
    ways = [(abs(gap / r["slope"]) * unit, r["block"]) for r in s["factors"] if r["slope"]]
    size, block = min(ways, default=(float("inf"), ""))
    if size > 3.0:
        return "no single prior within its 1 to 99%"
    return (
        f"no single prior within its 1 to 99%; about {size:.1f} prior sds along the direction of "
        f"the whole block {block} would"
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
    names = {r["parameter"] for r in s["tipping"]}
    crossing = {r["parameter"] for r in s["tipping"] if r["value"] is not None}
    low, high = SEARCHED
    stretches = {
        r["parameter"]: f"{r['parameter']} ({chance(r['from_quantile'])} to "
        f"{chance(r['to_quantile'])})"
        for r in s["tipping"]
        if r["parameter"] not in crossing and (r["from_quantile"] > low or r["to_quantile"] < high)
    }
    none = len(names) - len(crossing) - len(stretches)
    line = f"None within its 1 to 99%: {none} of {len(names)} priors."
    if not stretches:
        return line
    return (
        f"{line} None within a shorter stretch, since weights cannot be trusted beyond it: "
        f"{', '.join(stretches.values())}."
    )


def surrogate_line(s: Row) -> str:
    """Return what the factors are, and how good the surrogate of the target is."""
    fit = s["surrogate"]
    return (
        f"Each factor is standard normal and moves the centres of its block's priors by "
        f"{fit['unit']} of their sds along the direction that moves the target fastest. Of "
        f"{fit['points'] + fit['left_out']} points {fit['left_out']} had no trusted weights. "
        f"The surrogate foretells {chance(fit['accuracy'])} of the variance at points that it did "
        f"not see. Shapley effects sum to {fit['shapley_sum']:.3g}, the variance to "
        f"{fit['variance']:.3g} (error {fit['variance_error']:.1g}; of the points themselves "
        f"{fit['variance_of_points']:.3g}). Sobol indices are SALib's on the surrogate. In "
        f"brackets the {INTERVAL}."
    )


def tables(s: Row) -> dict[str, Table]:
    """Return every table by name, in the order of the documentation's page."""
    bars = {(r["parameter"], r["move"]): r for r in s["tornado"]}
    tornado = [
        [name, question_of(name)]
        + [f"{_shift(bars[name, move])} ({method(bars[name, move])})" for move in MOVES]
        for name in [r["parameter"] for r in s["largest"]][:SHOWN]
    ]
    crossing = [r for r in s["tipping"] if r["value"] is not None]
    by_column = Table.by_column
    return {
        "disagreement": by_column("Block by block, method by method", METHODS, s["disagreement"]),
        "tornado": Table.of("Priors moved", ["belief", "question", *MOVES.values()], tornado),
        "tipping": by_column("Tipping points", TIPPING, crossing),
        "power": power_table(s),
        "factors": by_column("One factor a block", FACTORS, s["factors"]),
        "blocks": by_column(
            "What is left uncertain: variance explained on posterior draws", BLOCKS, s["blocks"]
        ),
        "beliefs": by_column("Rank correlations by belief", BELIEFS, s["beliefs"][:SHOWN]),
        "pairs": by_column("Pairs that evidence cannot tell apart", PAIRS, s["pairs"]),
        "left_out": by_column("Evidence left out", LEFT_OUT, s["left_out"]),
        "ladder": by_column("Evidence added", LADDER, s["ladder"]),
        "learned": _learned(s),
    }


def power_table(s: Row) -> Table:
    """Return power scaling, a row for each block and table."""
    return Table.by_column("Power scaling", POWER, s["power"])


def _learned(s: Row) -> Table:
    """Return what evidence did to each belief, by status."""
    statuses = {
        "learned": "learned",
        "somewhat": "somewhat learned",
        "hardly": "hardly learned",
        "conflict": "in conflict with the prior",
        "untouched": "prior only",
    }
    rows = []
    for status, text in statuses.items():
        names = [str(r["parameter"]) for r in s["learned"] if r.get("learned") == status]
        rows.append((text, len(names), ", ".join(names) or "none"))
    return Table.of("Prior against posterior", ("", "number", "beliefs"), rows)


def _mean(r: Row) -> str:
    return "-" if r["how"] == "withheld" else "{} ({})".format(*mean_and_interval(r))


def _shift(r: Row) -> str:
    return points(r["shift"], r["mcse"])


def _share(key: str) -> Any:
    return lambda r: (
        f"{chance(r[key])} ({interval({end: r[f'{key}_{end}'] for end in ('lower', 'upper')})})"
    )


def _correlation(key: str) -> Any:
    return lambda r: f"{r[key]:+.2f} ({r[f'{key}_lower']:+.2f} to {r[f'{key}_upper']:+.2f})"


POWER = {
    "": lambda r: {"prior": "priors", "likelihood": "evidence"}[r["group"]],
    "block or table": lambda r: r["component"],
    "sensitivity": lambda r: f"{r['sensitivity']:.3f} ± {r['error']:.1g}",
    "flag": lambda r: "moves it" if r["flagged"] else "",
    "change for a doubling, points": lambda r: points(r["direction"], r["mcse"]),
}
FACTORS = {
    "block": lambda r: r["block"],
    "alone (Sobol first)": _share("first"),
    "in all (Sobol total)": _share("total"),
    "Shapley": _share("shapley"),
    "led by": lambda r: r["led_by"],
}
BLOCKS = {
    "block": lambda r: r["block"],
    "beliefs": lambda r: r["beliefs"],
    "variance explained": lambda r: f"{chance(r['share'])} ({interval(r)})",
}
BELIEFS = {
    "belief": lambda r: r["parameter"],
    "block": lambda r: r["block"],
    "rank correlation": _correlation("rank"),
    "partial": _correlation("partial"),
}
PAIRS = {
    "pair": lambda p: f"{p['first']} and {p['second']}",
    "correlation": lambda p: f"{p['correlation']:+.2f}",
    "narrowed singly to": lambda p: f"{p['first_sd']:.2f} and {p['second_sd']:.2f}",
    "together to": lambda p: f"{p['learned_sd']:.2f}",
    "left": lambda p: f"{p['left_sd']:.2f}",
    "explain together": lambda p: f"{chance(p['together'])} (up to {chance(p['together_upper'])})",
}
LEFT_OUT = {
    "left out": lambda r: r["kind"],
    "": lambda r: r["left_out"],
    "rows": lambda r: number(r["rows"]),
    "mean": _mean,
    "change, points": _shift,
    "width of interval, points": lambda r: points(r["width_change"], r["width_mcse"]),
    "how": method,
}
LADDER = {
    "evidence": lambda r: r["evidence"],
    "mean (interval)": _mean,
    "less the run's, points": _shift,
    "how": method,
}
TIPPING = {
    "belief": lambda r: r["parameter"],
    "target reaches": lambda r: f"{r['threshold']} ({chance(r['target'])})",
    "if centred at": lambda r: number(r["value"]) + (f" ± {r['error']:.1g}" if r["error"] else ""),
    "its own quantile": lambda r: chance(r["quantile"]),
    "how": lambda r: r["how"],
}
METHODS = {
    "block": lambda r: r["block"],
    "power scaling": lambda r: f"{r['sensitivity']:.3f}{' flagged' if r['flagged'] else ''}",
    "largest move, of the mean": lambda r: chance(r["tornado"]),
    "variance explained": lambda r: chance(r["explained"]),
    "Shapley of its factor": lambda r: chance(r["shapley"]),
    "which to trust": lambda r: (
        (f"They differ: {r['reading']}" if r["reading"] else "They agree")
        + (f". Note: {r['notes']}." if r["notes"] else ".")
    ),
}
