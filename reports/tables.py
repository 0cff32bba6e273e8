"""What the page and the terminal show, from the plain data that a run hands over."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from models.quantities import OUTCOMES, QUANTITIES
from models.slots import SLOTS
from reports.claim_rows import claim_row
from reports.ladder import disagreement, milestone_rows
from reports.learned import conflicts
from reports.obtained import how, known
from reports.outside import outside_text, outside_view
from reports.trust import heavy_of, misfit, trust_view, varied_notes, varied_table
from reports.verdicts import by_side
from reports.words import (
    AGREEMENT,
    SAME_BAR,
    USE_NOT_BENEFIT,
    interval,
    number,
    opening,
    rated_by,
    untried,
    value,
)

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
