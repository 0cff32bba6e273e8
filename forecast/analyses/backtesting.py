"""Backtests: fit what was knowable at the end of a year, forecast what came later, score it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from forecast.analyses.careful import careful
from forecast.analyses.comparing import table
from forecast.analyses.knowable import case_at
from forecast.analyses.origins import Origin, scored_origin
from forecast.analyses.rules import Row
from forecast.case import Case, make_case, structure_of
from forecast.checks import load_inputs
from forecast.config import Config
from forecast.evidence import Tables
from forecast.identity import run_hash
from forecast.progress import Stages
from models.blocks import limited
from models.errors import InputError
from models.structure import FIRST_YEAR, LAST_YEAR

FIRST_ORIGIN, LAST_ORIGIN = FIRST_YEAR + 1, LAST_YEAR - 1
MARK = "backtest.json"
"""The file that says that a folder is a backtest's."""
USUAL = "2020-2025"
DRAWS, TUNE = 2500, 1500
"""Draws and tuning steps of each chain."""
WINDOW = (2023, 2026)
"""Years of the hold-outs that are added up, each forecast from the year before."""


@dataclass(frozen=True)
class Backtest:
    """A finished backtest; ``summary`` is what backtest.json holds, ``rows`` the scores by item."""

    folder: Path
    summary: dict[str, Any]
    rows: list[Row]

    @property
    def failed(self) -> tuple[int, ...]:
        """Origins whose fit did not converge."""
        return tuple(row["origin"] for row in self.summary["training"] if not row["converged"])

    @property
    def converged(self) -> bool:
        """Whether every origin's fit converged."""
        return not self.failed

    def text(self) -> str:
        """Return the tables that the terminal shows."""
        from reports.backtests import backtest_text

        return f"{backtest_text(self.summary)}\n{self.folder}"


def origins_of(until: str | int | Sequence[str | int]) -> tuple[int, ...]:
    """Return the origins of years and ranges, as ``2022`` or ``2020-2025``.

    Raises
    ------
    InputError
        If one is no year of the model with works after it.
    """
    parts = [until] if isinstance(until, str | int) else list(until)
    years: set[int] = set()
    for part in parts:
        ends = str(part).split("-")
        if not all(end.isdigit() for end in ends) or len(ends) > 2:
            raise InputError(f"--until {part}: found no year; write 2022, or a range as 2020-2025")
        years |= set(range(int(ends[0]), int(ends[-1]) + 1)) or {0}
    wrong = [year for year in sorted(years) if not FIRST_ORIGIN <= year <= LAST_ORIGIN]
    if wrong or not years:
        raise InputError(
            f"--until {' '.join(map(str, parts))}: found {wrong[0] if wrong else 'no year'}; "
            f"name years from {FIRST_ORIGIN} to {LAST_ORIGIN}, ranges rising"
        )
    return tuple(sorted(years))


def backtest(
    priors: str | Path,
    *,
    until: str | int | Sequence[str | int] = USUAL,
    out: str | Path | None = None,
    evidence: str | Path | None = None,
    draws: int = DRAWS,
    tune: int = TUNE,
    chains: int | None = None,
    cores: int | None = None,
    seed: int = 0,
    retry: bool | None = None,
    quiet: bool = False,
) -> Backtest:
    """Fit what was knowable at the end of each year, and score forecasts of what came later.

    Parameters
    ----------
    priors, evidence
        As for :func:`forecast.runs.run`. The priors are today's, whatever the origin.
    until
        Origins: a year, a range as ``2020-2025``, or several of either.
    out
        Folder; ``runs/backtest-NAME-HASH8`` by default. Fits that lie there are not made again.
    draws, tune, chains
        Sampler options. Thin evidence mixes slowly: with 1000 draws after 1000 steps three of the
        six usual origins missed the rule of convergence.
    cores
        Fits at a time, each on one core; all cores by default.
    seed
        Seed of every random number.
    retry
        Fit an origin once more, with longer tuning, if its fit does not converge.
    quiet
        Show no progress.

    Raises
    ------
    InputError
        If the user's input or the folder is at fault, or nothing lies before or after an origin.
    """
    config, tables = load_inputs(priors, evidence=evidence)
    origins = origins_of(until)
    given: dict[str, Any] = {"draws": draws, "tune": tune, "chains": chains, "retry": retry}
    options = replace(careful(config.sampler), **{k: v for k, v in given.items() if v is not None})
    case = replace(make_case(config, tables, seed=seed), sampler=options)
    _check_works(tables, origins)
    name = run_hash(config, tables, case=case)
    folder = Path(out) if out is not None else Path("runs") / f"backtest-{config.name}-{name[:8]}"
    make_folder(folder)
    with Stages(quiet=quiet) as stages, limited(cores):
        fits = _fits(case, tables, origins=origins, folder=folder, cores=cores, stages=stages)
        found = []
        for origin, fit in zip(origins, fits, strict=True):
            with stages(f"scores of {origin}"):
                made = scored_origin(fit, case, tables=tables, origin=origin)
            verdict = fit.diagnosis
            told = {"converged": verdict.converged, "failures": "; ".join(verdict.failures)}
            told["retried"] = verdict.retried
            found.append(replace(made, training=made.training | told))
        with stages("tables and figures"):
            summary = summarised(found, config, case=case)
            write(folder, found, summary=summary)
    return Backtest(folder, summary, [row for one in found for row in one.scores])


def _fits(
    case: Case,
    tables: Tables,
    *,
    origins: Sequence[int],
    folder: Path,
    cores: int | None,
    stages: Stages,
) -> list[Any]:
    """Fit each origin's Case, or read its fit; all share the structure of the whole."""
    from forecast.parallel import fit_many

    cases = [case_at(case, tables, year=origin) for origin in origins]
    if any(structure_of(one) != structure_of(case) for one in cases):
        raise ValueError("an origin changed the structure: it would compile")
    with stages(f"fits of {len(cases)} origins"):
        return fit_many(cases, folder / "fits", workers=cores, tick=stages.tick)


def _check_works(tables: Tables, origins: Sequence[int]) -> None:
    rated = {row.work for row in tables.ratings}
    years = [w.year for w in tables.works if w.work in rated and w.selection == "sampled"]
    for origin in origins:
        if not any(y <= origin for y in years) or not any(y > origin for y in years):
            span = f"{min(years)} to {max(years)}" if years else "no year"
            raise InputError(
                f"--until {origin}: the rated sampled works are of {span}; name a year with works "
                "up to it and after it"
            )


def make_folder(folder: Path) -> None:
    """Make the folder of a backtest, or take one that is there.

    Raises
    ------
    InputError
        If something else is there, or it cannot be written.
    """
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "fits").is_dir():
        raise InputError(f"--out {folder}: exists and is no backtest's folder; name another")
    try:
        (folder / "fits").mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out {folder}: cannot be written ({error.strerror})") from None


def summarised(found: Sequence[Origin], config: Config, *, case: Case) -> dict[str, Any]:
    """Return what a backtest says: training, scores by origin and horizon, and sums ahead."""
    rows, seed = [row for one in found for row in one.scores], case.seed
    every = [row | {"horizon": "all"} for row in rows]
    by = ("origin", "horizon", "target")
    ahead = [row for row in rows if row["horizon"] == 1 and row["target"] != "milestones"]
    window = [row for row in ahead if WINDOW[0] <= row["year"] <= WINDOW[1]]
    dates = [row for row in rows if row["target"] == "milestones"]
    pits = [row for one in found for row in one.pits]
    return {
        "schema": 1,
        "name": config.name,
        "seed": seed,
        "sampler": vars(case.sampler),
        "origins": [one.origin for one in found],
        "training": [one.training for one in found],
        "window": list(WINDOW),
        "years": sorted({row["year"] for row in window if row["target"] == "level"}),
        "scores": table(every + rows, by=by, seed=seed),
        "ahead": table(window, by=("target",), seed=seed),
        "all_horizons": table(
            [r for r in rows if r["target"] != "milestones"], by=("target",), seed=seed
        ),
        "dates": table(dates, by=("target",), seed=seed),
        "coverage": coverage(pits),
    }


def coverage(pits: Sequence[Row]) -> list[Row]:
    """Return how often central intervals held what came, by target, one year ahead and later."""
    out = []
    for target in dict.fromkeys(row["target"] for row in pits):
        for label, kept in (("1", (1, 1)), ("2+", (2, 99))):
            u = [
                r["pit"]
                for r in pits
                if r["target"] == target and kept[0] <= r["horizon"] <= kept[1]
            ]
            row: Row = {"target": target, "horizon": label, "items": len(u)}
            for prob in (0.5, 0.8, 0.95):
                held = sum(abs(x - 0.5) <= prob / 2 for x in u)
                row[f"within_{prob:g}"] = held / len(u) if u else None
            out.append(row)
    return out


def write(folder: Path, found: Sequence[Origin], *, summary: dict[str, Any]) -> None:
    """Write tables, figures and the text of a backtest."""
    from forecast.folder import write_csv, write_json
    from reports.backtest_figures import write_backtest_figures
    from reports.backtests import backtest_page

    rows = [row for one in found for row in one.scores]
    pits = [row for one in found for row in one.pits]
    chances = [row for one in found for row in one.chances]
    write_csv(folder / "scores.csv", summary["scores"])
    write_csv(folder / "works.csv", rows)
    write_csv(folder / "pit.csv", pits)
    write_csv(folder / "chances.csv", chances)
    write_backtest_figures(folder / "figures", summary, pits=pits, chances=chances)
    page = backtest_page(summary)
    (folder / "backtest.md").write_text(page, encoding="utf-8", newline="\n")
    write_json(folder / MARK, summary)


__all__ = ["Backtest", "backtest", "coverage", "origins_of", "summarised"]
