"""The page report.html: one offline file, for screen, phone and print.

Everything that comes from a user's TOML or CSV is escaped by Jinja; pictures are the run's own SVG
files, whose texts matplotlib escapes. The content policy in the page's head allows styles and the
page's own script, by its hash, and nothing else, so even a slip could load or run nothing.
"""

import base64
import csv
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from models.quantities import CLAIMS, GLOSSARY, QUANTITIES
from reports import agenda_pairs, drawing, learned, scripts, words
from reports.frequencies import frequencies
from reports.obtained import how, view_error
from reports.provenance import belief_rows, source_rows
from reports.sensitivity_section import section
from reports.tables import make_view
from reports.verdicts import SAID, SIDED, VERDICTS

TEMPLATES = Path(__file__).parent / "templates"
COLOURS = {
    drawing.INK: "var(--ink)",
    drawing.MUTED: "var(--muted)",
    drawing.GRID: "var(--grid)",
    drawing.PAPER: "var(--paper)",
    "#000000": "var(--ink)",
}
"""Colours of a figure that follow the page's own, so that figures fit a dark page."""
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters without a place in a page: controls, and marks that turn the direction of text."""
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
IDS = re.compile(r"""(\bid="|\bhref="#|url\(#)([\w.-]+)""")


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
        :func:`reports.tables.make_view` for its keys.
    sensitivity
        Folder of a sensitivity analysis of this run, if there is one.

    Returns
    -------
    Path
        The page.
    """
    code, stated = scripts.script(), belief_rows(folder)
    sliders, view = read_sliders(folder, context), make_view(context)
    return write_template(
        folder / "report.html",
        "report.html.j2",
        view=view
        | {
            "icons": frequencies(view["found"]),
            "sliders": sliders if view["found"] else None,
            "slider_data": scripts.data_block(sliders) if sliders else "",
            "slider_rows": SLIDER_ROWS,
            "script": Markup(code),
            "policy": Markup(scripts.policy(code)),  # its quotes are part of it
            "known_claims": CLAIMS,
            "belief_rows": stated,
            "linked": {row["name"] for row in stated},
            "source_rows": source_rows(folder),
            "tracks": tracks(folder),
            **agenda_pairs.parts(folder, view),
            "pairs_data": table_link(folder / agenda_pairs.FILE),
            "learned": learned,
            "glossary": GLOSSARY,
            "quantities": QUANTITIES,
            "verdict_words": VERDICTS,
            "side_words": SAID,
            "moved_words": SIDED,
            "how": how,
            "view_error": view_error,
            "hangs": section(sensitivity),
            "picture_of": picture,
            "data_from": data_link,
        },
    )


def write_template(path: Path, template: str, *, view: Mapping[str, Any]) -> Path:
    """Write a page from a template; return its path.

    Parameters
    ----------
    path
        The page; pictures come from ``figures/`` beside it.
    template
        Its file name; it is given the house's words and style besides ``view``.
    view
        What else it reads.
    """
    text = (
        environment()
        .get_template(template)
        .render(
            view,
            words=words,
            style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
            picture=lambda name: picture(path.parent, name),
            data_of=lambda name: data_link(path.parent, name),
        )
    )
    path.write_text(CONTROLS.sub("", text), encoding="utf-8", newline="\n")
    return path


def environment() -> Environment:
    """Return what reads the templates: everything is escaped, and what is missing is an error."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "chance": words.chance,
        "of_hundred": words.of_hundred,
        "number": words.number,
        "value": words.value,
        "interval": words.interval,
    }
    return made


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


def data_link(folder: Path, name: str) -> str | None:
    """Return the numbers of a figure as a link to save them, None where there are none."""
    if not re.fullmatch(r"[a-z_]+", name):
        return None
    return table_link(folder / "figures" / f"{name}.csv")


def table_link(path: Path) -> str | None:
    """Return a CSV file as a link to save it, None where it is not there."""
    if not path.is_file():
        return None
    return f"data:text/csv;base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"


def tracks(folder: Path) -> dict[str, str]:
    """Return each agenda's tracking over the years as the points of a line, 60 by 16."""
    path = folder / "figures" / "tracking.csv"
    found: dict[str, list[tuple[float, float]]] = {}
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                if row.get("agenda"):
                    point = (float(row["year"]), float(row["median"]))
                    found.setdefault(row["agenda"], []).append(point)
    return {agenda: _line(points) for agenda, points in found.items()}


def _line(points: list[tuple[float, float]]) -> str:
    """Return points (year, share) as those of an SVG line."""
    first, last = points[0][0], points[-1][0]
    span = max(last - first, 1.0)
    return " ".join(f"{60 * (year - first) / span:.1f},{15 - 14 * p:.1f}" for year, p in points)


def picture(folder: Path, name: str) -> Markup | None:
    """Return a figure's SVG for the page, or None where it was not drawn."""
    path = folder / "figures" / f"{name}.svg"
    if not re.fullmatch(r"[a-z_]+", name) or not path.is_file():
        return None
    text = path.read_text(encoding="utf-8")
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = IDS.sub(rf"\1{name}-\2", text)
    for colour, variable in COLOURS.items():
        text = text.replace(colour, variable)
    text = re.sub(
        r'<svg [^>]*?(viewBox="[^"]*")[^>]*>', r'<svg aria-hidden="true" \1>', text, count=1
    )
    return Markup(text.replace("xlink:href", "href"))
