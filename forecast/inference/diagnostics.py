"""Did the sampler converge? One rule for every command.

R-hat below 1.01, bulk and tail effective sample size of 400 or more, for every sampled parameter
and headline quantity; no divergent transition; E-BFMI of 0.3 or more in every chain; and whatever
``az.diagnose`` flags beyond these (Vehtari et al. 2021, Bayesian Analysis 16:667).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

Row = tuple[str, float, float, float]
MAX_RHAT = 1.01
MIN_ESS = 400.0
MIN_BFMI = 0.3
RULE = (
    "R-hat < 1.01, bulk and tail ESS >= 400 for every sampled parameter and headline quantity, "
    "no divergent transitions, E-BFMI >= 0.3"
)


@dataclass(frozen=True)
class Moves:
    """How the sampler moved: divergences, least E-BFMI, mean leapfrog steps, other flags."""

    divergences: int
    bfmi: float
    leapfrog: float
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Diagnosis:
    """The verdict, its figures, and one row per parameter (name, r_hat, ess_bulk, ess_tail).

    ``retried`` says what was done where this fit is the second
    (:mod:`forecast.inference.evaluate`).
    """

    converged: bool
    failures: tuple[str, ...]
    max_rhat: float
    min_ess_bulk: float
    min_ess_tail: float
    moves: Moves
    rows: tuple[Row, ...]
    retried: str = ""

    @property
    def min_ess(self) -> float:
        """The smaller of the least bulk and tail effective sample sizes."""
        return min(self.min_ess_bulk, self.min_ess_tail)

    @property
    def divergences(self) -> int:
        """Number of divergent transitions."""
        return self.moves.divergences

    @property
    def min_bfmi(self) -> float:
        """Least E-BFMI of the chains."""
        return self.moves.bfmi

    @property
    def leapfrog(self) -> float:
        """Mean number of leapfrog steps of a draw."""
        return self.moves.leapfrog


def diagnose(tree: Any) -> Diagnosis:
    """Judge a tree with groups ``posterior`` and ``sample_stats``, as nutpie returns it."""
    stats = tree["sample_stats"]
    moves = Moves(
        divergences=int(stats["diverging"].sum()),
        bfmi=float(np.min(_bfmi(stats["energy"].to_numpy()))),
        leapfrog=float(stats["n_steps"].mean()),
        flags=tuple(_other_flags(tree)),
    )
    return verdict(parameter_rows(tree["posterior"].dataset), moves)


def with_quantities(found: Diagnosis, quantities: Any) -> Diagnosis:
    """Return the diagnosis with a Dataset of quantities (chain, draw) under the same rule."""
    made = verdict([*found.rows, *parameter_rows(quantities)], found.moves)
    return replace(made, retried=found.retried)


def verdict(rows: Sequence[Row], moves: Moves) -> Diagnosis:
    """Return what the rule says of rows and of how the sampler moved."""
    r_hat, bulk, tail = (np.array([row[i] for row in rows]) for i in (1, 2, 3))
    failures = []
    for what, bad in (
        (f"R-hat >= {MAX_RHAT}", r_hat >= MAX_RHAT),
        (f"bulk ESS < {MIN_ESS:.0f}", bulk < MIN_ESS),
        (f"tail ESS < {MIN_ESS:.0f}", tail < MIN_ESS),
    ):
        if bad.any():
            worst = [row[0] for row, out in zip(rows, bad, strict=True) if out][:5]
            failures.append(f"{what} for {bad.sum()} of {len(rows)}: {', '.join(worst)}")
    if moves.divergences:
        failures.append(f"{moves.divergences} divergent transitions")
    if moves.bfmi < MIN_BFMI:
        failures.append(f"E-BFMI {moves.bfmi:.2f} < {MIN_BFMI}")
    failures += moves.flags
    return Diagnosis(
        converged=not failures,
        failures=tuple(failures),
        max_rhat=float(r_hat.max()),
        min_ess_bulk=float(bulk.min()),
        min_ess_tail=float(tail.min()),
        moves=moves,
        rows=tuple(rows),
    )


def _other_flags(tree: Any) -> list[str]:
    """Return what ``az.diagnose`` flags beyond the rule: saturated trees."""
    import arviz as az

    names = [str(name) for name in tree["posterior"].data_vars][:1]
    _, found = az.diagnose(tree, var_names=names, show_diagnostics=False, return_diagnostics=True)
    n = int(found.get("treedepth", {}).get("n_max", 0))
    return [f"{n} transitions hit the greatest tree depth"] if n else []


def _bfmi(energy: np.ndarray) -> np.ndarray:
    from arviz_stats.base import array_stats

    return np.asarray(array_stats.bfmi(energy))


def parameter_rows(dataset: Any) -> list[Row]:
    """Return (name, R-hat, bulk ESS, tail ESS) of every element of a dataset.

    Elements that never vary (one level of a sum-to-zero pair, say) have no R-hat and are left out.
    """
    from arviz_stats.base import array_stats

    rows = []
    for name, array in dataset.data_vars.items():
        if str(name).startswith("beliefs_"):
            continue  # a vector of scalar priors, each of which stands under its own name
        values = array.to_numpy()
        for at in np.ndindex(values.shape[2:]):
            x = values[(slice(None), slice(None), *at)]
            if np.ptp(x) == 0.0:
                continue
            rows.append(
                (
                    element_label(array, str(name), at=at),
                    float(array_stats.rhat(x)),
                    float(array_stats.ess(x, method="bulk")),
                    float(array_stats.ess(x, method="tail", prob=(0.05, 0.95))),
                )
            )
    return rows


def element_label(array: Any, name: str, *, at: tuple[int, ...]) -> str:
    """Return the name of an element of a variable of the posterior, with its coordinates."""
    if not at:
        return name
    labels = [str(array[d].values[i]) for d, i in zip(array.dims[2:], at, strict=True)]
    return f"{name}[{', '.join(labels)}]"
