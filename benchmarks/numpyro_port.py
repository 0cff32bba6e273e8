"""(c) A NumPyro port of the same density: its own priors and NUTS, the formulas of ``models/``.

The formulas take a namespace (:mod:`models.ops`), so they run on JAX; priors, transformations,
gradients, sampler and adaptation are NumPyro's own, by its defaults, in double precision. Chains
start at medians of prior draws, since from its usual points one stays elsewhere. Four host
devices run the four chains at once (sequential and vectorised chains were slower on two cores). The
priors' numbers are arguments of the compiled sampler, so that a refit compiles nothing.
"""

import os
from collections.abc import Callable, Mapping
from typing import Any

os.environ.setdefault("XLA_FLAGS", "--xla_force_host_platform_device_count=4")

import jax
import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS, init_to_median

from benchmarks.common import CHAINS, Task, quality, rows_of, run
from benchmarks.latents import Latent, latents
from benchmarks.numpyro_terms import JAX, all_terms
from forecast.inference.case import Case, structure_of
from models.components.spillover import conditional_elasticity
from models.likelihoods import likelihoods

jax.config.update("jax_enable_x64", True)

Numbers = Mapping[str, Mapping[str, Any]]
FAMILIES: dict[str, Callable[..., Any]] = {
    "Normal": lambda mu, sigma: dist.Normal(mu, sigma),
    "StudentT": lambda nu, mu, sigma: dist.StudentT(nu, mu, sigma),
    "LogNormal": lambda mu, sigma: dist.LogNormal(mu, sigma),
    "HalfNormal": lambda sigma: dist.HalfNormal(sigma),
    "Exponential": lambda lam: dist.Exponential(lam),
    "Gamma": lambda alpha, beta: dist.Gamma(alpha, beta),
    "Beta": lambda alpha, beta: dist.Beta(alpha, beta),
    "LogitNormal": lambda mu, sigma: dist.TransformedDistribution(
        dist.Normal(mu, sigma), dist.transforms.SigmoidTransform()
    ),
    "Uniform": lambda lower, upper: dist.Uniform(lower, upper),
    "TruncatedNormal": lambda mu, sigma, lower, upper: dist.TruncatedNormal(
        mu, sigma, low=lower, high=upper
    ),
}
"""NumPyro's distribution of each family a priors file may name."""
_SAMPLERS: dict[str, Any] = {}


def numbers_of(case: Case) -> dict[str, dict[str, float]]:
    """Return every number of the priors that the density holds, by unknown."""
    out = {}
    for latent in latents(case):
        if latent.kind == "belief":
            out[latent.name] = case.by_name[latent.name].values
        elif latent.name == "use_ratio":
            out[latent.name] = {"loc": latent.centre, "scale": latent.scale}
    e, b = (case.by_name[name].values for name in ("ease", "worker_ratio_elasticity"))
    (mean, _), weight, sd = conditional_elasticity((e["mu"], e["sigma"]), (b["mu"], b["sigma"]))
    out["elasticity"] = {"base": b["mu"] - weight * mean, "weight": weight, "sd": sd}
    return out


def make_model(case: Case) -> Callable[[Numbers], None]:
    """Return NumPyro's model, a function of :func:`numbers_of`."""
    structure, rows, unknown = structure_of(case), rows_of(case), latents(case)
    families = {x.name: case.by_name[x.name].dist for x in unknown if x.kind == "belief"}

    def model(numbers: Numbers) -> None:
        x: dict[str, Any] = {}
        for latent in unknown:
            if latent.kind == "belief":
                made = _copies(FAMILIES[families[latent.name]](**numbers[latent.name]), latent)
            else:
                made = _effect(latent, x, numbers=numbers)
            x[latent.name] = numpyro.sample(latent.name, made)
        parts = all_terms(x, numbers["elasticity"], structure=structure)
        for like in likelihoods(structure):
            table = rows[like.table]
            params = like.params(JAX, parts, rows, structure=structure)
            each = like.logp(JAX, table["value"], *params)
            numpyro.factor(like.name, (table["weight"] * each).sum())

    return model


def _effect(latent: Latent, x: Mapping[str, Any], *, numbers: Numbers) -> Any:
    centre, scale = (x[v] if isinstance(v, str) else v for v in (latent.centre, latent.scale))
    if latent.kind == "zero_sum":
        return dist.ZeroSumNormal(scale**latent.power, latent.shape)
    stated = numbers.get(latent.name, {"loc": centre, "scale": scale})
    return _copies(dist.Normal(**stated), latent)


def _copies(one: Any, latent: Latent) -> Any:
    return one.expand(latent.shape).to_event(len(latent.shape)) if latent.shape else one


def log_density(case: Case) -> Callable[[Mapping[str, Any]], float]:
    """Return the log density as a function of constrained values by name."""
    model, numbers = make_model(case), numbers_of(case)
    value = jax.jit(lambda x: numpyro.infer.util.log_density(model, (numbers,), {}, x)[0])
    return lambda x: float(value(dict(x)))


def fit(case: Case, task: Task) -> dict[str, Any]:
    """Fit one Case; later ones reuse the compiled sampler of the first."""
    import arviz as az

    if not _SAMPLERS:
        kernel = NUTS(make_model(case), init_strategy=init_to_median)
        _SAMPLERS["nuts"] = MCMC(
            kernel,
            num_warmup=task.tune,
            num_samples=task.draws,
            num_chains=CHAINS,
            chain_method=os.environ.get("CHAIN_METHOD", "parallel"),
            progress_bar=False,
            jit_model_args=True,
        )
    mcmc, found = _SAMPLERS["nuts"], {}
    key, numbers = jax.random.key(case.seed), numbers_of(case)
    fields = ("num_steps", "diverging")
    if task.count:
        mcmc.warmup(key, numbers, extra_fields=fields, collect_warmup=True)
        found["all_gradients"] = int(mcmc.get_extra_fields()["num_steps"].sum())
    mcmc.run(key, numbers, extra_fields=fields)
    stats = mcmc.get_extra_fields()
    found |= {
        "gradients": int(stats["num_steps"].sum()),
        "divergences": int(stats["diverging"].sum()),
    }
    if task.count:
        found["all_gradients"] += found["gradients"]
    tree = az.from_dict({"posterior": mcmc.get_samples(group_by_chain=True)})
    return found | quality(tree["posterior"], [x.name for x in latents(case)])


if __name__ == "__main__":
    run(fit)
