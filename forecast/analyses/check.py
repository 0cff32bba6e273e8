r"""``forecast check``: a priors file and its evidence before a run, or a finished run.

**What priors imply** for quantities that one can have a feeling for, in numbers and words. Labels
and questions are the registry's; each row has the 5, 50 and 95% quantiles under the priors.

**Gates.** A prior that is nearly certain before any evidence has decided the question, most often
by a thin tail of the link, so most of its mass must not lie within 0.01 of 0 or 1. Gated are the
chance that levels 6 and 7 are established by the horizon (in the unit chosen) and use on both sides
by then. Chances per work at levels 6 and 7 are small by nature and shown, not gated.

**Evidence under the prior** is replicated and compared (:mod:`forecast.analyses.predictive`).

**Is the sampled prior the stated prior?** Two tests of each scalar prior that
:func:`models.priors.add_grouped` adds to the model:

- Draws that PyMC's own random variables make against the stated distribution function:
  Kolmogorov and Smirnov's D, the largest gap of the two, with its p-value.
- The log density that a sampler moves in against the stated one. It is that of an unbounded value
  u, so with x(u) it must be :math:`\log p(x) + \log |dx/du|`: a wrong Jacobian, scale or parameter
  shows here exactly, without chance.

**A finished run** shows the checks it made of itself (:mod:`forecast.analyses.run_checks`), and on
request what other models or less evidence would say (:mod:`forecast.analyses.structure`). These
tables are kept in the run's folder (``structure.json``, ``left_out.json``, and as CSV), where
`forecast show` and `forecast report` find them.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from forecast.analyses.predictive import check_rows, pairs, replicate, summary_rows
from forecast.analyses.scores import Row
from forecast.config.load import Config
from forecast.config.outside import outside_view
from forecast.evidence.load import Tables
from forecast.files import write_csv, write_json
from forecast.inference.case import Case, make_case, structure_of
from forecast.inference.forward import future_normals
from forecast.inference.outcomes import predict
from forecast.inference.seeds import integer, stream
from forecast.progress import Stages
from forecast.runs.folder import read_manifest
from forecast.runs.inputs import load_inputs
from forecast.runs.open import Run, fit_of, show
from models.batches import limited
from models.dims import GROUPS, LEVELS, STEPS, WORLDS
from models.errors import InputError
from models.outcomes.paths import forecast_years
from models.prior_draws import prior_draws
from models.priors import (
    Prior,
    add_grouped,
    frozen,
    hyper_names,
    hyper_values,
    logpdf,
    ppf,
    support,
)
from models.quantities import QUANTITIES
from reports.words import CHANCES, value

TAILS = (0.05, 0.5, 0.95)
NOW = 2026
ASKED = (
    ("workers", ("alignment", NOW)),
    ("workers", ("capabilities", NOW)),
    ("workers", ("interpretability", NOW)),
    ("workers", ("interpretability", None)),
    ("worker_ratio", (NOW,)),
    ("worker_ratio", (None,)),
    ("field_works", (NOW,)),
    ("field_works", (2030,)),
    ("field_works", (None,)),
    *(("level_share", (k,)) for k in LEVELS),
    ("tracking_field", (NOW,)),
    ("tracking_field", (None,)),
    ("tracks_end_goal", ()),
    ("fault_shares", ("no-learning",)),
    ("fault_shares", ("wrong-code",)),
    ("fault_shares", ("learned-representation",)),
    ("diagnosed", (1,)),
    ("diagnosed", (3,)),
    ("bottleneck_gain", ()),
    ("tracking_effect_capabilities", ()),
    ("ease_actual", ()),
    ("path_count", ()),
    ("path_caught", ()),
    ("value_constancy", ()),
    ("documented_alignment", ()),
    ("documented_capabilities", ()),
    ("alignment_used", ()),
    ("capabilities_relevant", ()),
    ("alignment_used_by_others", ()),
    ("capabilities_used_by_others", ()),
    ("capabilities_first", ()),
    *(("established_field", (k,)) for k in (5, 6, 7)),
    ("alignment_relevant", ()),
)
"""Quantities and the element of each; None stands for the horizon."""
GATE_DRAWS = 1000
EDGE = 0.01
"""Distance from 0 or 1 within which a chance counts as decided."""
MOST = 0.5
"""Share of prior mass near an edge above which the priors are refused."""
GATED = ("established", "alignment_used", "capabilities_relevant")
"""Quantities that the gates read."""
REPLICATES = 400
"""Prior draws from which evidence is replicated."""
LEAST_P = 1e-4
"""Least p-value of a prior's Kolmogorov-Smirnov test, after Bonferroni over all of them."""
MOST_GAP = 1e-6
"""Most difference of log densities, in nats: rounding of both, several times over."""
PROBABILITIES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
"""Quantiles of the stated prior at which densities are compared."""
VARIATIONS = ("structure", "left_out")
"""Tables of variations of a run, which are also the names of their files."""
FILES = {"check": "stated", "implied": "implied", "evidence_under_prior": "evidence"}
"""Tables of a check of priors that ``out`` gets as CSV."""


@dataclass(frozen=True)
class Check:
    """The result of a check of priors: every table, and every fault.

    ``rows`` are ``implied`` (quantities that one can have a feeling for), ``evidence`` (test
    quantities of the evidence under the prior), ``evidence_summary`` (by table) and ``stated``
    (each prior as sampled against as stated).
    """

    config: Config
    tables: Tables
    rows: Mapping[str, list[Row]]
    faults: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing forbids a run."""
        return not self.faults

    def json(self) -> Row:
        """Return everything as plain data."""
        faults = list(self.faults)
        return {
            "schema": 1,
            "name": self.config.name,
            "ok": self.ok,
            "faults": faults,
            **self.rows,
        }

    def text(self) -> str:
        """Return what the terminal shows."""
        from reports.check import prior_check_text

        config = self.config
        head = f"{config.name}: {len(config.priors)} priors and the evidence are valid"
        if self.faults:
            many = "a fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
            head = f"{config.name}: not fit to be run, for {many} told at the end"
        view = outside_view(config.outside_view)
        if view is not None:
            head += f"; an outside view of {view.quantity} will weigh {view.weight:.2g} beside them"
        return prior_check_text(head, self.rows, faults=self.faults)


@dataclass(frozen=True)
class Recheck:
    """The checks of a finished run, with its tables of variations; ``asked`` were made anew."""

    run: Run
    rows: Mapping[str, list[Row]]
    asked: tuple[str, ...] = ()

    @property
    def converged(self) -> bool:
        """Whether the fits of the variations that were asked for met the rule."""
        return not self.failed

    @property
    def failed(self) -> list[str]:
        """The variations that were asked for and whose fits did not meet the rule."""
        rows = [row for key in self.asked for row in self.rows.get(key, ())]
        return [row["setting"] for row in rows if not row["converged"]]

    @property
    def ok(self) -> bool:
        """Whether the run has checks to show."""
        return True

    def json(self) -> Row:
        """Return everything as plain data."""
        checks = self.run.context.get("checks") or {}
        return {"schema": 1, "run": self.run.folder.name, "checks": checks, **self.rows}

    def text(self) -> str:
        """Return what the terminal shows."""
        from reports.check import run_check_text

        return run_check_text(self.run.folder.name, self.run.context, varied=self.rows)


def check(
    priors: str | Path,
    *,
    evidence: str | Path | None = None,
    seed: int = 0,
    draws: int = 1000,
    quiet: bool = False,
    out: str | Path | None = None,
    structure: bool = False,
    tables: bool = False,
    cores: int | None = None,
    retry: bool | None = None,
) -> Check | Recheck:
    """Check a priors file and its evidence, or a finished run.

    Of a run folder its own checks are shown, and variations of it evaluated. Of a priors file: both
    are validated; prior draws show what it implies for quantities that one can have a feeling for;
    the gates are applied; the evidence is compared with evidence replicated under the prior; and
    each prior is tested to be sampled as stated.

    Parameters
    ----------
    priors, evidence
        As for :func:`forecast.runs.run.run`; or the folder of a finished run.
    seed
        Seed of the prior draws.
    draws
        Number of prior draws.
    quiet
        Show no progress.
    out
        Folder to write ``check.csv`` (each prior, stated and drawn), ``implied.csv`` and
        ``evidence_under_prior.csv`` into.
    structure, tables
        Of a run: evaluate it under other structures, or without each table of evidence.
    cores
        Processor cores of the fits that these need; does not change numbers.
    retry
        Fit a variation once more, with longer tuning, if its fit does not converge; by default as
        the run's priors say.

    Raises
    ------
    InputError
        If either file is at fault.
    """
    asked = [key for key, on in zip(VARIATIONS, (structure, tables), strict=True) if on]
    if read_manifest(Path(priors)) is not None:
        return recheck(Path(priors), asked, cores=cores, retry=retry, quiet=quiet)
    if asked:
        raise InputError(
            f"--{'structure' if structure else 'tables'}: only a finished run has draws to vary; "
            "`forecast run PRIORS` first, then give its folder"
        )
    config, evidence_tables = load_inputs(priors, evidence=evidence)
    case = make_case(config, evidence_tables, seed=seed)
    with Stages(quiet=quiet) as stages:
        with stages("prior draws"):
            drawn, quantities = prior_predictions(case, draws)
        with stages("evidence under the prior"):
            again = replicate(case, drawn, stage="check of the evidence", most=REPLICATES)
            under_prior = check_rows(pairs(case, again))
        with stages("sampled against stated prior"):
            stated = stated_rows(case, draws)
    rows = {
        "implied": implied_rows(case, quantities),
        "evidence": under_prior,
        "evidence_summary": summary_rows(under_prior),
        "stated": stated,
    }
    if out is not None:
        _save(Path(out), rows)
    faults = (*gate_faults(quantities), *stated_faults(stated))
    return Check(config, evidence_tables, rows, faults)


def _save(folder: Path, rows: Mapping[str, list[Row]]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, key in FILES.items():
            write_csv(folder / f"{name}.csv", rows[key])
    except OSError as error:
        raise InputError(f"--out {folder}: cannot be written ({error.strerror})") from None


def recheck(
    folder: Path,
    asked: Collection[str],
    *,
    cores: int | None = None,
    retry: bool | None = None,
    quiet: bool = False,
) -> Recheck:
    """Return the checks of a finished run, after the variations that are asked for.

    Parameters are those of :func:`check`; ``asked`` are members of :data:`VARIATIONS`.

    Raises
    ------
    InputError
        If the folder holds no finished run.
    """
    run = show(folder)
    run.demand_whole("it can be checked")
    if asked:
        with Stages(quiet=quiet) as stages, limited(cores):
            for key, rows in variations(run, asked, stages=stages, cores=cores, retry=retry):
                write_json(run.folder / f"{key}.json", rows)
                write_csv(run.folder / f"{key}.csv", rows)
        run = show(folder)
    tables = {key: run.context[key] for key in VARIATIONS if run.context.get(key)}
    return Recheck(run, tables, tuple(asked))


def variations(
    run: Run, asked: Collection[str], *, stages: Stages, cores: int | None, retry: bool | None
) -> Iterator[tuple[str, list[Row]]]:
    """Yield the name and the rows of each table of variations that is asked for."""
    from forecast.analyses.structure import Fitting, structure_cases, table_cases, variation_rows
    from forecast.inference.evaluate import answer

    with stages("read the run"):
        fit = fit_of(run)
        quantities = answer(fit, fit.case)
    retry = fit.case.sampler.retry if retry is None else retry
    fitting = Fitting(retry=retry, cores=cores, tick=stages.tick)
    for key in asked:
        cases = structure_cases if key == "structure" else table_cases
        with stages(f"variations: {key.replace('_', ' ')}"):
            rows = variation_rows(fit, quantities, variations=cases(fit.case), fitting=fitting)
        yield key, rows


def prior_predictions(
    case: Case, n: int = GATE_DRAWS, *, names: tuple[str, ...] | None = None
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return ``n`` prior draws of every variable, and of the quantities ``names`` (all if None)."""
    structure = structure_of(case)
    draws = prior_draws(case.by_name, structure, n=n, rng=stream(case.seed, "prior"))
    normals = future_normals(case, n)
    return draws, predict(draws, normals, structure=structure, question=case.asked, names=names)


def check_gates(case: Case) -> None:
    """Refuse priors that have decided the question before any evidence.

    Raises
    ------
    InputError
        With one sentence per gate.
    """
    faults = gate_faults(prior_predictions(case, names=GATED)[1])
    if faults:
        raise InputError("\n".join(faults))


def gate_faults(quantities: Mapping[str, np.ndarray]) -> list[str]:
    """Return, in sentences, which chances the priors have decided."""
    established = quantities["established"][..., -1]
    gated = {
        "level 6 established by the horizon": established[:, 5],
        "level 7 established by the horizon": established[:, 6],
        "alignment use by the horizon": quantities["alignment_used"],
        "capabilities use by the horizon": quantities["capabilities_relevant"],
    }
    return [
        f"priors: {name}: {100 * near.mean():.0f}% of the prior lies within {EDGE} of {edge}; "
        "widen the steps, ceilings, works_2025 or use rates"
        for name, x in gated.items()
        for edge, near in ((0, x < EDGE), (1, x > 1.0 - EDGE))
        if near.mean() > MOST
    ]


def implied_rows(case: Case, quantities: Mapping[str, np.ndarray]) -> list[Row]:
    """Return each quantity under the priors: label, unit, question, quantiles, and a sentence.

    An element that asks for a year beyond the horizon is left out.
    """
    horizon, rows = case.question.horizon, []
    coords: dict[str, tuple[Any, ...]] = dict(structure_of(case).coords())
    coords |= {"forecast_year": forecast_years(horizon), "group": GROUPS, "world": WORLDS}
    for name, element in ASKED:
        quantity, x, words = QUANTITIES[name], quantities[name], []
        wanted = [horizon if one is None else one for one in element]
        if any(one not in coords[dim] for dim, one in zip(quantity.dims, wanted, strict=True)):
            continue
        for dim, one in zip(quantity.dims, wanted, strict=True):
            x = x[:, coords[dim].index(one)]
            words.append(f"level {one}" if dim in ("level", "step") else f"{one}")
        low, median, high = (float(v) for v in np.quantile(x, TAILS))
        rows.append(
            {
                "quantity": name,
                "element": ", ".join(words),
                "label": quantity.label,
                "unit": quantity.unit,
                "question": quantity.question,
                "low": low,
                "median": median,
                "high": high,
                "sentence": sentence(quantity.question, (low, median, high), unit=quantity.unit),
            }
        )
    return rows + list(year_rows(quantities["established"], horizon=horizon))


def sentence(question: str, quantiles: tuple[float, float, float], *, unit: str) -> str:
    """Return a question with the answer of the priors."""
    low, median, high = (value(x, unit) for x in quantiles)
    suffix = "" if unit in (*CHANCES, "ratio", "log ratio") else f" {unit}"
    if low == high:
        return f"{question} {median}{suffix}."
    return f"{question} About {median}{suffix}: 9 chances in 10 of {low} to {high}."


def year_rows(established: np.ndarray, *, horizon: int) -> Iterator[Row]:
    """Yield in which year each level is established under the priors, mixed over draws.

    A quantile is the first year by whose end the chance is that large; None if not by the horizon.
    """
    curve = np.maximum.accumulate(established.mean(axis=0), axis=-1)
    years = forecast_years(horizon)
    for k, chance in zip(STEPS, curve, strict=True):
        ends = [years[int(np.argmax(chance >= q))] if chance[-1] >= q else None for q in TAILS]
        low, median, high = (f"{y}" if y is not None else f"after {horizon}" for y in ends)
        question = f"When is level {k} established?"
        yield {
            "quantity": "established",
            "element": f"level {k}",
            "label": "year established",
            "unit": "year",
            "question": question,
            **dict(zip(("low", "median", "high"), ends, strict=True)),
            "sentence": (f"{question} By {low}, {median}, {high} with 1, 10 and 19 chances in 20."),
        }


def stated_rows(case: Case, n: int) -> list[Row]:
    """Return both tests of each prior, with its quantiles as stated and as drawn.

    ``d`` and ``p`` are Kolmogorov and Smirnov's of ``n`` draws, ``density_gap`` the largest
    difference of log densities (nats), ``ok`` whether both pass.
    """
    from scipy import stats

    drawn, gaps = sampled_priors(case, n)
    rows = []
    for name, x in drawn.items():
        prior = case.by_name[name]
        test = stats.kstest(x, frozen(prior).cdf)
        d, p, gap = float(test.statistic), float(test.pvalue), gaps[name]
        row: Row = {"prior": name, "dist": prior.dist, "d": d, "p": p, "density_gap": gap}
        for q in TAILS:
            row |= {f"stated_{q}": float(ppf(prior, q)), f"drawn_{q}": float(np.quantile(x, q))}
        rows.append(row | {"ok": bool(p >= LEAST_P / len(drawn) and gap <= MOST_GAP)})
    return rows


def stated_faults(rows: Sequence[Row]) -> list[str]:
    """Return a sentence for each prior that is not sampled as stated."""
    return [
        f"[priors.{row['prior']}]: the sampled prior is not the stated one "
        f"(p = {row['p']:.1e}, log densities differ by {row['density_gap']:.1e})"
        for row in rows
        if not row["ok"]
    ]


def sampled_priors(case: Case, n: int) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Return ``n`` draws of every scalar prior by PyMC, and each one's gap of log densities."""
    import pymc as pm

    priors = case.by_name
    with pm.Model(coords={"hyperparameter": hyper_names(priors)}) as model:
        pm.Data("hyper", hyper_values(priors), dims="hyperparameter")
        add_grouped(tuple(priors), priors)
    vectors, seed = model.free_RVs, integer(case.seed, "check")
    draws = pm.draw(vectors, draws=n, random_seed=seed, mode="FAST_COMPILE")
    by_name: dict[str, np.ndarray] = {}
    gaps: dict[str, float] = {}
    for vector, values in zip(vectors, draws, strict=True):
        members = model.coords[f"{vector.name.removeprefix('beliefs_')} belief"] or ()
        by_name |= {str(name): np.asarray(values)[:, i] for i, name in enumerate(members)}
        gap = density_gaps(model, vector, priors=[priors[str(name)] for name in members])
        gaps |= dict(zip(map(str, members), map(float, gap), strict=True))
    return dict(sorted(by_name.items())), gaps


def density_gaps(model: Any, vector: Any, *, priors: Sequence[Prior]) -> np.ndarray:
    """Return the largest difference of log densities of each member of one vector of priors."""
    import pytensor

    (logp,) = model.logp(vars=[vector], jacobian=True, sum=False)
    density = pytensor.function([model.rvs_to_values[vector]], logp, mode="FAST_COMPILE")
    gap = np.zeros(len(priors))
    for q in PROBABILITIES:
        x = [float(ppf(prior, q)) for prior in priors]
        with np.errstate(all="ignore"):  # a quantile that rounds to an end gives NaN: a fault
            points = np.array([unbounded(prior, v) for prior, v in zip(priors, x, strict=True)])
            stated = np.array([float(logpdf(p, v)) for p, v in zip(priors, x, strict=True)])
            u, jacobian = points.T
            gap = np.maximum(gap, np.abs(density(u) - stated - jacobian))
    return gap


def unbounded(prior: Prior, x: float) -> tuple[float, float]:
    """Return u on the real line, the log or log-odds of x by its support, and log |dx/du|.

    Spelled out rather than taken from PyMC's transforms, which it checks.
    """
    low, high = support(prior)
    if np.isinf(low):
        return x, 0.0
    if np.isinf(high):
        return float(np.log(x)), float(np.log(x))
    a, b, width = x - low, high - x, high - low
    return float(np.log(a) - np.log(b)), float(np.log(a) + np.log(b) - np.log(width))
