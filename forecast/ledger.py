"""The ledger of dated forecasts: add, list, resolve, score.

``import forecast as fc``, then ``fc.ledger.add``, ``fc.ledger.near``, ``fc.ledger.list``,
``fc.ledger.resolve`` and ``fc.ledger.score``. How the file is kept: :mod:`forecast.ledger_file`;
what a line says: :mod:`forecast.ledger_entries`.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from forecast.analyses.ledger_scores import score
from forecast.folder import find_run, read_manifest
from forecast.ledger_entries import Forecast, Resolution, checked, id_of
from forecast.ledger_file import Held, Ledger, append, now, read_ledger
from models.errors import InputError

PATH = "ledger.jsonl"
"""The ledger where none is named: in the working folder."""
YES = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}


def add(
    forecasts: Sequence[Mapping[str, Any]], ledger: str | Path = PATH
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Enter forecasts; return the ids that are new, and those that were there already.

    Parameters
    ----------
    forecasts
        Each with ``quantity``, ``rule`` (how a stranger resolves it), ``resolves_on``, and either
        ``probability`` or ``quantiles`` ([[probability, value], ...]); besides, as wanted,
        ``unit``, ``key`` (one name for the same question asked of several runs), ``by`` (who says
        so), ``run`` (see :func:`origin`) and ``made_on``, today if missing.
    ledger
        Its file, made if there is none.

    Raises
    ------
    InputError
        If a forecast is at fault, and then none is entered.
    """
    today = now().date()
    stated = [checked(Forecast, {"made_on": today} | dict(one)) for one in forecasts]
    for one in stated:
        if one.made_on > today:
            raise InputError(f"made_on: found {one.made_on}, after today ({today}); correct it")
    distinct = {id_of(one): one for one in stated}

    def new(held: Ledger) -> Sequence[Forecast]:
        return [one for name, one in distinct.items() if name not in held.by_id]

    entered = tuple(id_of(one) for one in append(Path(ledger), new) if isinstance(one, Forecast))
    return entered, tuple(name for name in distinct if name not in entered)


def origin(run: Any) -> dict[str, str]:
    """Return what a forecast says of its run: the folder's name, and the hash of its inputs.

    Raises
    ------
    InputError
        If there is no finished run, or it did not converge: its numbers are no result.
    """
    folder = find_run(Path(getattr(run, "folder", run)))
    manifest = read_manifest(folder) or {}
    if not manifest.get("complete"):
        raise InputError(f"{folder}: the run was interrupted; run it again to its end")
    if not _read(folder, "headline").get("converged"):
        raise InputError(f"{folder}: did not converge, so its numbers are no forecast")
    return {"name": folder.resolve().name, "hash": str(manifest["hash"])}


def near(run: Any) -> tuple[dict[str, Any], ...]:
    """Return the near predictions of a run, or of the one in a folder, for :func:`add`.

    Each keeps its rule and dates, and its id (``near-tracking``) as key.
    """
    told, folder = origin(run), find_run(Path(getattr(run, "folder", run)))
    return tuple(_near(row, told) for row in _read(folder, "near")["predictions"])


def _read(folder: Path, name: str) -> dict[str, Any]:
    try:
        return dict(json.loads((folder / f"{name}.json").read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        remedy = "draw the run anew with --force"
        raise InputError(f"{folder / name}.json: not readable ({error}); {remedy}") from None


def _near(row: Mapping[str, Any], run: Mapping[str, str]) -> dict[str, Any]:
    shown: dict[str, Any] = {"key": row["id"], "by": run["name"], "run": dict(run)}
    shown |= {name: row[name] for name in ("quantity", "unit", "rule", "made_on", "resolves_on")}
    if row["kind"] == "probability":
        return shown | {"probability": row["probability"]}
    return shown | {"quantiles": [[p, row[f"q{round(100 * p):02d}"]] for p in (0.05, 0.5, 0.95)]}


def listed(ledger: str | Path = PATH, *, state: str | None = None) -> tuple[Held, ...]:
    """Return the forecasts of a ledger in the order in which they were entered.

    Parameters
    ----------
    ledger
        Its file.
    state
        Only those that are ``open``, ``due`` (their date has passed), ``resolved`` or ``void``.
    """
    today = now().date()
    held = read_ledger(Path(ledger)).held
    return tuple(one for one in held if state is None or one.state(today) == state)


def rows(
    ledger: str | Path = PATH, *, state: str | None = None
) -> tuple[Sequence[dict[str, Any]], tuple[str, ...]]:
    """Return the forecasts of a ledger as plain rows, and its damaged lines."""
    held, today = read_ledger(Path(ledger)), now().date()
    shown = [one.row(today) for one in held.held]
    return [row for row in shown if state is None or row["state"] == state], held.damaged


def resolve(
    which: str,
    outcome: str | float | None,
    *,
    source: str,
    on: str | date | None = None,
    ledger: str | Path = PATH,
    correct: bool = False,
) -> tuple[str, ...]:
    """Say how a forecast resolved; return the ids resolved.

    Parameters
    ----------
    which
        An id, the beginning of one, or a key: then all forecasts of that key, which must share
        their rule, are resolved alike.
    outcome
        ``yes`` or ``no`` for a probability, a number for quantiles; None or ``void`` where the rule
        says that the forecast falls away.
    source
        Where a stranger can check it.
    on
        Day on which it could be known; today if missing.
    ledger
        Its file.
    correct
        Whether to replace an earlier resolution; both stay in the file.

    Raises
    ------
    InputError
        If there is no such forecast, it is resolved already, or the outcome is of another kind.
    """
    today = now().date()
    shown: dict[str, None] = {}

    def entries(held: Ledger) -> Sequence[Resolution]:
        found = _found(held, which, correct=correct)
        shown.update(dict.fromkeys(one.id for one in found))
        return [
            _resolution(one, outcome, fields={"source": source, "on": on or today}, today=today)
            for one in found
        ]

    if not Path(ledger).exists():
        read_ledger(Path(ledger))
    append(Path(ledger), entries)
    return tuple(shown)


def _found(ledger: Ledger, which: str, *, correct: bool) -> Sequence[Held]:
    """Return the forecasts of an id, of the beginning of one, or of a key."""
    found = [one for one in ledger.held if one.forecast.key == which]
    if len({one.forecast.rule for one in found}) > 1:
        names = ", ".join(one.id for one in found)
        raise InputError(f"{which}: found forecasts under several rules; give one of: {names}")
    found = found or [one for one in ledger.held if one.id.startswith(which)]
    if not found:
        raise InputError(f"{which}: no such id or key in {ledger.path}; see 'forecast ledger list'")
    if len(found) > 1 and found[0].forecast.key != which:
        names = ", ".join(one.id for one in found)
        raise InputError(f"{which}: begins several ids; give more of one of: {names}")
    left = [one for one in found if correct == (one.resolution is not None)]
    if not left:
        told = "is not resolved yet; leave out --correct"
        if not correct:
            told = "is resolved already; --correct adds a correction, and both stay in the file"
        raise InputError(f"{which}: {told}")
    return left


def _resolution(
    held: Held, outcome: str | float | None, *, fields: Mapping[str, Any], today: date
) -> Resolution:
    said = dict(fields) | {"forecast": held.id, "corrects": held.resolution is not None}
    made: Resolution = checked(Resolution, said | {"outcome": _number(held, outcome)})
    if not held.forecast.made_on <= made.on <= today:
        raise InputError(
            f"on: found {made.on}; give a day from {held.forecast.made_on}, when the forecast was "
            f"made, to today ({today})"
        )
    return made


def _number(held: Held, outcome: str | float | None) -> float | None:
    """Return an outcome as a number: 1 for yes, 0 for no, None for void."""
    text = str(outcome).strip().lower()
    if outcome is None or text == "void":
        return None
    if held.forecast.probability is not None:
        if text not in YES:
            raise InputError(f"{held.id}: found {outcome}; a probability resolves yes, no or void")
        return YES[text]
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{held.id}: found {outcome}; give a number, or void") from None


list = listed

__all__ = ["add", "list", "near", "origin", "resolve", "score"]
