"""A run as a notebook shows it: the opening and the headline's table, as HTML without scripts."""

from collections.abc import Iterator, Mapping
from typing import Any

from markupsafe import Markup, escape

from reports.view import label, make_view
from reports.words import INTERVAL_OF_CHANCE, NOT_CONVERGED, NOT_CONVERGED_TEXT, chance, interval

ROW = "<tr><th style='text-align:left'>{}</th><td>{}</td><td>{}</td><td>{}</td></tr>"


def notebook_html(context: Mapping[str, Any], *, folder: str) -> str:
    """Return a finished run as HTML; names from a user's files are escaped.

    Parameters
    ----------
    context
        As of :func:`reports.view.make_view`.
    folder
        Where the run lies, told below.
    """
    view = make_view(context)
    parts = [Markup("<p><strong>{}</strong></p>").format(view["name"])]
    if not view["converged"]:
        alarm = "<p><strong>{}.</strong> {}</p>"
        parts.append(Markup(alarm).format(NOT_CONVERGED, NOT_CONVERGED_TEXT))
    sentences = [*view["opening"], *filter(None, [view["untried"]])]
    parts += [Markup("<p>{}</p>").format(sentence) for sentence in sentences]
    head = ROW.replace("td>", "th>").format("", "mean", INTERVAL_OF_CHANCE, "prior alone")
    rows = Markup("").join(_rows(view))
    parts.append(Markup("<table>") + Markup(head) + rows + Markup("</table>"))
    parts.append(Markup("<p><code>{}</code></p>").format(folder))
    return str(Markup("").join(parts))


def _rows(view: Mapping[str, Any]) -> Iterator[Markup]:
    outside = view["outside"]
    for name in view["main"]:
        found, prior = view["found"][name], view["prior"].get(name) or {}
        yield Markup(ROW).format(
            escape(label(name)), chance(found["mean"]), interval(found), chance(prior.get("mean"))
        )
    for name, found in outside.get("rows", [])[1:]:
        told = f"{outside['label']}: {name}"
        yield Markup(ROW).format(told, chance(found["mean"]), interval(found), "")
