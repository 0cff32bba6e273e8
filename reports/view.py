"""What the page and the terminal show, from the plain data that a run hands over.

The claims as the page shows them: quantities, small interval plots, and what is left out.

The ladder of levels as the page shows it, and where ratings and milestones disagree.

The checks of a run as the page and the terminal show them: tables of text from plain rows.

Agendas compared in pairs: the matrices of the page, and what agendas share.
"""

import csv
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from models.dims import STEPS
from models.parameters import SLOTS
from models.quantities import OUTCOMES, QUANTITIES
from reports.words import (
    AGAINST,
    AGAINST_IT,
    AGREEMENT,
    ALONE,
    BOTH_WAYS,
    CHANCES,
    CONFLICT,
    FOR,
    HARDLY,
    LEAST,
    LEVEL_NAMES,
    NO_SIDE,
    NOT_CONVERGED,
    SAME_BAR,
    SIDED,
    USE_NOT_BENEFIT,
    chance,
    filled,
    how,
    interval,
    known,
    number,
    opening,
    outside_text,
    outside_view,
    rated_by,
    untried,
    value,
)

MANY = 16
"""Entries of one quantity above which the page folds them away."""


def claim_row(claim: Mapping[str, Any]) -> dict[str, Any]:
    """Return a claim with a small interval plot for each quantity; long ones under ``more``.

    ``sure`` counts the entries left out: chances above 99.9% in prior and posterior.
    """
    told = claim.get("quantities", [])
    every = [{**q, "plot": interval_plot(q)} for q in told if not is_sure(q)]
    entries = Counter(q["name"] for q in every)
    few = [q for q in every if entries[q["name"]] <= MANY]
    more = [q for q in every if entries[q["name"]] > MANY]
    return {**claim, "quantities": few, "more": more, "sure": len(told) - len(every)}


def is_sure(q: Mapping[str, Any]) -> bool:
    """Return whether a chance is above 99.9% throughout, before and after the evidence."""
    rows = [q.get("prior"), q.get("posterior")]
    ends = [r[key] for r in rows if r for key in ("lower", "mean")]
    return q.get("unit") in CHANCES and len(ends) == 4 and min(ends) > 1 - LEAST


def interval_plot(q: Mapping[str, Any]) -> dict[str, Any]:
    """Return positions (0 to 100) of prior and posterior on one axis, and its two ends as text.

    Chances lie on 0 to 1; others between the widest ends, on a log scale where all are positive.
    """
    rows = {key: q[key] for key in ("prior", "posterior") if q.get(key)}
    values = [r[key] for r in rows.values() for key in ("lower", "median", "upper")]
    values = [x for x in values if x is not None and np.isfinite(x)]
    if not values:
        return {}
    chances = q.get("unit") in CHANCES
    low, high = (0.0, 1.0) if chances else (min(values), max(values))
    scale = np.log if not chances and low > 0 else np.asarray
    width = float(scale(high) - scale(low)) or 1.0
    out: dict[str, Any] = {
        key: {
            name: round(100.0 * float(scale(r[name]) - scale(low)) / width, 1)
            for name in ("lower", "median", "upper")
        }
        for key, r in rows.items()
    }
    ends = ("0%", "100%") if chances else (number(low), number(high))
    return out | {"low": ends[0], "high": ends[1], "log": scale is np.log}


def milestone_rows(c: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return per level: when established, works by 2026, works rated, feats reached and open."""
    told = c["headline"].get("milestones", {})
    works = {int(r["level"]): r for r in c["works_by_2026"]}
    out = []
    for level in STEPS:
        feats = [r for r in c["milestones"] if str(r.get("level", "")) == str(level)]
        out.append(
            {
                "level": level,
                "name": LEVEL_NAMES[level],
                "told": told.get(str(level)) or told.get(level),
                "works": works.get(level),
                "reached": [r["name"] for r in feats if r.get("reached")]
                or list((works.get(level) or {}).get("milestones", ())),
                "open": [r["name"] for r in feats if not r.get("reached")],
            }
        )
    return out


def open_levels(milestones: Any) -> list[int]:
    """Return the levels that have milestones, all of them open."""
    reached: dict[int, bool] = {}
    for r in milestones:
        level = int(r["level"])
        reached[level] = reached.get(level, False) or bool(r.get("reached"))
    return sorted(level for level, done in reached.items() if not done)


def disagreement(c: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each work that raters or the model place where no milestone is reached.

    Its place is the level that most of its raters give, or the model's mean level.
    """
    never = open_levels(c["milestones"])
    out = []
    for work in c["works"]:
        levels = [r["level"] for r in work.get("ratings", ()) if r.get("level") is not None]
        rated, votes = Counter(levels).most_common(1)[0] if levels else (None, 0)
        chances = [float(work.get(f"p_level_{k}") or 0.0) for k in (0, *STEPS)]
        mean = sum(k * p for k, p in enumerate(chances))
        by_raters = rated in never and 2 * votes > len(levels)
        level = rated if by_raters else round(mean)
        if level in never:
            out.append(
                f"“{work['title']}”: {votes if by_raters else levels.count(level)} of "
                f"{len(levels)} raters say level {level}; the model gives level {level} or above "
                f"a chance of {chance(sum(chances[level:]))} (mean level {mean:.1f}); "
                f"milestones.csv holds every milestone of level {level} to be open."
            )
    return out


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
"""How an answer was obtained (:func:`forecast.inference.evaluate.evaluate`), in words."""


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


MAIN = (
    "alignment_relevant",
    "alignment_used",
    "capabilities_relevant",
    "alignment_used_by_others",
    "capabilities_used_by_others",
    "capabilities_first",
)
"""The quantities of the first table."""
SAME_BAR_TITLE, MAIN_TITLE = "Same bar: documented use", "A work ends up"
"""Titles of the first two tables, in the terminal and in the README."""
SAME_BAR_SPLIT, STRICT_SPLIT = OUTCOMES[6:10], OUTCOMES[10:14]
BY_AGENDA = ("alignment_relevant", "alignment_used", "capabilities_relevant", "capabilities_first")
ABOUT = ("setting", "how", "pareto_k", "r_hat", "ess", "converged")
"""What a variation's row says of itself, not of a quantity."""
WORST = 15
"""Parameters in the table of the worst diagnosed."""
EMPTY: dict[str, Any] = {
    "name": "forecast",
    "author": "",
    "date": "",
    "summary": "",
    "question": {},
    "headline": {},
    "worldviews": [],
    "claims": [],
    "diagnostics": {},
    "evidence": {},
    "variance_share": {},
    "leads": {},
    "not_observed": [],
    "unit_headlines": {},
    "halo": [],
    "shared_error": [],
    "works_by_2026": [],
    "figures": [],
    "manifest": {},
    "works": [],
    "experts": [],
    "parameters": [],
    "milestones": [],
    "forecasts": [],
    "sources": [],
    "agendas": [],
    "ratings_agreement": [],
    "raters": None,
    "checks": {},
    "structure": [],
    "left_out": [],
}
"""Every key of a context, with what stands in place of a missing one."""


CHECKS: dict[str, Any] = {
    "rule": "",
    "failures": [],
    "max_rhat": None,
    "min_ess_bulk": None,
    "min_ess_tail": None,
    "divergences": None,
    "bfmi": None,
}
"""What diagnostics hold, when nothing is known."""


def _opening(c: Mapping[str, Any], found: Any, *, question: Mapping[str, Any]) -> list[str]:
    told = opening(found, question, heavy=heavy_of(c["structure"]), leads=c["leads"])
    return told + outside_text(c["headline"])


def make_view(context: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything the templates read.

    Parameters
    ----------
    context
        Plain data under the keys of :data:`EMPTY`. ``headline`` is headline.json; ``parameters``,
        ``milestones``, ``forecasts``, ``agendas`` and ``ratings_agreement`` are the rows of the
        frames of the same use (``parameters``: the diagnostics of each).

    Returns
    -------
    dict
        The context without gaps, and tables made from it.
    """
    c = EMPTY | {key: value for key, value in context.items() if value is not None}
    c["diagnostics"] = CHECKS | c["diagnostics"]
    c["evidence"] = {"folder": "", "tables": [], "empty": []} | c["evidence"]
    head = c["headline"]
    found, prior = head.get("quantities", {}), head.get("prior", {})
    question = {"cohort": head.get("cohort"), "horizon": head.get("horizon")} | c["question"]
    names = {str(r["agenda"]): str(r.get("name") or r["agenda"]) for r in c["agendas"]}
    c |= _said(c, found, question=question)
    return c | {
        "outside": outside_view(head),
        "question": question,
        "converged": is_converged(c),
        "found": found,
        "prior": prior,
        "main": [name for name in (*SAME_BAR_SPLIT, *MAIN) if name in found],
        "strict_split": [name for name in STRICT_SPLIT if name in found],
        "agenda_rows": agenda_rows(head, names),
        "milestone_rows": milestone_rows(c),
        "disagreement": disagreement(c),
        "claim_rows": [claim_row(claim) for claim in c["claims"]],
        "conflicts": [conflict_row(r) for r in conflicts(c["parameters"])],
        "worst": worst(c["parameters"] or c["diagnostics"].get("parameters", ())),
        "bfmi": cell(c["diagnostics"].get("bfmi")),
        "variance_parts": [
            r | {"question": question_of(r["parameter"])}
            for r in c["variance_share"].get("parts", ())
        ],
        "units": unit_rows(c["unit_headlines"]),
        "agreement": agreement_table(c["ratings_agreement"]),
        "experts": plain_table(c["experts"]),
        "settings": {key: setting_table(c[key]) for key in ("halo", "shared_error")},
        "trust": trust_view(c["checks"]),
        "varied": {key: varied_table(c[key]) for key in ("structure", "left_out")},
        "varied_notes": {key: varied_notes(c[key]) for key in ("structure", "left_out")},
        "provenance": list(flat_rows(c["manifest"])),
        "captions": {f["name"]: f for f in c["figures"]},
    }


def _said(c: Mapping[str, Any], found: Any, *, question: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sentences of the first screen."""
    return {
        "opening": _opening(c, found, question=question),
        "standing": standing(c),
        "untried": _untried(c),
        "by_side": by_side(c["claims"]),
    }


def is_converged(c: Mapping[str, Any]) -> bool:
    """Return whether the run met its rule; what does not say so did not."""
    told = (c.get("headline") or {}).get("converged"), (c.get("diagnostics") or {}).get("converged")
    return True in told and False not in told


def standing(c: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the standing sentences, each with the section of the page that says more, if any."""
    unseen = " ".join(str(one) for one in c["not_observed"])
    if not unseen:
        unseen = "Levels without rated works are extrapolation by priors."
    missed = misfit(c["checks"].get("flagged") or ())
    resting = " ".join(filter(None, ("What rests on no observation:", unseen, missed)))
    out = [(USE_NOT_BENEFIT, ""), (SAME_BAR, ""), (resting, "#trust" if missed else "")]
    out += [(tails, "#trust")] if (tails := _untried(c)) else []
    return [*out, (rated_by(c["raters"]), "")]


def _untried(c: Mapping[str, Any]) -> str:
    return untried(c["headline"].get("quantities", {}), heavy_of(c["structure"]))


def agenda_rows(head: Mapping[str, Any], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return outcomes by agenda, most strictly relevant first."""
    rows = [
        {"agenda": key, "name": names.get(key, key), "found": found}
        for key, found in head.get("by_agenda", {}).items()
    ]
    return sorted(rows, key=lambda r: -r["found"].get(BY_AGENDA[0], {}).get("mean", 0.0))


def conflicts(parameters: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the beliefs in conflict with their prior, the farthest shifted first."""
    found = [r for r in parameters if r.get("learned") == CONFLICT]
    return sorted(found, key=lambda r: -abs(float(r["shift"])))


def by_side(claims: Iterable[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    """Return what the evidence says of the claims, in words, and the ids after each phrase.

    Empty where the claims, of an older run, have no ``side``.
    """
    rows = [one for one in claims if "side" in one]
    moved = [one for one in rows if one["evidence"] in SIDED]
    sided = [(word, [c["id"] for c in moved if c["side"] == key]) for key, word in _TOLD.items()]
    rest = [(word, [c["id"] for c in rows if c["evidence"] == key]) for key, word in _REST.items()]
    return [(word, ids) for word, ids in (*sided, *rest) if ids]


_TOLD = {
    FOR: "the evidence speaks for",
    AGAINST_IT: "it speaks against",
    BOTH_WAYS: "it speaks both ways on",
    NO_SIDE: "it takes no side on",
}
_REST = {
    HARDLY: "it hardly moves",
    ALONE: "it does not touch",
    AGAINST: "in part the prior expected otherwise:",
}


def worst(parameters: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the parameters with the fewest effective draws."""

    def least(r: Mapping[str, Any]) -> float:
        return min(float(r["ess_bulk"]), float(r["ess_tail"]))

    drawn = [r for r in parameters if known(r.get("ess_bulk")) and known(r.get("ess_tail"))]
    return sorted(drawn, key=least)[:WORST]


def conflict_row(r: Mapping[str, Any]) -> dict[str, Any]:
    """Return a belief in conflict with its prior: median and interval before and after."""
    keys = ("median", "lower", "upper")
    before, after = ({k: float(r[f"{g}_{k}"]) for k in keys} for g in ("prior", "posterior"))
    slot = SLOTS.get(str(r["parameter"]))
    return {
        "parameter": str(r["parameter"]),
        "question": question_of(r["parameter"]),
        "unit": slot.unit if slot else "",
        "prior": before,
        "posterior": after,
        "shift": float(r["shift"]),
        "sd_ratio": float(r["sd_ratio"]),
    }


def question_of(name: object) -> str:
    """Return the question that a belief answers, nothing for a name that is no belief's."""
    slot = SLOTS.get(str(name))
    return slot.question if slot else ""


def unit_rows(units: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return strict relevance by the unit in which a level counts as established."""
    as_row = {k: v if isinstance(v, Mapping) else {"mean": v} for k, v in units.items()}
    return [(str(unit), dict(found)) for unit, found in as_row.items() if found]


def plain_table(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return rows of any columns as a head and cells of text."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    return {
        "head": [str(key).replace("_", " ") for key in columns],
        "rows": [[cell(row.get(key)) for key in columns] for row in rows],
    }


def agreement_table(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return the agreement of each pair of raters, under heads that say what is shared."""
    return plain_table([{AGREEMENT.get(key, key): x for key, x in row.items()} for row in rows])


def setting_table(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return quantities by setting: a row each, a column for each setting, and how it was got."""
    keys = dict.fromkeys(key for row in rows for key in row)
    names = [key for key in keys if key not in ABOUT]
    return {
        "head": ["", *(str(row.get("setting", "")) for row in rows)],
        "rows": [
            [label(name), *(spread_cell(row.get(name), name) for row in rows)] for name in names
        ],
        "how": "; ".join(f"{row.get('setting', '')}: {how(row, names)}" for row in rows),
    }


def spread_cell(found: Mapping[str, Any] | None, name: str) -> str:
    """Return median and interval of a quantity in its unit, '-' where it was withheld."""
    if not isinstance(found, Mapping):
        return "-" if found is None else cell(found)
    unit = QUANTITIES[name].unit if name in QUANTITIES else ""
    return f"{value(found['median'], unit)} ({interval(found, unit)})"


def cell(x: object) -> str:
    """Return any value as the text of a cell."""
    if isinstance(x, bool) or x is None:
        return {True: "yes", False: "no", None: "none"}[x]
    if isinstance(x, Mapping) and {"median", "lower", "upper"} <= set(x):
        return f"{number(x['median'])} ({number(x['lower'])} to {number(x['upper'])})"
    if isinstance(x, Mapping):
        return ", ".join(f"{key} {cell(value)}" for key, value in x.items())
    if isinstance(x, list | tuple):
        return ", ".join(map(cell, x))
    return number(x) if isinstance(x, float) else str(x)


def flat_rows(data: Mapping[str, Any], before: str = "") -> Iterable[tuple[str, str]]:
    """Yield the entries of nested data, one row each."""
    for key, x in data.items():
        name = f"{before}{key}"
        if isinstance(x, Mapping):
            yield from flat_rows(x, f"{name} / ")
        else:
            yield name, cell(x)


def label(name: str) -> str:
    """Return a quantity's label for people."""
    return QUANTITIES[name].label if name in QUANTITIES else name.replace("_", " ")


FILE = "agenda_pairs.csv"
"""The table in the run's folder."""
EVERY = "every other"
"""What stands for all other agendas at once, in the column ``other``; no key has a space."""
SURE = 0.9
"""Probability from which one agenda is told apart from another."""
SHARED = ("on_target", "gate_tracked", "leak_untracked", "value_constancy")
"""Beliefs of the strict sense that are one number for all agendas, wherever levels count."""
REACH = ("stop_6", "stop_7")
"""Likewise of how far the field gets."""
OWN = (
    "maturity_agenda",
    "maturity_agenda_own",
    "effort_slope_z",
    "tracking_agenda_z",
    "capabilities_agenda",
    "alignment_agenda_z",
    "agenda_share_z",
)
"""Every variable of the model that has an element for each agenda."""
Pairs = dict[tuple[str, str], tuple[float, float | None]]


def parts(folder: Path, view: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the page reads: ``pair_tables``, ``sure`` in points, and what is ``shared``."""
    rows = view["agenda_rows"]
    options = view["manifest"].get("options") or {}
    return {
        "pair_tables": pair_tables(folder, rows),
        "sure": round(100 * SURE),
        "shared": shared_facts(rows, str(options.get("established_in", "field"))),
    }


def read_pairs(folder: Path) -> dict[str, Pairs]:
    """Return (probability, error) by quantity and (agenda, other), nothing where none is kept."""
    out: dict[str, Pairs] = {}
    path = folder / FILE
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                told = (float(row["probability"]), filled(row["mcse"]))
                out.setdefault(row["quantity"], {})[row["agenda"], row["other"]] = told
    return out


def pair_tables(folder: Path, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return one matrix for each quantity of the run's table of pairs, in its order.

    Parameters
    ----------
    folder
        Of the run.
    rows
        ``agenda``, ``name`` and ``found`` of each agenda; see :func:`reports.view.agenda_rows`.
    """
    made = []
    for quantity, pairs in read_pairs(folder).items():
        some = [r for r in rows if (r["agenda"], EVERY) in pairs and quantity in r["found"]]
        order = sorted(some, key=lambda r: -r["found"][quantity]["mean"])
        if len(order) > 1:
            made.append(_table(quantity, pairs, order=order))
    return made


def _table(quantity: str, pairs: Pairs, *, order: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    keys = [r["agenda"] for r in order]
    return {
        "label": QUANTITIES[quantity].label,
        "names": [r["name"] for r in order],
        "rows": [
            {
                "name": r["name"],
                "largest": points(pairs[r["agenda"], EVERY][0]),
                "cells": [_cell(pairs.get((r["agenda"], key))) for key in keys],
            }
            for r in order
        ],
        "sentences": [_top(pairs, order=order), _count(pairs, keys), _first(pairs, order=order)],
    }


def _cell(told: tuple[float, float | None] | None) -> tuple[str, bool]:
    """Return a cell's text, and whether its row is told apart as the larger."""
    return ("–", False) if told is None else (points(told[0]), told[0] >= SURE)


def points(p: float) -> str:
    """Return a probability in whole points of a hundred, cut off below 1 and above 99."""
    return "<1" if p < 0.01 else ">99" if p > 0.99 else f"{100 * p:.0f}"


def apart(p: float) -> bool:
    """Return whether a probability tells two agendas apart, one way or the other."""
    return p >= SURE or p <= 1.0 - SURE


def _top(pairs: Pairs, *, order: Sequence[Mapping[str, Any]]) -> str:
    """Return the sentence on the two agendas with the highest means."""
    first, second = order[:2]
    p, error = pairs[first["agenda"], second["agenda"]]
    verdict = "are told apart" if apart(p) else "are not told apart"
    beside = f" (Monte Carlo error {100 * error:.1g})" if error else ""
    return (
        f"The two agendas with the highest means, {first['name']} and {second['name']}, {verdict}: "
        f"the first is the larger with probability {chance(p)}{beside}."
    )


def _count(pairs: Pairs, keys: Sequence[str]) -> str:
    """Return the sentence on how many pairs are told apart."""
    told = [apart(pairs[pair][0]) for pair in combinations(keys, 2)]
    return (
        f"Of {len(told)} pairs {sum(told)} are told apart: one of the two is the larger with "
        f"probability {chance(SURE)} or more."
    )


def _first(pairs: Pairs, *, order: Sequence[Mapping[str, Any]]) -> str:
    """Return the sentence on which agendas are likeliest to be the largest of all."""
    top = sorted(order, key=lambda r: -pairs[r["agenda"], EVERY][0])[:3]
    told = ", ".join(f"{r['name']} {chance(pairs[r['agenda'], EVERY][0])}" for r in top)
    return f"Largest of all, with which probability: {told}."


def shared_facts(rows: Sequence[Mapping[str, Any]], established_in: str) -> dict[str, Any]:
    """Return what the page says of what agendas share, as far as the run's means tell.

    Parameters
    ----------
    rows
        As in :func:`pair_tables`.
    established_in
        Where a level counts as established: only of the field is it shared by all agendas.

    Returns
    -------
    dict
        ``beliefs`` that are shared, ``unit``, and of agendas' means: ``pairs``, how many of them
        stand in the ``same`` order by strict relevance and by use, and the ``least`` and ``most``
        that the one is as a share of the other. Empty where two agendas do not have both.
    """
    names = ("alignment_relevant", "alignment_used")
    means = [
        tuple(r["found"][name]["mean"] for name in names)
        for r in rows
        if all(name in r["found"] for name in names)
    ]
    if len(means) < 2 or not all(used for _, used in means):
        return {}
    same = [(a[0] - b[0]) * (a[1] - b[1]) > 0 for a, b in combinations(means, 2)]
    shares = [strict / used for strict, used in means]
    return {
        "beliefs": SHARED + (REACH if established_in == "field" else ()),
        "unit": established_in,
        "pairs": len(same),
        "same": sum(same),
        "mostly": sum(same) >= SURE * len(same),
        "least": min(shares),
        "most": max(shares),
    }
