"""How much of the gap between two worldviews each group of beliefs explains.

The value of a subset of groups is the mean of a quantity with the beliefs of these groups as in the
second worldview and all others as in the first, given the same evidence: weighed draws of a
:class:`forecast.analyses.bridging.Pool`, each with its forecast-only beliefs. Shapley values are
exact over all subsets where few groups hold forecast-only beliefs, else over sampled orders.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from forecast.analyses.bridging import GROUPS, ROWS, Pool, differs, mixed
from forecast.analyses.shapley import joining, shapley, shapley_by_orders, some_orders
from forecast.case import Case
from forecast.engine import Ahead
from forecast.seeds import stream
from forecast.soft import soft_part
from models.late import LATE
from models.slots import BLOCKS

MOST_ALONE = 7
"""Groups with forecast-only beliefs up to which all subsets are computed."""
MOST_GROUPS = 15
"""Groups up to which all subsets are computed: 14 claims and the rest."""
ORDERS = 64
"""Orders sampled otherwise, half of them reverses of the others."""
NO_CLAIM = "none"
Groups = dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Parts:
    """Groups' parts of a gap. ``value`` and ``error`` have dims (quantity, group).

    ``alone``, the first worldview with one group as in the second, and ``lacking``, the second with
    one group as in the first, have dims (1 + stretch, quantity, group); row 0 is the estimate, the
    others those without a stretch. ``ends`` are the first and the second themselves.
    """

    groups: tuple[str, ...]
    value: np.ndarray
    error: np.ndarray
    alone: np.ndarray
    lacking: np.ndarray
    ends: np.ndarray
    exact: bool


def groups_by(a: Case, b: Case, *, by: str) -> Groups:
    """Return the names of the beliefs that differ, by ``block`` or by home ``claim``."""
    other = b.by_name
    found: dict[str, list[str]] = {}
    for prior in a.priors:
        if differs(prior, other[prior.name]):
            key = prior.block if by == "block" else prior.claims[0]
            found.setdefault(key, []).append(prior.name)

    def place(key: str) -> int:
        if by == "block":
            return BLOCKS.index(key)
        return 99 if key == NO_CLAIM else int(key[1:])

    return {key: tuple(found[key]) for key in sorted(found, key=place)}


def members_of(pool: Pool, groups: Groups) -> np.ndarray:
    """Return the sampled beliefs of each group as zeros and ones, dims (group, belief)."""
    rows = [pool.member(names) for names in groups.values()]
    return np.array(rows).reshape(len(groups), len(pool.names))


def subset_orders(groups: Groups, alone: Sequence[str], *, seed: int) -> np.ndarray | None:
    """Return the sampled orders of the groups; None where all subsets are computed."""
    held = sum(bool(set(names) & set(alone)) for names in groups.values())
    if held <= MOST_ALONE and len(groups) <= MOST_GROUPS:
        return None
    return some_orders(len(groups), ORDERS, rng=stream(seed, "orders"))


def mixtures(pool: Pool, groups: Groups, *, orders: np.ndarray | None) -> np.ndarray:
    """Return the mixtures of sampled beliefs that the subsets need, dims (mixture, belief)."""
    n = len(groups)
    masks = np.arange(2**n) if orders is None else np.unique(_visited(orders, n))
    return np.unique(bits(masks, n) @ members_of(pool, groups), axis=0)


def bits(masks: np.ndarray, n: int) -> np.ndarray:
    """Return subsets as zeros and ones, dims (subset, group)."""
    return ((np.asarray(masks)[:, None] >> np.arange(n)) & 1).astype(float)


def _visited(orders: np.ndarray, n: int) -> np.ndarray:
    """Return the subsets that orders need, with all and none, and all groups alone or lacking."""
    single, whole = 1 << np.arange(n), 2**n - 1
    return np.concatenate([joining(orders).ravel(), single, whole ^ single, [0, whole]])


def attributed(
    pool: Pool, groups: Groups, *, names: Sequence[str], orders: np.ndarray | None = None
) -> Parts:
    """Return each group's part of the gap (second less first) of each quantity."""
    n = len(groups)
    masks = np.arange(2**n) if orders is None else np.unique(_visited(orders, n))
    found = values(pool, groups, masks=masks, names=names)
    whole, single = 2**n - 1, 1 << np.arange(n)

    def at(some: Any) -> np.ndarray:
        return found[..., np.searchsorted(masks, some)]

    if orders is None:
        every, chosen = shapley(found), 0.0
    else:
        every, error = shapley_by_orders(at(joining(orders)), orders)
        chosen = error[0]
    return Parts(
        tuple(groups),
        every[0],
        np.hypot(jackknife(every), chosen),
        alone=at(single),
        lacking=at(whole ^ single),
        ends=at([0, whole]),
        exact=orders is None,
    )


def values(pool: Pool, groups: Groups, *, masks: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Return the mean of each quantity for each subset, dims (1 + stretch, quantity, subset).

    Row 0 is of all draws, the others without one stretch of them.
    """
    alone, n = set(pool.fit.compiled.alone), len(groups)
    held = [tuple(name for name in some if name in alone) for some in groups.values()]
    late = [not set(some) - set(LATE) for some in held]
    keep = sum(1 << i for i, some in enumerate(held) if some)
    early = sum(1 << i for i, some in enumerate(late) if not some)
    keys, ahead, member = masks & keep, Ahead(names), members_of(pool, groups)
    out = np.empty((1 + GROUPS, len(names), len(masks)))
    soft: dict[Any, np.ndarray] = {}
    without = np.exp(pool.log_mix - pool.log_mix_without)
    factor = np.vstack([np.ones(pool.fit.n), without])
    for g in range(GROUPS):
        factor[1 + g, pool.group == g] = 0.0
    for key in sorted({int(x) for x in keys}, key=lambda x: (x & early, x)):
        here = [name for i, some in enumerate(held) if key >> i & 1 for name in some]
        case = mixed(pool.a, pool.b, names=here)
        what = soft_part(case)
        if what not in soft:
            soft[what] = pool.soft(case)
        found = ahead(pool.fit, case)
        told = np.stack([np.ones(pool.fit.n), *(found[name] for name in names)])
        to = np.flatnonzero(keys == key)
        rows = bits(masks[to], n) @ member
        sums = _sums(pool, rows, soft=soft[what], columns=factor[:, None] * told)
        out[:, :, to] = np.moveaxis(sums[..., 1:] / sums[..., :1], 0, -1)
    return out


def _sums(pool: Pool, rows: np.ndarray, *, soft: Any, columns: np.ndarray) -> np.ndarray:
    """Return weighted sums of columns (stretch, column, draw); dims (mixture, stretch, column)."""
    kinds, inverse = np.unique(rows, axis=0, return_inverse=True)
    right, parts = columns.reshape(-1, columns.shape[-1]).T, []
    for i in range(0, len(kinds), ROWS):
        logs = pool.log_weights(kinds[i : i + ROWS], soft)
        parts.append(np.exp(logs - logs.max(axis=1, keepdims=True)) @ right)
    made = np.concatenate(parts).reshape(len(kinds), *columns.shape[:2])
    return np.asarray(made[inverse.ravel()])


def jackknife(found: np.ndarray) -> np.ndarray:
    """Return the standard error of row 0 from the rows without a stretch each."""
    parts = found[1:]
    return np.asarray(((len(parts) - 1) * parts.var(axis=0)) ** 0.5)


def estimate(found: np.ndarray) -> dict[str, float]:
    """Return a number, dims (1 + stretch,), with its standard error."""
    return {"mean": float(found[0]), "mcse": float(jackknife(found))}


__all__ = ["Parts", "attributed", "estimate", "groups_by", "jackknife", "mixtures", "subset_orders"]
