"""On posterior draws, dependence and all: what explains the target's variance.

``block_rows`` is regression EVPPI by block (:mod:`forecast.analyses.evppi`); ``belief_rows`` rank
and partial rank correlations by belief; ``pair_rows`` the pairs that evidence cannot tell apart.
"""

from itertools import combinations
from typing import Any

import numpy as np

from forecast.analyses import evppi
from forecast.analyses.drivers.material import Material
from forecast.analyses.drivers.moves import moments
from forecast.summaries import unbounded
from models.slots import SLOTS
from reports.learned import LEARNED, SOMEWHAT

Row = dict[str, Any]


def block_rows(m: Material) -> list[Row]:
    """Return the share of the target's variance that each block explains, the largest first."""
    rows = []
    for block, names in m.blocks().items():
        made = evppi.explained(m.y, m.columns(names), ess=m.ess, seed=m.case.seed)
        row: Row = {"block": block, "beliefs": len(names), "share": made.share}
        rows.append(row | {"lower": made.lower, "upper": made.upper})
    return sorted(rows, key=lambda row: -row["share"])


def belief_rows(m: Material) -> list[Row]:
    """Return rank and partial rank correlation of each scalar belief with the target."""
    names = list(m.beliefs)
    x = m.columns(names)
    plain, partial = evppi.rank_correlations(m.y, x), evppi.partial_rank_correlations(m.y, x)
    ends = evppi.fisher(plain, n=m.ess)
    held = evppi.fisher(partial, n=m.ess, held=len(names) - 1)
    rows = [
        {"parameter": name, "block": m.case.by_name[name].block}
        | {"rank": float(plain[i]), "rank_lower": float(ends[0][i])}
        | {"rank_upper": float(ends[1][i]), "partial": float(partial[i])}
        | {"partial_lower": float(held[0][i]), "partial_upper": float(held[1][i])}
        for i, name in enumerate(names)
    ]
    return sorted(rows, key=lambda row: -abs(row["partial"]))


def pair_rows(m: Material) -> list[Row]:
    r"""Return pairs of which evidence tells a combination, and not the two.

    In units of each belief's prior sd, where it is unbounded, the two have posterior sds
    :math:`a, b` and, at right angles, combinations of least and most sd :math:`l, g`. Before any
    evidence all four are 1, since priors are independent. By the limits of :mod:`reports.learned`,
    a pair is named if l is learned, neither a nor b is, and g is hardly learned. The shares are
    EVPPI of both together, and of each alone.
    """
    names = [n for n in m.beliefs if n not in m.fit.compiled.alone]
    priors = m.case.by_name
    u = np.column_stack(
        [unbounded(m.beliefs[n], support=SLOTS[n].support) / moments(priors[n])[1] for n in names]
    )
    cov = np.cov(u.T)
    sd = np.sqrt(np.diag(cov))
    rows = []
    for i, j in combinations(range(len(names)), 2):
        values, vectors = np.linalg.eigh(cov[np.ix_([i, j], [i, j])])
        least, most = np.sqrt(np.maximum(values, 0.0))
        if least < LEARNED <= min(sd[i], sd[j]) and most >= SOMEWHAT:
            r = float(cov[i, j] / (sd[i] * sd[j]))
            one: Row = {"first": names[i], "second": names[j], "correlation": r}
            one |= {"first_sd": float(sd[i]), "second_sd": float(sd[j])}
            one |= {"learned_sd": float(least), "left_sd": float(most)}
            weights = vectors[:, 0] / vectors[np.argmax(np.abs(vectors[:, 0])), 0]
            one |= {"first_weight": float(weights[0]), "second_weight": float(weights[1])}
            rows.append(one | _shares(m, (names[i], names[j])))
    return sorted(rows, key=lambda row: -abs(row["correlation"]))


def _shares(m: Material, pair: tuple[str, str]) -> Row:
    """Return the variance explained by both beliefs together and by each alone."""
    found = {"together": pair, "by_first": pair[:1], "by_second": pair[1:]}
    out: Row = {}
    for key, names in found.items():
        made = evppi.explained(m.y, m.columns(names), ess=m.ess, seed=m.case.seed)
        out |= {key: made.share, f"{key}_upper": made.upper}
    return out
