"""What every entrant shares: the Case, its rows, changed priors, and what a process reports."""

import json
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from forecast.inference.case import Case, make_case, with_prior
from forecast.runs.inputs import load_inputs

CHAINS = 4


@dataclass(frozen=True)
class Task:
    """What one process is asked to do, and the sampler's ``draws`` and ``tune`` of each chain.

    ``refits`` fits with changed priors instead of one fit; ``count`` keeps the warm-up, so that
    all gradients are counted.
    """

    case: Case
    seed: int
    refits: int
    count: bool
    draws: int
    tune: int

    @property
    def cases(self) -> list[Case]:
        """The Cases to fit, one after another."""
        if not self.refits:
            return [replace(self.case, seed=self.seed)]
        return [replace(changed(self.case, i), seed=self.seed + i) for i in range(self.refits)]


def stated_case() -> Case:
    """Return the Case of the default priors and the shipped evidence."""
    return make_case(*load_inputs("default"))


def rows_of(case: Case) -> dict[str, dict[str, np.ndarray]]:
    """Return the evidence arrays without the rows of weight 0, which only pad."""
    out = {}
    for table, columns in case.evidence.arrays.items():
        keep = columns["weight"] > 0 if "weight" in columns else slice(None)
        out[table] = {name: values[keep] for name, values in columns.items()}
    return out


def changed(case: Case, i: int) -> Case:
    """Return the Case with one sampled prior moved by half of its scale, another for each ``i``."""
    from benchmarks.latents import latents

    names = [x.name for x in latents(case) if x.kind == "belief"]
    names = [name for name in names if "sigma" in case.by_name[name].values]
    prior = case.by_name[names[i % len(names)]]
    numbers = prior.values
    numbers["mu"] += 0.5 * numbers["sigma"] * (-1) ** (i // len(names))
    return with_prior(case, replace(prior, params=tuple(numbers.items())))


def quality(posterior: Any, names: Sequence[str]) -> dict[str, Any]:
    """Summarise the draws by ArviZ; return least bulk ESS, greatest R-hat and where they are."""
    import arviz as az

    table = az.summary(posterior, var_names=list(names), round_to="none")
    bulk = table["ess_bulk"].astype(float)
    return {
        "min_ess": float(bulk.min()),
        "worst": str(bulk.idxmin()),
        "max_rhat": float(table["r_hat"].astype(float).max()),
        "parameters": len(table),
    }


def run(fit: Callable[[Case, Task], dict[str, Any]]) -> None:
    """Do the task of the command line and write its record; ``fit`` does one Case.

    ``fit`` returns figures of its draws: at least ``gradients`` and what :func:`quality` gives.
    """
    parser = ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--refits", type=int, default=0)
    parser.add_argument("--count", action="store_true")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--tune", type=int, default=1000)
    given = parser.parse_args()
    case = stated_case()
    case = replace(case, sampler=replace(case.sampler, draws=given.draws, tune=given.tune))
    task = Task(case, given.seed, given.refits, given.count, given.draws, given.tune)
    record: dict[str, Any] = {}
    seconds, ess = [], []
    for case in task.cases:
        start = time.perf_counter()
        record = fit(case, task)
        seconds.append(time.perf_counter() - start)
        ess.append(record["min_ess"])
        print(f"{seconds[-1]:.1f} s", record, file=sys.stderr, flush=True)
    record |= {"fit_seconds": seconds, "fit_ess": ess}
    given.out.write_text(json.dumps(record), encoding="utf-8")
