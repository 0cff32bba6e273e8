"""Time a hundred changed priors that need no fit: reweighted, and ones that no evidence touches.

Run from the checkout, with a finished run's folder::

    python -m benchmarks.cheap runs/default-HASH8

The latter are those that neither a table nor a weighed forecast by others touches; told apart are
those that enter in the last stage (:func:`forecast.inference.evaluate.late`), and the others.
Each change moves the centre of one prior by a fifth of its sd up or down, another prior each time.
The first six quantities of headline.json are answered for each. Each hundred is timed ``REPEATS``
times from the fit, also in seconds of the processor, which other work on the machine disturbs less;
reading the run is apart, and so is a first answer: it may compile what later ones find, and leaves
with the fit the costly part of the headline, which none of these changes enters.
"""

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from forecast.analyses.sensitivity import moments, shifted
from forecast.inference.case import Answer, Case, with_prior
from forecast.inference.evaluate import evaluate, late
from forecast.inference.reweighting import soft_part
from forecast.inference.sampling import Fit
from forecast.runs.open import fit_of, show
from models.outcomes.experts import READS
from models.quantities import HEADLINE

CHANGES, REPEATS, STEP = 100, 5, 0.2


def changes(fit: Fit, names: Sequence[str]) -> list[Case]:
    """Return Cases that each move one of the named priors, in turn up and down."""
    out, case = [], fit.case
    movable = [case.by_name[name] for name in names if case.by_name[name].dist != "Uniform"]
    for i in range(CHANGES):
        prior, turn = movable[i % len(movable)], i // len(movable)
        mean, sd = moments(prior)
        step = STEP * (1 + turn // 2) * (-1) ** turn
        out.append(with_prior(case, shifted(prior, mean + step * sd)))
    return out


def seconds(call: Callable[[], Any]) -> tuple[Any, float, float]:
    """Return what a call gives, its seconds, and those of the processor."""
    start, used = time.perf_counter(), time.process_time()
    return call(), time.perf_counter() - start, time.process_time() - used


def answers_to(cases: Sequence[Case], fit: Fit, *, how: str) -> list[Answer]:
    """Return the answers of a fit: the first six quantities of headline.json."""
    return evaluate(cases, base=fit, how=how, names=HEADLINE[:6])


def timed(fit: Fit, cases: Sequence[Case], *, how: str) -> tuple[str, list[float], list[float]]:
    """Answer all Cases REPEATS times; return a sentence on the weights, and the seconds."""
    answers_to(cases[:1], fit, how=how)
    spent, used = [], []
    for _ in range(REPEATS):
        answers, took, worked = seconds(lambda: answers_to(cases, fit, how=how))
        spent.append(took)
        used.append(worked)
    k = [x.pareto_k for x in answers if np.isfinite(x.pareto_k)]
    ways = sorted({x.how for x in answers})
    return f"{', '.join(ways)}; largest Pareto k {max(k, default=float('nan')):.2f}", spent, used


def main(folder: str) -> None:
    """Print a row for each hundred."""
    fit, read, _ = seconds(lambda: fit_of(show(folder)))
    names, alone = [prior.name for prior in fit.case.priors], set(fit.compiled.alone)
    free = alone - (set(READS) if soft_part(fit.case) else set())
    _, first, _ = seconds(lambda: answers_to([fit.case], fit, how="exact"))
    print(f"reading the run: {read:.2f} s; a first answer: {first:.2f} s\n")
    print("| changes | answered | median, s | least | most | processor, s |")
    print("|---|---|---|---|---|---|")
    for title, some, how in (
        ("of priors that evidence touches", [n for n in names if n not in alone], "reweight"),
        ("of those that enter last", [n for n in names if n in free & late(fit)], "exact"),
        ("of those that enter earlier", [n for n in names if n in free - late(fit)], "exact"),
    ):
        told, spent, used = timed(fit, changes(fit, some), how=how)
        numbers = (statistics.median(spent), min(spent), max(spent), statistics.median(used))
        cells = " | ".join(f"{x:.2f}" for x in numbers)
        print(f"| {CHANGES} {title} | {told} | {cells} |")


if __name__ == "__main__":
    main(*sys.argv[1:])
