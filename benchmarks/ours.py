"""(a) This project as a library: fit, diagnosis by its own rule, and ArviZ's summary.

Refits start from one fit of the stated Case, whose time is theirs too.
"""

from typing import Any

import numpy as np
import pyarrow

from benchmarks.common import Task, quality, run
from benchmarks.latents import latents
from forecast.inference import sampling
from forecast.inference.case import Case
from forecast.inference.evaluate import posterior, refit
from forecast.inference.sampling import Fit

_BASE: list[Fit] = []
"""The fit from which refits start."""


def fit(case: Case, task: Task) -> dict[str, Any]:
    """Fit one Case; a refit ends with the diagnosis, a single fit with ArviZ's summary too."""
    trees = _kept_trees() if task.count else []
    if task.refits:
        if not _BASE:
            _BASE.append(posterior(task.case))
        done = refit(_BASE[0], case)
    else:
        done = posterior(case)
    steps = done.tree["sample_stats"]["n_steps"]
    found = {"gradients": int(steps.sum()), "divergences": done.diagnosis.divergences}
    if trees:
        found["all_gradients"] = sum(_steps(tree) for tree in trees)
    if task.refits:
        return found | {"min_ess": done.diagnosis.min_ess_bulk}
    return found | quality(done.tree["posterior"], [x.name for x in latents(case)])


def _kept_trees() -> list[Any]:
    """Make the sampler keep its warm-up, in the pilot too; return the list its trees go to."""
    import nutpie

    trees: list[Any] = []
    sample, wait = nutpie.sample, sampling._wait

    def kept_wait(sampler: Any, tick: Any) -> Any:
        found = wait(sampler, tick)
        trees.append(_Raw(found) if hasattr(found, "get_arrow_trace") else found)
        return trees[-1]

    nutpie.sample = lambda *args, **options: sample(*args, **(options | {"save_warmup": True}))
    sampling._wait = kept_wait
    return trees


class _Raw:
    """The pilot's raw trace, which nutpie gives away only once, for two readers."""

    def __init__(self, trace: Any) -> None:
        self.arrow = trace.get_arrow_trace()

    def get_arrow_trace(self) -> Any:
        return self.arrow


def _steps(found: Any) -> int:
    if isinstance(found, _Raw):
        batches = found.get_arrow_trace()[1]
        return sum(int(np.asarray(pyarrow.array(x.column("n_steps"))).sum()) for x in batches)
    groups = (found[name]["n_steps"] for name in ("sample_stats", "warmup_sample_stats"))
    return int(sum(steps.sum() for steps in groups))


if __name__ == "__main__":
    run(fit)
