"""Check a priors file and its evidence before a run, or a run after it."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast.config import Config
from forecast.evidence import Tables
from forecast.folder import read_manifest
from forecast.inputs import load_inputs
from models.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from forecast.analyses.recheck import Recheck
    from forecast.case import Case

REPLICATES = 400
"""Prior draws from which evidence is replicated."""
NEEDS_RUN = (
    "only a finished run has draws to vary; `forecast run PRIORS` first, then give its folder"
)
Rows = list[dict[str, Any]]


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
        from reports.check_text import prior_check_text

        head = f"{self.config.name}: {len(self.config.priors)} priors and the evidence are valid"
        if self.faults:
            many = "a fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
            head = f"{self.config.name}: not fit to be run, for {many} told at the end"
        from forecast.outside import outside_view

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
    (:func:`forecast.analyses.recheck.recheck`). Of a priors file: validates both; draws from the
    prior and says what it implies for quantities that one can have a feeling for; applies the
    gates of :mod:`forecast.gates`; holds the evidence against evidence replicated under the prior;
    and tests that each prior is sampled as stated.

    Parameters
    ----------
    priors, evidence
        As for :func:`forecast.runs.run`; or the folder of a finished run.
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
        from forecast.analyses.recheck import recheck

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
    from forecast.analyses.prior_check import implied_rows
    from forecast.analyses.stated import stated_faults, stated_rows
    from forecast.case import make_case
    from forecast.gates import gate_faults, prior_predictions
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
    from forecast.folder import write_csv

    files = {"check": "stated", "implied": "implied", "evidence_under_prior": "evidence"}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, key in files.items():
            write_csv(folder / f"{name}.csv", rows[key])
    except OSError as error:
        raise InputError(f"--out {folder}: cannot be written ({error.strerror})") from None


__all__ = ["Check", "check", "load_inputs"]
