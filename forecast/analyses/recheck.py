"""Check a finished run: what it found of itself, and on request what other models would say.

Tables of variations are kept in the run's folder (``structure.json``, ``left_out.json``, and as
CSV), where `forecast show` and `forecast report` find them.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forecast.folder import write_csv, write_json
from forecast.progress import Stages
from forecast.runs import Run, fit_of, show
from models.blocks import limited

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
        from reports.check_text import run_check_text

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
    from forecast.analyses.structural import Fitting, structure_cases, table_cases, variation_rows
    from forecast.engine import answer

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
