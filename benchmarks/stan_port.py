"""(d) A Stan port of the same density through PyStan.

``stan_model.stan`` holds the formulas; what can be listed is written here from the same tables as
the other ports': data with their shapes, parameters with their bounds, priors. The priors' numbers
are data, so that a refit compiles nothing. PyStan brings Stan's compiler and headers in its wheels
and needs a C++ compiler.
"""

import asyncio
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpstan.cache
import httpstan.compile
import httpstan.models
import numpy as np
import stan

from benchmarks.common import CHAINS, Task, quality, rows_of, run
from benchmarks.latents import Latent, latents
from forecast.inference.case import Case, structure_of
from models.components.effects import CENTRING, DIM, SAMPLED
from models.components.output import REFERENCE
from models.components.spillover import conditional_elasticity
from models.components.workers import shock_design, year_offsets
from models.dims import CENTRE_YEAR, LOG_RATIO, YEARS
from models.ops import NumPy
from models.prior_draws import prior_draws
from models.priors import Array
from models.ratings.formula import columns_of, tracked_share

FAMILIES = {
    "Normal": ("", "normal({mu}, {sigma})"),
    "StudentT": ("", "student_t({nu}, {mu}, {sigma})"),
    "LogNormal": ("<lower=0>", "lognormal({mu}, {sigma})"),
    "HalfNormal": ("<lower=0>", "normal(0, {sigma})"),
    "Exponential": ("<lower=0>", "exponential({lam})"),
    "Gamma": ("<lower=0>", "gamma({alpha}, {beta})"),
    "Beta": ("<lower=0, upper=1>", "beta({alpha}, {beta})"),
}
"""Bounds and Stan's density of each family that this port knows."""
OF_MEDIAN = 15
"""Prior draws whose medians start a chain, as many as NumPyro takes."""


def build(case: Case, seed: int | None = None) -> Any:
    """Return PyStan's model of a Case, compiled or found on disk.

    The program is compiled here and not by ``stan.build``, which asks a server of its own in this
    process and gives Stan's translator one second and the C++ compiler five minutes: too little on
    a slow or busy machine. ``stan.build`` then finds the compiled program.
    """
    text = program(case)
    httpstan.compile.subprocess = SimpleNamespace(
        run=lambda *args, timeout, **options: subprocess.run(*args, **options),
        CalledProcessError=subprocess.CalledProcessError,
    )
    name = httpstan.models.calculate_model_name(text)
    try:
        httpstan.models.import_services_extension_module(name)
    except KeyError:
        _, warnings = httpstan.compile.compile(text, "model")
        said = asyncio.run(httpstan.models.build_services_extension_module(text))
        httpstan.cache.dump_stanc_warnings(warnings, name)
        httpstan.cache.dump_services_extension_module_compiler_output(said, name)
    # It keeps draws by data and seed, too: a fit that was run before would not be run again.
    shutil.rmtree(Path(httpstan.cache.model_directory(name)) / "fits", ignore_errors=True)
    return stan.build(text, data_of(case), random_seed=seed)


def program(case: Case) -> str:
    """Return the Stan program of a Case; its text depends on shapes and families alone."""
    unknown = latents(case)
    length = {dim: len(labels) for dim, labels in structure_of(case).coords().items()}
    parameters = [_declared(x, case) for x in unknown]
    priors = [line for x in unknown for line in _stated(x, case)]
    priors += [
        f"vector[{length[DIM[name]]}] {name}_effect = {name}_sd ^ {1.0 - w} * {SAMPLED[name]};"
        for name, w in CENTRING.items()
    ]
    text = Path(__file__).with_name("stan_model.stan").read_text(encoding="utf-8")
    data = [_data_declared(name, value) for name, value in data_of(case).items()]
    for mark, lines in (("DATA", data), ("PARAMETERS", parameters), ("PRIORS", priors)):
        text = text.replace(f"// {mark}\n", "\n  ".join(lines) + "\n")
    return text


def _declared(x: Latent, case: Case) -> str:
    if x.kind == "zero_sum":
        return f"vector[{x.shape[0] - 1}] {x.name}_free;"
    bounds = FAMILIES[case.by_name[x.name].dist][0] if x.kind == "belief" else ""
    kind = ("real", "vector", "matrix")[len(x.shape)]
    shape = f"[{', '.join(map(str, x.shape))}]" if x.shape else ""
    return f"{kind}{bounds}{shape} {x.name};"


def _stated(x: Latent, case: Case) -> list[str]:
    """Return the statements of an unknown's prior; sum-to-zero effects are made on the way."""
    if x.kind == "zero_sum":
        n = x.shape[0]
        made = f"vector[{n}] {x.name} = zero_sum_basis({n}) * {x.name}_free;"
        return [made, f"{x.name}_free ~ normal(0, {x.scale} ^ {x.power});"]
    name = f"to_vector({x.name})" if len(x.shape) == 2 else x.name
    if x.kind == "normal":
        centre = "use_ratio_mu" if x.name == "use_ratio" else x.centre
        scale = "use_ratio_sigma" if x.name == "use_ratio" else x.scale
        return [f"{name} ~ normal({centre}, {scale});"]
    prior = case.by_name[x.name]
    numbers = {param: f"{x.name}_{param}" for param in prior.values}
    return [f"{name} ~ {FAMILIES[prior.dist][1].format(**numbers)};"]


def _data_declared(name: str, value: Any) -> str:
    if np.ndim(value) == 0:
        return f"{'int' if isinstance(value, int) else 'real'} {name};"
    shape = np.shape(value)
    if np.asarray(value).dtype.kind == "i":
        return f"array[{', '.join(map(str, shape))}] int {name};"
    if len(shape) == 3:
        return f"array[{shape[0]}] matrix[{shape[1]}, {shape[2]}] {name};"
    return f"{('vector', 'matrix')[len(shape) - 1]}[{', '.join(map(str, shape))}] {name};"


def data_of(case: Case) -> dict[str, Any]:
    """Return the data of the program: the priors' numbers, the evidence, and what is fixed."""
    structure, rows = structure_of(case), rows_of(case)
    out: dict[str, Any] = {
        f"{x.name}_{param}": float(value)
        for x in latents(case)
        if x.kind == "belief"
        for param, value in case.by_name[x.name].params
    }
    e, b = (case.by_name[name].values for name in ("ease", "worker_ratio_elasticity"))
    (mean, variance), weight, sd = conditional_elasticity(
        (e["mu"], e["sigma"]), (b["mu"], b["sigma"])
    )
    out |= {"use_ratio_mu": float(mean), "use_ratio_sigma": float(variance**0.5)}
    out |= {"elasticity_base": float(b["mu"] - weight * mean)}
    out |= {"elasticity_weight": float(weight), "elasticity_sd": float(sd)}
    out |= {"n_years": len(YEARS), "n_agendas": len(structure.agendas)}
    out |= {"n_kinds": len(structure.kinds), "n_raters": len(structure.raters)}
    out |= {"n_cells": len(rows["cells"]["agenda"]), "log_ratio": LOG_RATIO}
    out |= {"centre_year": YEARS.index(CENTRE_YEAR) + 1, "reference_year": REFERENCE + 1}
    out |= {"shock_design": shock_design(), "year_offset": year_offsets()}
    out |= {"kind_of": np.array(structure.kind_of) + 1}
    out |= {"family_of": np.array(structure.family_of) + 1}
    return out | _evidence(rows) | _ratings(rows["ratings"], len(structure.raters))


INDICES = ("group", "year", "definition", "list", "agenda", "world", "task", "side", "cell")
"""Columns that count from 0 in Python."""


def _evidence(rows: dict[str, dict[str, Array]]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for table, columns in rows.items():
        for name, column in columns.items():
            if table != "ratings":
                shifted = column + 1 if name in INDICES else column
                out[f"{table}_{name}"] = shifted
    value, age = out.pop("lags_value"), out["lags_age"]
    out["lags_low"] = np.where(value > 0, value - 0.5, 0.0)
    out["lags_high"] = np.minimum(value + 0.5, age)
    return out


def _ratings(rows: dict[str, Array], n_raters: int) -> dict[str, Any]:
    """Return the distinct patterns of answers of each column, and each row's place among them."""
    columns = columns_of(rows["value"], n_raters)
    level, level_at = _distinct(columns["level"])
    tracking, tracking_at = _distinct(columns["tracking"])
    sides = ("capabilities", "alignment")
    uses = [
        np.hstack([columns[side], columns[f"{side}_whose"], columns["tracking"]]) for side in sides
    ]
    use, use_at = _distinct(np.vstack(uses))
    n = len(rows["weight"])
    return {
        "level_answers": level,
        "tracking_answers": tracking,
        "use_answers": use[:, :n_raters],
        "use_whose": use[:, n_raters : 2 * n_raters],
        "use_tracked": np.asarray(tracked_share(NumPy, use[:, 2 * n_raters :]), dtype=float),
        "ratings_level": level_at,
        "ratings_tracking": tracking_at,
        "ratings_capabilities": use_at[:n],
        "ratings_alignment": use_at[n:],
        "ratings_cell": rows["cell"] + 1,
        "ratings_weight": rows["weight"],
    }


def _distinct(answers: Array) -> tuple[Array, Array]:
    patterns, at = np.unique(answers, axis=0, return_inverse=True)
    return patterns, at.ravel() + 1


def basis(n: int) -> Array:
    """Return ``zero_sum_basis`` of the program; dims (element, free)."""
    out = np.zeros((n, n - 1))
    for j in range(1, n):
        out[:j, j - 1] = 1.0 / np.sqrt(j * (j + 1.0))
        out[j, j - 1] = -j / np.sqrt(j * (j + 1.0))
    return out


def log_density(case: Case) -> Callable[[Mapping[str, Any]], float]:
    """Return the log density, up to a constant, as a function of constrained values by name."""
    model, unknown = build(case), latents(case)

    def value(x: Mapping[str, Any]) -> float:
        given = {
            latent.name: np.asarray(x[latent.name]).tolist()
            for latent in unknown
            if latent.kind != "zero_sum"
        }
        for latent in unknown:
            if latent.kind == "zero_sum":
                free = basis(latent.shape[0]).T @ x[latent.name]
                given[f"{latent.name}_free"] = free.tolist()
        return float(model.log_prob(model.unconstrain_pars(given), adjust_transform=False))

    return value


def start(case: Case, chain: int) -> dict[str, Any]:
    """Return where a chain starts: medians of prior draws, as for the NumPyro port's chains.

    Effects are drawn given the medians of the beliefs that are their centre and scale.
    """
    rng = np.random.default_rng([case.seed, chain])
    draws = prior_draws(case.by_name, structure_of(case), n=OF_MEDIAN, rng=rng)
    out: dict[str, Any] = {}
    for x in latents(case):
        if x.kind == "belief":
            out[x.name] = np.median(draws[x.name], axis=0)
            continue
        free = x.kind == "zero_sum"
        shape = (x.shape[0] - 1,) if free else x.shape
        centre, scale = (out[v] if isinstance(v, str) else v for v in (x.centre, x.scale))
        z = np.median(rng.standard_normal((OF_MEDIAN, *shape)), axis=0)
        out[f"{x.name}_free" if free else x.name] = centre + scale**x.power * z
    return {name: np.asarray(value).tolist() for name, value in out.items()}


def fit(case: Case, task: Task) -> dict[str, Any]:
    """Fit one Case; PyStan keeps the compiled program on disk."""
    import arviz as az

    model = build(case, case.seed + 1)
    done = model.sample(
        num_chains=CHAINS,
        num_warmup=task.tune,
        num_samples=task.draws,
        save_warmup=task.count,
        init=[start(case, chain) for chain in range(CHAINS)],
    )
    steps = _by_chain(done["n_leapfrog__"])
    found = {
        "gradients": int(steps[:, -task.draws :].sum()),
        "divergences": int(_by_chain(done["divergent__"])[:, -task.draws :].sum()),
    }
    if task.count:
        found["all_gradients"] = int(steps.sum())
    draws = {x.name: _constrained(done, x)[:, -task.draws :] for x in latents(case)}
    return found | quality(az.from_dict({"posterior": draws})["posterior"], list(draws))


def _constrained(done: Any, x: Latent) -> Array:
    if x.kind != "zero_sum":
        return _by_chain(done[x.name], x.shape)
    n = x.shape[0]
    return _by_chain(done[f"{x.name}_free"], (n - 1,)) @ basis(n).T


def _by_chain(values: Array, shape: tuple[int, ...] = ()) -> Array:
    """Return PyStan's draws, draw by draw over chains, with dims (chain, draw, ...)."""
    return np.moveaxis(values.reshape(*shape, -1, CHAINS), (-1, -2), (0, 1))


if __name__ == "__main__":
    run(fit)
