"""What a backtest and a score say, as tables for the terminal and as a page in Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from reports.table import Table
from reports.terminal import render, render_markdown
from reports.words import INTERVAL

Row = Mapping[str, Any]
TARGETS = {
    "level": "levels",
    "tracking": "tracking",
    "workers": "workers",
    "milestones": "dates of milestones",
    "capabilities": "capabilities use",
    "alignment": "alignment use",
    "row": "whole rows without use",
    "row_with_use": "whole rows with use",
}
"""Targets in the order and the words in which they are shown."""
METHODS = {
    "carry": "last carried forward",
    "pooled": "pooled shares",
    "ordinal": "ordinal regression",
    "trend": "log-linear trend",
    "hazard": "constant hazard",
    "prior": "(own priors alone)",
}
HINDSIGHT = ("capabilities", "alignment", "row_with_use")
MARK = " *"
MAIN = ("level", "tracking", "workers")
"""Targets of the sum over the hold-outs; use stands apart."""
ABOUT = (
    "Gain: the model's summed log score less the baseline's, above 0 where the model is better. "
    "Skill: one less the ratio of its distance to the baseline's (ranked probability score for "
    f"levels, CRPS for workers and dates, else Brier). Both with the {INTERVAL} over works; raters "
    "of one work count once. (Own priors alone): what the model says before any evidence; priors "
    "are of 2026, so this shows how much they know by hindsight. * Rated with hindsight."
)


def name(target: str) -> str:
    """Return a target in words, marked if it was rated with hindsight."""
    return TARGETS[target] + (MARK if target in HINDSIGHT else "")


def verdict(row: Row) -> str:
    """Return how the model stands to a baseline, by the interval of the gain."""
    if row.get("gain_lower") is None:
        return "one item"
    if row["gain_lower"] > 0:
        return "ahead"
    return "behind" if row["gain_upper"] < 0 else "not told apart"


def against(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of baselines, in the order of targets."""
    order = list(TARGETS)
    baselines = [row for row in rows if row.get("gain") is not None]
    return sorted(baselines, key=lambda row: order.index(row["target"]))


def gain(row: Row) -> str:
    """Return a gain in log score with its interval, if it has one."""
    return _with_ends(row, "gain", "+.1f")


def skill(row: Row) -> str:
    """Return a skill with its interval, '-' where there is none."""
    return "-" if row.get("skill") is None else _with_ends(row, "skill", "+.2f")


def _with_ends(row: Row, key: str, digits: str) -> str:
    text = f"{row[key]:{digits}}"
    if row.get(f"{key}_lower") is None:
        return text
    return f"{text} ({row[f'{key}_lower']:{digits}} to {row[f'{key}_upper']:{digits}})"


COMPARISON = {
    "target": lambda r: name(r["target"]),
    "against": lambda r: METHODS[r["method"]],
    "items": lambda r: r["items"],
    "gain in log score": gain,
    "skill": skill,
    "the model is": verdict,
}


def comparison(rows: Sequence[Row], title: str, *, narrow: bool = False) -> Table:
    """Return the model against each baseline; ``narrow`` leaves the skill's interval out."""
    columns = dict(COMPARISON)
    if narrow:
        columns["skill"] = lambda r: skill(r).split(" (")[0]
    return Table.by_column(title, columns, against(rows))


def backtest_text(summary: Row) -> str:
    """Return what the terminal shows of a backtest."""
    ahead = f"Works and figures of {_span(summary)}, each from the year before"
    return render(
        "backtest",
        training=summary["training"],
        comparisons=[
            comparison(summary["ahead"], ahead, narrow=True),
            comparison(summary["dates"], "Dates of milestones, all origins", narrow=True),
        ],
        about=ABOUT,
        bottom_line=bottom_line(summary),
    )


def score_text(summary: Row) -> str:
    """Return what the terminal shows of the scores of a run."""
    columns = {
        "the model": lambda r: name(r["target"]),
        "works": lambda r: r["items"],
        "log score": lambda r: f"{r['log_score']:.1f}",
        "a work": lambda r: f"{r['log_score'] / r['scores']:.3f}",
        "distance": lambda r: "-" if r["distance"] is None else f"{r['distance']:.3f}",
    }
    scores = [row for row in summary["scores"] if row["method"] == "model"]
    return render(
        "score",
        **summary,
        model_table=Table.by_column("", columns, scores),
        comparison_table=comparison(summary["scores"], "Against", narrow=True),
        about=ABOUT,
    )


def _span(summary: Row) -> str:
    years = summary["years"]
    return f"{years[0]} to {years[-1]}" if len(years) > 1 else str(*years) or "no year"


def bottom_line(summary: Row) -> Iterator[str]:
    """Yield what the sums over the hold-outs say of each main target."""
    span = _span(summary)
    for target in MAIN:
        rows = [r for r in against(summary["ahead"]) if r["target"] == target]
        rows = [r for r in rows if r["method"] != "prior"]
        title, lost = TARGETS[target].capitalize(), [r for r in rows if r["gain"] <= 0]
        if rows and not lost:
            least = min(rows, key=lambda row: row["gain"])
            yield (
                f"{title}: above every baseline in summed log score over {span}; least so above "
                f"{METHODS[least['method']]} ({gain(least)})."
            )
        for row in lost:
            yield (
                f"{title}: BELOW {METHODS[row['method']]} in summed log score over {span}: "
                f"{gain(row)}."
            )


def losses(summary: Row) -> list[str]:
    """Return where the model has a lower log score than a baseline, by origin, worst first."""
    rows = [r for r in summary["scores"] if r["horizon"] == "all" and (r.get("gain") or 0.0) < 0]
    return [
        f"{row['origin']}, {name(row['target'])}, {METHODS[row['method']]}: {gain(row)}, "
        f"{verdict(row)}"
        for row in sorted(rows, key=lambda row: row["gain"])
    ]


TRAINING = {
    "until": lambda r: r["origin"],
    "works": lambda r: r["works"],
    "sampled": lambda r: r["sampled"],
    "answers": lambda r: r["answers"],
    "worker figures": lambda r: r["workers"],
    "dated uses": lambda r: f"{r['dated_uses']:.0f}",
    "converged": lambda r: "yes" if r["converged"] else f"no: {r['failures']}",
}
COVERAGE = {
    "target": lambda r: TARGETS[r["target"]],
    "years ahead": lambda r: r["horizon"],
    "items": lambda r: r["items"],
    "50%": lambda r: _within(r, 0.5),
    "80%": lambda r: _within(r, 0.8),
    "95%": lambda r: _within(r, 0.95),
}


def _within(row: Row, p: float) -> str:
    share = row[f"within_{p}"]
    return "-" if share is None else f"{100 * share:.0f}%"


def backtest_page(summary: Row) -> str:
    """Return a backtest as a page in Markdown: sums, origins, calibration, and where it loses."""
    return render_markdown(
        "backtest",
        **summary,
        training_table=Table.by_column("", TRAINING, summary["training"]),
        bottom_line=list(bottom_line(summary)),
        span=_span(summary),
        ahead_table=comparison(summary["ahead"], ""),
        horizons_table=comparison(summary["all_horizons"], ""),
        dates_table=comparison(summary["dates"], ""),
        coverage_table=Table.by_column("", COVERAGE, summary["coverage"]),
        about=ABOUT,
        losses=losses(summary),
    )
