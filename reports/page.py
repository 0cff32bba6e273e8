"""The page report.html: one offline file, for screen, phone and print.

Everything that comes from a user's TOML or CSV is escaped by Jinja; pictures are the run's own SVG
files, whose texts matplotlib escapes. The content policy in the page's head allows styles and the
page's own script, by its hash, and nothing else, so even a slip could load or run nothing.

Chances as a picture of frequencies: a hundred works, each an icon of what becomes of it.

Where numbers come from: each belief with its source and reason, each source with its rows.

The section of a run's page on what its answer hangs on, from an analysis beside the run.
"""

import csv
import json
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from models.parameters import SLOTS
from models.quantities import CLAIMS, GLOSSARY, QUANTITIES
from reports.html import (
    data_block,
    data_link,
    page_script,
    picture,
    policy,
    table_link,
    write_template,
)
from reports.sensitivity import power_table
from reports.view import FILE, SURE, make_view, pair_tables, shared_facts
from reports.words import SAME_BAR_NAMES, how, of_hundred, view_error

ICONS = 100
ACROSS = 20
"""Icons in a row."""
STEP_X, STEP_Y = 14, 18
"""Distances between icons; an icon is 10 wide and 14 high."""


def whole_icons(shares: Sequence[float], total: int = ICONS) -> list[int]:
    """Return whole numbers that add up to ``total``, by largest remainder.

    Raises
    ------
    ZeroDivisionError
        If the shares add up to nothing.
    """
    scale = total / sum(shares)
    exact = [share * scale for share in shares]
    counts = [int(x) for x in exact]
    left = sorted(range(len(exact)), key=lambda i: counts[i] - exact[i])
    for i in left[: total - sum(counts)]:
        counts[i] += 1
    return counts


def frequencies(quantities: Mapping[str, Any]) -> dict[str, Any]:
    """Return the two pictures of the first screen; empty where the run has no such numbers.

    Returns
    -------
    dict
        ``split``: a class for each icon, and ``legend`` rows (class, words, number as text) with
        ``split_alt``; ``strict``: how full each icon is (0 to 10), with ``strict_alt``.
    """
    if not {*SAME_BAR_NAMES, "alignment_relevant"} <= {*quantities}:
        return {}
    means = [quantities[name]["mean"] for name in SAME_BAR_NAMES]
    kinds = zip(SAME_BAR_NAMES, whole_icons(means), strict=True)
    legend = [(n, QUANTITIES[n].label, of_hundred(quantities[n]["mean"])) for n in SAME_BAR_NAMES]
    strict = quantities["alignment_relevant"]["mean"]
    text = "; ".join(f"{words} {number}" for _, words, number in legend)
    return {
        "split": [
            (name, *place(i)) for i, name in enumerate(n for n, k in kinds for _ in range(k))
        ],
        "legend": legend,
        "split_alt": f"Of 100 works, by documented use: {text}.",
        "strict": [(fill(strict, i), *place(i)) for i in range(ICONS)],
        "strict_number": of_hundred(strict),
        "strict_alt": f"Of 100 works, strictly alignment-relevant: {of_hundred(strict)}.",
        "width": ACROSS * STEP_X,
        "height": ICONS // ACROSS * STEP_Y,
    }


def place(i: int) -> tuple[int, int]:
    """Return the corner of icon ``i``."""
    return i % ACROSS * STEP_X + 2, i // ACROSS * STEP_Y + 2


def fill(p: float, i: int) -> float:
    """Return how far icon ``i`` of a hundred is filled, as a width from 0 to 10."""
    return round(10.0 * min(max(ICONS * p - i, 0.0), 1.0), 1)


def belief_rows(folder: Path) -> list[dict[str, Any]]:
    """Return every belief of a run's priors.toml, in the order of the model; empty without one.

    Returns
    -------
    list of dict
        ``name``, ``question``, ``unit``, ``stated`` (the distribution), ``claims``, ``source``,
        ``why``, and ``known``: whether the source is a key of sources.csv.
    """
    path = folder / "priors.toml"
    if not path.is_file():
        return []
    stated = tomllib.loads(path.read_text(encoding="utf-8")).get("priors", {})
    sources = {row["source"] for row in read_table(folder, "sources")}
    return [_belief(name, stated[name], sources=sources) for name in SLOTS if name in stated]


def _belief(name: str, table: Mapping[str, Any], *, sources: set[str]) -> dict[str, Any]:
    numbers = ", ".join(
        f"{key} = {x:g}"
        for key, x in table.items()
        if isinstance(x, int | float) and not isinstance(x, bool)
    )
    belief = {"name": name, "question": SLOTS[name].question, "unit": SLOTS[name].unit}
    belief |= {key: str(table.get(key, "")) for key in ("source", "why")}
    stated = {"stated": f"{table.get('dist', '')}({numbers})", "claims": table.get("claims", [])}
    return belief | stated | {"known": belief["source"] in sources}


def source_rows(folder: Path, beliefs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return every source of a run, with the rows of evidence and the beliefs that cite it."""
    tables = [path.stem for path in sorted((folder / "evidence").glob("*.csv"))]
    citations = {
        name: Counter(row.get("source") for row in read_table(folder, name))
        for name in tables
        if name != "sources"
    }
    return [
        {key: row.get(key) or "" for key in ("source", "title", "year", "where")}
        | {
            "rows": [
                f"{name}.csv: {n} {'row' if n == 1 else 'rows'}"
                for name, counts in citations.items()
                if (n := counts[row["source"]])
            ],
            "beliefs": [x["name"] for x in beliefs if x["source"] == row["source"]],
        }
        for row in read_table(folder, "sources")
    ]


def read_table(folder: Path, name: str) -> list[dict[str, str]]:
    """Return the rows of a table of a run's evidence, none where it is not there."""
    path = folder / "evidence" / f"{name}.csv"
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if any(row.values())]


def sensitivity_section(folder: Path | None) -> dict[str, Any]:
    """Return what the page shows of ``forecast sensitivity``; nothing without its folder.

    Parameters
    ----------
    folder
        Holds ``sensitivity.json`` and ``figures/`` with ``captions.json``.
    """
    if folder is None:
        return {}
    summary = json.loads((folder / "sensitivity.json").read_text(encoding="utf-8"))
    captions = json.loads((folder / "figures" / "captions.json").read_text(encoding="utf-8"))
    return {
        "folder": folder,
        "name": folder.name,
        "quick": summary["quick"],
        "converged": summary["converged"],
        "lines": summary["lines"][1:],
        "power": power_table(summary),
        "captions": {caption["name"]: caption for caption in captions},
    }


SLIDER_ROWS = (
    "alignment_relevant",
    "alignment_only",
    "capabilities_only",
    "both",
    "neither",
    "alignment_used",
    "capabilities_relevant",
    "capabilities_first",
    "strict_alignment_only",
    "strict_both",
    "strict_capabilities_only",
    "strict_neither",
)
"""Quantities that the sliders show."""


def write_page(
    folder: Path, *, context: Mapping[str, Any], sensitivity: Path | None = None
) -> Path:
    """Write ``report.html`` into the folder of a run.

    Parameters
    ----------
    folder
        Holds ``figures/``, whose SVG and CSV files go into the page, and ``sliders.json``,
        ``priors.toml`` and ``evidence/sources.csv``; a missing one is left out.
    context
        What the run found, as plain data; missing or empty parts are said to be so. See
        :func:`reports.view.make_view` for its keys.
    sensitivity
        Folder of a sensitivity analysis of this run, if there is one.

    Returns
    -------
    Path
        The page.
    """
    script, beliefs = page_script(), belief_rows(folder)
    sliders, view = read_sliders(folder, context), make_view(context)
    agendas = view["agenda_rows"]
    established_in = (view["manifest"].get("options") or {}).get("established_in", "field")
    return write_template(
        folder / "report.html",
        "report.html.j2",
        view=view
        | {
            "icons": frequencies(view["found"]),
            "sliders": sliders if view["found"] else None,
            "slider_data": data_block(sliders) if sliders else "",
            "slider_rows": SLIDER_ROWS,
            "script": Markup(script),
            "policy": Markup(policy(script)),  # its quotes are part of it
            "known_claims": CLAIMS,
            "belief_rows": beliefs,
            "linked": {row["name"] for row in beliefs},
            "source_rows": source_rows(folder, beliefs),
            "tracks": tracks(folder),
            "pair_tables": pair_tables(folder, agendas),
            "sure": round(100 * SURE),
            "shared": shared_facts(agendas, str(established_in)),
            "pairs_data": table_link(folder / FILE),
            "glossary": GLOSSARY,
            "quantities": QUANTITIES,
            "how": how,
            "view_error": view_error,
            "hangs": sensitivity_section(sensitivity),
            "picture_of": lambda analysis, name: picture(analysis / "figures", name),
            "data_from": lambda analysis, name: data_link(analysis / "figures", name),
        },
    )


def read_sliders(folder: Path, context: Mapping[str, Any]) -> Any:
    """Return what the sliders need, None where the run does not keep it.

    With it the run's own answers under other views, for one whose draws are not there.
    """
    path = folder / "sliders.json"
    if not path.is_file():
        return None
    answers = {
        row["name"]: {"found": row["posterior"], "how": how(row, ["posterior"])}
        for row in context.get("worldviews", [])
        if row.get("posterior")
    }
    return json.loads(path.read_text(encoding="utf-8")) | {"answers": answers}


def tracks(folder: Path) -> dict[str, str]:
    """Return each agenda's tracking over the years as the points of a line, 60 by 16."""
    path = folder / "figures" / "tracking.csv"
    series: dict[str, list[tuple[float, float]]] = {}
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row.get("agenda"):
                    point = (float(row["year"]), float(row["median"]))
                    series.setdefault(row["agenda"], []).append(point)
    return {agenda: _line(points) for agenda, points in series.items()}


def _line(points: list[tuple[float, float]]) -> str:
    """Return points (year, share) as those of an SVG line."""
    first, last = points[0][0], points[-1][0]
    span = max(last - first, 1.0)
    return " ".join(f"{60 * (year - first) / span:.1f},{15 - 14 * p:.1f}" for year, p in points)
