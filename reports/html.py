"""Offline pages of sentences, tables and figures, from Jinja templates.

The page's scripts are plain files of ``js/``, joined in order into one inline script; the content
policy allows that one script by its hash, so that nothing else can run.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports import words
from reports.table import Table

FOLDER = Path(__file__).parent / "js"
ORDER = (
    "special",
    "families",
    "psis",
    "sums",
    "answer",
    "words",
    "picture",
    "toml",
    "warm",
    "controls",
    "page",
)
"""Files in the order in which they are joined; each uses those before it."""


def page_script() -> str:
    """Return the page's script: one function around all files, so that no name leaks."""
    parts = [(FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in ORDER]
    return '(() => {\n"use strict";\n' + "\n".join(parts) + "})();\n"


def policy(text: str) -> str:
    """Return the content policy of a page whose only script is ``text``."""
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'"
    )


def data_block(data: Any) -> Markup:
    """Return data as JSON that cannot end the element that holds it."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


TEMPLATES = Path(__file__).parent / "templates"
INK, MUTED, GRID, PAPER = "#1b1d1f", "#5b626b", "#dcdfe3", "#fffffe"
COLOURS = {
    INK: "var(--ink)",
    MUTED: "var(--muted)",
    GRID: "var(--grid)",
    PAPER: "var(--paper)",
    "#000000": "var(--ink)",
}
"""Colours of a figure that follow the page's own, so that figures fit a dark page."""
CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""Characters without a place in a page: controls, and marks that turn the direction of text."""
IDS = re.compile(r"""(\bid="|\bhref="#|url\(#)([\w.-]+)""")


def write_template(
    path: Path, template: str, *, view: Mapping[str, Any], figures: str = "figures"
) -> Path:
    """Write a page from a template; return its path.

    Parameters
    ----------
    path
        The page; pictures come from the folder ``figures`` beside it.
    template
        Its file name; it is given the project's words and style besides ``view``.
    view
        What else it reads.
    """
    folder = path.parent / figures
    text = (
        environment()
        .get_template(template)
        .render(
            view,
            words=words,
            style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
            picture=lambda name: picture(folder, name),
            data_of=lambda name: data_link(folder, name),
        )
    )
    path.write_text(CONTROLS.sub("", text), encoding="utf-8", newline="\n")
    return path


def write_plain(
    path: Path,
    title: str,
    *,
    lines: Sequence[str],
    tables: Sequence[Table],
    captions: Sequence[Mapping[str, str]],
    figures: str = "figures",
) -> Path:
    """Write a page of sentences, figures and tables; return its path."""
    named = {caption["name"]: caption for caption in captions}
    view = {"title": title, "lines": lines, "tables": tables, "captions": named}
    return write_template(path, "plain.html.j2", view=view, figures=figures)


def environment(*, escape: bool = True) -> Environment:
    """Return what reads the templates; what is missing is an error.

    Everything is escaped, but for texts that are no page.
    """
    env = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=escape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names = ("chance", "of_hundred", "number", "value", "interval", "label", "cell")
    env.filters |= {name: getattr(words, name) for name in names}
    return env


def data_link(folder: Path, name: str) -> str | None:
    """Return the numbers of a figure as a link to save them, None where there are none."""
    if not re.fullmatch(r"\w+", name):
        return None
    return table_link(folder / f"{name}.csv")


def table_link(path: Path) -> str | None:
    """Return a CSV file as a link to save it, None where it is not there."""
    if not path.is_file():
        return None
    return f"data:text/csv;base64,{base64.b64encode(path.read_bytes()).decode('ascii')}"


def picture(folder: Path, name: str) -> Markup | None:
    """Return a figure's SVG for the page, or None where it was not drawn."""
    path = folder / f"{name}.svg"
    if not re.fullmatch(r"\w+", name) or not path.is_file():
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
