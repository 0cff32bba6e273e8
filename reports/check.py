"""Checks of priors before a run and of a run after it: tables and sentences."""

from collections.abc import Mapping, Sequence
from typing import Any

from reports.table import Table
from reports.terminal import render
from reports.words import (
    NOT_CONVERGED,
    chance,
    few_or_most,
    interval,
    method,
    near_end,
    number,
    untried,
    value,
)

Row = Mapping[str, Any]
Rows = Sequence[Row]
MOST_FLAGS = 20
"""Flagged test quantities in the table of a run."""
MOST = 12
"""Flagged test quantities of priors that are shown one by one."""
HEADLINE = "alignment_relevant"
LEVELS = "share of answers by level"
"""The test quantity of :mod:`forecast.analyses.predictive` on levels."""
HIGH = ("level 5", "level 6", "level 7")
"""Its elements that the strict headline hangs on."""


def check_tables(checks: Mapping[str, Any]) -> dict[str, Table]:
    """Return the tables of the checks that a run made of itself, by name; some without rows."""
    rows = {name: checks.get(key) or () for name, (key, _, _) in CHECKS.items()}
    rows["flagged"] = rows["flagged"][:MOST_FLAGS]
    return {
        name: Table.by_column(title, columns, rows[name])
        for name, (_, title, columns) in CHECKS.items()
    }


def flag_sentence(summary: Rows) -> str:
    """Return one sentence on how many test quantities are flagged, nothing without any."""
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
    parts = [
        f"{word} answers at {' and '.join(names)} than raters gave"
        for word, names in (("more", more), ("fewer", less))
        if names
    ]
    return f"Where ratings can tell, the fit misses: it expects {', and '.join(parts)}." * bool(
        parts
    )


def varied_table(rows: Rows, title: str = "") -> Table:
    """Return the table of variations of a run."""
    return Table.by_column(title, VARIED, rows)


def varied_notes(rows: Rows) -> list[str]:
    """Return what is to be said of variations' fits: made twice, or not converged, and why."""
    notes = []
    for row in rows:
        if row.get("retried"):
            notes.append(f"{row['setting']}: {row['retried']}.")
        if not row["converged"]:
            why = row.get("failures") or "no reason is kept"
            notes.append(f"{row['setting']}: {NOT_CONVERGED}, {why}.")
    return notes


def heavy_of(rows: Rows) -> float | None:
    """Return the strict headline with heavy-tailed agendas, where a converged rerun says it."""
    for row in rows:
        if row["what"] == "tails" and row["converged"]:
            return float(row[HEADLINE])
    return None


def near_forecast(row: Row) -> str:
    """Return a near prediction's probability, or its median with the 90% interval."""
    if row["kind"] == "probability":
        return chance(row["probability"])
    low, mid, high = (value(row[key], row["unit"]) for key in ("q05", "q50", "q95"))
    unit = "" if row["unit"] in ("share", "kappa", "ratio") else f" {row['unit']}"
    return f"{mid}{unit} ({low} to {high})"


def moved(row: Row) -> str:
    """Return a shift of the strict headline in points of a hundred, with its standard error."""
    shift, error = (100.0 * row[f"{HEADLINE}_{key}"] for key in ("shift", "mcse"))
    return f"{shift:+.2f} ± {error:.2f}"


def short_id(text: str, most: int = 60) -> str:
    """Return a row's id, cut where it names many works."""
    parts = text.split("+")
    return text if len(text) <= most else f"{parts[0]} and {len(parts) - 1} more"


def _p(x: float | None) -> str:
    return "none" if x is None else "<0.01" if x < 0.01 else f"{x:.2f}"


def _k(row: Row) -> str:
    k = row["pareto_k"]
    text = "infinite" if k is None or k != k or k > 1e3 else f"{k:.2f}"
    return text if row["trusted"] else f"{text} (not to be trusted)"


def _weight(r: Row) -> str:
    """Return the stacking weight of a row, and its elpd less the best one's."""
    if r.get("stacking_weight") is None:
        return ""
    text = f"{r['stacking_weight']:.2f}"
    return f"{text} ({r['elpd_diff']:.1f} ± {r['elpd_se']:.1f})" if r["elpd_diff"] else text


SUMMARY = {
    "table": lambda r: r["table"],
    "test quantities": lambda r: r["quantities"],
    "flagged": lambda r: r["flagged"],
    "by chance": lambda r: number(r["by_chance"]),
    "flagged under the prior alone": lambda r: r.get("flagged_prior", ""),
}
FLAGGED = {
    "table": lambda r: r["table"],
    "test quantity": lambda r: f"{r['statistic']}: {r['element']}",
    "observed": lambda r: number(r["observed"]),
    "replicated (5, 50, 95%)": lambda r: ", ".join(
        number(r[key]) for key in ("lower", "median", "upper")
    ),
    "p": lambda r: _p(r["p"]),
    "p, prior alone": lambda r: _p(r.get("p_prior")),
}
LOO = {
    "table": lambda r: r["table"],
    "rows": lambda r: r["rows"],
    "units": lambda r: number(r["units"]),
    "elpd": lambda r: f"{number(r['elpd'])} ± {number(r['se'])}",
    "effective parameters": lambda r: number(r["p_loo"]),
    "largest Pareto k": lambda r: number(r["k_max"]),
    "rows with k above the limit": lambda r: f"{r['k_bad']} (above 1: {r['k_very_bad']})",
}
INFLUENCE = {
    "table": lambda r: r["table"],
    "row": lambda r: short_id(r["row"]),
    "weight": lambda r: number(r["weight"]),
    "strict headline without it (points)": moved,
    "Pareto k": _k,
}
AGENDAS = {
    "agenda": lambda r: r["agenda"],
    "works": lambda r: number(r["works"]),
    "strict headline without them (points)": moved,
    "Pareto k": _k,
}
BACKCAST = {
    "level": lambda r: r["level"],
    "first milestone": lambda r: r["milestone"] or "none yet",
    "reached": lambda r: r["reached"] or "open",
    "model: first work (5.5, 50, 94.5%)": lambda r: ", ".join(
        str(r[key] or "later") for key in ("lower", "median", "upper")
    ),
    "model's chance by that year": lambda r: (
        "" if r["p_by_reached"] is None else chance(r["p_by_reached"])
    ),
    "by 2026": lambda r: chance(r["p_by_2026"]),
    "": lambda r: "outside" if r["outside"] else "",
}
OTHERS = {
    "forecaster": lambda r: r["forecaster"],
    "of what": lambda r: r["quantity"],
    "level, by": lambda r: f"{r['level']}, {r['by_year']}",
    "said": lambda r: interval({"lower": r["said_low"], "upper": r["said_high"]}),
    "model: level established": lambda r: f"{chance(r['mean'])} ({interval(r)})",
    "relation": lambda r: r["relation"],
    "counts": lambda r: number(r["counts"]),
    "verdict": lambda r: r["verdict"],
}
NEAR = {
    "id": lambda r: r["id"],
    "quantity": lambda r: r["quantity"],
    "forecast (median, 90%)": near_forecast,
    "resolves on": lambda r: r["resolves_on"],
    "by this rule": lambda r: r["rule"],
}
CHECKS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "summary": ("summary", "Evidence replicated by the fit", SUMMARY),
    "flagged": ("flagged", "Flagged: what the model does not reproduce", FLAGGED),
    "loo": ("loo", "Leaving one out (PSIS-LOO)", LOO),
    "influence": ("influence", "Rows that move the strict headline most", INFLUENCE),
    "agendas": ("agenda_influence", "Without the ratings of a whole agenda", AGENDAS),
    "backcast": ("backcast", "Milestones: the model's first work at each level", BACKCAST),
    "others": ("others", "What others forecast", OTHERS),
    "near": ("near", "Near predictions (rules: near.csv)", NEAR),
}
"""Each table of a run's checks: its key among them, its title and its columns."""
VARIED = {
    "what": lambda r: r["what"],
    "setting": lambda r: r["setting"],
    "strict headline": lambda r: (
        f"{chance(r[HEADLINE])} ({chance(r[f'{HEADLINE}_lower'])} to "
        f"{chance(r[f'{HEADLINE}_upper'])})"
    ),
    "change (points)": lambda r: (
        f"{100 * r[f'{HEADLINE}_change']:+.2f} ± {100 * r[f'{HEADLINE}_mcse']:.2f}"
    ),
    "alignment-used": lambda r: chance(r["alignment_used"]),
    "capabilities-relevant": lambda r: chance(r["capabilities_relevant"]),
    "capabilities-first": lambda r: chance(r["capabilities_first"]),
    "LOO weight": _weight,
    "how": method,
}


def run_check_text(name: str, context: Mapping[str, Any], *, varied: Mapping[str, Rows]) -> str:
    """Return the checks that a finished run made of itself, and its tables of variations.

    Parameters
    ----------
    name
        The run's name.
    context
        That of the run; its ``checks`` are read.
    varied
        ``structure`` and ``left_out``, where they were evaluated.
    """
    checks = context.get("checks") or {}
    tables = check_tables(checks)
    shown = [tables[key] for key in ("summary", "flagged", "loo", "influence", "backcast")]
    parts: list[tuple[Table, list[str]]] = [(table, []) for table in shown]
    parts.append((tables["near"].first(4), []))
    for key, title in (("structure", "Other structures"), ("left_out", "Without each table")):
        rows = varied.get(key, ())
        parts.append((varied_table(rows, title), varied_notes(rows)))
    sentence, ends = flag_sentence(checks.get("summary") or ()), _ends(varied.get("structure", ()))
    return render("check_run", name=name, sentence=sentence, parts=parts, ends=ends)


def _ends(structure: Rows) -> str:
    """Return what heavy tails make of a headline near 0 or 1, or why that is not known."""
    if not structure or not near_end(p := float(structure[0][HEADLINE])):
        return ""
    heavy = heavy_of(structure)
    more = untried({HEADLINE: {"mean": p}}, heavy)
    return few_or_most(p, heavy) + (f". {more}" if more else "")


STATED = {
    "prior": lambda r: r["prior"],
    "dist": lambda r: r["dist"],
    "stated 5, 50, 95%": lambda r: " ".join(number(r[f"stated_{q}"]) for q in (0.05, 0.5, 0.95)),
    "drawn": lambda r: " ".join(number(r[f"drawn_{q}"]) for q in (0.05, 0.5, 0.95)),
    "D": lambda r: f"{r['d']:.3f}",
    "p": lambda r: f"{r['p']:.2f}",
    "gap": lambda r: f"{r['density_gap']:.0e}",
    "": lambda r: "ok" if r["ok"] else "NOT AS STATED",
}


def prior_check_text(head: str, rows: Mapping[str, Rows], *, faults: Sequence[str]) -> str:
    """Return what a check of priors found.

    Parameters
    ----------
    head
        The first line.
    rows
        ``implied``, ``evidence``, ``evidence_summary`` and ``stated``; missing ones are left out.
    faults
        Sentences, printed last.
    """
    evidence, stated = rows.get("evidence") or (), rows.get("stated") or ()
    summary = {
        "table": lambda r: r["table"],
        "quantities": lambda r: r["quantities"],
        "outside": lambda r: r["flagged"],
        "by chance": lambda r: str(r["by_chance"]),
    }
    return render(
        "check_priors",
        head=head,
        implied=rows.get("implied") or (),
        evidence=evidence,
        summary_table=Table.by_column(
            "Evidence outside the central 99% of what the priors predict",
            summary,
            rows.get("evidence_summary") or (),
        ),
        flagged=sorted((row for row in evidence if row["flag"]), key=lambda row: row["p"]),
        most=MOST,
        stated=stated,
        stated_table=Table.by_column(
            "Each prior as sampled against as stated",
            STATED,
            stated,
            "D: largest gap of the distribution functions, drawn by PyMC and stated; p of so large "
            "a D by chance. Gap: largest difference of log densities, Jacobian included (nats).",
        ),
        faults=faults,
    )
