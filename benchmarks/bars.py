"""Reweighted bars of a sensitivity analysis against long fits, as a Markdown table.

Run from the checkout: ``python -m benchmarks.bars RUN [TARGET]``, RUN a finished run's folder.

The rule, fixed beforehand: of all bars of the tornado that are reweighted (k <= 0.7), the ten
that move the target most, then the ten of largest k among the others. Each is fitted from where
the run ended, with twice a refit's draws, and so is the run's own Case: the refitted bar is
the difference of these two means. They share the draws of forecast-only beliefs, so that the
beliefs that are independent of all others are averaged out of both. Errors of a fit are ArviZ's;
the combined error adds those of the two fits and of the bar; z is the difference over it.
"""

import sys
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import chi2

from forecast.analyses.sensitivity import (
    LABELS,
    Baseline,
    Effect,
    baseline,
    baseline_of,
    cheap_effect,
    moved,
)
from forecast.inference.case import Case, with_prior
from forecast.inference.evaluate import WARM, fitted
from forecast.inference.sampling import Fit, compiled_model, draw
from forecast.runs.open import show
from forecast.runs.summarise import with_mcse

FIRST, MORE = 10, 10
"""Bars chosen by their size, and by their Pareto k."""
DRAWS = 2 * WARM["draws"]


@dataclass(frozen=True)
class Compared:
    """A bar by weights and by a long fit, each with its error; in the target's unit."""

    name: str
    bar: Effect
    shift: float
    mcse: float
    converged: bool

    @property
    def error(self) -> float:
        """Error of both."""
        return float(np.hypot(self.bar.mcse, self.mcse))

    @property
    def z(self) -> float:
        """Difference over its error."""
        return (self.bar.shift - self.shift) / self.error


def chosen(m: Baseline) -> list[tuple[str, Case, Effect]]:
    """Return the bars that the rule names."""
    found = []
    for prior in m.case.priors:
        for move, new in moved(prior).items():
            case = with_prior(m.case, new)
            bar = cheap_effect(m, case)
            if bar.how == "reweighted":
                found.append((f"{prior.name}, {LABELS[move]}", case, bar))
    print(f"{len(found)} bars are reweighted", file=sys.stderr)
    found.sort(key=lambda one: -abs(one[2].shift))
    return found[:FIRST] + sorted(found[FIRST:], key=lambda one: -one[2].pareto_k)[:MORE]


def long_fit(base: Fit, case: Case) -> Fit:
    """Return a fit of a Case from where another ended, as a refit but longer."""
    longer = replace(case, sampler=replace(case.sampler, tune=WARM["tune"], draws=DRAWS))
    compiled = compiled_model(case)
    return fitted(case, compiled, tree=draw(compiled, longer, ground=base.ground))


def mean_of(fit: Fit, target: str) -> tuple[float, float]:
    """Return the target's mean and its Monte Carlo error."""
    told = with_mcse(baseline_of(fit, target, rows={}).smooth, fit.chains)
    return told["mean"], told["mcse"]


def compared(m: Baseline) -> list[Compared]:
    """Fit each bar; print it once it is done."""
    own, own_error = mean_of(long_fit(m.fit, m.case), m.target)
    out = []
    for name, case, bar in chosen(m):
        fit = long_fit(m.fit, case)
        mean, error = mean_of(fit, m.target)
        both = float(np.hypot(error, own_error))
        out.append(Compared(name, bar, mean - own, both, fit.diagnosis.converged))
        print(line(out[-1]), flush=True)
    return out


def line(one: Compared) -> str:
    """Return a row of the table, in points of a hundred."""
    how = "" if one.converged else " (missed the rule)"
    numbers = [
        f"{100 * one.bar.shift:+.3f} ± {100 * one.bar.mcse:.3f}",
        f"{100 * one.shift:+.3f} ± {100 * one.mcse:.3f}{how}",
        f"{100 * one.error:.3f}",
        f"{one.z:+.2f}",
        f"{one.bar.pareto_k:.2f}",
    ]
    return f"| {one.name} | {' | '.join(numbers)} |"


def verdict(found: list[Compared]) -> str:
    """Return how many lie within 2, the largest z, and the chance of squares as large."""
    z = np.array([one.z for one in found])
    total = float((z**2).sum())
    return (
        f"{(np.abs(z) <= 2).sum()} of {len(z)} within 2 combined errors; largest |z| "
        f"{np.abs(z).max():.2f}; sum of squares {total:.1f}, of which {chi2.sf(total, len(z)):.2f} "
        "of draws of as many independent normals have more"
    )


def main(folder: str, target: str = "alignment_relevant") -> None:
    """Print the table and the verdict."""
    print("| bar | reweighted | refitted | combined error | z | k |\n|---|---|---|---|---|---|")
    print(f"\n{verdict(compared(baseline(show(folder), target)))}")


if __name__ == "__main__":
    main(*sys.argv[1:])
