"""How an answer beside the run was obtained, and how surely, in words."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from reports.words import NOT_CONVERGED, number

HOW = {
    "exact": "this run itself",
    "run": "a finished run beside this one",
    "refit": "a fit of its own",
    "reweighted": "this run's draws, reweighted",
    "moment-matched": "this run's draws, moved and reweighted",
    "withheld": "withheld",
}
"""Ways to answer a variation, in words."""


def known(x: object) -> bool:
    """Return whether a cell holds a number."""
    return x is not None and x != "" and bool(np.isfinite(float(str(x))))


def how(row: Mapping[str, Any], names: Iterable[str] = ()) -> str:
    """Return in words how a variation was answered, and how well; ``names`` are its quantities."""
    shown = any(row.get(name) for name in names)
    word = str(row.get("how") or ("reweighted" if shown else "withheld"))
    fitted = word in {"refit", "run"}
    keys = {"r_hat": "R-hat"} if fitted else {"pareto_k": "Pareto k"}
    keys |= {"ess": "effective draws"} if fitted or shown else {}
    told = [f"{keys[key]} {number(float(row[key]))}" for key in keys if known(row.get(key))]
    told += [NOT_CONVERGED] if fitted and row.get("converged") is False else []
    return HOW.get(word, word) + (f" ({', '.join(told)})" if told and word != "exact" else "")


def view_error(view: Mapping[str, Any]) -> str:
    """Return the Monte Carlo error of a worldview's strict mean in words, '' where none is kept."""
    found = (view.get("posterior") or {}).get("alignment_relevant") or {}
    if not known(found.get("mcse")):
        return ""
    return f"Monte Carlo error of its strict mean {100 * found['mcse']:.1g} points of a hundred"


def view_notes(views: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return, for each worldview given the evidence, how it was answered and how surely."""
    told = [(v["name"], how(v, ["posterior"]), view_error(v)) for v in views if v.get("posterior")]
    return [f"{name}: {'; '.join(filter(None, more))}." for name, *more in told]
