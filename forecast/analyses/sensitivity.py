"""``forecast sensitivity``: how far a result is its priors, and which evidence moves it.

Every answer is a Case at the least price (:mod:`forecast.analyses.drivers.bars`): exact,
reweighted, from moved draws, else fitted anew from where the run's own fit ended. Finished fits are
kept in the folder, so that a second call takes them from there. With ``quick`` nothing is fitted,
and what would need it is withheld, with its Pareto k.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forecast import kept
from forecast.analyses.drivers import explained, scaling, shifts, tipping, tornado, without
from forecast.analyses.drivers.bars import Refit
from forecast.analyses.drivers.material import Material, material
from forecast.analyses.drivers.side_by_side import disagreement
from forecast.analyses.result_folder import outside_of
from forecast.case import Case
from forecast.faults import near_miss
from forecast.folder import read_manifest
from forecast.parallel import fit_many
from forecast.progress import Stages
from forecast.runs import Run, run, show
from forecast.sampling import Fit
from forecast.summaries import with_mcse
from models.errors import InputError
from models.quantities import HEADLINE, QUANTITIES

FITS = "fits"
TABLES = (
    "power",
    "tornado",
    "tipping",
    "factors",
    "blocks",
    "beliefs",
    "pairs",
    "left_out",
    "ladder",
    "learned",
    "disagreement",
)
"""Rows of the summary that have a CSV file of their own."""
Row = dict[str, Any]


@dataclass(frozen=True)
class Sensitivity:
    """A finished analysis; ``summary`` is the content of sensitivity.json."""

    folder: Path
    summary: Row

    @property
    def converged(self) -> bool:
        """Whether the run and every fit that was made met the rule."""
        rows = [*self.summary["tornado"], *self.summary["left_out"], *self.summary["ladder"]]
        return bool(self.summary["converged"]) and all(row["converged"] for row in rows)

    def text(self) -> str:
        """Return what the terminal shows."""
        from reports.sensitivity import sensitivity_text

        return f"{sensitivity_text(self.summary)}\n{self.folder / 'sensitivity.html'}"


def sensitivity(
    priors_or_run: str | Path | Run,
    *,
    target: str = "alignment_relevant",
    threshold: float | None = None,
    quick: bool = False,
    out: str | Path | None = None,
    evidence: str | Path | None = None,
    cores: int | None = None,
    seed: int = 0,
    quiet: bool = False,
) -> Sensitivity:
    """Say how far a quantity of a forecast hangs on each belief and each piece of evidence.

    Parameters
    ----------
    priors_or_run
        A finished run or its folder; or a priors file or shipped name, which is run first.
    target
        A quantity of headline.json.
    threshold
        A chance of your own at which to look for tipping points, beside half and double.
    quick
        Exact and reweighted answers alone.
    out
        Folder; ``sensitivity-RUN`` beside the run by default, ``-TARGET`` added for another target.
    evidence, seed
        For a priors file, as for :func:`forecast.runs.run`.
    cores
        Fits at a time; does not change numbers.
    quiet
        Show no progress.

    Raises
    ------
    InputError
        If the user's input or the folder is at fault.
    """
    check(target, threshold)
    made = run_of(priors_or_run, evidence=evidence, cores=cores, seed=seed, quiet=quiet)
    made.demand_whole("it can be asked what it hangs on")
    folder = make_folder(made, out, target=target)
    with Stages(quiet=quiet) as stages:
        with stages("read the run"):
            m = material(made, target)
        refit = None if quick else refitter(m, folder / FITS, cores=cores, stages=stages)
        own = {"threshold": threshold, "prior": made.headline["prior"][target]}
        own |= {"learned": made.context.get("parameters", [])}
        told = about(made, m, quick=quick) | answers(m, own, refit=refit, stages=stages)
        summary = in_words(told)
        with stages("tables and figures"):
            write(folder, summary)
        write_manifest(folder, summary, seconds=stages.seconds)
    return Sensitivity(folder, summary)


def check(target: str, threshold: float | None) -> None:
    """Refuse a target that headline.json does not hold, and a threshold that is no chance."""
    if target not in HEADLINE:
        raise InputError(f"--target {target}: no headline quantity; {near_miss(target, HEADLINE)}")
    if threshold is not None and not 0.0 < threshold < 1.0:
        raise InputError(f"--threshold {threshold}: found no chance; use one between 0 and 1")


def run_of(given: str | Path | Run, **options: Any) -> Run:
    """Return the run that is given, or that of the priors given."""
    if isinstance(given, Run):
        return given
    path = Path(given)
    if path.is_dir() or read_manifest(path) is not None:
        return show(path)
    return run(given, report=False, **options)


def make_folder(made: Run, out: str | Path | None, *, target: str) -> Path:
    """Make the folder, or take one that this command made; return it.

    Raises
    ------
    InputError
        If something else is there, or it cannot be written.
    """
    name = f"sensitivity-{made.folder.name}" + (f"-{target}" if target != HEADLINE[0] else "")
    folder = made.folder.parent / name if out is None else Path(out)
    if folder.is_dir() and any(folder.iterdir()) and not (folder / FITS).is_dir():
        raise InputError(f"--out {folder}: exists and is not of this command; name another")
    try:
        (folder / FITS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {folder}: cannot be written ({error.strerror})") from None
    return folder


def refitter(m: Material, place: Path, *, cores: int | None, stages: Stages) -> Refit:
    """Return what fits Cases from the run's own fit, each kept in its file."""

    def refit(cases: Sequence[Case]) -> list[Fit]:
        if not cases:
            return []
        own = place / f"{kept.fit_key(m.case)}.nc"
        if not own.exists():
            kept.write(own, kept.to_bytes(m.fit))
        tick = stages.counting(len(cases))
        return fit_many(cases, place, base=m.case, workers=cores, tick=tick)

    return refit


def about(made: Run, m: Material, *, quick: bool) -> Row:
    """Return what the summary begins with: the run, the target and its spread."""
    question = {key: made.headline[key] for key in ("cohort", "horizon")}
    row: Row = {"schema": 1, "run": made.folder.name, "name": made.context.get("name", "")}
    row |= {"converged": made.converged, "quick": quick, **question, "target": m.target}
    row |= {"label": QUANTITIES[m.target].label, "ess": m.ess}
    return row | {"headline": with_mcse(m.y, m.fit.chains)} | outside_of(made)


def answers(m: Material, own: Row, *, refit: Refit | None, stages: Stages) -> Row:
    """Return every table of the summary; ``own`` are threshold, prior and learned rows."""
    quick = refit is None
    out: Row = {}
    with stages("power scaling"):
        out["power"] = scaling.power_rows(m)
    with stages("priors moved"):
        out["tornado"] = tornado.tornado(m, refit=refit)
        out["largest"] = tornado.largest(out["tornado"])
    with stages("tipping points"):
        at = tipping.thresholds(m, own["threshold"])
        out["thresholds"] = at
        out["tipping"] = tipping.tipping_rows(m, out["tornado"], at=at, refit=refit)
    with stages("shifts of blocks"):
        out["factors"], out["surrogate"] = shifts.factor_rows(m, out["tornado"], quick=quick)
    with stages("variance explained"):
        out["blocks"] = explained.block_rows(m)
        out["beliefs"], out["pairs"] = explained.belief_rows(m), explained.pair_rows(m)
    with stages("evidence left out"):
        out["left_out"] = without.left_out_rows(m, refit=refit)
    with stages("evidence added"):
        out["ladder"] = without.ladder_rows(m, refit=refit, prior=own["prior"])
    out["learned"] = own["learned"]
    return out | {"disagreement": disagreement(out)}


def in_words(summary: Row) -> Row:
    """Return the summary with its sentences, first in the file."""
    from reports.outside import opening
    from reports.sensitivity_words import summary_lines

    lines = [*opening(summary), *summary_lines(summary)]
    return {"schema": summary["schema"], "lines": lines} | summary


def write(folder: Path, summary: Row) -> None:
    """Write tables, figures, the page and sensitivity.json."""
    from forecast.folder import write_csv, write_json
    from reports.sensitivity import write_sensitivity

    for name in TABLES:
        write_csv(folder / f"{name}.csv", summary[name])
    write_sensitivity(folder, summary)
    write_json(folder / "sensitivity.json", summary)


def write_manifest(folder: Path, summary: Row, *, seconds: dict[str, float]) -> None:
    """Write what made the numbers: run, target, code, versions, seconds by stage."""
    from forecast.folder import write_json
    from forecast.identity import code_hash, versions

    keys = ("schema", "run", "target", "quick", "converged", "thresholds")
    made: Row = {key: summary[key] for key in keys}
    made |= {"code_hash": code_hash(), "versions": versions()}
    timings = {name: round(s, 2) for name, s in seconds.items()}
    write_json(folder / "manifest.json", made | {"timings_s": timings})


__all__ = ["Sensitivity", "sensitivity"]
