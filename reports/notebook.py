"""A run as a notebook shows it: the opening and the headline's table, as HTML without scripts."""

from collections.abc import Mapping
from typing import Any

from reports import words
from reports.html import environment
from reports.table import Table
from reports.view import make_view


def notebook_html(context: Mapping[str, Any], *, folder: str) -> str:
    """Return a finished run as HTML; names from a user's files are escaped.

    Parameters
    ----------
    context
        As of :func:`reports.view.make_view`.
    folder
        Where the run lies.
    """
    view = make_view(context)
    same_bar, main, _ = (table.first(4).rows for table in view["tables"])
    label = words.outside_view(view["headline"]).get("label")
    outside = [(f"{label}: {row[0]}", *row[1:], "") for row in view["outside_table"].rows[1:]]
    columns = ("", "mean", words.INTERVAL_OF_CHANCE, "prior alone")
    table = Table.of("", columns, [*same_bar, *main, *outside])
    template = environment().get_template("notebook.html.j2")
    return template.render(view, words=words, table=table, folder=folder)
