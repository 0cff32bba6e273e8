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
            for key, rows in variations(made, wanted, cores=cores, stages=stages).items():
                write_json(made.folder / f"{KEPT[key]}.json", rows)
                write_csv(made.folder / f"{KEPT[key]}.csv", rows)
        made = show(folder)
    return Recheck(made, {key: made.context[key] for key in KEPT if made.context.get(key)})


def variations(
    made: Run, wanted: list[str], *, cores: int | None, stages: Stages
) -> dict[str, Rows]:
    """Return the rows of each wanted table of variations."""
    from forecast.analyses.structural import structure_cases, table_cases, variation_rows
    from forecast.engine import answer

    with stages("read the run"):
        fit = fit_of(made)
        found = answer(fit, fit.case)
    cases = {"structure": structure_cases, "left_out": table_cases}
    out = {}
    for key in wanted:
        with stages(f"variations: {key.replace('_', ' ')}"):
            listed = cases[key](fit.case)
            out[key] = variation_rows(fit, found, variations=listed, cores=cores, tick=stages.tick)
    return out
