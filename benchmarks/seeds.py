"""Fit the default forecast at twenty seeds and list what the convergence rule says of each.

Run from the checkout: ``python -m benchmarks.seeds [PRIORS] [N] [FIRST]``; one line per seed.
"""

import sys
import time
from dataclasses import replace

from forecast.inference.case import make_case
from forecast.inference.evaluate import answer, judged, posterior
from forecast.runs import summarise as summaries
from forecast.runs.inputs import load_inputs

USUAL = ("default", "20", "0")
"""Priors, number of seeds, first seed."""


def main(*given: str) -> None:
    """Print seed, verdict, R-hat, ESS, divergences, headline and seconds of each fit."""
    priors, n, first = (*given, *USUAL[len(given) :])
    config, tables = load_inputs(priors)
    base = make_case(config, tables)
    print("seed converged max_rhat min_bulk min_tail divergent bfmi steps headline seconds worst")
    passed = 0
    for seed in range(int(first), int(first) + int(n)):
        start = time.perf_counter()
        fit = posterior(replace(base, seed=seed))
        seconds = time.perf_counter() - start
        found = answer(fit, fit.case)
        d = judged(fit, found).diagnosis
        passed += d.converged
        mean = summaries.spread(found["alignment_relevant"])["mean"]
        figures = f"{d.max_rhat:.4f} {d.min_ess_bulk:.0f} {d.min_ess_tail:.0f} {d.divergences}"
        rest = f"{d.min_bfmi:.2f} {d.leapfrog:.1f} {mean:.5f} {seconds:.1f}"
        worst = min(d.rows, key=lambda row: row[2])[0]
        print(seed, d.converged, figures, rest, worst, *d.failures, flush=True)
    print(f"{passed} of {n} seeds pass")


if __name__ == "__main__":
    main(*sys.argv[1:])
