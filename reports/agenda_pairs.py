"""Agendas compared in pairs: the matrices of the page, and what agendas share."""

import csv
from collections.abc import Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from models.quantities import QUANTITIES
from reports.words import chance, filled

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
        ``agenda``, ``name`` and ``found`` of each agenda; see :func:`reports.tables.agenda_rows`.
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
