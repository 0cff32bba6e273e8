"""From the records of all processes to the figures of the table."""

from collections.abc import Iterable, Mapping
from statistics import median
from typing import Any

LABELS = {
    "command": "this project, the command",
    "project": "this project, the library",
    "plain": "plain PyMC",
    "numpyro": "NumPyro",
    "stan": "Stan",
}
"""Entrants in order, in words."""
REFITS = 50
"""Refits that the table speaks of."""
TARGETS = {
    ("warm", "plain"): 3.0,
    ("warm", "numpyro"): 2.0,
    ("cold", "plain"): 1.5,
    ("cold", "numpyro"): 1.5,
    ("refits", "plain"): 10.0,
}
"""How many times as fast as another this project is to be."""


def records(results: Mapping[str, Any], kind: str, *, entrant: str) -> list[dict[str, Any]]:
    """Return the records of one kind of process of one entrant."""
    return [r for r in results["records"] if (r["kind"], r["entrant"]) == (kind, entrant)]


def speeds(results: Mapping[str, Any], kind: str, *, entrant: str) -> dict[int, float]:
    """Return least bulk ESS per whole-process second by seed."""
    return {r["seed"]: r["min_ess"] / r["seconds"] for r in records(results, kind, entrant=entrant)}


def refit_seconds(results: Mapping[str, Any], entrant: str) -> float | None:
    """Return whole-process seconds per refit, of :data:`REFITS` in one process.

    Where fewer were run, each missing one costs the median of those after the first.
    """
    found = records(results, "refits", entrant=entrant)
    if not found or len(found[0]["fit_seconds"]) < 2:
        return None
    fits = found[0]["fit_seconds"]
    missing = max(REFITS - len(fits), 0)
    return (found[0]["seconds"] + missing * median(fits[1:])) / (len(fits) + missing)


def row(results: Mapping[str, Any], entrant: str) -> dict[str, float | None]:
    """Return an entrant's figures; None where there is no record."""
    warm, cold = (records(results, kind, entrant=entrant) for kind in ("warm", "cold"))
    counted, refits = (records(results, kind, entrant=entrant) for kind in ("count", "refits"))
    return {
        "seeds": float(len(warm)),
        "warm_seconds": middle(r["seconds"] for r in warm),
        "cold_seconds": middle(r["seconds"] for r in cold),
        "min_ess": middle(r["min_ess"] for r in warm),
        "warm_speed": middle(speeds(results, "warm", entrant=entrant).values()),
        "cold_speed": middle(speeds(results, "cold", entrant=entrant).values()),
        "gradients": middle(r["gradients"] / r["min_ess"] for r in warm),
        "all_gradients": middle(r["all_gradients"] / r["min_ess"] for r in counted),
        "refit": refit_seconds(results, entrant),
        "refit_ess": middle(ess for r in refits for ess in r["fit_ess"]),
        "peak_gb": max((r["peak_gb"] for r in [*warm, *cold]), default=None),
        "max_rhat": max((r["max_rhat"] for r in warm), default=None),
        "divergences": max((r["divergences"] for r in warm), default=None),
    }


def middle(values: Iterable[float]) -> float | None:
    """Return the median, None of nothing."""
    found = list(values)
    return median(found) if found else None


def ratio(
    results: Mapping[str, Any], ours: str, *, other: str, kind: str
) -> tuple[float, float, float] | None:
    """Return median, least and greatest ratio of speeds over seeds that both ran; refits' time."""
    if kind == "refits":
        mine, theirs = (refit_seconds(results, name) for name in (ours, other))
        return (theirs / mine,) * 3 if mine and theirs else None
    a, b = (speeds(results, kind, entrant=name) for name in (ours, other))
    found = [a[seed] / b[seed] for seed in a if seed in b]
    return (median(found), min(found), max(found)) if found else None


def present(results: Mapping[str, Any]) -> list[str]:
    """Return the entrants that have a record, in order."""
    have = {r["entrant"] for r in results["records"]}
    return [name for name in LABELS if name in have]
