"""One offline page of sentences, tables and figures.

The page's scripts: plain files of ``js/``, joined in order into one inline script.

The content policy allows this one script by its hash, so that nothing else can run.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports import words
from reports.figures import drawing
from reports.words import clean

STYLE = (
    "body{font:16px/1.5 sans-serif;max-width:60rem;margin:1rem auto;padding:0 1rem;color:#1b1d1f;"
    "background:#fffffe}div{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem}"
    "th,td{text-align:left;padding:.2rem .8rem .2rem 0;border-bottom:1px solid #dcdfe3;"
    "vertical-align:top}svg{max-width:100%;height:auto}"
)


@dataclass(frozen=True)
class Section:
    """A table under its title, with a note."""

    title: str
    note: str
    heads: tuple[str, ...]
    rows: Sequence[Sequence[str]]


def plain_page(
    title: str,
    intro: Sequence[str],
    *,
    sections: Sequence[Section],
    captions: Sequence[Any],
    folder: Path,
) -> str:
    """Return the page as HTML; ``captions`` name the figures in ``folder``."""
    body = [f"<h1>{_text(title)}</h1>", *(f"<p>{_text(line)}</p>" for line in intro)]
    for one in captions:
        svg = (folder / f"{one['name']}.svg").read_text(encoding="utf-8")
        body.append(
            f'<figure role="img" aria-label="{_text(one["alt"])}">{svg[svg.index("<svg") :]}'
            f"<figcaption>{_text(one['caption'])}</figcaption></figure>"
        )
    body += [_section(section) for section in sections]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>{_text(title)}</title>"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body>\n" + "\n".join(body) + "\n</body></html>\n"
    )


def _section(one: Section) -> str:
    heads = "".join(f'<th scope="col">{_text(head)}</th>' for head in one.heads)
    rows = "\n".join(
        "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in one.rows
    )
    note = f"<p>{_text(one.note)}</p>" if one.note else ""
    return f"<h2>{_text(one.title)}</h2>{note}<div><table><tr>{heads}</tr>\n{rows}</table></div>"


def _text(text: object) -> str:
    return escape(clean(text), quote=True)


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


def script() -> str:
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
