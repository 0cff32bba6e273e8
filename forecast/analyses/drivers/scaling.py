r"""Power scaling by block: what a block of priors, or a table, does if it weighs more.

The density of a component is raised to the power :math:`\alpha` near 1. ``sensitivity`` is ArviZ's
``psense``: how fast the whole distribution of the target changes with :math:`\log_2 \alpha`
(Kallioinen et al. 2024, Stat. Comput. 34:57). It has no sign, so ``direction`` stands beside it:
the change of the mean for each doubling of :math:`\alpha`, from the same weights.

A block is the sum of the log densities of its stated priors, forecast-only ones included. Terms of
groups (effects of agendas, years, definitions, raters and studies, given their scale) are left
out: a flag would hang on which of them were scaled. A table is the sum of its rows with their
weights.
"""

from typing import Any

import numpy as np

from forecast.analyses.drivers.bars import paired
from forecast.analyses.drivers.material import Material
from forecast.analyses.predictive import TABLES
from forecast.seeds import stream

ALPHAS = (0.99, 1.01)
"""Powers, ArviZ's own; the change is linear between them."""
THRESHOLD = 0.05
"""Sensitivity from which a component counts as one that moves the target (Kallioinen et al.)."""
BOOTSTRAPS = 20
LEFT_OUT = (
    "Effects of single agendas, years, definitions, raters and studies, given their scale, are "
    "left out: each row scales the stated priors of one block, or one table."
)


def components(m: Material) -> dict[tuple[str, str], np.ndarray]:
    """Return the log density by draw of each block of priors and each table."""
    dens, out = m.log_prior, {}
    for block, names in m.blocks().items():
        out["prior", block] = np.sum([dens[name] for name in names], axis=0)
    for name, logs in m.by_table().items():
        out["likelihood", TABLES[name]] = logs
    return out


def power_rows(m: Material) -> list[dict[str, Any]]:
    """Return one row for each block of priors and each table of evidence, the largest first.

    ``group`` is ``prior`` or ``likelihood``; ``sensitivity`` has ``error``, its bootstrap standard
    error; ``direction`` has ``mcse``; ``flagged`` if the sensitivity reaches :data:`THRESHOLD`.
    """
    from arviz_stats import psense

    parts = components(m)
    tree = scaled_tree(m, parts)
    rows = []
    for (group, name), logs in parts.items():
        found = psense(
            tree[group, name], var_names="target", group=group, group_var_names=name, alphas=ALPHAS
        )
        value = float(found["target"])
        own = m.kept if group == "likelihood" else np.arange(m.fit.n)
        change, error = direction(m, logs, at=own)
        row: dict[str, Any] = {"group": group, "component": name, "sensitivity": value}
        row |= {"error": bootstrap_error(m, logs, at=own), "threshold": THRESHOLD}
        row |= {"flagged": value >= THRESHOLD, "direction": change, "mcse": error}
        rows.append(row)
    return sorted(rows, key=lambda row: (row["group"] != "prior", -row["sensitivity"]))


def scaled_tree(
    m: Material, parts: dict[tuple[str, str], np.ndarray]
) -> dict[tuple[str, str], Any]:
    """Return, for each component, the DataTree that ``psense`` reads."""
    import xarray as xr

    chains = m.fit.chains
    out: dict[tuple[str, str], Any] = {}
    for (group, name), logs in parts.items():
        y = m.y if group == "prior" else m.y[m.kept]
        both = {"posterior": {"target": y}, f"log_{group}": {name: logs}}
        out[group, name] = xr.DataTree.from_dict(
            {
                key: xr.Dataset(
                    {k: (("chain", "draw"), x.reshape(chains, -1)) for k, x in values.items()}
                )
                for key, values in both.items()
            }
        )
    return out


def direction(m: Material, logs: np.ndarray, *, at: np.ndarray) -> tuple[float, float]:
    """Return the change of the mean for each doubling of the power, and its error."""
    low, high = (_weights(logs, alpha) for alpha in ALPHAS)
    width = float(np.log2(ALPHAS[1] / ALPHAS[0]))
    y = m.y[at]
    up, _ = paired(y, high, base=y, least=m.least)
    down, _ = paired(y, low, base=y, least=m.least)
    part = high * (y - high @ y) - low * (y - low @ y)
    return (up - down) / width, float(((part**2).sum() / m.least) ** 0.5) / width


def _weights(logs: np.ndarray, alpha: float) -> np.ndarray:
    """Return Pareto-smoothed weights for a power, as ``psense`` makes them."""
    from arviz_stats.base import array_stats

    w = np.exp(np.asarray(array_stats.power_scale_lw(logs, alpha=alpha)))
    return np.asarray(w / w.sum())


def bootstrap_error(m: Material, logs: np.ndarray, *, at: np.ndarray) -> float:
    """Return the standard error of the sensitivity, by drawing stretches of the chains anew.

    Each draw keeps its weight: powers this near 1 leave no tail to smooth again.
    """
    from arviz_stats.base import array_stats

    y, n, rng = m.y[at], len(at), stream(m.case.seed, "power scaling")
    weights = [_weights(logs, alpha) for alpha in ALPHAS]
    length, found = max(1, round(1.0 / m.least)), []
    for _ in range(BOOTSTRAPS):
        starts = rng.integers(0, n - length + 1, size=-(-n // length))
        pick = (starts[:, None] + np.arange(length)).ravel()[:n]
        low, high = (w[pick] / w[pick].sum() for w in weights)
        parts = (y[pick][None], low[None], high[None])
        found.append(array_stats.power_scale_sense(*parts, *ALPHAS))
    return float(np.std(found))
