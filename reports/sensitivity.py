"""What a sensitivity analysis says: the terminal's summary, the page and its figures.

What a sensitivity analysis says, in sentences; the numbers are computed elsewhere.

The tables of a sensitivity analysis, as heads and cells of text.

The tables of a sensitivity analysis as Markdown, for the page of the documentation.
"""

import json
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from models.parameters import SLOTS
from reports import words
from reports.figures.drawing import style
from reports.figures.sensitivity import plot_blocks, plot_ladder, plot_learned, plot_tornado
from reports.html import write_template
from reports.terminal import render, told
from reports.words import INTERVAL, UNTOUCHED, chance, interval, number

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
SENSITIVITY_WORDS_WHOLE = (0.0101, 0.9899)
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
        if r["from_quantile"] > SENSITIVITY_WORDS_WHOLE[0]
        or r["to_quantile"] < SENSITIVITY_WORDS_WHOLE[1]
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


TextTable = dict[str, Any]
SHOWN = 20
"""Beliefs in the tables of a page; the CSV files hold all."""


def tables(s: Row) -> dict[str, TextTable]:
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


def power(s: Row) -> TextTable:
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


def tornado(s: Row) -> TextTable:
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


def factors(s: Row) -> TextTable:
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


def blocks(s: Row) -> TextTable:
    """Return the variance explained on posterior draws."""
    rows = [
        [r["block"], str(r["beliefs"]), f"{chance(r['share'])} ({interval(r)})"]
        for r in s["blocks"]
    ]
    return table(["block", "beliefs", "variance explained"], rows)


def beliefs(s: Row) -> TextTable:
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


def pairs(s: Row) -> TextTable:
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


def left_out(s: Row) -> TextTable:
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


def ladder(s: Row) -> TextTable:
    """Return the target as evidence is added."""
    rows = [[r["evidence"], _mean(r), points(r["shift"], r["mcse"]), how(r)] for r in s["ladder"]]
    return table(["evidence", "mean (interval)", "less the run's, points", "how"], rows)


def _mean(r: Row) -> str:
    return "-" if r["how"] == "withheld" else f"{chance(r['mean'])} ({interval(r)})"


def tipping(s: Row) -> TextTable:
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


def learned(s: Row) -> TextTable:
    """Return what evidence did to each belief, by status."""
    order = ("learned", "somewhat", "hardly", "conflict", "untouched")
    words = {"untouched": "prior only", "conflict": "in conflict with the prior"}
    rows = []
    for status in order:
        names = [str(r["parameter"]) for r in s["learned"] if r.get("learned") == status]
        word = words.get(status, status if status == "learned" else f"{status} learned")
        rows.append([word, str(len(names)), ", ".join(names) or "none"])
    return table(["", "number", "beliefs"], rows)


def disagreement(s: Row) -> TextTable:
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


FIGURES = {
    "tornado": plot_tornado,
    "blocks": plot_blocks,
    "ladder": plot_ladder,
    "learned": plot_learned,
}
SENSITIVITY_WHOLE = ("table", "rater", "selection")
"""Kinds of evidence left out that the terminal shows; the page has all."""


def sensitivity_text(s: Row) -> str:
    """Return the summary and the tables that the terminal shows."""
    parts: list[RenderableType] = []
    if not s["converged"]:
        text = f"{words.NOT_CONVERGED}: the run's draws are no result."
        parts.append(told(text, "bold red"))
    for line in s["lines"]:
        parts += [told(line), told("")]
    some = dict(s) | {"left_out": [r for r in s["left_out"] if r["kind"] in SENSITIVITY_WHOLE]}
    made = tables(some)
    side = made["disagreement"]
    short = {"head": side["head"][:-1], "rows": [row[:-1] for row in side["rows"]]}
    parts += [_table("Block by block, method by method", short), told(""), told(differ_line(s))]
    parts += [told(f"{row[0]}: {row[-1]}") for row in side["rows"] if row[-1] != "They agree."]
    for name, title in (("left_out", "Evidence left out"), ("tipping", "Tipping points")):
        if made[name]["rows"]:
            parts += [told(""), _table(title, made[name])]
    parts.append(told(reach_line(s)))
    return render(parts)


def _table(title: str, data: Row) -> Table:
    out = Table(title=title, title_justify="left", box=None, pad_edge=False)
    for head in data["head"]:
        out.add_column(str(head), overflow="fold")
    for row in data["rows"]:
        out.add_row(*(told(cell) for cell in row))
    return out


def write_sensitivity(folder: Path, s: Row) -> Path:
    """Draw the figures and write ``sensitivity.html``; return the page."""
    (folder / "figures").mkdir(exist_ok=True)
    captions = []
    with style():
        for name, plot in FIGURES.items():
            captions.append(plot(s, folder / "figures" / name).described(name))
    text = json.dumps(captions, indent=2, ensure_ascii=False)
    path = folder / "figures" / "captions.json"
    path.write_text(text + "\n", encoding="utf-8", newline="\n")
    view = {
        "s": s,
        "converged": s["converged"],
        "lines": s["lines"],
        "differ": differ_line(s),
        "reach": reach_line(s),
        "surrogate": surrogate_line(s) if s["factors"] else "",
        "tables": tables(s),
        "captions": {one["name"]: one for one in captions},
    }
    return write_template(folder / "sensitivity.html", "sensitivity.html.j2", view=view)


WIDTH = 100
TITLES = {
    "disagreement": "Block by block, method by method",
    "tornado": "Priors moved",
    "tipping": "Tipping points",
    "power": "Power scaling",
    "factors": "One factor a block",
    "blocks": "What is left uncertain: variance explained on posterior draws",
    "pairs": "Pairs that evidence cannot tell apart",
    "left_out": "Evidence left out",
    "ladder": "Evidence added",
    "learned": "Prior against posterior",
}
"""Tables of the page in order."""
MOST = 10
"""Beliefs in the table of priors moved."""


def page_block(told: Mapping[str, Any], *, command: str) -> list[str]:
    """Return the lines of the page that a finished analysis fills.

    Parameters
    ----------
    told
        Content of sensitivity.json.
    command
        What made it.
    """
    plain = _filled(told)
    made = tables(plain)
    if made["tornado"]["rows"]:
        made["tornado"]["rows"] = made["tornado"]["rows"][:MOST]
    quick = " --quick" if told["quick"] else ""
    out = [f"Made by `{command}{quick}`.", ""]
    for line in told["lines"]:
        out += [*textwrap.wrap(f"- {line}", WIDTH, subsequent_indent="  "), ""]
    said = {"disagreement": differ_line(plain), "tipping": reach_line(plain)}
    said["factors"] = surrogate_line(plain) if plain["factors"] else ""
    for name, title in TITLES.items():
        if made[name]["rows"]:
            out += [f"### {title}", ""]
            out += [*textwrap.wrap(said[name], WIDTH), ""] if name in said else []
            out += [*markdown(made[name]), ""]
    return out[:-1]


def markdown(data: Mapping[str, Any]) -> list[str]:
    """Return a table as Markdown."""
    head = [str(one) or " " for one in data["head"]]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    return lines + [f"| {' | '.join(map(str, row))} |" for row in data["rows"]]


def _filled(x: Any) -> Any:
    """Return what JSON holds as numbers again: an empty number of a bar is no number."""
    keys = ["mean", "lower", "upper", "shift", "mcse", "pareto_k", "width_change", "width_mcse"]
    if isinstance(x, Mapping):
        return {k: float("nan") if v is None and k in keys else _filled(v) for k, v in x.items()}
    return [_filled(one) for one in x] if isinstance(x, list) else x
