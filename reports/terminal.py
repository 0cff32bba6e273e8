"""Texts for the terminal and pages in Markdown, from templates of sentences and tables.

A line of a terminal's template is a paragraph, wrapped at 100. What comes from a user's files goes
through :func:`reports.words.clean`, so that no control character reaches the terminal.
"""

from typing import Any

from reports import words
from reports.html import environment
from reports.table import Table, wrapped
from reports.words import clean


class Clean(str):
    """Text that is fit for the terminal as it is, line breaks included."""


def render(template: str, *, colour: bool = False, **values: Any) -> str:
    """Return a text of ``templates/``, without a line break at its end.

    Parameters
    ----------
    template
        Its name, without ``.txt.j2``.
    colour
        Whether to mark heads and alarms by the terminal's colours.
    values
        What the template reads, besides ``words``.
    """

    def marked(code: str) -> Any:
        def mark(text: object) -> Clean:
            line = clean(text)
            return Clean(f"\x1b[{code}m{line}\x1b[0m" if colour else line)

        return mark

    def grid(table: Table, *widths: int) -> Clean:
        return Clean(table.text(widths=widths, colour=colour))

    env = environment(escape=False)
    env.finalize = lambda x: x if isinstance(x, Clean) else clean(x)
    env.filters |= {"bold": marked("1"), "alarm": marked("1;31"), "grid": grid}
    text = env.get_template(f"{template}.txt.j2").render(values, words=words)
    return "\n".join(wrapped(line) for line in text.rstrip().splitlines())


def render_markdown(template: str, **values: Any) -> str:
    """Return a page in Markdown from a template of ``templates/``; ``grid`` renders its tables."""
    env = environment(escape=False)
    env.filters["grid"] = lambda table: "\n".join(table.markdown())
    return env.get_template(f"{template}.md.j2").render(values, words=words).rstrip() + "\n"
