"""The page report.html: one offline file, without scripts, for screen, phone and print.

Everything that comes from a user's TOML or CSV is escaped by Jinja; pictures are the run's own SVG
files, whose texts matplotlib escapes. The content policy in the page's head allows styles and
nothing else, so even a slip could load or run nothing.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from models.quantities import GLOSSARY, QUANTITIES
from reports import drawing, learned, words
from reports.tables import how, make_view
from reports.verdicts import VERDICTS

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
IDS = re.compile(r"""(\bid="|\bhref="#|url\(#)([\w.-]+)""")


def write_page(folder: Path, *, context: Mapping[str, Any]) -> Path:
    """Write ``report.html`` into the folder of a run.

    Parameters
    ----------
    folder
        Holds ``figures/``, whose SVG files go into the page; a missing one is left out.
    context
        What the run found, as plain data; missing or empty parts are said to be so. See
        :func:`reports.tables.make_view` for its keys.

    Returns
    -------
    Path
        The page.
    """
    return write_template(
        folder / "report.html",
        "report.html.j2",
        view=make_view(context)
        | {
            "learned": learned,
            "glossary": GLOSSARY,
            "quantities": QUANTITIES,
            "verdict_words": VERDICTS,
            "how": how,
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
