r"""Faults: which of three worlds a fault lies in, and whether tools find it.

World shares are a Dirichlet written as two independent shares: :math:`\ell` for a wrong thing
learned and :math:`a` for nothing learned among the rest,

.. math:: (s_{no}, s_{code}, s_{learned}) = ((1 - \ell) a,\; (1 - \ell)(1 - a),\; \ell).

No study has a bin for :math:`\ell`: it is its prior. In a study an unknown chance :math:`m` puts a
code fault in a bin that mixes worlds, so that of its :math:`n_s` mixed and code faults

.. math:: \text{mixed}_s \sim \mathrm{BetaBinomial}(n_s, p\kappa, (1 - p)\kappa), \qquad
    p = a + (1 - a) m,

in effect an upper bound on :math:`a`; studies are pooled with concentration :math:`\kappa`, their
own shares summed out. A tool's finds in a world and task are overdispersed too (tools met the same
models), with the tools' differences summed out:

.. math:: \text{found}_i \sim \mathrm{BetaBinomial}(n_i, r_i c, (1 - r_i) c), \quad
    \mathrm{logit}\, r_i = \rho + \omega_j + \tau_q - \delta\, [\text{in production}].

What a level lets one diagnose in practice is :math:`D(k) = \sum_j s_j r_{j,q(k)}` over the worlds
open at level k: nothing at 0; no-learning, detected, at 1; and wrong code, located, at 2; all,
explained, from 3 up. Detection is not telling the worlds apart, so D is an upper bound on C8.
Sources: evidence/fault_counts.csv, diagnosis.csv and their cards.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.dims import LEVELS, TASKS
from models.ops import graph
from models.priors import Prior, add, variables

OPEN = np.array([[float(w <= k - 1) for w in range(3)] for k in (0, 1, 2, 3)])
"""Worlds open at level 0, 1, 2 and 3 or above; dims (4, world)."""


def world_shares(xp: Any, learned: Any, no_learning: Any) -> Any:
    """Return the shares of the three fault worlds; dims (..., world)."""
    rest = 1.0 - learned
    return xp.stack([rest * no_learning, rest * (1.0 - no_learning), learned], axis=-1)


def mixed_probability(share: Any, chance: Any) -> Any:
    """Return the chance that a fault lies in a bin that mixes worlds."""
    return share + (1.0 - share) * chance


def rates(xp: Any, diagnosis: Mapping[str, Any]) -> Any:
    """Return the diagnosis rate in practice; dims (..., world, task)."""
    logit = (
        diagnosis["mean"][..., None, None]
        + diagnosis["world"][..., :, None]
        + diagnosis["task"][..., None, :]
        - diagnosis["practice"][..., None, None]
    )
    return xp.sigmoid(logit)


def diagnosed(xp: Any, shares: Any, rate: Any) -> Any:
    """Return D(k), the share of faults that a work at level k diagnoses; dims (..., level)."""
    by_task = [(shares * OPEN[q + 1] * rate[..., q]).sum(axis=-1) for q in range(len(TASKS))]
    none = by_task[0] * 0.0
    top = [by_task[2]] * (len(LEVELS) - 3)
    return xp.stack([none, by_task[0], by_task[1], *top], axis=-1)


def row_rates(xp: Any, diagnosis: Mapping[str, Any], data: Mapping[str, Any]) -> Any:
    """Return the mean rate of each diagnosis row; dims (..., diagnosis)."""
    logit = (
        diagnosis["mean"][..., None]
        + diagnosis["world"][..., data["world"]]
        + diagnosis["task"][..., data["task"]]
        - diagnosis["practice"][..., None] * data["production"]
    )
    return xp.sigmoid(logit)


def beta_binomial_logp(xp: Any, value: Any, total: Any, a: Any, b: Any) -> Any:
    """Return the beta-binomial log probability of ``value`` of ``total``."""
    choose = xp.gammaln(total + 1.0) - xp.gammaln(value + 1.0) - xp.gammaln(total - value + 1.0)
    top = xp.gammaln(value + a) + xp.gammaln(total - value + b) - xp.gammaln(total + a + b)
    return choose + top - xp.gammaln(a) - xp.gammaln(b) + xp.gammaln(a + b)


def add_faults(priors: Mapping[str, Prior]) -> dict[str, Any]:
    """Add world shares and diagnosis to the model in context; return :func:`terms`."""
    import pymc as pm

    for name in ("fault_no_learning", "diagnosis_rate"):
        add(name, priors)
    for dim in ("world", "task"):
        pm.Normal(f"diagnosis_{dim}_z", dims=dim)
    names = ("world_sd", "task_sd", "practice")
    for name in (*(f"diagnosis_{name}" for name in names), "fault_learned_share"):
        add(name, priors)
    for name in ("fault_mixed_chance", "fault_concentration", "diagnosis_concentration"):
        add(name, priors)
    return terms(graph(), variables())


def terms(xp: Any, v: Mapping[str, Any]) -> dict[str, Any]:
    """Return the terms of faults from the variables by name.

    Returns
    -------
    dict
        ``mixed``, ``study`` and ``concentration`` (...), ``diagnosis`` (its terms), ``shares``
        (..., world), ``rates`` in practice (..., world, task), ``diagnosed`` (..., level).
    """
    share, rate = v["fault_no_learning"], v["diagnosis_rate"]
    diagnosis = {
        "mean": xp.log(rate) - xp.log1p(-rate),
        "world": v["diagnosis_world_sd"][..., None] * v["diagnosis_world_z"],
        "task": v["diagnosis_task_sd"][..., None] * v["diagnosis_task_z"],
        "practice": v["diagnosis_practice"],
    }
    shares, practice = world_shares(xp, v["fault_learned_share"], share), rates(xp, diagnosis)
    return {
        "mixed": mixed_probability(share, v["fault_mixed_chance"]),
        "study": v["fault_concentration"],
        "diagnosis": diagnosis,
        "concentration": v["diagnosis_concentration"],
        "shares": shares,
        "rates": practice,
        "diagnosed": diagnosed(xp, shares, practice),
    }
