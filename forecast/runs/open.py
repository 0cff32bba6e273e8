"""What an older run did not say of itself, read off the tables that it did write.

Analyses of a run that lie beside it, for its page.
"""

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any

from forecast.analyses.verdicts import side
from forecast.config.load import load_config
from forecast.evidence.load import load_tables
from forecast.inference.case import make_case
from forecast.runs import folder as folders
from forecast.runs.folder import read_json, read_manifest
from models.errors import InputError
from models.quantities import HEADLINE

Claims = Sequence[Mapping[str, Any]]


def with_sides(claims: Claims, folder: Path) -> list[dict[str, Any]]:
    """Return a run's claims, each with its ``side``, from claims.csv where it has none yet.

    They stay as they are where that table cannot say it.
    """
    stated = [dict(claim) for claim in claims]
    path = folder / "claims.csv"
    if all("side" in claim for claim in stated) or not path.is_file():
        return stated
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [_numbers(row) for row in csv.DictReader(file)]
        return [
            {"side": side(row for row in rows if row["claim"] == claim["id"])} | claim
            for claim in stated
        ]
    except (KeyError, TypeError, ValueError):  # other columns, or quantities: an older table
        return stated


def _numbers(row: Mapping[str, str]) -> dict[str, Any]:
    """Return a row of the table, what is a number as one."""
    words = ("claim", "who", "quantity", "element", "unit", "evidence")
    return {key: x if key in words else float(x) for key, x in row.items()}


ADDED = ("structure", "left_out")
"""Tables that `forecast check RUN` adds to a finished run."""
SENTENCES = "not_observed"
"""The one list of a context that holds text; the others hold rows."""
JSON_KINDS = {list: "list", dict: "object"}


@dataclass(frozen=True)
class Run:
    """A finished run, or the draws that an interrupted one left.

    ``headline`` is the content of headline.json; ``dt`` the DataTree, read on first use.
    """

    folder: Path
    headline: dict[str, Any] = field(repr=False)
    context: dict[str, Any] = field(repr=False)
    already: bool = False

    @property
    def converged(self) -> bool:
        """Whether the sampler converged by the project's rule."""
        return bool(self.headline.get("converged"))

    @property
    def dt(self) -> Any:
        """The DataTree of the run."""
        from forecast.inference.tree import load_tree

        path = self.folder / "posterior.nc"
        try:
            return load_tree(path)
        except OSError as error:
            found = os.strerror(error.errno) if error.errno else "not a whole netCDF file"
            raise folders.unreadable(path, found) from None

    def text(self) -> str:
        """Return the table that the terminal shows."""
        if not self.headline:
            return partial_text(self)
        from reports import terminal_table

        return f"{terminal_table(self.context)}\n{self.folder}"

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the headline, as the terminal has it."""
        if not self.headline:
            return f"<p>{escape(partial_text(self))}</p>"
        from reports.notebook import notebook_html

        return notebook_html(self.context, folder=str(self.folder))

    @property
    def draws_of(self) -> str | None:
        """Name of the run whose draws this one took, as only what follows from them differs."""
        origin = self.context.get("manifest", {}).get("draws_of")
        return None if origin is None else str(origin)

    def work_text(self, key: str) -> str:
        """Return one work's posterior."""
        self.demand_whole("works have a posterior")
        works = [row["work"] for row in self.context.get("works", [])]
        context = self.context
        if key not in works:  # of many works the context holds some, works.csv all
            from forecast.config.toml import near_miss
            from forecast.runs.summarise import read_work

            found = read_work(self.folder / "works.csv", key)
            if found is None:
                raise InputError(f"--work {key}: not in this run; {near_miss(key, works)}")
            context = context | {"works": [found]}
        from reports import work_text

        return work_text(context, key)

    def demand_whole(self, what: str) -> None:
        """Refuse what an interrupted run cannot give.

        Raises
        ------
        InputError
            If the run was interrupted.
        """
        if not self.headline:
            raise InputError(
                f"{self.folder}: the run was interrupted, and only some draws are kept; "
                f"{what} once it is run again to its end"
            )


def partial_text(run: Run) -> str:
    """Return what an interrupted run left."""
    posterior = run.dt["posterior"].sizes
    return (
        f"{run.folder}: interrupted and not complete; {posterior['chain']} chains of "
        f"{posterior['draw']} draws are kept. Run the same command to start afresh."
    )


def show(folder: str | Path, *, work: str | None = None) -> Run:
    """Return a finished run, or what an interrupted one left.

    Raises
    ------
    InputError
        If the folder holds no run.
    """
    found = folders.find_run(Path(folder))
    if folders.is_complete(found):
        made = Run(found, _json(found / "headline.json"), _context(found))
        folders.check_unchanged(found)
        made.context["manifest"] = folders.read_manifest(found)
        made.context["claims"] = with_sides(made.context.get("claims", ()), found)
        for name in ADDED:
            if (found / f"{name}.json").is_file():
                made.context[name] = _rows(found / f"{name}.json")
    else:
        made = Run(found, {}, {})
    if work is not None:
        made.work_text(work)
    return made


def fit_of(run: Run | str | Path) -> Any:
    """Return the fit of a finished run, read from its folder, for reweighting and exact changes."""
    from forecast.runs.load import stored_fit

    made = run if isinstance(run, Run) else show(run)
    made.demand_whole("its fit can be used")
    config = load_config(made.folder / "priors.toml")
    tables = load_tables(made.folder / "evidence", off=config.evidence.off)
    manifest = folders.read_manifest(made.folder) or {}
    case = replace(make_case(config, tables, seed=manifest["seed"]), sampler=config.sampler)
    return stored_fit(case, made.dt, diagnostics=made.context["diagnostics"])


def _json(path: Path) -> dict[str, Any]:
    made = _read(path)
    if not isinstance(made, dict) or not made:
        raise folders.unreadable(path, "no JSON object, or an empty one")
    return made


def _context(folder: Path) -> dict[str, Any]:
    """Return context.json, each part of the kind that text and page read."""
    from reports.view import EMPTY

    path = folder / "context.json"
    made = _json(path)
    for name, value in made.items():
        kind = type(EMPTY.get(name))
        if kind in (list, dict) and not isinstance(value, kind):
            raise folders.unreadable(path, f"{name} is no {JSON_KINDS[kind]}")
        if kind is list and name != SENTENCES and not all(isinstance(x, dict) for x in value):
            raise folders.unreadable(path, f"{name} is no list of objects")
    return made


def _rows(path: Path) -> list[dict[str, Any]]:
    made = _read(path)
    if not isinstance(made, list) or not all(isinstance(row, dict) for row in made):
        raise folders.unreadable(path, "no JSON list of objects")
    return made


def _read(path: Path) -> Any:
    try:
        return folders.read_json(path)
    except OSError as error:
        raise folders.unreadable(path, error.strerror) from None


TIGHT = 1e-9
"""Relative difference of two means of the same draws, as JSON holds them."""


def sensitivity_of(beside: Path, name: str, *, context: Mapping[str, Any]) -> Path | None:
    """Return the folder of a finished sensitivity analysis of the strict headline, if there is one.

    Parameters
    ----------
    beside
        Folder of runs.
    name
        That of the run's folder.
    context
        What the run found. The analysis has to be of the same draws: of its code, with its mean. A
        damaged one, or one of other draws, is as good as none.
    """
    folder, target = beside / f"sensitivity-{name}", HEADLINE[0]
    try:
        made, told = read_manifest(folder) or {}, read_json(folder / "sensitivity.json")
        own, found = context["headline"]["quantities"][target]["mean"], told["headline"]["mean"]
        same = (told["run"], told["target"]) == (name, target)
        same = same and made["code_hash"] == context["manifest"]["code_hash"]
        return folder if same and abs(found - own) <= TIGHT * abs(own) else None
    except (OSError, InputError, LookupError, TypeError):
        return None
