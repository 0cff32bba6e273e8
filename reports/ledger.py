"""What a ledger holds and how it scored, for the terminal."""

from collections.abc import Mapping, Sequence
from typing import Any

from reports.table import Table
from reports.terminal import render
from reports.words import chance, number, value

Row = Mapping[str, Any]


def list_text(rows: Sequence[Row]) -> str:
    """Return forecasts as a table: id, state, dates, forecast and outcome, and of what."""
    if not rows:
        return "No such forecast in the ledger."
    columns = {
        "id": lambda r: r["id"],
        "state": lambda r: r["state"],
        "resolves": lambda r: str(r["resolves_on"]),
        "forecast": forecast_text,
        "of": lambda r: r["quantity"] + (f" [{r['key']}]" if r.get("key") else ""),
    }
    return Table.by_column("", columns, rows).text(widths=(12, 8, 10, 24, 36))


def forecast_text(r: Row) -> str:
    """Return a forecast, and its outcome if it has one, in few words."""
    unit, outcome = str(r.get("unit") or ""), r.get("outcome")
    if r.get("probability") is not None:
        text = chance(r["probability"])
        return text if outcome is None else f"{text}; was {'yes' if outcome else 'no'}"
    values = [value(x, unit) for _, x in r["quantiles"]]
    text = values[len(values) // 2] + (f" ({values[0]} to {values[-1]})" if values[1:] else "")
    return text if outcome is None else f"{text}; was {value(outcome, unit)}"


def scores_text(summary: Row) -> str:
    """Return the scores of a ledger: counts, probabilities, quantiles by unit."""
    p, units = summary["probabilities"], summary["quantiles"]
    rows = (
        {
            "mean probability": chance(p["mean_probability"]),
            "resolved yes": f"{p['share_yes'] * p['n']:.0f} of {p['n']}",
            "Brier score": number(p["brier"]),
            "  miscalibration": number(p["miscalibration"]),
            "  discrimination": number(p["discrimination"]),
            "  uncertainty": number(p["uncertainty"]),
            "log score": number(p["log_score"]),
        }
        if p["n"]
        else {}
    )
    columns = {
        "quantiles, by unit": lambda r: r["unit"] or "none",
        "n": lambda r: r["n"],
        "CRPS": lambda r: number(r["crps"]),
        "inside the outermost two": lambda r: (
            f"{r['inside']} of {r['intervals']}, {number(r['inside_expected'])} expected"
        ),
    }
    score_tables = [
        Table.of("", ("probabilities", ""), rows.items()),
        Table.by_column("", columns, units),
    ]
    return render("ledger", **summary, score_tables=score_tables, about=bool(rows or units))
