"""What a backtest and a score say, as tables for the terminal and as a page in Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from reports.terminal import render, told
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
    some = [row for row in rows if row.get("gain") is not None]
    return sorted(some, key=lambda row: order.index(row["target"]))


def _gain(row: Row) -> str:
    if row.get("gain_lower") is None:
        return f"{row['gain']:+.1f}"
    return f"{row['gain']:+.1f} ({row['gain_lower']:+.1f} to {row['gain_upper']:+.1f})"


def _skill(row: Row) -> str:
    if row.get("skill") is None:
        return "-"
    if row.get("skill_lower") is None:
        return f"{row['skill']:+.2f}"
    return f"{row['skill']:+.2f} ({row['skill_lower']:+.2f} to {row['skill_upper']:+.2f})"


def cells(rows: Sequence[Row]) -> list[list[str]]:
    """Return the rows of a comparison as text."""
    return [
        [
            name(row["target"]),
            METHODS[row["method"]],
            str(row["items"]),
            _gain(row),
            _skill(row),
            verdict(row),
        ]
        for row in against(rows)
    ]


HEADS = ("target", "against", "items", "gain in log score", "skill", "the model is")


def comparison(rows: Sequence[Row], title: str) -> Table:
    """Return a comparison as a table of the terminal."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False, title=title)
    table.title_justify = "left"
    for head in HEADS:
        table.add_column(head, overflow="fold")
    for *row, skill, stands in cells(rows):
        table.add_row(*(told(cell) for cell in (*row, skill.split(" (")[0], stands)))
    return table


def backtest_text(summary: Mapping[str, Any]) -> str:
    """Return what the terminal shows of a backtest."""
    ahead = f"Works and figures of {_span(summary)}, each from the year before"
    parts: list[RenderableType] = [told(line) for line in (*_warning(summary), _training(summary))]
    parts += [told(""), comparison(summary["ahead"], ahead)]
    parts += [told(""), comparison(summary["dates"], "Dates of milestones, all origins")]
    parts += [told(""), told(ABOUT), *(told(line) for line in bottom_line(summary))]
    return render(parts)


def score_text(summary: Mapping[str, Any]) -> str:
    """Return what the terminal shows of the scores of a run."""
    ignored = summary["ignored"]
    lines = [] if summary["converged"] else ["NOT CONVERGED: no number here is a result."]
    lines.append(
        f"{summary['run']}: {summary['works']} new works ({summary['purposive']} purposive); "
        f"ignored: {ignored['in_run']} works of the run, {ignored['unrated']} unrated, "
        f"{ignored['ratings_by_unknown_raters']} ratings by raters that the run does not know. "
        f"Baselines learn from {summary['training']} works."
    )
    model = [row for row in summary["scores"] if row["method"] == "model"]
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for head in ("the model", "works", "log score", "a work", "distance"):
        table.add_column(head)
    for row in model:
        distance = "-" if row["distance"] is None else f"{row['distance']:.3f}"
        mean = f"{row['log_score'] / row['scores']:.3f}"
        table.add_row(
            name(row["target"]), str(row["items"]), f"{row['log_score']:.1f}", mean, distance
        )
    parts: list[RenderableType] = [*map(told, lines), told(""), table, told("")]
    return render([*parts, comparison(summary["scores"], "Against"), told(""), told(ABOUT)])


def _span(summary: Mapping[str, Any]) -> str:
    years = summary["years"]
    return f"{years[0]} to {years[-1]}" if len(years) > 1 else str(*years) or "no year"


def _training(summary: Mapping[str, Any]) -> str:
    sizes = "; ".join(
        f"{row['origin']}: {row['works']} works ({row['sampled']} sampled), {row['workers']} "
        "figures on workers"
        for row in summary["training"]
    )
    return f"Known at the end of {sizes}."


def _warning(summary: Mapping[str, Any]) -> list[str]:
    bad = [row for row in summary["training"] if not row["converged"]]
    return [f"NOT CONVERGED: {row['origin']} ({row['failures']})." for row in bad]


def bottom_line(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the sums over the hold-outs say of each main target."""
    for target in MAIN:
        rows = [row for row in against(summary["ahead"]) if row["target"] == target]
        if not rows:
            continue
        rows = [row for row in rows if row["method"] != "prior"]
        lost = [row for row in rows if row["gain"] <= 0]
        if rows and not lost:
            least = min(rows, key=lambda row: row["gain"])
            yield (
                f"{TARGETS[target].capitalize()}: above every baseline in summed log score over "
                f"{_span(summary)}; least so above {METHODS[least['method']]} ({_gain(least)})."
            )
        for row in lost:
            yield (
                f"{TARGETS[target].capitalize()}: BELOW {METHODS[row['method']]} in summed log "
                f"score over {_span(summary)}: {_gain(row)}."
            )


def losses(summary: Mapping[str, Any]) -> list[str]:
    """Return where the model has a lower log score than a baseline, by origin, worst first."""
    rows = [r for r in summary["scores"] if r["horizon"] == "all" and (r.get("gain") or 0.0) < 0]
    return [
        f"{row['origin']}, {name(row['target'])}, {METHODS[row['method']]}: {_gain(row)}, "
        f"{verdict(row)}"
        for row in sorted(rows, key=lambda row: row["gain"])
    ]


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table in Markdown."""
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows)]


def backtest_page(summary: Mapping[str, Any]) -> str:
    """Return a backtest as a page in Markdown: sums, origins, calibration, and where it loses."""
    sampler = summary["sampler"]
    how = (
        f"Priors `{summary['name']}`, seed {summary['seed']}, {sampler['chains']} chains of "
        f"{sampler['draws']} draws after {sampler['tune']} tuning steps."
    )
    sizes = [
        [
            str(row["origin"]),
            str(row["works"]),
            str(row["sampled"]),
            str(row["answers"]),
            str(row["workers"]),
            f"{row['dated_uses']:.0f}",
            "yes" if row["converged"] else f"no: {row['failures']}",
        ]
        for row in summary["training"]
    ]
    heads = ("until", "works", "sampled", "answers", "worker figures", "dated uses", "converged")
    lines = [f"**{line}**" for line in bottom_line(summary)]
    parts = [how, "", *markdown(heads, sizes), "", *_spaced(lines)]
    parts += [f"Works and figures of {_span(summary)}, each from the year before:", ""]
    parts += [*markdown(HEADS, cells(summary["ahead"])), "", ABOUT, ""]
    parts += ["All origins and horizons together (a work is one cluster):", ""]
    parts += [*markdown(HEADS, cells(summary["all_horizons"])), ""]
    parts += ["Dates of milestones, all origins:", "", *markdown(HEADS, cells(summary["dates"]))]
    parts += ["", "Share of outcomes within central intervals (randomised PIT for levels):", ""]
    parts += [*markdown(("target", "years ahead", "items", "50%", "80%", "95%"), _held(summary))]
    lost = losses(summary)
    parts += ["", "Where the model's log score is below a baseline's, by origin, worst first:", ""]
    parts += [f"- {line}" for line in lost] or ["- nowhere"]
    return "\n".join(parts) + "\n"


def _spaced(lines: Sequence[str]) -> list[str]:
    return [part for line in lines for part in (line, "")]


def _held(summary: Mapping[str, Any]) -> list[list[str]]:
    return [
        [TARGETS[row["target"]], row["horizon"], str(row["items"])]
        + [
            "-" if row[key] is None else f"{100 * row[key]:.0f}%"
            for key in ("within_0.5", "within_0.8", "within_0.95")
        ]
        for row in summary["coverage"]
    ]
