"""What the page and the terminal show of a run, from the plain data that it hands over.

A context is what a run found, as plain data; a view is the context without gaps, with the
sentences and tables made from it. Agendas compared in pairs and what agendas share come last.
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
from reports import check, words
from reports.table import Table
from reports.words import (
    CHANCES,
    CONFLICT,
    LEAST,
    LEVEL_NAMES,
    NOT_CONVERGED,
    chance,
    filled,
    how,
    interval,
    known,
    label,
    mean_and_interval,
    number,
    question_of,
    value,
)

Row = Mapping[str, Any]
Rows = Sequence[Row]
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
DESCRIPTION = ("setting", "how", "pareto_k", "r_hat", "ess", "converged")
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


DIAGNOSTICS: dict[str, Any] = {
    "rule": "",
    "failures": [],
    "max_rhat": None,
    "min_ess_bulk": None,
    "min_ess_tail": None,
    "divergences": None,
    "bfmi": None,
}
"""What diagnostics hold, when nothing is known."""
HEADS = ("mean", "interval", "prior alone", "interval")
"""Columns of summaries with and without evidence."""


def make_view(context: Row) -> dict[str, Any]:
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
        The context without gaps, and sentences and tables made from it.
    """
    c = EMPTY | {key: value for key, value in context.items() if value is not None}
    c["diagnostics"] = DIAGNOSTICS | c["diagnostics"]
    c["evidence"] = {"folder": "", "tables": [], "empty": []} | c["evidence"]
    c["variance_share"] = {"untouched": None, "parts": ()} | c["variance_share"]
    head, checks = c["headline"], c["checks"]
    found, prior = head.get("quantities", {}), head.get("prior", {})
    question = {"cohort": head.get("cohort"), "horizon": head.get("horizon")} | c["question"]
    names = {str(r["agenda"]): str(r.get("name") or r["agenda"]) for r in c["agendas"]}
    heavy = check.heavy_of(c["structure"])
    untried = words.untried(found, heavy)
    splits = {SAME_BAR_TITLE: SAME_BAR_SPLIT, MAIN_TITLE: MAIN, "Strict split": STRICT_SPLIT}
    return c | {
        "opening": words.opening(found, question, heavy=heavy, leads=c["leads"])
        + words.outside_text(head),
        "standing": standing(c, untried),
        "untried": untried,
        "by_side": by_side(c["claims"]),
        "tables": [
            quantity_table(title, quantities, found=found, prior=prior)
            for title, quantities in splits.items()
        ],
        "outside_table": outside_table(head),
        "worldview_table": worldview_table(c["worldviews"]),
        "worldview_notes": words.view_notes(c["worldviews"]),
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
        "conflicts": conflicts(c["parameters"]),
        "conflict_table": conflict_table(c["parameters"]),
        "worst_table": worst_table(c["parameters"] or c["diagnostics"].get("parameters", ())),
        "variance_parts": [
            r | {"question": question_of(r["parameter"])} for r in c["variance_share"]["parts"]
        ],
        "unit_table": unit_table(c["unit_headlines"]),
        "agreement": plain_table(
            {words.AGREEMENT.get(key, key): x for key, x in row.items()}
            for row in c["ratings_agreement"]
        ),
        "experts": plain_table(c["experts"]),
        "evidence_table": evidence_table(c["evidence"]["tables"]),
        "settings": {key: setting_table(c[key]) for key in ("halo", "shared_error")},
        "checked": check.check_tables(checks),
        "flags": check.flag_sentence(checks.get("summary") or ()),
        "more_flags": max(len(checks.get("flagged") or ()) - check.MOST_FLAGS, 0),
        "varied": {
            key: (check.varied_table(c[key]), check.varied_notes(c[key]))
            for key in ("structure", "left_out")
        },
        "provenance": Table.of("", ("", ""), flat_rows(c["manifest"])),
        "captions": {f["name"]: f for f in c["figures"]},
    }


def quantity_table(
    title: str, names: Sequence[str], *, found: Mapping[str, Row], prior: Mapping[str, Row]
) -> Table:
    """Return means and intervals of quantities, with the evidence and without; ``title`` first."""
    rows = (
        (label(n), *mean_and_interval(found[n]), *mean_and_interval(prior.get(n)))
        for n in names
        if found.get(n)
    )
    return Table.of("", (title, *HEADS), rows)


def outside_table(head: Row) -> Table:
    """Return the model alone, the outside view, and all things considered; without rows if none."""
    outside = words.outside_view(head)
    title = f"With an outside view: {outside.get('label', '')}"
    rows = ((name, *mean_and_interval(row)) for name, row in outside.get("rows", ()))
    return Table.of("", (title, "mean", "interval"), rows)


def worldview_table(worldviews: Rows) -> Table:
    """Return strict relevance under each worldview."""
    rows = (
        (
            w["name"] + (f" ({NOT_CONVERGED})" if w.get("converged") is False else ""),
            *mean_and_interval((w.get("posterior") or {}).get("alignment_relevant")),
            *mean_and_interval((w.get("prior_only") or {}).get("alignment_relevant")),
        )
        for w in worldviews
    )
    return Table.of("", ("Strictly alignment-relevant under", *HEADS), rows)


def is_converged(c: Row) -> bool:
    """Return whether the run met its rule; what does not say so did not."""
    verdicts = [(c.get(key) or {}).get("converged") for key in ("headline", "diagnostics")]
    return True in verdicts and False not in verdicts


def standing(c: Row, untried: str) -> list[tuple[str, str]]:
    """Return the standing sentences, each with the section of the page that says more, if any."""
    unseen = " ".join(map(str, c["not_observed"]))
    unseen = unseen or "Levels without rated works are extrapolation by priors."
    missed = check.misfit(c["checks"].get("flagged") or ())
    resting = " ".join(filter(None, ("What rests on no observation:", unseen, missed)))
    return [
        (words.USE_NOT_BENEFIT, ""),
        (words.SAME_BAR, ""),
        (resting, "#trust" if missed else ""),
        *([(untried, "#trust")] if untried else []),
        (words.rated_by(c["raters"]), ""),
    ]


def by_side(claims: Iterable[Row]) -> list[tuple[str, list[str]]]:
    """Return what the evidence says of the claims, in words, and the ids after each phrase."""
    moved = {words.MOVED, words.AGAINST}
    rows = [claim for claim in claims if "side" in claim]
    phrases = {
        text: [c["id"] for c in rows if c["evidence"] in moved and c["side"] == side]
        for side, text in SIDES.items()
    }
    phrases |= {
        text: [c["id"] for c in rows if c["evidence"] == verdict]
        for verdict, text in VERDICTS.items()
    }
    return [(text, ids) for text, ids in phrases.items() if ids]


SIDES = {
    words.FOR: "the evidence speaks for",
    words.AGAINST_IT: "it speaks against",
    words.BOTH_WAYS: "it speaks both ways on",
    words.NO_SIDE: "it takes no side on",
}
VERDICTS = {
    words.HARDLY: "it hardly moves",
    words.ALONE: "it does not touch",
    words.AGAINST: "in part the prior expected otherwise:",
}


def agenda_rows(head: Row, names: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return outcomes by agenda, most strictly relevant first."""
    rows = [
        {"agenda": key, "name": names.get(key, key), "found": found}
        for key, found in head.get("by_agenda", {}).items()
    ]
    return sorted(rows, key=lambda r: -r["found"].get(BY_AGENDA[0], {}).get("mean", 0.0))


def worst_table(parameters: Rows) -> Table:
    """Return the parameters with the fewest effective draws."""
    ess = ("ess_bulk", "ess_tail")
    drawn = [r for r in parameters if all(known(r.get(key)) for key in ess)]
    rows = sorted(drawn, key=lambda r: min(float(r[key]) for key in ess))[:WORST]
    columns = {
        "Parameter": lambda r: r["parameter"],
        "R-hat": lambda r: "" if r.get("r_hat") is None else f"{float(r['r_hat']):.4f}",
        "ESS bulk": lambda r: number(filled(r["ess_bulk"])),
        "ESS tail": lambda r: number(filled(r["ess_tail"])),
        "prior sd": lambda r: number(filled(r.get("prior_sd"))),
        "posterior sd": lambda r: number(filled(r.get("posterior_sd"))),
    }
    title = f"The {len(rows)} parameters with the fewest effective draws"
    return Table.by_column(title, columns, rows)


def conflicts(parameters: Rows) -> list[Row]:
    """Return the beliefs in conflict with their prior, the farthest shifted first."""
    rows = [r for r in parameters if r.get("learned") == CONFLICT]
    return sorted(rows, key=lambda r: -abs(float(r["shift"])))


def conflict_table(parameters: Rows) -> Table:
    """Return the beliefs in conflict with their prior: median and interval before and after."""

    def spread(row: Row, group: str) -> str:
        median, lower, upper = (float(row[f"{group}_{k}"]) for k in ("median", "lower", "upper"))
        return f"{number(median)} ({number(lower)} to {number(upper)})"

    def name(row: Row) -> str:
        slot = SLOTS.get(str(row["parameter"]))
        return f"{row['parameter']} ({slot.unit})" if slot else str(row["parameter"])

    columns = {
        "Belief": name,
        "question": lambda r: question_of(r["parameter"]),
        "prior median": lambda r: spread(r, "prior"),
        "posterior median": lambda r: spread(r, "posterior"),
        "shift (prior sds)": lambda r: f"{float(r['shift']):+.1f}",
        "sd ratio": lambda r: f"{float(r['sd_ratio']):.2f}",
    }
    return Table.by_column("Beliefs in conflict with their prior", columns, conflicts(parameters))


def unit_table(units: Row) -> Table:
    """Return strict relevance by the unit in which a level counts as established."""
    rows = (
        (unit, *(mean_and_interval(x) if isinstance(x, Mapping) else (chance(x), "")))
        for unit, x in units.items()
        if x
    )
    return Table.of("", ("Established in the", "strict relevance, mean", words.INTERVAL), rows)


def evidence_table(tables: Rows) -> Table:
    """Return the tables of evidence with their rows, and what they count for in the fit."""
    columns = {
        "Table": lambda t: t["name"],
        "rows": lambda t: t.get("rows", ""),
        "in the fit": lambda t: t.get("fit", ""),
        "weight": lambda t: str(t.get("weight", "")),
        "note": lambda t: words.NO_EVIDENCE if t.get("rows") == 0 else "",
    }
    return Table.by_column("Evidence tables", columns, tables)


def plain_table(rows: Iterable[Row]) -> Table:
    """Return rows of any columns as a table."""
    rows = list(rows)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    heads = (str(key).replace("_", " ") for key in columns)
    return Table.of("", heads, ([row.get(key) for key in columns] for row in rows))


def setting_table(rows: Rows) -> Table:
    """Return quantities by setting, a column for each; the note says how each was obtained."""
    keys = dict.fromkeys(key for row in rows for key in row)
    names = [key for key in keys if key not in DESCRIPTION]
    settings = [str(row.get("setting", "")) for row in rows]
    cells = ([label(n), *(spread_cell(row.get(n), n) for row in rows)] for n in names)
    ways = "; ".join(f"{x}: {how(row, names)}" for x, row in zip(settings, rows, strict=True))
    return Table.of("", ("", *settings), cells, ways)


def spread_cell(found: Any, name: str) -> str:
    """Return median and interval of a quantity in its unit, '-' where it was withheld."""
    if not isinstance(found, Mapping):
        return "-" if found is None else words.cell(found)
    unit = QUANTITIES[name].unit if name in QUANTITIES else ""
    return f"{value(found['median'], unit)} ({interval(found, unit)})"


def flat_rows(data: Row, before: str = "") -> Iterable[tuple[str, str]]:
    """Yield the entries of nested data, one row each."""
    for key, x in data.items():
        name = f"{before}{key}"
        if isinstance(x, Mapping):
            yield from flat_rows(x, f"{name} / ")
        else:
            yield name, words.cell(x)


MANY = 16
"""Entries of one quantity above which the page folds them away."""


def claim_row(claim: Row) -> dict[str, Any]:
    """Return a claim with a small interval plot for each quantity; long ones under ``more``.

    ``sure`` counts the entries left out: chances above 99.9% in prior and posterior.
    """
    entries = claim.get("quantities", [])
    shown = [{**q, "plot": interval_plot(q)} for q in entries if not is_sure(q)]
    counts = Counter(q["name"] for q in shown)
    short = [q for q in shown if counts[q["name"]] <= MANY]
    long = [q for q in shown if counts[q["name"]] > MANY]
    return {**claim, "quantities": short, "more": long, "sure": len(entries) - len(shown)}


def is_sure(q: Row) -> bool:
    """Return whether a chance is above 99.9% throughout, before and after the evidence."""
    rows = [q.get("prior"), q.get("posterior")]
    ends = [r[key] for r in rows if r for key in ("lower", "mean")]
    return q.get("unit") in CHANCES and len(ends) == 4 and min(ends) > 1 - LEAST


def interval_plot(q: Row) -> dict[str, Any]:
    """Return positions (0 to 100) of prior and posterior on one axis, and its two ends as text.

    Chances lie on 0 to 1; others between the widest ends, on a log scale where all are positive.
    """
    keys = ("lower", "median", "upper")
    rows = {group: q[group] for group in ("prior", "posterior") if q.get(group)}
    values = [r[key] for r in rows.values() for key in keys]
    values = [x for x in values if x is not None and np.isfinite(x)]
    if not values:
        return {}
    chances = q.get("unit") in CHANCES
    low, high = (0.0, 1.0) if chances else (min(values), max(values))
    log = not chances and low > 0
    scale = np.log if log else np.asarray
    width = float(scale(high) - scale(low)) or 1.0
    places = {
        group: {key: round(100.0 * float(scale(r[key]) - scale(low)) / width, 1) for key in keys}
        for group, r in rows.items()
    }
    ends = ("0%", "100%") if chances else (number(low), number(high))
    return places | {"low": ends[0], "high": ends[1], "log": log}


def milestone_rows(c: Row) -> list[dict[str, Any]]:
    """Return per level: when established, works by 2026, works rated, feats reached and open."""
    dates = c["headline"].get("milestones", {})
    works = {int(r["level"]): r for r in c["works_by_2026"]}
    rows = []
    for level in STEPS:
        feats = [r for r in c["milestones"] if str(r.get("level", "")) == str(level)]
        reached = [r["name"] for r in feats if r.get("reached")]
        rows.append(
            {
                "level": level,
                "name": LEVEL_NAMES[level],
                "date": dates.get(str(level)) or dates.get(level),
                "works": works.get(level),
                "reached": reached or list((works.get(level) or {}).get("milestones", ())),
                "open": [r["name"] for r in feats if not r.get("reached")],
            }
        )
    return rows


def open_levels(milestones: Rows) -> list[int]:
    """Return the levels that have milestones, all of them open."""
    levels = {int(r["level"]) for r in milestones}
    return sorted(levels - {int(r["level"]) for r in milestones if r.get("reached")})


def disagreement(c: Row) -> list[str]:
    """Return a sentence for each work that raters or the model place where no milestone is reached.

    Its place is the level that most of its raters give, or the model's mean level.
    """
    never = open_levels(c["milestones"])
    sentences = []
    for work in c["works"]:
        levels = [r["level"] for r in work.get("ratings", ()) if r.get("level") is not None]
        rated, votes = Counter(levels).most_common(1)[0] if levels else (None, 0)
        chances = [float(work.get(f"p_level_{k}") or 0.0) for k in (0, *STEPS)]
        mean = sum(k * p for k, p in enumerate(chances))
        level = rated if rated in never and 2 * votes > len(levels) else round(mean)
        if level in never:
            sentences.append(
                f"“{work['title']}”: {levels.count(level)} of {len(levels)} raters say level "
                f"{level}; the model gives level {level} or above a chance of "
                f"{chance(sum(chances[level:]))} (mean level {mean:.1f}); milestones.csv holds "
                f"every milestone of level {level} to be open."
            )
    return sentences


FILE = "agenda_pairs.csv"
"""The table of agendas in pairs in the run's folder."""
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
"""Probability that the first agenda's value is larger, and its Monte Carlo error."""


def read_pairs(folder: Path) -> dict[str, Pairs]:
    """Return the pairs of agendas of a run by quantity, nothing where none are kept."""
    pairs: dict[str, Pairs] = {}
    if (path := folder / FILE).is_file():
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                pair = row["agenda"], row["other"]
                numbers = float(row["probability"]), filled(row["mcse"])
                pairs.setdefault(row["quantity"], {})[pair] = numbers
    return pairs


def pair_tables(folder: Path, rows: Rows) -> list[dict[str, Any]]:
    """Return one matrix for each quantity of the run's table of pairs, in its order.

    Parameters
    ----------
    folder
        Of the run.
    rows
        ``agenda``, ``name`` and ``found`` of each agenda; see :func:`agenda_rows`.
    """
    tables = []
    for quantity, pairs in read_pairs(folder).items():
        agendas = [r for r in rows if (r["agenda"], EVERY) in pairs and quantity in r["found"]]
        agendas.sort(key=lambda r: -r["found"][quantity]["mean"])
        if len(agendas) > 1:
            tables.append(_pair_table(quantity, pairs, agendas))
    return tables


def _pair_table(quantity: str, pairs: Pairs, agendas: Rows) -> dict[str, Any]:
    keys = [r["agenda"] for r in agendas]

    def text(pair: tuple[str, str]) -> tuple[str, bool]:
        """Return a cell, and whether its row is told apart as the larger."""
        if pair not in pairs:
            return "–", False
        p = pairs[pair][0]
        return whole_points(p), p >= SURE

    return {
        "label": QUANTITIES[quantity].label,
        "names": [r["name"] for r in agendas],
        "rows": [
            {
                "name": r["name"],
                "largest": whole_points(pairs[r["agenda"], EVERY][0]),
                "cells": [text((r["agenda"], key)) for key in keys],
            }
            for r in agendas
        ],
        "sentences": _pair_sentences(pairs, agendas),
    }


def whole_points(p: float) -> str:
    """Return a probability in whole points of a hundred, cut off below 1 and above 99."""
    return "<1" if p < 0.01 else ">99" if p > 0.99 else f"{100 * p:.0f}"


def _pair_sentences(pairs: Pairs, agendas: Rows) -> list[str]:
    """Return what is to be said of the two highest means, of all pairs, and of the largest."""

    def apart(p: float) -> bool:
        return p >= SURE or p <= 1.0 - SURE

    first, second = agendas[:2]
    p, error = pairs[first["agenda"], second["agenda"]]
    beside = f" (Monte Carlo error {100 * error:.1g})" if error else ""
    verdicts = [apart(pairs[a["agenda"], b["agenda"]][0]) for a, b in combinations(agendas, 2)]
    chances = {r["name"]: pairs[r["agenda"], EVERY][0] for r in agendas}
    top = sorted(chances, key=lambda name: -chances[name])[:3]
    return [
        f"The two agendas with the highest means, {first['name']} and {second['name']}, are "
        f"{'' if apart(p) else 'not '}told apart: the first is the larger with probability "
        f"{chance(p)}{beside}.",
        f"Of {len(verdicts)} pairs {sum(verdicts)} are told apart: one of the two is the larger "
        f"with probability {chance(SURE)} or more.",
        "Largest of all, with which probability: "
        + ", ".join(f"{name} {chance(chances[name])}" for name in top)
        + ".",
    ]


def shared_facts(rows: Rows, established_in: str) -> dict[str, Any]:
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
