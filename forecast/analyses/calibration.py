"""``forecast calibrate``: simulation-based calibration of the whole posterior.

Worlds are simulated and fitted (:mod:`forecast.analyses.worlds`), each in its own small file, and
the ranks of all quantities are judged (:mod:`forecast.analyses.uniformity`). The same code judges
worlds drawn from the prior and around the observed evidence.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from forecast.analyses import worlds
from forecast.analyses.careful import careful
from forecast.analyses.covering import coverage_rows, pooled_rows
from forecast.analyses.uniformity import LEVEL, TESTS, Row, seen, verdicts
from forecast.case import Case, digest, make_case
from forecast.checks import load_inputs
from forecast.identity import simulated_hash, versions
from forecast.progress import Stages
from models.errors import InputError
from models.quantities import HEADLINE

AROUND = ("prior", "posterior")
MARK = "calibration.json"
SIMULATIONS, DRAWS, TUNE, CHAINS = 200, 500, 500, 2


@dataclass(frozen=True)
class Calibration:
    """A finished calibration; ``summary`` is what calibration.json holds."""

    folder: Path
    summary: dict[str, Any]

    @property
    def converged(self) -> bool:
        """Whether every simulation's fit, and the one around which they are, met the rule."""
        base = self.summary["base"]
        return not self.summary["not_converged"] and (base is None or base["converged"])

    @property
    def passed(self) -> bool:
        """Whether the ranks of every quantity are uniform at the family-wise level."""
        return not self.summary["failing"]

    def text(self) -> str:
        """Return the tables that the terminal shows."""
        from reports.calibration import calibration_text

        return f"{calibration_text(self.summary)}\n{self.folder}"


def calibrate(
    priors: str | Path,
    *,
    simulations: int = SIMULATIONS,
    around: str = AROUND[0],
    out: str | Path | None = None,
    evidence: str | Path | None = None,
    draws: int = DRAWS,
    tune: int = TUNE,
    chains: int = CHAINS,
    cores: int | None = None,
    scheduler: str | None = None,
    seed: int = 0,
    retry: bool = False,
    quiet: bool = False,
) -> Calibration:
    """Simulate evidence from known truths at the real design, fit it, and judge the truths' ranks.

    Parameters
    ----------
    priors, evidence
        As for :func:`forecast.runs.run`; the evidence gives the design.
    simulations
        Number of worlds. Those that lie in the folder are not made again.
    around
        Where truths come from: ``prior``, or ``posterior`` of the evidence, which then stands
        beside the simulated evidence in each fit.
    out
        Folder; ``runs/calibration-NAME-HASH8`` by default.
    draws, tune, chains
        Sampler options of each fit.
    cores, scheduler
        Fits at a time on this machine, or the address of a Dask scheduler.
    seed
        Seed of every random number.
    retry
        Fit a world once more, with longer tuning, where its fit does not meet the rule.
    quiet
        Show no progress.

    Raises
    ------
    InputError
        If the user's input or the folder is at fault.
    """
    if around not in AROUND:
        raise InputError(f"--around {around}: found no such place; use one of {', '.join(AROUND)}")
    from forecast.parallel import drop_damaged, map_kept, runner

    run = runner(cores, scheduler)
    config, tables = load_inputs(priors, evidence=evidence)
    case = replace(make_case(config, tables, seed=seed), experts=())
    given: dict[str, Any] = {"draws": draws, "tune": tune, "chains": chains, "retry": retry}
    case = replace(case, sampler=replace(careful(case.sampler), **given))
    key = key_of(case)
    folder = Path(out or Path("runs") / f"calibration-{config.name}-{key}")
    kept_in = make_folder(folder, around, key=key)
    about = {"name": config.name, "around": around, "seed": seed, "hash": key}
    about |= {"sampler": vars(case.sampler)}
    with Stages(quiet=quiet) as stages:
        with stages("truths"):
            truths, base = truths_of(case, around, n=simulations, folder=kept_in)
        items = {f"{i:05d}.npz": (i, truth) for i, truth in enumerate(truths)}
        with stages(f"{simulations} simulations"):
            drop_damaged(items, kept_in, check=worlds.from_bytes)
            work, tick = worlds.simulate, stages.counting(len(items))
            found = map_kept(items, kept_in, work=work, shared=case, run=run, tick=tick)
        with stages("tables and figures"):
            summary = write(folder, found, about=about | {"base": base})
    return Calibration(folder, summary)


def key_of(case: Case) -> str:
    """Return the hash of all that the ranks follow from: Case, sources, libraries.

    The number of simulations is none of it, so that more can be added.
    """
    priors = tuple((p.name, p.dist, p.params) for p in case.priors)
    rest = (case.question, case.model, case.sampler, case.seed, case.do)
    return digest(priors, case.evidence.key, rest, simulated_hash(), versions())[:8]


def truths_of(
    case: Case, around: str, *, n: int, folder: Path
) -> tuple[list[worlds.Truth | None], Row | None]:
    """Return the truth of each world, and how the fit did that they are taken from.

    Around the prior each world draws its own: there is nothing to pass and no fit.
    """
    if around == AROUND[0]:
        return [None] * n, None
    from forecast.parallel import fit_many

    fit = fit_many([worlds.base_case(case)], folder)[0]
    made = fit.diagnosis
    told: Row = {"draws": fit.n, "chains": fit.chains, "converged": made.converged}
    told |= {"failures": list(made.failures), "max_rhat": made.max_rhat, "min_ess": made.min_ess}
    return [worlds.around_truth(fit, i) for i in range(n)], told


def make_folder(folder: Path, around: str, *, key: str) -> Path:
    """Make the folder, or take one of the same calibration; return where simulations are kept.

    Raises
    ------
    InputError
        If something else is there, or it cannot be written.
    """
    kept_in = folder / f"simulations-{around}-{key}"
    if folder.is_dir() and any(folder.iterdir()) and not kept_in.is_dir():
        raise InputError(f"--out {folder}: exists and is not of this calibration; name another")
    try:
        kept_in.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {folder}: cannot be written ({error.strerror})") from None
    return kept_in


def write(folder: Path, found: list[bytes], *, about: Row) -> Row:
    """Judge the simulations; write tables, figures, page and calibration.json; return the last.

    Raises
    ------
    InputError
        If too few worlds could be fitted for any verdict.
    """
    from forecast.folder import write_csv, write_json
    from reports.calibration import write_calibration

    every = [worlds.from_bytes(content) for content in found]
    fits = [told(i, one) for i, one in enumerate(every)]
    at, made = fitted(every)
    names, numbers = common([one["names"].tolist() for one in made], made)
    ranks = numbers[..., 0]
    rows, covered = verdicts(names, ranks), coverage_rows(names, ranks)
    summary: Row = {"schema": 1} | about | summarised(rows, fits, n=len(made))
    summary |= {"coverage": pooled_rows(names, ranks)}
    summary |= {"headline_coverage": [row for row in covered if row["name"] in HEADLINE]}
    write_csv(folder / "verdicts.csv", rows)
    write_csv(folder / "coverage.csv", covered)
    write_csv(folder / "fits.csv", fits)
    write_csv(folder / "ranks.csv", long(names, numbers, at=at))
    write_calibration(folder, summary, rows=rows, ranks=dict(zip(names, ranks.T, strict=True)))
    write_json(folder / MARK, summary)
    return summary


def fitted(every: list[dict[str, np.ndarray]]) -> tuple[list[int], list[dict[str, np.ndarray]]]:
    """Return the worlds that have a fit, and their numbers.

    Raises
    ------
    InputError
        If fewer than two have one.
    """
    at = [i for i, one in enumerate(every) if len(one["names"])]
    if len(at) < 2:
        why = next((str(one["why"]) for one in every if str(one["why"])), "no reason is known")
        raise InputError(f"calibrate: {len(at)} of {len(every)} worlds could be fitted ({why})")
    return at, [every[i] for i in at]


def common(labels: list[list[str]], made: list[dict[str, np.ndarray]]) -> tuple[list[str], Any]:
    """Return the quantities that every simulation has, and their numbers (simulation, name, 2).

    One that never varied in some fit (a distinct row's constant, say) has no rank there.
    """
    shared = [name for name in labels[0] if all(name in some for some in labels)]
    at = [[some.index(name) for name in shared] for some in labels]
    return shared, np.stack([one["numbers"][i] for one, i in zip(made, at, strict=True)])


def told(i: int, one: dict[str, np.ndarray]) -> Row:
    """Return how the fit of a simulation did, and whether it met :data:`worlds.RULE`."""
    r_hat, ess, divergences, retried, good = (float(x) for x in one["fit"])
    numbers = {"max_rhat": r_hat, "min_ess_bulk": ess, "divergences": int(divergences)}
    row: Row = {"simulation": i, "fitted": bool(len(one["names"])), **numbers}
    return row | {"retried": bool(retried), "converged": bool(good), "why": str(one["why"])}


def summarised(rows: list[Row], fits: list[Row], *, n: int) -> Row:
    """Return the verdict, what could have been seen, and how the fits did."""
    failing = [row for row in rows if not row["passes"]]
    least = min(min(row[f"p_{test}"] for test in TESTS) for row in rows)
    headline = [row for row in rows if row["name"] in HEADLINE]
    return {
        "simulations": n,
        "asked": len(fits),
        "quantities": len(rows),
        "level": LEVEL,
        "failing": failing,
        "least_p": least,
        "least_p_corrected": min(1.0, least * len(rows) * len(TESTS)),
        "seen": vars(seen(n, len(rows))),
        "headline": headline,
        "rule": worlds.RULE,
        "not_converged": [fit["simulation"] for fit in fits if not fit["converged"]],
        "not_fitted": {str(fit["simulation"]): fit["why"] for fit in fits if not fit["fitted"]},
        "divergent": sum(fit["divergences"] > 0 for fit in fits),
        "retried": [fit["simulation"] for fit in fits if fit["retried"]],
    }


def long(names: list[str], numbers: np.ndarray, *, at: list[int]) -> list[Row]:
    """Return one row for each simulation, by its number, and quantity."""
    return [
        {"simulation": i, "name": name, "rank": float(u), "distance": float(away)}
        for i, one in zip(at, numbers, strict=True)
        for name, (u, away) in zip(names, one, strict=True)
    ]


__all__ = ["Calibration", "calibrate"]
