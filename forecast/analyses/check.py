r"""Check a priors file and its evidence before a run, or a run after it.

What priors imply for quantities that one can have a feeling for, in numbers and words.

Labels and questions are the registry's; each row has the 5, 50 and 95% quantiles under the priors.

Is the sampled prior the stated prior? Two tests of each, parameter by parameter.

- Draws that PyMC's own random variables make are held against the stated distribution function:
  Kolmogorov and Smirnov's D, the largest gap of the two, with its p-value.
- The log density that a sampler moves in is held against the stated one. It is that of an
  unbounded value u, so that with x(u) it must be :math:`\log p(x) + \log |dx/du|`: a wrong
  Jacobian, scale or parameter shows here exactly, without chance.

Both are of the function that adds all scalar priors to the model
(:func:`models.priors.add_grouped`).

Check a finished run: what it found of itself, and on request what other models would say.

Tables of variations are kept in the run's folder (``structure.json``, ``left_out.json``, and as
CSV), where `forecast show` and `forecast report` find them.

Prior predictive gates: what a set of priors says before it meets evidence.

A prior that is nearly certain before any evidence has decided the question, most often by a thin
tail of the link; so most of its mass must not lie within 0.01 of 0 or 1. Gated are the chance that
levels 6 and 7 are established by the horizon (in the unit chosen) and use on both sides by then.
Chances per work at levels 6 and 7 are small by nature and shown, not gated.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from forecast.config.load import Config
from forecast.evidence.load import Tables
from forecast.files import write_csv, write_json
from forecast.inference.case import Case, structure_of
from forecast.inference.forward import future_normals
from forecast.inference.outcomes import predict
from forecast.inference.seeds import stream
from forecast.progress import Stages
from forecast.runs.folder import read_manifest
from forecast.runs.inputs import load_inputs
from forecast.runs.open import Run, fit_of, show
from models.batches import limited
from models.dims import GROUPS, LEVELS, STEPS, WORLDS
from models.errors import InputError
from models.outcomes.paths import forecast_years
from models.prior_draws import prior_draws
from models.priors import Prior, frozen, logpdf, ppf, support
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


def implied_rows(case: Case, found: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    """Return each quantity under the priors: label, unit, question, quantiles, and a sentence."""
    rows = []
    for name, at in ASKED:
        element, x = _element(case, name, at=at, values=found[name])
        if x is not None:
            rows.append(implied_row(name, x, element=element))
    return rows + list(year_rows(found["established"], horizon=case.question.horizon))


def implied_row(name: str, x: np.ndarray, *, element: str) -> dict[str, Any]:
    """Return one quantity's row."""
    q = QUANTITIES[name]
    low, mid, high = (float(v) for v in np.quantile(x, TAILS))
    row: dict[str, Any] = {"quantity": name, "element": element, "label": q.label}
    row |= {"unit": q.unit, "question": q.question, "low": low, "median": mid, "high": high}
    return row | {"sentence": sentence(q.question, (low, mid, high), unit=q.unit)}


def sentence(question: str, quantiles: tuple[float, float, float], *, unit: str) -> str:
    """Return a question with what the priors answer."""
    low, mid, high = (value(x, unit) for x in quantiles)
    told = "" if unit in (*CHANCES, "ratio", "log ratio") else f" {unit}"
    if low == high:
        return f"{question} {mid}{told}."
    return f"{question} About {mid}{told}: 9 chances in 10 of {low} to {high}."


def year_rows(established: np.ndarray, *, horizon: int) -> Iterator[dict[str, Any]]:
    """Return in which year each level is established under the priors, mixed over draws.

    A quantile is the first year by whose end the chance is that large; None if not by the horizon.
    """
    curve = np.maximum.accumulate(established.mean(axis=0), axis=-1)
    years = forecast_years(horizon)
    for k, chance in zip(STEPS, curve, strict=True):
        ends = [years[int(np.argmax(chance >= q))] if chance[-1] >= q else None for q in TAILS]
        low, mid, high = (f"{y}" if y is not None else f"after {horizon}" for y in ends)
        question = f"When is level {k} established?"
        row: dict[str, Any] = {"quantity": "established", "element": f"level {k}"}
        row |= {"label": "year established", "unit": "year", "question": question}
        row |= dict(zip(("low", "median", "high"), ends, strict=True))
        told = f"{question} By {low}, {mid}, {high} with 1, 10 and 19 chances in 20."
        yield row | {"sentence": told}


def _element(
    case: Case, name: str, *, at: tuple[Any, ...], values: np.ndarray
) -> tuple[str, np.ndarray | None]:
    """Return the words and the draws of one element; none for a year beyond the horizon."""
    horizon = case.question.horizon
    coords: dict[str, tuple[Any, ...]] = dict(structure_of(case).coords())
    coords |= {"forecast_year": forecast_years(horizon), "group": GROUPS, "world": WORLDS}
    words = []
    for dim, asked in zip(QUANTITIES[name].dims, at, strict=True):
        wanted = horizon if asked is None else asked
        if wanted not in coords[dim]:
            return "", None
        values = values[:, coords[dim].index(wanted)]
        words.append(f"{dim} {wanted}" if dim in ("level", "step") else f"{wanted}")
    return ", ".join(words).replace("step", "level"), values


LEAST_P = 1e-4
"""Least p-value of a prior's Kolmogorov-Smirnov test, after Bonferroni over all of them."""
MOST_GAP = 1e-6
"""Most difference of log densities, in nats: rounding of both, several times over."""
PROBABILITIES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
"""Quantiles of the stated prior at which densities are compared."""
SHOWN = (0.05, 0.5, 0.95)


def stated_rows(case: Case, n: int) -> list[dict[str, Any]]:
    """Return both tests of each prior, with its quantiles as stated and as drawn.

    ``d`` and ``p`` are Kolmogorov and Smirnov's of ``n`` draws, ``density_gap`` the largest
    difference of log densities (nats), ``ok`` whether both pass.
    """
    from scipy import stats

    drawn, gaps = made_by_pymc(case, n)
    rows = []
    for name, x in drawn.items():
        prior = case.by_name[name]
        test = stats.kstest(x, frozen(prior).cdf)
        row: dict[str, Any] = {"prior": name, "dist": prior.dist}
        row |= {"d": float(test.statistic), "p": float(test.pvalue), "density_gap": gaps[name]}
        for q in SHOWN:
            row |= {f"stated_{q}": float(ppf(prior, q)), f"drawn_{q}": float(np.quantile(x, q))}
        rows.append(row)
    return [row | {"ok": passes(row, len(rows))} for row in rows]


def passes(row: dict[str, Any], n: int) -> bool:
    """Return whether a prior passes both tests, one of ``n`` that are tested."""
    return bool(row["p"] >= LEAST_P / n and row["density_gap"] <= MOST_GAP)


def stated_faults(rows: list[dict[str, Any]]) -> list[str]:
    """Return a sentence for each prior that is not sampled as stated."""
    return [
        f"[priors.{row['prior']}]: the sampled prior is not the stated one "
        f"(p = {row['p']:.1e}, log densities differ by {row['density_gap']:.1e})"
        for row in rows
        if not row["ok"]
    ]


def made_by_pymc(case: Case, n: int) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Return ``n`` draws of every scalar prior by PyMC, and each one's gap of log densities."""
    import pymc as pm

    from forecast.inference.seeds import integer
    from models.priors import add_grouped, hyper_names, hyper_values

    priors = case.by_name
    with pm.Model(coords={"hyperparameter": hyper_names(priors)}) as model:
        pm.Data("hyper", hyper_values(priors), dims="hyperparameter")
        add_grouped(tuple(priors), priors)
    vectors = model.free_RVs
    seed = integer(case.seed, "check")
    drawn = pm.draw(vectors, draws=n, random_seed=seed, mode="FAST_COMPILE")
    out: dict[str, np.ndarray] = {}
    gaps: dict[str, float] = {}
    for vector, values in zip(vectors, drawn, strict=True):
        members = model.coords[f"{vector.name.removeprefix('beliefs_')} belief"] or ()
        out |= {name: np.asarray(values)[:, i] for i, name in enumerate(members)}
        found = density_gaps(model, vector, priors=[priors[str(name)] for name in members])
        gaps |= dict(zip(map(str, members), map(float, found), strict=True))
    return dict(sorted(out.items())), gaps


def density_gaps(model: Any, vector: Any, *, priors: list[Prior]) -> np.ndarray:
    """Return the largest difference of log densities of each member of one vector of priors."""
    import pytensor

    value = model.rvs_to_values[vector]
    (logp,) = model.logp(vars=[vector], jacobian=True, sum=False)
    density, gap = pytensor.function([value], logp, mode="FAST_COMPILE"), np.zeros(len(priors))
    for q in PROBABILITIES:
        x = np.array([float(ppf(prior, q)) for prior in priors])
        with np.errstate(all="ignore"):  # a quantile that rounds to an end gives NaN: a fault
            points = [unbounded(prior, v) for prior, v in zip(priors, x, strict=True)]
            stated = np.array([float(logpdf(p, v)) for p, v in zip(priors, x, strict=True)])
            u, jacobian = (np.array(part) for part in zip(*points, strict=True))
            gap = np.maximum(gap, np.abs(density(u) - stated - jacobian))
    return gap


def unbounded(prior: Prior, x: float) -> tuple[float, float]:
    """Return u on the real line, the log or log-odds of x by its support, and log |dx/du|."""
    low, high = support(prior)
    if np.isinf(low):
        return x, 0.0
    if np.isinf(high):
        return float(np.log(x)), float(np.log(x))
    a, b, width = x - low, high - x, high - low
    return float(np.log(a) - np.log(b)), float(np.log(a) + np.log(b) - np.log(width))


KEPT = {"structure": "structure", "left_out": "left_out"}
"""Tables of variations, and the name of each one's files."""
Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Recheck:
    """What a finished run says of itself, with the tables of variations that it has."""

    run: Run
    rows: dict[str, Rows]
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

    def json(self) -> dict[str, Any]:
        """Return everything that is known, as plain data."""
        checks = self.run.context.get("checks") or {}
        return {"schema": 1, "run": self.run.folder.name, "checks": checks, **self.rows}

    def text(self) -> str:
        """Return what the terminal shows."""
        from reports.check import run_check_text

        return run_check_text(self.run.folder.name, self.run.context, varied=self.rows)


def recheck(
    folder: Path,
    *,
    structure: bool = False,
    tables: bool = False,
    cores: int | None = None,
    retry: bool | None = None,
    quiet: bool = False,
) -> Recheck:
    """Show the checks of a finished run, and evaluate variations of it.

    Parameters
    ----------
    folder
        A finished run.
    structure
        Evaluate structural checks: link, tails, units, raters, known cases.
    tables
        Evaluate the run without each table of evidence.
    cores
        Processor cores of fits.
    retry
        Fit a variation once more, with longer tuning, if its fit does not converge; else as the
        run's priors say.
    quiet
        Show no progress.

    Raises
    ------
    InputError
        If the folder holds no finished run.
    """
    made = show(folder)
    made.demand_whole("it can be checked")
    wanted = [key for key, on in (("structure", structure), ("left_out", tables)) if on]
    if wanted:
        with Stages(quiet=quiet) as stages, limited(cores):
            found = variations(made, wanted, stages=stages, cores=cores, retry=retry)
            for key, varied in found.items():
                write_json(made.folder / f"{KEPT[key]}.json", varied)
                write_csv(made.folder / f"{KEPT[key]}.csv", varied)
        made = show(folder)
    rows = {key: made.context[key] for key in KEPT if made.context.get(key)}
    return Recheck(made, rows, tuple(wanted))


def variations(
    made: Run, wanted: list[str], *, stages: Stages, cores: int | None, retry: bool | None
) -> dict[str, Rows]:
    """Return the rows of each wanted table of variations."""
    from forecast.analyses.structure import Fitting, structure_cases, table_cases, variation_rows
    from forecast.inference.evaluate import answer

    with stages("read the run"):
        fit = fit_of(made)
        found = answer(fit, fit.case)
    cases = {"structure": structure_cases, "left_out": table_cases}
    out, twice = {}, fit.case.sampler.retry if retry is None else retry
    fitting = Fitting(retry=twice, cores=cores, tick=stages.tick)
    for key in wanted:
        with stages(f"variations: {key.replace('_', ' ')}"):
            listed = cases[key](fit.case)
            out[key] = variation_rows(fit, found, variations=listed, fitting=fitting)
    return out


if TYPE_CHECKING:
    import numpy as np

    from forecast.inference.case import Case

REPLICATES = 400
"""Prior draws from which evidence is replicated."""
NEEDS_RUN = (
    "only a finished run has draws to vary; `forecast run PRIORS` first, then give its folder"
)


@dataclass(frozen=True)
class Check:
    """The result of a check of priors: every table, and every fault that was found.

    ``tables`` holds rows under ``implied`` (quantities that one can have a feeling for),
    ``evidence`` (test quantities of the evidence under the prior), ``evidence_summary`` (by table)
    and ``stated`` (each prior as sampled against as stated).
    """

    config: Config
    tables: Tables
    rows: dict[str, Rows] = field(default_factory=dict)
    faults: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing was found that forbids a run."""
        return not self.faults

    def json(self) -> dict[str, Any]:
        """Return everything that was found, as plain data."""
        return {"schema": 1, "name": self.config.name, "ok": self.ok} | {
            "faults": list(self.faults),
            **self.rows,
        }

    def text(self) -> str:
        """Return what the terminal shows."""
        from reports.check import prior_check_text

        head = f"{self.config.name}: {len(self.config.priors)} priors and the evidence are valid"
        if self.faults:
            many = "a fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
            head = f"{self.config.name}: not fit to be run, for {many} told at the end"
        from forecast.config.outside import outside_view

        view = outside_view(self.config.outside_view)
        if view is not None:
            head += f"; an outside view of {view.quantity} will weigh {view.weight:.2g} beside them"
        return prior_check_text(head, self.rows, faults=self.faults)


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
) -> "Check | Recheck":
    """Check a priors file and its evidence, or a finished run.

    Of a run folder its own checks are shown, and variations of it evaluated
    (:func:`forecast.analyses.check.recheck`). Of a priors file: validates both; draws from the
    prior and says what it implies for quantities that one can have a feeling for; applies the
    gates of :mod:`forecast.analyses.check`; holds the evidence against evidence replicated under
    the prior; and tests that each prior is sampled as stated.

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
        Make such a fit once more, with longer tuning, if it does not converge; else as the run's
        priors say.

    Raises
    ------
    InputError
        If either file is at fault.
    """
    if read_manifest(Path(priors)) is not None:
        where = Path(priors)
        told: dict[str, Any] = {"cores": cores, "retry": retry, "quiet": quiet}
        return recheck(where, structure=structure, tables=tables, **told)
    if structure or tables:
        raise InputError(f"--{'structure' if structure else 'tables'}: {NEEDS_RUN}")
    return check_priors(priors, evidence=evidence, seed=seed, draws=draws, quiet=quiet, out=out)


def check_priors(
    priors: str | Path,
    *,
    evidence: str | Path | None,
    seed: int,
    draws: int,
    quiet: bool,
    out: str | Path | None,
) -> Check:
    """Check a priors file and its evidence; parameters are those of :func:`check`."""
    config, tables = load_inputs(priors, evidence=evidence)

    from forecast.inference.case import make_case
    from forecast.progress import Stages

    case = make_case(config, tables, seed=seed)
    with Stages(quiet=quiet) as stages:
        with stages("prior draws"):
            drawn, found = prior_predictions(case, draws)
        with stages("evidence under the prior"):
            rows = evidence_rows(case, drawn)
        with stages("sampled against stated prior"):
            rows["stated"] = stated_rows(case, draws)
    rows = {"implied": implied_rows(case, found)} | rows
    if out is not None:
        _save(Path(out), rows)
    faults = gate_faults(found) + stated_faults(rows["stated"])
    return Check(config, tables, rows, tuple(faults))


def evidence_rows(case: "Case", drawn: "dict[str, np.ndarray]") -> dict[str, Rows]:
    """Return test quantities of the evidence under the prior, and their counts by table."""
    from forecast.analyses.predictive import check_rows, pairs, replicate, summary_rows

    again = replicate(case, drawn, stage="check of the evidence", most=REPLICATES)
    rows = check_rows(pairs(case, again))
    return {"evidence": rows, "evidence_summary": summary_rows(rows)}


def _save(folder: Path, rows: dict[str, Rows]) -> None:
    from forecast.files import write_csv

    files = {"check": "stated", "implied": "implied", "evidence_under_prior": "evidence"}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, key in files.items():
            write_csv(folder / f"{name}.csv", rows[key])
    except OSError as error:
        raise InputError(f"--out {folder}: cannot be written ({error.strerror})") from None


EDGE = 0.01
"""Distance from 0 or 1 within which a chance counts as decided."""
MOST = 0.5
"""Share of prior mass near an edge above which the priors are refused."""
DRAWS = 1000
READ = ("established", "alignment_used", "capabilities_relevant")
"""Quantities that the gates read."""
GATED = {
    "established 6": "level 6 established by the horizon",
    "established 7": "level 7 established by the horizon",
    "alignment_used": "alignment use by the horizon",
    "capabilities_relevant": "capabilities use by the horizon",
}
"""What is gated, in words."""


def prior_predictions(
    case: Case, n: int = DRAWS, *, names: tuple[str, ...] | None = None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return ``n`` prior draws of every variable, and of the quantities ``names`` (all if None)."""
    structure = structure_of(case)
    draws = prior_draws(case.by_name, structure, n=n, rng=stream(case.seed, "prior"))
    found = predict(
        draws, future_normals(case, n), structure=structure, question=case.asked, names=names
    )
    return draws, found


def gated_values(found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the draws of what is gated."""
    reached = found["established"][..., -1]
    return {
        "established 6": reached[:, 5],
        "established 7": reached[:, 6],
        "alignment_used": found["alignment_used"],
        "capabilities_relevant": found["capabilities_relevant"],
    }


def gate_faults(found: dict[str, np.ndarray]) -> list[str]:
    """Return, in sentences, which chances the priors have decided."""
    faults = []
    for name, x in gated_values(found).items():
        for edge, near in ((0, x < EDGE), (1, x > 1.0 - EDGE)):
            if near.mean() > MOST:
                faults.append(
                    f"priors: {GATED[name]}: {100 * near.mean():.0f}% of the prior lies within "
                    f"{EDGE} of {edge}; widen the steps, ceilings, works_2025 or use rates"
                )
    return faults


def check_gates(case: Case) -> None:
    """Refuse priors that have decided the question before any evidence.

    Raises
    ------
    InputError
        With one sentence per gate.
    """
    faults = gate_faults(prior_predictions(case, names=READ)[1])
    if faults:
        raise InputError("\n".join(faults))
