"""(b) A plain PyMC script of the same density: ``pm.sample`` and ``az.summary``.

The model is written with the sub-models' own ``add_`` functions, which are ordinary PyMC, in the
ordinary way: each belief is a variable of its own, the evidence and the priors' numbers are
constants, the ratings are an expression that PyTensor differentiates. There is nothing of what
makes this project fast: no compiled node for the ratings, no vectors of beliefs, no data to swap,
no kept code, no pilot, no padding rows, no forecast-only beliefs.
"""

from collections.abc import Callable
from typing import Any

import pymc as pm
import pytensor.tensor as pt
from pymc.model.transform.basic import prune_vars_detached_from_observed

from benchmarks.common import CHAINS, Task, quality, rows_of, run
from benchmarks.latents import latents
from forecast.inference.case import Case, structure_of
from models.components import faults, maturity, output, spillover, tracking, workers
from models.likelihoods import Likelihood, likelihoods, with_order
from models.ops import graph
from models.priors import hyper_values
from models.ratings import formula as ratings


def make_model(case: Case) -> pm.Model:
    """Return the model of a Case."""
    priors, structure, xp = case.by_name, structure_of(case), graph()
    rows = with_order(rows_of(case))  # the likelihood's signature asks for it, no formula does
    with pm.Model(coords=structure.coords()) as model:
        model.add_named_variable(pt.constant(hyper_values(priors), name="hyper"))
        parts = {
            "workers": workers.add_workers(priors),
            "output": output.add_output(priors),
            "maturity": maturity.add_maturity(priors, structure.family_of, tails=structure.tails),
            "tracking": tracking.add_tracking(priors, structure.tails),
            "faults": faults.add_faults(priors),
            "spillover": spillover.add_spillover(priors),
            "raters": ratings.add_raters(priors),
        }
        for like in likelihoods(structure):
            table = rows[like.table]
            pm.CustomDist(
                like.name,
                *like.params(xp, parts, rows, structure=structure),
                table["weight"],
                logp=_weighted(like, xp),
                signature=like.signature,
                dtype=like.dtype,
                observed=table["value"],
            )
    return prune_vars_detached_from_observed(model)


def _weighted(like: Likelihood, xp: Any) -> Callable[..., Any]:
    def logp(value: Any, *params: Any) -> Any:
        return (params[-1] * like.logp(xp, value, *params[:-1])).sum()

    return logp


def fit(case: Case, task: Task) -> dict[str, Any]:
    """Fit one Case by the defaults of ``pm.sample`` (nutpie, where it is installed, as here)."""
    model = make_model(case)
    tree = pm.sample(
        draws=task.draws,
        tune=task.tune,
        chains=CHAINS,
        random_seed=case.seed,
        progressbar=False,
        discard_tuned_samples=not task.count,
        model=model,
    )
    stats = tree["sample_stats"]
    found = {
        "gradients": int(stats["n_steps"].sum()),
        "divergences": int(stats["diverging"].sum()),
    }
    if task.count:
        found["all_gradients"] = found["gradients"] + int(
            tree["warmup_sample_stats"]["n_steps"].sum()
        )
    return found | quality(tree["posterior"], [x.name for x in latents(case)])


if __name__ == "__main__":
    run(fit)
