"""The outside view beside the model: its sentence and its rows, the same on every surface."""

from collections.abc import Mapping
from typing import Any

from models.quantities import QUANTITIES
from reports.words import INTERVAL, MODEL_ALONE, chance, clean, interval, of_hundred

CONSIDERED = "all things considered"


def outside_view(head: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is shown of the outside view of a headline.json; nothing without one.

    Returns
    -------
    dict
        ``label`` of the quantity, and ``rows``: name and summary of the model alone, the outside
        view, and all things considered.
    """
    view = head.get("outside_view")
    if not view:
        return {}
    name, found = view["quantity"], head["quantities"]
    label = QUANTITIES[name].label
    rows = [
        ("the model alone", found[name]),
        (f"outside view, weight {chance(view['weight'])}", view["outside"]),
        (CONSIDERED, view["mixed"]),
    ]
    return {"label": label, "rows": rows}


def outside_text(head: Mapping[str, Any]) -> list[str]:
    """Return the sentence that says both numbers, for the opening; nothing without a view."""
    view = head.get("outside_view")
    return [considered(view, head["quantities"][view["quantity"]])] if view else []


def opening(summary: Mapping[str, Any]) -> list[str]:
    """Return the same for an analysis, whose view has the model's number in ``model``."""
    view = summary.get("outside_view")
    return [considered(view, view["model"])] if view else []


def considered(view: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    """Return the sentence on a view and the model's summary of the same quantity."""
    outside, both, why = view["outside"], view["mixed"], clean(view["why"])
    why += "" if why.endswith((".", "!", "?")) else "."
    return (
        f"All things considered, {of_hundred(both['mean'])} of 100 ({interval(both)}, {INTERVAL}) "
        f"are {QUANTITIES[view['quantity']].label}: the model alone says "
        f"{of_hundred(model['mean'])}, an outside view {of_hundred(outside['mean'])} "
        f"({interval(outside)}), which weighs {chance(view['weight'])} by the choice of this "
        f"forecast's author: {why} {MODEL_ALONE}"
    )


def considered_of(head: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """Return the summary of a quantity with the outside view mixed in, None where there is none."""
    view = head.get("outside_view") or {}
    return view.get("mixed") if view.get("quantity") == name else None
