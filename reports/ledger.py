"""What a ledger holds and how it scored, as tables for the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from reports.terminal import render, told
from reports.words import chance, number, value

Row = Mapping[str, Any]
ABOUT = (
    "Brier: mean squared distance, lower is better; always saying 50% scores 0.25. It is "
    "miscalibration less discrimination plus uncertainty. Log score: mean log of the chance given "
    "to what happened, nearer 0 is better. CRPS, from the stated quantiles: mean distance in the "
    "unit named, lower is better. Forecasts of one run share their errors, so no mean here has a "
    "standard error."
)


def list_text(rows: Sequence[Row]) -> str:
    """Return forecasts as a table: id, state, dates, what was said, and of what."""
    if not rows:
        return "No such forecast in the ledger."
    table = _grid({"id": 12, "state": 8, "resolves": 10, "forecast": 24, "of": 36})
    for r in rows:
        of = r["quantity"] + (f" [{r['key']}]" if r.get("key") else "")
        cells = (r["id"], r["state"], str(r["resolves_on"]), said(r), of)
        table.add_row(*map(told, cells))
    return render([table]).rstrip()


def said(r: Row) -> str:
    """Return a forecast, and its outcome if it has one, in few words."""
    unit = str(r.get("unit") or "")
    if r.get("probability") is not None:
        text, y = chance(r["probability"]), r.get("outcome")
        outcome = None if y is None else "yes" if y else "no"
    else:
        values = [value(x, unit) for _, x in r["quantiles"]]
        text = values[len(values) // 2] + (f" ({values[0]} to {values[-1]})" if values[1:] else "")
        outcome = None if r.get("outcome") is None else value(r["outcome"], unit)
    return text if outcome is None else f"{text}; was {outcome}"


def scores_text(summary: Mapping[str, Any]) -> str:
    """Return the scores of a ledger: counts, probabilities, quantiles by unit."""
    parts: list[RenderableType] = [told(_counts(summary), "bold"), Text("")]
    p, units = summary["probabilities"], summary["quantiles"]
    if p["n"]:
        parts += [_probabilities(p), Text("")]
    if units:
        parts += [_quantiles(units), Text("")]
    if not p["n"] and not units:
        parts.append(told("Nothing to score yet."))
    else:
        parts.append(told(ABOUT))
    return render(parts).rstrip()


def _counts(summary: Mapping[str, Any]) -> str:
    names = ("open", "due", "resolved", "void")
    told_counts = ", ".join(f"{summary[name]} {name}" for name in names)
    late = f"; {summary['late']} entered late and not scored" if summary["late"] else ""
    return f"{summary['ledger']}: {summary['forecasts']} forecasts: {told_counts}{late}"


def _probabilities(p: Row) -> Table:
    table = _grid({"probabilities": 24, "": 12})
    named = {
        "mean probability": chance(p["mean_probability"]),
        "resolved yes": f"{p['share_yes'] * p['n']:.0f} of {p['n']}",
        "Brier score": number(p["brier"]),
        "  miscalibration": number(p["miscalibration"]),
        "  discrimination": number(p["discrimination"]),
        "  uncertainty": number(p["uncertainty"]),
        "log score": number(p["log_score"]),
    }
    for name, text in named.items():
        table.add_row(Text(name), told(text))
    return table


def _quantiles(rows: Sequence[Row]) -> Table:
    table = _grid({"quantiles, by unit": 24, "n": 5, "CRPS": 10, "inside the outermost two": 40})
    for r in rows:
        inside = f"{r['inside']} of {r['intervals']}, {number(r['inside_expected'])} expected"
        cells = (r["unit"] or "none", str(r["n"]), number(r["crps"]), inside)
        table.add_row(*map(told, cells))
    return table


def _grid(heads: Mapping[str, int]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for head, width in heads.items():
        table.add_column(head, width=width, overflow="fold")
    return table
