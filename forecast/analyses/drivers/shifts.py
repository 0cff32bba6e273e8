r"""Global sensitivity to what the priors say: one standard-normal factor for each block.

Factor :math:`z_b \sim \mathrm{Normal}(0, 1)` moves the centre of each prior i of block b by
:math:`\tfrac12 z_b\, d_i` of its sd, where it is unbounded (:mod:`moves`), d the unit vector along
which the block moves the target fastest: :math:`d_i \propto g_i`, the slopes of the tornado, less
their noise. To first order the variance by block is then what independent shifts of all single
priors would give, since :math:`|g|^2 = \sum_i g_i^2`. Half an sd keeps all factors together within
reach of weights.

Each point is answered from the run's draws: sampled priors by their weights, the last beliefs
exactly. A surrogate (:mod:`forecast.analyses.surrogate`) is fitted to some points and judged on the
others. Sobol indices are SALib's on the surrogate; Shapley effects are exact there, by all subsets.
Intervals come from drawing stretches of the chains anew, and the surrogate's errors with them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc

from forecast.analyses import shapley, surrogate
from forecast.analyses.drivers.bars import trusted
from forecast.analyses.drivers.material import Material
from forecast.analyses.drivers.moves import moments, point, shifted
from forecast.case import with_prior
from forecast.reweighting import smoothed
from forecast.seeds import integer, stream
from models.prior import Prior

Row = dict[str, Any]
UNIT = 0.5
"""Prior sds by which a factor of 1 moves a block along its direction."""
POINTS = {True: (64, 32), False: (128, 64)}
"""Points of the fit and of its test, with ``quick`` and without."""
LEAST = 0.02
"""Part of a direction below which a prior is not moved."""
STRETCHES, REPLICATES = 20, 200
ENDS = (0.055, 0.945)


@dataclass(frozen=True)
class Answers:
    """Points and what they say: sums by stretch of weights times target, and of weights."""

    z: np.ndarray
    top: np.ndarray
    bottom: np.ndarray
    left_out: int

    def means(self, stretches: np.ndarray | None = None) -> np.ndarray:
        """Return the target's mean at each point, from stretches of the chains."""
        at = np.arange(self.top.shape[1]) if stretches is None else stretches
        return np.asarray(self.top[:, at].sum(axis=1) / self.bottom[:, at].sum(axis=1))


def factor_rows(m: Material, tornado: list[Row], *, quick: bool) -> tuple[list[Row], Row]:
    """Return one row for each block, and how good the surrogate is.

    Rows have ``first``, ``total`` (Sobol) and ``shapley``, all as shares of the variance, with the
    ends of their intervals, ``slope`` (change of the target for a factor of 1) and ``led_by``.
    """
    ways = directions(m, tornado)
    blocks = list(ways)[: shapley.MOST]
    fit_n, test_n = POINTS[quick]
    made = answered(m, [ways[b] for b in blocks], n=fit_n + test_n)
    many = len(made.z) * fit_n // (fit_n + test_n)
    if many < 4 * len(blocks):
        return [], {"points": len(made.z), "left_out": made.left_out, "unit": UNIT}
    found = summarised(made, blocks, many=many, seed=m.case.seed)
    rows = [
        row | {"slope": slope, "led_by": max((abs(d), name) for name, d in ways[b].items())[1]}
        for row, b, slope in zip(found[0], blocks, found[2], strict=True)
    ]
    return sorted(rows, key=lambda row: -row["shapley"]), found[1]


def directions(m: Material, tornado: list[Row]) -> dict[str, dict[str, float]]:
    """Return, by block, the part of each prior in the unit vector along which the block moves."""
    slopes: dict[str, dict[str, float]] = {}
    ends = {(row["parameter"], row["move"]): row for row in tornado}
    for prior in m.case.priors:
        if (prior.name, "low") not in ends:
            continue
        mean, sd = moments(prior)
        us, ys, errors = [mean], [0.0], [0.0]
        for key, q in (("low", 0.05), ("high", 0.95)):
            row = ends[prior.name, key]
            if row["how"] != "withheld":
                us.append(point(prior, q))
                ys.append(row["shift"])
                errors.append(row["mcse"])
        a, b = int(np.argmin(us)), int(np.argmax(us))
        if a == b:
            continue
        width = (us[b] - us[a]) / sd
        g, error = (ys[b] - ys[a]) / width, float(np.hypot(errors[a], errors[b])) / width
        clear = g * max(0.0, 1.0 - (error / g) ** 2) if g else 0.0
        slopes.setdefault(prior.block, {})[prior.name] = clear
    return {block: _unit(found) for block, found in slopes.items()}


def _unit(slopes: dict[str, float]) -> dict[str, float]:
    """Return a unit vector, all parts equal where no slope stands out from its noise."""
    size = float(np.linalg.norm(list(slopes.values())))
    if size == 0.0:
        return dict.fromkeys(slopes, len(slopes) ** -0.5)
    return {name: g / size for name, g in slopes.items() if abs(g) >= LEAST * size}


def answered(m: Material, ways: list[dict[str, float]], *, n: int) -> Answers:
    """Return the target at ``n`` points of the factors, those with trusted weights.

    Factors are rounded to halves, so that points share moved blocks; the surrogate knows.
    """
    sampler = qmc.Sobol(len(ways), seed=integer(m.case.seed, "factors"))
    z = ndtri(np.clip(sampler.random(1 << (n - 1).bit_length())[:n], 1e-4, 1 - 1e-4))
    z = np.round(2.0 * z) / 2.0
    blocks = {
        (b, size): block_at(m, ways[b], z=float(size))
        for b in range(len(ways))
        for size in np.unique(z[:, b])
    }
    tops, bottoms, kept = [], [], []
    for i, one in enumerate(z):
        weights, y = at_point(m, [blocks[b, size] for b, size in enumerate(one)])
        if weights is None:
            continue
        parts = [np.array_split(x, STRETCHES) for x in (weights * y, weights)]
        tops.append([part.sum() for part in parts[0]])
        bottoms.append([part.sum() for part in parts[1]])
        kept.append(i)
    return Answers(z[kept], np.array(tops), np.array(bottoms), n - len(kept))


Block = tuple[np.ndarray, tuple[Prior, ...]]
"""A moved block: log ratio of its priors at the draws, and those that are answered exactly."""


def block_at(m: Material, way: dict[str, float], *, z: float) -> Block:
    """Return a block moved by a factor z."""
    priors, new = m.case.by_name, []
    for name, part in way.items():
        mean, sd = moments(priors[name])
        new.append(shifted(priors[name], mean + UNIT * z * part * sd))
    return m.ratio(p for p in new if z and p.name not in m.free), tuple(
        p for p in new if p.name in m.free
    )


def at_point(m: Material, blocks: Sequence[Block]) -> tuple[np.ndarray | None, np.ndarray]:
    """Return weights of the run's draws with all blocks moved, and the target by draw."""
    case, ratio = m.case, np.sum([block[0] for block in blocks], axis=0)
    for new in (prior for block in blocks for prior in block[1]):
        case = with_prior(case, new)
    made = smoothed(ratio)
    return (made.weights if trusted(made.pareto_k) else None), m.at(case)


def summarised(
    made: Answers, blocks: list[str], *, many: int, seed: int
) -> tuple[list[Row], Row, list[float]]:
    """Return rows of indices by block, what is said of the surrogate, and slopes by factor."""
    n, y = len(blocks), made.means()
    model = surrogate.fit(made.z[:many], y[:many])
    sobol = surrogate.sobol_indices(model, n, seed=seed)
    drawn = [_closed(one, n) for one in replicates(made, model, many=many, seed=seed)]
    effects = shapley.shapley(model.closed()) / max(model.variance, 1e-300)
    found = {"first": sobol["S1"], "total": sobol["ST"], "shapley": effects}
    rows: list[Row] = [{"block": block} for block in blocks]
    for key, values in found.items():
        low, high = np.quantile([one[key] for one in drawn], ENDS, axis=0)
        for i, row in enumerate(rows):
            row |= {key: float(values[i]), f"{key}_lower": float(min(low[i], values[i]))}
            row |= {f"{key}_upper": float(max(high[i], values[i]))}
    spread = [float(one["variance"]) for one in drawn]
    told: Row = {"points": len(made.z), "left_out": made.left_out, "unit": UNIT}
    told |= {"accuracy": surrogate.accuracy(model, made.z[many:], y=y[many:])}
    told |= {"variance": model.variance, "variance_error": float(np.std(spread))}
    told |= {"shapley_sum": float(effects.sum() * model.variance)}
    told |= {"variance_of_points": float(y.var())}
    return rows, told, [float(x) for x in model.coefs[1 : n + 1]]


def replicates(
    made: Answers, model: surrogate.Surrogate, *, many: int, seed: int
) -> list[surrogate.Surrogate]:
    """Return surrogates of stretches of chains drawn anew, with errors of the points left out."""
    rng, out = stream(seed, "factors again"), []
    missed = made.means()[many:] - model(made.z[many:])
    for _ in range(REPLICATES):
        stretches = rng.integers(0, STRETCHES, size=STRETCHES)
        y = made.means(stretches)[:many] + rng.choice(missed, size=many)
        out.append(surrogate.fit(made.z[:many], y))
    return out


def _closed(model: surrogate.Surrogate, n: int) -> dict[str, np.ndarray]:
    """Return first-order and total shares, Shapley shares and the variance, all in closed form."""
    closed, whole = model.closed(), max(model.variance, 1e-300)
    one = np.array([1 << i for i in range(n)])
    return {
        "first": closed[one] / whole,
        "total": 1.0 - closed[(2**n - 1) ^ one] / whole,
        "shapley": shapley.shapley(closed) / whole,
        "variance": np.asarray(model.variance),
    }
