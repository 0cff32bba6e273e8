"""One offline page of sentences, tables and figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

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


__all__ = ["Section", "plain_page"]
