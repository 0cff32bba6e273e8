"""What priors imply for quantities that one can have a feeling for, in numbers and words.

Labels and questions are the registry's; each row has the 5, 50 and 95% quantiles under the priors.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from forecast.case import Case, structure_of
from models.quantities import QUANTITIES
from models.relevance import forecast_years
from models.structure import GROUPS, LEVELS, STEPS, WORLDS
from reports.words import CHANCES, value

TAILS = (0.05, 0.5, 0.95)
NOW = 2026
ASKED = (
    ("workers", ("alignment", NOW)),
    ("workers", ("capabilities", NOW)),
    ("workers", ("interpretability", NOW)),
    ("workers", ("interpretability", None)),
    ("worker_ratio", (NOW,)),
    ("worker_ratio", (None,)),
    ("field_works", (NOW,)),
    ("field_works", (2030,)),
    ("field_works", (None,)),
    *(("level_share", (k,)) for k in LEVELS),
    ("tracking_field", (NOW,)),
    ("tracking_field", (None,)),
    ("tracks_end_goal", ()),
    ("fault_shares", ("no-learning",)),
    ("fault_shares", ("wrong-code",)),
    ("fault_shares", ("learned-representation",)),
    ("diagnosed", (1,)),
    ("diagnosed", (3,)),
    ("bottleneck_gain", ()),
    ("tracking_effect_capabilities", ()),
    ("ease_actual", ()),
    ("path_count", ()),
    ("path_caught", ()),
    ("value_constancy", ()),
    ("documented_alignment", ()),
    ("documented_capabilities", ()),
    ("alignment_used", ()),
    ("capabilities_relevant", ()),
    ("alignment_used_by_others", ()),
    ("capabilities_used_by_others", ()),
    ("capabilities_first", ()),
    *(("established_field", (k,)) for k in (5, 6, 7)),
    ("alignment_relevant", ()),
)
"""Quantities and the element of each; None stands for the horizon."""


def implied_rows(case: Case, found: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Return each quantity under the priors: label, unit, question, quantiles, and a sentence."""
    rows = []
    for name, at in ASKED:
        element, x = _element(case, name, at=at, values=found[name])
        if x is not None:
            rows.append(implied_row(name, x, element=element))
    return rows + list(year_rows(found["established"], horizon=case.question.horizon))


def implied_row(name: str, x: np.ndarray, *, element: str) -> dict[str, Any]:
    """Return one quantity's row."""
    q = QUANTITIES[name]
    low, mid, high = (float(v) for v in np.quantile(x, TAILS))
    row: dict[str, Any] = {"quantity": name, "element": element, "label": q.label}
    row |= {"unit": q.unit, "question": q.question, "low": low, "median": mid, "high": high}
    return row | {"sentence": sentence(q.question, (low, mid, high), unit=q.unit)}


def sentence(question: str, quantiles: tuple[float, float, float], *, unit: str) -> str:
    """Return a question with what the priors answer."""
    low, mid, high = (value(x, unit) for x in quantiles)
    told = "" if unit in (*CHANCES, "ratio", "log ratio") else f" {unit}"
    if low == high:
        return f"{question} {mid}{told}."
    return f"{question} About {mid}{told}: 9 chances in 10 of {low} to {high}."


def year_rows(established: np.ndarray, *, horizon: int) -> Iterator[dict[str, Any]]:
    """Return in which year each level is established under the priors, mixed over draws.

    A quantile is the first year by whose end the chance is that large; None if not by the horizon.
    """
    curve = np.maximum.accumulate(established.mean(axis=0), axis=-1)
    years = forecast_years(horizon)
    for k, chance in zip(STEPS, curve, strict=True):
        ends = [years[int(np.argmax(chance >= q))] if chance[-1] >= q else None for q in TAILS]
        low, mid, high = (f"{y}" if y is not None else f"after {horizon}" for y in ends)
        question = f"When is level {k} established?"
        row: dict[str, Any] = {"quantity": "established", "element": f"level {k}"}
        row |= {"label": "year established", "unit": "year", "question": question}
        row |= dict(zip(("low", "median", "high"), ends, strict=True))
        told = f"{question} By {low}, {mid}, {high} with 1, 10 and 19 chances in 20."
        yield row | {"sentence": told}


def _element(
    case: Case, name: str, *, at: tuple[Any, ...], values: np.ndarray
) -> tuple[str, np.ndarray | None]:
    """Return the words and the draws of one element; none for a year beyond the horizon."""
    horizon = case.question.horizon
    coords: dict[str, tuple[Any, ...]] = dict(structure_of(case).coords())
    coords |= {"forecast_year": forecast_years(horizon), "group": GROUPS, "world": WORLDS}
    words = []
    for dim, asked in zip(QUANTITIES[name].dims, at, strict=True):
        wanted = horizon if asked is None else asked
        if wanted not in coords[dim]:
            return "", None
        values = values[:, coords[dim].index(wanted)]
        words.append(f"{dim} {wanted}" if dim in ("level", "step") else f"{wanted}")
    return ", ".join(words).replace("step", "level"), values
