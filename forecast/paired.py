r"""Agendas compared draw by draw: which is larger, and which the largest, with Monte Carlo errors.

What is uncertain for all agendas alike drops out of a comparison within a draw, so that two
intervals may overlap where nearly every draw has one above the other.

Errors are those of ArviZ (Vehtari et al. 2021, Bayesian Analysis 16:667): the standard deviation
over the root of the effective draws, from autocovariances of split chains summed over Geyer's
initial monotone sequence. Here many series are taken at once: a thousand in a tenth of a second.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import fft

from forecast.folder import write_csv
from forecast.stored import read_groups
from reports.agenda_pairs import EVERY, FILE
from reports.tables import BY_AGENDA

DIGITS = 6
"""Decimals of a probability in the table."""
LEAST = 4
"""Draws of a half chain below which an error has no meaning."""


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
    """Return the Monte Carlo standard error of the mean of each series, as ArviZ has it.

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
    whole = x.T.reshape(x.shape[1], chains, -1).astype(np.float32)
    half = whole.shape[2] // 2
    if half < LEAST:
        return np.full(len(whole), np.nan)
    split = np.concatenate([whole[..., :half], whole[..., -half:]], axis=1)
    flat = whole.reshape(len(whole), -1)
    moves = np.ptp(flat, axis=1) > 0
    sd, out = flat[moves].std(axis=1, ddof=1, dtype=np.float64), np.zeros(len(whole))
    out[moves] = sd / np.sqrt(_effective(split[moves]))
    return out


def _effective(x: np.ndarray) -> np.ndarray:
    """Return the effective draws of series, dims (series, chain, draw), none of them constant."""
    series, chains, n = x.shape
    mean = x.mean(axis=2, keepdims=True)
    size = fft.next_fast_len(2 * n, real=True)
    power = (np.abs(fft.rfft(x - mean, size, axis=2)) ** 2).mean(axis=1)
    covariance = fft.irfft(power, size, axis=1)[:, :n].astype(np.float64) / n
    within = covariance[:, 0] * n / (n - 1.0)
    total = covariance[:, 0] + mean[..., 0].var(axis=1, ddof=1)
    rho = 1.0 - (within[:, None] - covariance) / total[:, None]
    rho[:, 0] = 1.0
    pairs = rho[:, : n - n % 2].reshape(series, n // 2, 2)
    sums = pairs.sum(axis=2)
    sums[:, (n - 3) // 2] = -1.0  # where the sequence ends at the latest
    ends = np.argmax(sums < 0.0, axis=1)
    kept = np.arange(sums.shape[1]) < ends[:, None]
    total_rho = np.where(kept, np.minimum.accumulate(sums, axis=1), 0.0).sum(axis=1)
    last = np.maximum(pairs[np.arange(series), ends, 0], 0.0)
    draws = chains * n
    return draws / np.maximum(2.0 * total_rho - 1.0 + last, 1.0 / np.log10(draws))


def save_stored(folder: Path) -> None:
    """Write the table of a finished run that lacks it, being older, from its draws."""
    if (folder / FILE).is_file():
        return
    group = read_groups(folder / "posterior.nc", ["predictions"])["predictions"]
    found = {name: group[name].to_numpy() for name in (f"agenda_{one}" for one in BY_AGENDA)}
    chains = group.sizes["chain"]
    flat = {name: x.reshape(-1, x.shape[-1]) for name, x in found.items()}
    write_csv(folder / FILE, pair_rows(flat, [*map(str, group["agenda"].values)], chains=chains))
