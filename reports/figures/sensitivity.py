"""The figures of a sensitivity analysis: tornado, blocks, ladder of evidence, what was learned."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.ticker import FuncFormatter

from reports.figures import drawing as d
from reports.words import CONFLICT, INTERVAL, UNTOUCHED, filled

Row = Mapping[str, Any]
MOST = 16
"""Beliefs in the tornado."""
BARS = (
    ("low", d.BLUE, 0.18),
    ("high", d.RED, 0.18),
    ("narrow", d.SKY, -0.2),
    ("wide", d.ORANGE, -0.2),
)
"""Move, colour and place of a bar beside its belief's line."""
WORDS = {
    "low": "centre at 5%",
    "high": "centre at 95%",
    "narrow": "spread / 2",
    "wide": "spread x 2",
}


def plot_tornado(s: Row, path: Path) -> d.Caption:
    """Draw how far each move of a prior moves the target's mean, the largest first."""
    names = [r["parameter"] for r in s["largest"]][:MOST]
    rows = [r for r in s["tornado"] if r["parameter"] in names]
    fig = d.new(7.4, 1.2 + 0.34 * max(len(names), 3))
    ax = fig.subplots()
    mean = s["headline"]["mean"]
    for move, colour, away in BARS:
        some = [r for r in rows if r["move"] == move and r["how"] != "withheld"]
        y = [names.index(r["parameter"]) - away for r in some]
        x = [r["shift"] for r in some]
        ax.barh(y, x, left=mean, height=0.34, color=colour, label=WORDS[move])
        ax.errorbar(
            [mean + v for v in x],
            y,
            xerr=[r["mcse"] for r in some],
            fmt="none",
            color=d.INK,
            elinewidth=0.8,
        )
    held = [r for r in rows if r["how"] == "withheld"]
    ax.plot([mean] * len(held), [names.index(r["parameter"]) for r in held], "x", color=d.MUTED)
    ax.axvline(mean, color=d.INK, linewidth=0.9)
    ax.set_yticks(range(len(names)), [d.short(n) for n in names])
    ax.set_ylim(max(len(names), 1) - 0.4, -0.6)
    ax.xaxis.set_major_formatter(FuncFormatter(d.percent))
    ax.set_xlabel(f"mean of {s['label']} (probability)")
    fig.legend(loc="outside upper right", ncols=4)
    d.save(fig, path, rows=rows)
    return d.Caption(
        "Priors moved",
        "Mean of the target with each prior's centre at its own 5 or 95%, and with its spread "
        "halved or doubled; whiskers are one Monte Carlo error. A cross: some move is withheld.",
        f"Bars of {len(names)} beliefs; the largest is {names[0] if names else 'none'}.",
    )


def plot_blocks(s: Row, path: Path) -> d.Caption:
    """Draw the shares of variance by block: of factors, and on posterior draws."""
    names = [r["block"] for r in s["blocks"]]
    factors = {r["block"]: r for r in s["factors"]}
    rows: list[dict[str, Any]] = []
    for r in s["blocks"]:
        own = {"share": r["share"], "lower": r["lower"], "upper": r["upper"]}
        rows.append({"block": r["block"], "what": "explained on posterior draws"} | own)
        if r["block"] in factors:
            f = factors[r["block"]]
            own = {"share": f["shapley"], "lower": f["shapley_lower"], "upper": f["shapley_upper"]}
            rows.append({"block": r["block"], "what": "Shapley effect of its factor"} | own)
    fig = d.new(7.4, 1.0 + 0.4 * max(len(names), 3))
    ax = fig.subplots()
    for i, what in enumerate(dict.fromkeys(r["what"] for r in rows)):
        some = [r for r in rows if r["what"] == what]
        y = [names.index(r["block"]) + (i - 0.5) * 0.36 for r in some]
        x = [r["share"] for r in some]
        ends = [
            [max(r["share"] - r["lower"], 0.0) for r in some],
            [max(r["upper"] - r["share"], 0.0) for r in some],
        ]
        ax.barh(y, x, height=0.34, color=d.SERIES[i], label=what, xerr=ends, ecolor=d.INK)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(max(len(names), 1) - 0.4, -0.6)
    ax.xaxis.set_major_formatter(FuncFormatter(d.percent))
    ax.set_xlabel("share of variance")
    fig.legend(loc="outside upper right", ncols=2)
    d.save(fig, path, rows=rows)
    return d.Caption(
        "Which blocks matter",
        "First bar: the part of the target's variance that what is left uncertain about a block "
        "explains. Second: its part in the variance that one factor a block gives, which moves "
        f"where its priors stand. Lines: {INTERVAL}.",
        f"Two bars for each of {len(names)} blocks.",
    )


def plot_ladder(s: Row, path: Path) -> d.Caption:
    """Draw the target as evidence is added."""
    rows = [r for r in s["ladder"] if r["how"] != "withheld"]
    names = [r["evidence"] for r in s["ladder"]]
    fig = d.new(7.4, 1.0 + 0.34 * max(len(names), 3))
    ax = fig.subplots()
    y = [names.index(r["evidence"]) for r in rows]
    x = [r["mean"] for r in rows]
    ax.hlines(y, [r["lower"] for r in rows], [r["upper"] for r in rows], color=d.BLUE)
    ax.plot(x, y, "o", color=d.BLUE, markersize=5)
    ax.set_yticks(range(len(names)), [d.short(n) for n in names])
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.xaxis.set_major_formatter(FuncFormatter(d.percent))
    ax.set_xlabel(f"{s['label']} (probability)")
    d.save(fig, path, rows=rows)
    return d.Caption(
        "Evidence added",
        f"Mean and {INTERVAL} of the target under the priors alone, then with each table added to "
        f"those above. {len(names) - len(rows)} steps are withheld.",
        f"{len(rows)} intervals, one below the other.",
    )


def plot_learned(s: Row, path: Path) -> d.Caption:
    """Draw contraction against the shift of the mean, for each belief that evidence touches."""
    rows = [r for r in s["learned"] if r.get("learned") != UNTOUCHED]
    rows = [r for r in rows if filled(r.get("contraction")) is not None]
    fig = d.new(7.4, 4.4)
    ax = fig.subplots()
    for r in rows:
        odd = r.get("learned") == CONFLICT
        x = max(float(r["contraction"]), -0.5)
        ax.plot(x, float(r["shift"]), "D" if odd else "o", color=d.RED if odd else d.BLUE, ms=4.5)
        if odd:
            at: Any = {"xytext": (4, 4), "textcoords": "offset points", "fontsize": 8}
            ax.annotate(d.short(str(r["parameter"])), (x, float(r["shift"])), **at)
    ax.axhline(0.0, color=d.MUTED, linewidth=0.9)
    ax.set_xlabel("contraction: 1 less the ratio of variances (0: nothing learned; 1: all)")
    ax.set_ylabel("shift of the mean (prior sds)")
    keys = ("parameter", "block", "contraction", "shift", "learned")
    d.save(fig, path, rows=[{key: r.get(key) for key in keys} for r in rows])
    return d.Caption(
        "Prior against posterior",
        "Each mark a belief on which evidence bears: how much narrower it became, and how far its "
        "mean moved, where it is unbounded. Red: in conflict with its prior.",
        f"{len(rows)} beliefs by contraction and shift.",
    )
