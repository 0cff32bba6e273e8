"""Plain data that text, page and figures read: no run object goes down to ``reports``."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from forecast.arrays import REFERENCE, Evidence
from forecast.config import Config
from forecast.convergence import RULE, Diagnosis
from forecast.evidence import LONG, TABLE_NAMES, Tables, find_evidence, rater_kinds
from models.quantities import CLAIMS, QUANTITIES
from reports.verdicts import in_words, side, verdicts
from reports.words import NO_TABLE, chance

MODEL_TABLES = {
    "workers": ("workers",),
    "paper_counts": ("lists",),
    "agenda_fte": ("fte",),
    "fault_counts": ("studies",),
    "diagnosis": ("diagnosis",),
    "uses": ("lags", "ratings"),
    "ratings": ("ratings",),
    "works": ("ratings",),
}
"""Evidence tables that enter a likelihood, and the arrays that they fill."""


def frames_of(
    tables: Tables, works: list[dict[str, Any]], *, learned: list[dict[str, Any]]
) -> dict:
    """Return the frames that figures draw from: evidence rows and per-work posteriors."""
    figures = ("row", "group", "year", "low", "central", "high", "kind", "definition", "use")
    return {
        "works": works,
        "workers": [
            _pick(row, (*figures, "source")) | {"reference": row.definition == REFERENCE[row.group]}
            for row in tables.workers
        ],
        "milestones": [
            _pick(row, ("milestone", "level", "name", "reached", "work"))
            for row in tables.milestones
        ],
        "forecasts": [row.model_dump() for row in tables.forecasts],
        "sources": [_pick(row, ("source", "title", "year", "where")) for row in tables.sources],
        "agendas": [_pick(row, ("agenda", "family", "name")) for row in tables.agendas],
        "diagnostics": learned,
        "ratings_agreement": agreement(tables),
    }


def _pick(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def agreement(tables: Tables) -> list[dict[str, Any]]:
    """Return, by pair of raters, the share of works on which they agree exactly, by column."""
    rows, names = tables.ratings, tables.ratings.distinct("rater")
    work, rater = rows.places("work", tables.works.text("work")), rows.places("rater", names)
    place = np.full((len(names), len(tables.works)), -1)
    place[rater, work] = np.arange(len(rows))
    out = []
    for i, a in enumerate(names):
        for j, b in enumerate(names[i + 1 :], i + 1):
            both = (place[i] >= 0) & (place[j] >= 0)
            line: dict[str, Any] = {"a": a, "b": b, "works": int(both.sum())}
            for column in ("level", "tracks", "cap_use", "ali_use"):
                said = rows.whole(column)
                x, y = said[place[i, both]], said[place[j, both]]
                known = (x >= 0) & (y >= 0)
                line[column] = float(np.mean(x[known] == y[known])) if known.any() else None
            out.append(line)
    return out


def rated_works(tables: Tables, held: np.ndarray) -> int:
    """Return how many works have one of the ratings ``held``, dims (rating,)."""
    return len(pc.unique(tables.ratings.text("work").filter(pa.array(held))))


def evidence_summary(tables: Tables, evidence: Evidence) -> dict[str, Any]:
    """Return which tables were read, how many rows enter the fit, and which are empty."""
    rows = []
    for name in TABLE_NAMES:
        held = getattr(tables, name)
        arrays = MODEL_TABLES.get(name, ())
        weight = sum(float(evidence.arrays[a]["weight"].sum()) for a in arrays)
        judged = () if name in LONG else held  # all rows of long tables enter
        n = len(held) - sum(getattr(row, "use", "fit") != "fit" for row in judged) if arrays else 0
        rows.append({"name": name, "rows": len(held), "fit": n, "weight": weight})
    empty = [r["name"] for r in rows if r["name"] in MODEL_TABLES and not r["fit"]]
    return {"folder": folder_name(tables), "tables": rows, "empty": empty}


def folder_name(tables: Tables) -> str:
    """Return what a reader is told of the tables' folder: never where it lies on a machine."""
    folder = tables.folder.resolve()
    return "shipped tables" if folder == find_evidence(None).resolve() else folder.name


def diagnostics_dict(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return the content of diagnostics.json, the worst parameters first."""
    rows = sorted(diagnosis.rows, key=lambda row: row[2])
    names = ("parameter", "r_hat", "ess_bulk", "ess_tail")
    return {
        "converged": diagnosis.converged,
        "rule": RULE,
        "failures": list(diagnosis.failures),
        "retried": diagnosis.retried,
        "max_rhat": diagnosis.max_rhat,
        "min_ess_bulk": diagnosis.min_ess_bulk,
        "min_ess_tail": diagnosis.min_ess_tail,
        "divergences": diagnosis.divergences,
        "bfmi": diagnosis.min_bfmi,
        "leapfrog_steps": diagnosis.leapfrog,
        "n_parameters": len(rows),
        "parameters": [dict(zip(names, row, strict=True)) for row in rows],
    }


def claims_context(
    rows: list[dict[str, Any]], *, learned: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the claims in order, with the verdict and the quantities' prior and posterior."""
    out, told = [], verdicts(rows, learned)
    for key, claim in CLAIMS.items():
        found = []
        for row in rows:
            if row["claim"] == key:
                q = QUANTITIES[row["quantity"]]
                label = f"{q.label} ({in_words(row)})" if row["element"] else q.label
                found.append(
                    {"name": q.name, "label": label, "unit": q.unit, "question": q.question}
                    | {g: _part(row, g) for g in ("prior", "posterior")}
                )
        word, sentence = told[key]
        way = side(row for row in rows if row["claim"] == key)
        out.append(
            {"id": key, "who": claim.who, "text": claim.text, "quantities": found}
            | {"evidence": word, "verdict": sentence, "side": way}
        )
    return out


def _part(row: dict[str, Any], group: str) -> dict[str, float]:
    return {key: row[f"{group}_{key}"] for key in ("mean", "lower", "median", "upper")}


def levels_2026(posterior: dict[str, np.ndarray], tables: Tables) -> list[dict[str, Any]]:
    """Return how many works at levels 5-7 the model thinks exist, beside how many were rated so."""
    from forecast.summaries import spread

    out, level = [], tables.ratings.whole("level")
    for k in (5, 6, 7):
        reached = [m.name for m in tables.milestones if m.level == k and m.reached]
        row: dict[str, Any] = {"level": k, "rated": rated_works(tables, level >= k)}
        row |= {"milestones": reached}
        out.append(row | spread(posterior["works_at_level"][:, k - 1]))
    return out


def not_observed(tables: Tables) -> list[str]:
    """Return, in sentences, what the headline needs and no rating shows."""
    said = {0: "no work", 1: "one work", 2: "two works", 3: "three works"}
    level = tables.ratings.whole("level")
    count = {k: rated_works(tables, level == k) for k in (7, 6, 5)}
    rated = [f"{said.get(n, f'{n} works')} at level {k}" for k, n in count.items()]
    return [
        f"Raters put {rated[0]} (the highest), {rated[1]} and {rated[2]}: what lies above is "
        "extrapolation by priors.",
        "No rating says how likely a used work then contributes, whether values stay, how far "
        "the field gets, or which share of uses is documented.",
    ]


def raters_of(tables: Tables) -> dict[str, str]:
    """Return the kind of each rater that rated any work."""
    rated = set(tables.ratings.distinct("rater"))
    return {name: kind for name, kind in rater_kinds(tables).items() if name in rated}


def has_evidence(evidence: Evidence) -> bool:
    """Return whether any row of any table has weight."""
    return any(np.any(columns.get("weight", 0.0)) for columns in evidence.arrays.values())


def untouched_text(share: float, parts: list[dict[str, Any]]) -> str:
    """Return the sentence on the share of variance that no evidence touches."""
    if share == 1.0:
        return NO_TABLE
    told = f"{chance(share)} of the strict headline's variance lies in beliefs that no evidence "
    if not parts:
        return told + "touches, none of which alone makes up 1% of it."
    rest = share - sum(part["share"] for part in parts)
    more = f"; together they add {chance(rest)} more" if rest >= 0.01 else ""
    return (
        f"{told}touches. Knowing one of them for sure would take off: "
        + ", ".join(f"{part['parameter']} {chance(part['share'])}" for part in parts)
        + f" (any other below 1%{more})."
    )


def base_context(config: Config, head: dict[str, Any]) -> dict[str, Any]:
    """Return what the page says about the priors file and the question."""
    return {
        "name": config.name,
        "author": config.author,
        "date": str(config.date),
        "summary": config.summary,
        "question": {"cohort": head["cohort"], "horizon": head["horizon"]},
        "headline": head,
    }
