"""Agendas compared draw by draw: which is larger, and which the largest, with Monte Carlo errors.

What is uncertain for all agendas alike drops out of a comparison within a draw, so that two
intervals may overlap where nearly every draw has one above the other.

Errors are by batch means (Geyer 1992, doi:10.1214/ss/1177011137): each chain falls into stretches,
far longer than draws hang together, whose means are as good as independent. ArviZ's errors, one
series at a time, would take seconds for the hundreds of pairs.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from forecast.files import write_csv
from forecast.runs.load import read_groups
from reports.view import BY_AGENDA, EVERY, FILE

DIGITS = 6
"""Decimals of a probability in the table."""
STRETCHES, LEAST = 10, 4
"""Stretches of each chain; draws of a stretch below which an error has no meaning."""


def pair_rows(
    found: Mapping[str, np.ndarray], agendas: Sequence[str], *, chains: int
) -> list[dict[str, Any]]:
    """Return for each quantity how probable it is that an agenda is larger than another.

    Parameters
    ----------
    found
        ``agenda_NAME`` by draw, dims (draw, agenda), of each NAME of the table by agenda.
    agendas
        Their keys.
    chains
        Into how many chains of equal length the draws fall, one after the other.

    Returns
    -------
    list of dict
        ``quantity``, ``agenda``, ``other``, ``probability`` that the agenda is strictly larger, and
        its ``mcse``; where ``other`` is :data:`EVERY`, that it is larger than every other one.
        None where there is one agenda alone.
    """
    if len(agendas) < 2:
        return []
    rows = []
    for name in BY_AGENDA:
        x = found[f"agenda_{name}"]
        for i, j, p, error in [*_pairs(x, chains), *_largest(x, chains)]:
            other = EVERY if j is None else agendas[j]
            row = {"quantity": name, "agenda": agendas[i], "other": other}
            rows.append(row | {"probability": round(p, DIGITS), "mcse": float(f"{error:.3g}")})
    return rows


Compared = list[tuple[int, int | None, float, float]]


def _pairs(x: np.ndarray, chains: int) -> Compared:
    """Return (agenda, other, probability, error) of each ordered pair."""
    i, j = np.triu_indices(x.shape[1], 1)
    above, below = x[:, i] > x[:, j], x[:, i] < x[:, j]
    error = mcse(above, chains)
    other = mcse(below, chains) if (above == below).any() else error  # the same without ties
    told = [*zip(i, j, above.mean(axis=0), error, strict=True)]
    told += [*zip(j, i, below.mean(axis=0), other, strict=True)]
    return [(int(a), int(b), float(p), float(e)) for a, b, p, e in sorted(told)]


def _largest(x: np.ndarray, chains: int) -> Compared:
    """Return (agenda, None, probability, error) of being larger than every other one."""
    top = x == x.max(axis=1, keepdims=True)
    alone = top & (top.sum(axis=1, keepdims=True) == 1)
    told = zip(alone.mean(axis=0), mcse(alone, chains), strict=True)
    return [(a, None, float(p), float(e)) for a, (p, e) in enumerate(told)]


def mcse(x: np.ndarray, chains: int) -> np.ndarray:
    """Return the Monte Carlo standard error of the mean of each series.

    Parameters
    ----------
    x
        Series of truth values, dims (draw, series).
    chains
        Into how many chains the draws fall.

    Returns
    -------
    ndarray, dims (series,)
        0 of what never changes; NaN of chains too short to tell.
    """
    whole = x.reshape(chains, -1, x.shape[1])
    size = whole.shape[1] // STRETCHES
    if size < LEAST:
        return np.full(x.shape[1], np.nan)
    parts = whole[:, : size * STRETCHES].reshape(chains * STRETCHES, size, -1).mean(axis=1)
    return np.asarray(parts.std(axis=0, ddof=1) / len(parts) ** 0.5)


def save_stored(folder: Path) -> None:
    """Write the table of a finished run that lacks it, being older, from its draws."""
    if (folder / FILE).is_file():
        return
    group = read_groups(folder / "posterior.nc", ["predictions"])["predictions"]
    found = {name: group[name].to_numpy() for name in (f"agenda_{one}" for one in BY_AGENDA)}
    chains = group.sizes["chain"]
    flat = {name: x.reshape(-1, x.shape[-1]) for name, x in found.items()}
    write_csv(folder / FILE, pair_rows(flat, [*map(str, group["agenda"].values)], chains=chains))
