"""What the page and the terminal show, from the plain data that a run hands over."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from models.quantities import OUTCOMES, QUANTITIES
from models.slots import SLOTS
from models.structure import STEPS
from reports.claim_rows import claim_row
from reports.learned import conflicts
from reports.words import AGREEMENT, LEVEL_NAMES, RATED, SAME_BAR, USE_NOT_BENEFIT, number

MAIN = (
    "alignment_relevant",
    "alignment_used",
    "capabilities_relevant",
    "alignment_used_by_others",
    "capabilities_used_by_others",
    "capabilities_first",
)
"""The quantities of the first table."""
SAME_BAR_SPLIT, STRICT_SPLIT = OUTCOMES[6:10], OUTCOMES[10:14]
BY_AGENDA = ("alignment_relevant", "alignment_used", "capabilities_relevant", "capabilities_first")
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
    return c | {
        "question": question,
        "converged": is_converged(c),
        "found": found,
        "prior": prior,
        "main": [name for name in MAIN if name in found],
        "splits": splits(found),
        "standing": standing(c),
        "agenda_rows": agenda_rows(head, names),
        "milestone_rows": milestone_rows(c),
        "claim_rows": [claim_row(claim) for claim in c["claims"]],
        "conflicts": [conflict_row(r) for r in conflicts(c["parameters"])],
        "worst": worst(c["parameters"] or c["diagnostics"].get("parameters", ())),
        "bfmi": cell(c["diagnostics"].get("bfmi")),
        "units": unit_rows(c["unit_headlines"]),
        "agreement": agreement_table(c["ratings_agreement"]),
        "experts": plain_table(c["experts"]),
        "settings": {key: setting_table(c[key]) for key in ("halo", "shared_error")},
        "provenance": list(flat_rows(c["manifest"])),
        "captions": {f["name"]: f for f in c["figures"]},
    }


def is_converged(c: Mapping[str, Any]) -> bool:
    """Return whether the run met its rule; what does not say so did not."""
    told = (c.get("headline") or {}).get("converged"), (c.get("diagnostics") or {}).get("converged")
    return True in told and False not in told


def splits(found: Mapping[str, Any]) -> list[tuple[str, str, list[str]]]:
    """Return the two splits as (title, what is compared, names)."""
    same = (
        "Split on the same bar",
        "documented use by alignment work against documented use by capabilities work",
        list(SAME_BAR_SPLIT),
    )
    strict = (
        "Strict split",
        "alignment relevance in the strict sense against any capabilities use",
        list(STRICT_SPLIT),
    )
    return [split for split in (same, strict) if all(name in found for name in split[2])]


def standing(c: Mapping[str, Any]) -> list[str]:
    """Return the four standing sentences."""
    unseen = " ".join(str(one) for one in c["not_observed"])
    if not unseen:
        unseen = "Levels without rated works are extrapolation by priors."
    return [USE_NOT_BENEFIT, SAME_BAR, f"What rests on no observation: {unseen}", RATED]


def agenda_rows(head: Mapping[str, Any], names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return outcomes by agenda, most strictly relevant first."""
    rows = [
        {"agenda": key, "name": names.get(key, key), "found": found}
        for key, found in head.get("by_agenda", {}).items()
    ]
    return sorted(rows, key=lambda r: -r["found"].get(BY_AGENDA[0], {}).get("mean", 0.0))


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
        "question": slot.question if slot else "",
        "unit": slot.unit if slot else "",
        "prior": before,
        "posterior": after,
        "shift": float(r["shift"]),
        "sd_ratio": float(r["sd_ratio"]),
    }


def known(x: object) -> bool:
    """Return whether a cell holds a number."""
    return x is not None and x != "" and bool(np.isfinite(float(str(x))))


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


def setting_table(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return quantities by setting: a row each, a column for each setting."""
    names = [key for key in dict.fromkeys(k for row in rows for k in row) if key != "setting"]
    return {
        "head": ["", *(str(row.get("setting", "")) for row in rows)],
        "rows": [[label(name), *(cell(row.get(name)) for row in rows)] for name in names],
    }


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
