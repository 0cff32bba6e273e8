"""The figure of an elicitation: the stated quantiles and the densities that fit them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from reports import drawing as d

INNER = (0.001, 0.999)
"""Probabilities between which a density is drawn."""


def plot_elicited(found: Mapping[str, Any], path: Path, *, unit: str) -> d.Caption:
    """Draw distribution functions and densities, by PreliZ, of every family that fits.

    Parameters
    ----------
    found
        ``name``, ``dist``, ``quantiles`` and ``fits`` with ``dist`` and ``params``.
    path
        Without an ending.
    unit
        Of the belief.
    """
    import preliz

    fig = d.new(7.8, 3.4)
    left, right = fig.subplots(1, 2)
    good = [row for row in found["fits"] if row["params"] is not None]
    made = {row["dist"]: getattr(preliz, row["dist"])(**row["params"]) for row in good}
    ends = np.array([[float(one.ppf(p)) for p in INNER] for one in made.values()])
    chosen = list(made).index(found["dist"])
    x = np.linspace(ends[chosen, 0], ends[chosen, 1], 401)
    rows: list[dict[str, Any]] = []
    for i, (dist, one) in enumerate(made.items()):
        wide, shown = (2.4, d.BLUE) if dist == found["dist"] else (1.1, d.GREY)
        label = f"{dist}, chosen" if dist == found["dist"] else dist
        style = "-" if dist == found["dist"] else ("--", ":", "-.")[i % 3]
        density, below = np.asarray(one.pdf(x)), np.asarray(one.cdf(x))
        left.plot(x, density, color=shown, linewidth=wide, linestyle=style, label=label)
        right.plot(x, below, color=shown, linewidth=wide, linestyle=style)
        told = zip(x.tolist(), density.tolist(), below.tolist(), strict=True)
        rows += [{"dist": dist, "value": a, "density": b, "below": c} for a, b, c in told]
    p, v = np.array(found["quantiles"]).T
    right.plot(v, p, "o", color=d.RED, label="stated quantiles")
    left.set_ylabel("density")
    right.set_ylabel("probability to be at or below")
    for ax in (left, right):
        ax.set_xlabel(f"{found['name']} ({unit})")
        ax.legend(loc="best")
    d.save(fig, path, rows=rows)
    return d.Caption(
        f"Elicited: {found['name']}",
        "Left: the density of each family that fits. Right: its distribution function, with the "
        "quantiles that were stated.",
        f"{found['name']}: "
        + ", ".join(f"{100 * q:g}% below {value:g}" for q, value in found["quantiles"])
        + f"; chosen: {found['dist']}.",
    )
