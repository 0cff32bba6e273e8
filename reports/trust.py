"""The checks of a run as the page and the terminal show them: tables of text from plain rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from reports.words import NOT_CONVERGED, chance, number, value

Rows = Sequence[Mapping[str, Any]]
MOST_FLAGS = 20
"""Flagged test quantities in the table."""
HEADLINE = "alignment_relevant"
LEVELS = "share of answers by level"
"""The test quantity of :mod:`forecast.analyses.predictive` on levels."""
HIGH = ("level 5", "level 6", "level 7")
"""Its elements that the strict headline hangs on."""


def trust_view(checks: Mapping[str, Any]) -> dict[str, Any]:
    """Return every table of the checks, as head and rows of text; empty ones without rows."""
    flagged = checks.get("flagged") or ()
    return {
        "told": bool(checks),
        "summary": table(_SUMMARY, checks.get("summary") or ()),
        "flagged": table(_FLAGGED, flagged[:MOST_FLAGS]),
        "more": max(len(flagged) - MOST_FLAGS, 0),
        "loo": table(_LOO, checks.get("loo") or ()),
        "influence": table(_INFLUENCE, checks.get("influence") or ()),
        "agendas": table(_AGENDAS, checks.get("agenda_influence") or ()),
        "backcast": table(_BACKCAST, checks.get("backcast") or ()),
        "others": table(_OTHERS, checks.get("others") or ()),
        "clusters": checks.get("clusters") or {},
        "near": table(_NEAR, checks.get("near") or ()),
        "sentence": flag_sentence(checks.get("summary") or ()),
    }


def table(columns: Mapping[str, Any], rows: Rows) -> dict[str, list[Any]]:
    """Return a table whose columns are functions of a row, by head."""
    return {
        "head": list(columns),
        "rows": [[cell(row) for cell in columns.values()] for row in rows],
    }


def flag_sentence(summary: Rows) -> str:
    """Return one sentence on how many test quantities are flagged."""
    if not summary:
        return ""
    total, flags = (sum(int(row[key]) for row in summary) for key in ("quantities", "flagged"))
    expected = sum(float(row["by_chance"]) for row in summary)
    return (
        f"Of {total} test quantities {flags} lie outside the central 99% of what the fit "
        f"replicates; about {number(expected)} would by chance."
    )


def misfit(flagged: Rows) -> str:
    """Return one clause on high levels of which the fit replicates other shares than were rated.

    ``flagged`` holds test quantities outside the central 99% of what the fit replicates.
    """
    rows = [row for row in flagged if row["statistic"] == LEVELS and row["element"] in HIGH]
    more = [row["element"] for row in rows if float(row["observed"]) < float(row["median"])]
    less = [row["element"] for row in rows if row["element"] not in more]
    told = [
        f"{word} answers at {' and '.join(names)} than raters gave"
        for word, names in (("more", more), ("fewer", less))
        if names
    ]
    if not told:
        return ""
    return f"Where ratings can tell, the fit misses: it expects {', and '.join(told)}."


def varied_table(rows: Rows) -> dict[str, list[Any]]:
    """Return the table of variations of a run."""
    return table(_VARIED, rows)


def varied_notes(rows: Rows) -> list[str]:
    """Return what is to be said of variations' fits: made twice, or not converged, and why."""
    out = []
    for row in rows:
        if row.get("retried"):
            out.append(f"{row['setting']}: {row['retried']}.")
        if not row["converged"]:
            why = row.get("failures") or "no reason is kept"
            out.append(f"{row['setting']}: {NOT_CONVERGED}, {why}.")
    return out


def heavy_of(rows: Rows) -> float | None:
    """Return the strict headline with heavy-tailed agendas, where a converged rerun says it."""
    for row in rows:
        if row["what"] == "tails" and row["converged"]:
            return float(row[HEADLINE])
    return None


def near_forecast(row: Mapping[str, Any]) -> str:
    """Return a near prediction's probability, or its median with the 90% interval."""
    if row["kind"] == "probability":
        return chance(row["probability"])
    low, mid, high = (value(row[key], row["unit"]) for key in ("q05", "q50", "q95"))
    unit = "" if row["unit"] in ("share", "kappa", "ratio") else f" {row['unit']}"
    return f"{mid}{unit} ({low} to {high})"


def moved(row: Mapping[str, Any]) -> str:
    """Return a shift of the strict headline in points of a hundred, with its standard error."""
    shift, error = (100.0 * row[f"{HEADLINE}_{key}"] for key in ("shift", "mcse"))
    return f"{shift:+.2f} ± {error:.2f}"


def short_id(text: str, most: int = 60) -> str:
    """Return a row's id, cut where it names many works."""
    parts = text.split("+")
    return text if len(text) <= most else f"{parts[0]} and {len(parts) - 1} more"


def _p(x: Any) -> str:
    return "none" if x is None else "<0.01" if x < 0.01 else f"{x:.2f}"


def _k(row: Mapping[str, Any]) -> str:
    k = row["pareto_k"]
    told = "infinite" if k is None or k != k or k > 1e3 else f"{k:.2f}"
    return told if row["trusted"] else f"{told} (not to be trusted)"


def _year(x: Any, none: str) -> str:
    return none if x is None else str(x)


_SUMMARY = {
    "table": lambda r: r["table"],
    "test quantities": lambda r: r["quantities"],
    "flagged": lambda r: r["flagged"],
    "by chance": lambda r: number(r["by_chance"]),
    "flagged under the prior alone": lambda r: r.get("flagged_prior", ""),
}
_FLAGGED = {
    "table": lambda r: r["table"],
    "test quantity": lambda r: f"{r['statistic']}: {r['element']}",
    "observed": lambda r: number(r["observed"]),
    "replicated (5, 50, 95%)": lambda r: ", ".join(
        number(r[key]) for key in ("lower", "median", "upper")
    ),
    "p": lambda r: _p(r["p"]),
    "p, prior alone": lambda r: _p(r.get("p_prior")),
}
_LOO = {
    "table": lambda r: r["table"],
    "rows": lambda r: r["rows"],
    "units": lambda r: number(r["units"]),
    "elpd": lambda r: f"{number(r['elpd'])} ± {number(r['se'])}",
    "effective parameters": lambda r: number(r["p_loo"]),
    "largest Pareto k": lambda r: number(r["k_max"]),
    "rows with k above the limit": lambda r: f"{r['k_bad']} (above 1: {r['k_very_bad']})",
}
_INFLUENCE = {
    "table": lambda r: r["table"],
    "row": lambda r: short_id(r["row"]),
    "weight": lambda r: number(r["weight"]),
    "strict headline without it (points)": moved,
    "Pareto k": _k,
}
_AGENDAS = {
    "agenda": lambda r: r["agenda"],
    "works": lambda r: number(r["works"]),
    "strict headline without them (points)": moved,
    "Pareto k": _k,
}
HOW = {
    "exact": "exact",
    "reweighted": "reweighted",
    "moment-matched": "draws moved",
    "refit": "fit of its own",
}
"""How an answer was obtained (:func:`forecast.engine.evaluate`), in words."""


def _how(r: Mapping[str, Any]) -> str:
    k = r.get("pareto_k")
    weighed = r["how"] in ("reweighted", "moment-matched")
    told = HOW[r["how"]] + (f", k {k:.2f}" if weighed else "")
    return told if r["converged"] else f"{told}: NOT CONVERGED"


def _weight(r: Mapping[str, Any]) -> str:
    """Return the stacking weight of a row, and its elpd less the best one's."""
    if r.get("stacking_weight") is None:
        return ""
    told = f"{r['stacking_weight']:.2f}"
    return f"{told} ({r['elpd_diff']:.1f} ± {r['elpd_se']:.1f})" if r["elpd_diff"] else told


def _varied(name: str) -> Any:
    return lambda r: (
        f"{chance(r[name])} ({chance(r[f'{name}_lower'])} to {chance(r[f'{name}_upper'])})"
    )


_VARIED = {
    "what": lambda r: r["what"],
    "setting": lambda r: r["setting"],
    "strict headline": _varied(HEADLINE),
    "change (points)": lambda r: (
        f"{100 * r[f'{HEADLINE}_change']:+.2f} ± {100 * r[f'{HEADLINE}_mcse']:.2f}"
    ),
    "alignment-used": lambda r: chance(r["alignment_used"]),
    "capabilities-relevant": lambda r: chance(r["capabilities_relevant"]),
    "capabilities-first": lambda r: chance(r["capabilities_first"]),
    "LOO weight": _weight,
    "how": _how,
}
_BACKCAST = {
    "level": lambda r: r["level"],
    "first milestone": lambda r: r["milestone"] or "none yet",
    "reached": lambda r: _year(r["reached"], "open"),
    "model: first work (5.5, 50, 94.5%)": lambda r: ", ".join(
        _year(r[key], "later") for key in ("lower", "median", "upper")
    ),
    "model's chance by that year": lambda r: (
        "" if r["p_by_reached"] is None else chance(r["p_by_reached"])
    ),
    "by 2026": lambda r: chance(r["p_by_2026"]),
    "": lambda r: "outside" if r["outside"] else "",
}
_OTHERS = {
    "forecaster": lambda r: r["forecaster"],
    "of what": lambda r: r["quantity"],
    "level, by": lambda r: f"{r['level']}, {r['by_year']}",
    "said": lambda r: (
        chance(r["said_low"])
        if r["said_low"] == r["said_high"]
        else f"{chance(r['said_low'])} to {chance(r['said_high'])}"
    ),
    "model: level established": lambda r: (
        f"{chance(r['mean'])} ({chance(r['lower'])} to {chance(r['upper'])})"
    ),
    "relation": lambda r: r["relation"],
    "counts": lambda r: number(r["counts"]),
    "verdict": lambda r: r["verdict"],
}
_NEAR = {
    "id": lambda r: r["id"],
    "quantity": lambda r: r["quantity"],
    "forecast (median, 90%)": near_forecast,
    "resolves on": lambda r: r["resolves_on"],
    "by this rule": lambda r: r["rule"],
}
