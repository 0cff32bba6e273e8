r"""The ledger of dated forecasts: add, list, resolve, score.

``import forecast as fc``, then ``fc.ledger.add``, ``fc.ledger.near``, ``fc.ledger.list``,
``fc.ledger.resolve`` and ``fc.ledger.score``. How the file is kept:
:mod:`forecast.analyses.ledger`; what a line says: :mod:`forecast.analyses.ledger`.

The ledger's file: JSON lines that are only ever appended, by one writer at a time.

A writer holds the lock beside the file, reads what is there, and appends all its lines in one
write. A writer that was killed half-way leaves a torn last line: the next one begins a new line, so
nothing of its own is lost, and readers report the torn one. What stands is never written again.

What one line of a ledger says: a dated forecast, or how one resolved.

A line is one JSON object. ``id`` names what a forecast says, whenever it was entered, so that the
same forecast cannot enter twice; ``check`` covers the whole line, so that a line changed afterwards
by a slip is found out. Neither is proof against somebody who computes it anew.

Scores of the resolved forecasts of a ledger: proper ones, and calibration.

A probability p of an outcome y (1 yes, 0 no) has the Brier score :math:`(p - y)^2` and the log
score :math:`\ln |p + y - 1|`; quantiles :math:`q_\alpha` of a number y have twice their mean
pinball loss,

.. math:: \frac{2}{n} \sum_\alpha (\mathbf{1}\{y \le q_\alpha\} - \alpha)(q_\alpha - y),

an approximation of the CRPS in the unit of y (Gneiting & Raftery 2007,
doi:10.1198/016214506000001437). The Brier score splits into miscalibration less discrimination plus
uncertainty (CORP; Dimitriadis, Gneiting & Jordan 2021, doi:10.1073/pnas.2016191118). Means over
quantities of different units say nothing, so quantiles are summed up by unit. Forecasts of one run
share their errors: a mean over them has no standard error here.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from forecast.config.schema import Number, Text
from forecast.evidence.tables import KEY_PATTERN
from forecast.files import locked
from forecast.runs.folder import find_run, read_manifest
from models.errors import InputError

SCHEMA = 1
Key = Annotated[str, Field(pattern=f"^{KEY_PATTERN}$")]
Chance = Annotated[float, Field(ge=0.0, le=1.0)]


def _pairs(pairs: list[tuple[float, float]]) -> list[tuple[float, float]]:
    if not pairs:
        raise ValueError("give at least one [probability, value]")
    if not all(0.0 < p < 1.0 for p, _ in pairs):
        raise ValueError("give probabilities between 0 and 1, both excluded")
    if not all(a[0] < b[0] and a[1] <= b[1] for a, b in pairwise(pairs)):
        raise ValueError("make probabilities rise, and let no value fall")
    return pairs


class Entry(BaseModel):
    """What all entries share: every key known, every value of the stated type, none changed."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class Origin(Entry):
    """The run that made a forecast, and the hash of everything that its numbers follow from."""

    name: Text
    hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Forecast(Entry):
    """One dated forecast: a probability of yes, or quantiles of a number."""

    quantity: Text
    probability: Chance | None = None
    quantiles: Annotated[list[tuple[Number, Number]], AfterValidator(_pairs)] | None = None
    unit: Text | None = None
    rule: Text
    made_on: date
    resolves_on: date
    key: Key | None = None
    by: Text | None = None
    run: Origin | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.probability is None) == (self.quantiles is None):
            raise ValueError("give either a probability or quantiles")
        if self.resolves_on < self.made_on:
            raise ValueError("the date of resolution must not lie before the forecast")
        return self


class Resolution(Entry):
    """How one forecast resolved; void: no outcome. ``corrects`` replaces an earlier one."""

    forecast: Text
    on: date
    source: Text
    outcome: Number | None = None
    corrects: bool = False


KINDS: dict[str, type[Entry]] = {"forecast": Forecast, "resolution": Resolution}


def checked(kind: type[Entry], fields: Mapping[str, Any]) -> Any:
    """Return the entry of some fields, dates given as text or dates.

    Raises
    ------
    InputError
        With the first fault: field, what was found, and what is asked.
    """
    try:
        text = json.dumps(dict(fields), default=str, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"forecast: {error}; give text, finite numbers and dates") from None
    try:
        return kind.model_validate_json(text)
    except ValidationError as error:
        raise InputError(said(error)) from None


def said(error: ValidationError) -> str:
    """Return the first fault of an entry in words."""
    first = error.errors(include_url=False)[0]
    field = ".".join(map(str, first["loc"])) or "forecast"
    return f"{field}: {first['msg'].removeprefix('Value error, ')}"


def id_of(forecast: Forecast) -> str:
    """Return the name of what a forecast says: 12 digits of the SHA-256 of its content."""
    return _digest(_plain(forecast))[:12]


def line_of(entry: Entry, *, added: str) -> bytes:
    """Return the line of an entry, with its line end; ``added`` is the time in UTC."""
    kind = next(name for name, one in KINDS.items() if isinstance(entry, one))
    line: dict[str, Any] = {"schema": SCHEMA, "type": kind}
    line |= {"id": id_of(entry)} if isinstance(entry, Forecast) else {}
    line |= {"added": added} | _plain(entry)
    line["check"] = _digest(line)[:16]
    return (json.dumps(line, ensure_ascii=False) + "\n").encode("utf-8")


def read_line(raw: bytes) -> tuple[Any, str]:
    """Return the entry of a line and when it was added.

    Raises
    ------
    ValueError
        That says what is wrong with the line.
    """
    try:
        line = json.loads(raw.decode("utf-8"))
    except ValueError:
        raise ValueError("not whole JSON in UTF-8") from None
    if not isinstance(line, dict) or line.get("type") not in KINDS:
        raise ValueError("no forecast and no resolution")
    if line.pop("schema", None) != SCHEMA:
        raise ValueError(f"of another schema than {SCHEMA}")
    stated = line.pop("check", None)
    if stated != _digest({"schema": SCHEMA} | line)[:16]:
        raise ValueError("changed after it was written (its check does not fit)")
    kind, added, name = line.pop("type"), str(line.pop("added", "")), line.pop("id", None)
    try:
        entry = KINDS[kind].model_validate_json(json.dumps(line))
    except ValidationError as error:
        raise ValueError(said(error)) from None
    if isinstance(entry, Forecast) and name != id_of(entry):
        raise ValueError("an id that does not fit its content")
    return entry, added


def _plain(entry: Entry) -> dict[str, Any]:
    return entry.model_dump(mode="json", exclude_none=True)


def _digest(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


@dataclass(frozen=True)
class Held:
    """A forecast in the ledger: its id, when it was entered, and how it resolved, if it has."""

    id: str
    forecast: Forecast
    added: str
    resolution: Resolution | None = None

    def state(self, today: date) -> str:
        """Return ``open``, ``due``, ``void`` or ``resolved``."""
        if self.resolution is not None:
            return "void" if self.resolution.outcome is None else "resolved"
        return "due" if self.forecast.resolves_on <= today else "open"

    def row(self, today: date) -> dict[str, Any]:
        """Return everything that is known of it as plain data."""
        row = {"id": self.id, "state": self.state(today), "late": self.late, "added": self.added}
        row |= self.forecast.model_dump(mode="json")
        if self.resolution is not None:
            row |= {"outcome": self.resolution.outcome, "resolved_on": str(self.resolution.on)}
            row |= {"resolved_by": self.resolution.source}
        return row

    @property
    def late(self) -> bool:
        """Whether it was entered after it could be known: such a forecast proves nothing."""
        last = self.forecast.resolves_on
        if self.resolution is not None:
            last = min(last, self.resolution.on)
        return self.added[:10] > last.isoformat()


@dataclass(frozen=True)
class Ledger:
    """What a ledger holds, in the order of its lines, and which lines cannot be read."""

    path: Path
    held: tuple[Held, ...]
    damaged: tuple[str, ...]

    @property
    def by_id(self) -> dict[str, Held]:
        """Forecasts by id."""
        return {one.id: one for one in self.held}


def now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


def lock_of(path: Path) -> Path:
    """Return the file whose lock a writer holds."""
    return path.with_name(f"{path.name}.lock")


def read_ledger(path: Path) -> Ledger:
    """Read a ledger; a damaged line is named by its number and the rest is read.

    Raises
    ------
    InputError
        If there is no such file, or it cannot be read.
    """
    if not path.exists():
        raise InputError(
            f"{path}: found no such ledger; give another by --ledger, or begin it by "
            "'forecast ledger add'"
        )
    raw = _bytes(path)
    if raw[-1:] not in {b"", b"\n"} and os.access(path.parent, os.W_OK):
        with locked(lock_of(path)):  # a writer may be at work on that line
            raw = _bytes(path)
    return _parsed(path, raw)


def append(path: Path, make: Callable[[Ledger], Sequence[Entry]]) -> Sequence[Entry]:
    """Append the entries that ``make`` returns for the ledger as it stands; return them.

    The lock is held from reading to writing, so that two writers see each other's lines.
    """
    if not path.parent.is_dir():
        raise InputError(f"{path}: found no folder {path.parent}; make it first")
    with locked(lock_of(path)):
        raw = _bytes(path) if path.exists() else b""
        if raw.strip() and raw.lstrip()[:1] != b"{":
            raise InputError(f"{path}: found no ledger in it; give another file by --ledger")
        entries = make(_parsed(path, raw))
        if entries:
            added = now().strftime("%Y-%m-%dT%H:%M:%SZ")
            lines = b"".join(line_of(entry, added=added) for entry in entries)
            torn = raw[-1:] not in {b"", b"\n"}
            _write(path, (b"\n" if torn else b"") + lines)
    return entries


def _write(path: Path, data: bytes) -> None:
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
    file = os.open(path, flags, 0o644)
    try:
        while data:
            data = data[os.write(file, data) :]
        os.fsync(file)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        os.close(file)


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        found = os.strerror(error.errno or 0)
        raise InputError(f"{path}: found {found}; give a readable file by --ledger") from None


def _parsed(path: Path, raw: bytes) -> Ledger:
    held: dict[str, Held] = {}
    damaged: list[str] = []
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            entry, added = read_line(line)
            _enter(held, entry, added=added)
        except ValueError as error:
            damaged.append(f"{path}:{number}: {error}")
    return Ledger(path, tuple(held.values()), tuple(damaged))


def _enter(held: dict[str, Held], entry: Forecast | Resolution, *, added: str) -> None:
    if isinstance(entry, Forecast):
        key = id_of(entry)
        held.setdefault(key, Held(key, entry, added))
        return
    if entry.forecast not in held:
        raise ValueError(f"resolves {entry.forecast}, which no line above holds")
    one = held[entry.forecast]
    if one.resolution is not None and not entry.corrects:
        raise ValueError(f"a second resolution of {one.id} that corrects nothing; the first stands")
    held[one.id] = Held(one.id, one.forecast, one.added, entry)


Row = dict[str, Any]
COIN = 0.25
"""Brier score of always saying 50%."""


@dataclass(frozen=True)
class LedgerScores:
    """Scores in sum and by forecast."""

    summary: dict[str, Any]
    rows: list[Row]

    def text(self) -> str:
        """Return the tables that the terminal shows."""
        from reports.ledger import scores_text

        return scores_text(self.summary)


def score(ledger: str | Path = "ledger.jsonl", *, out: str | Path | None = None) -> LedgerScores:
    """Score the resolved forecasts of a ledger.

    Parameters
    ----------
    ledger
        Its file. Void and open forecasts have no score; nor have those entered after the day on
        which they resolved, which are counted as late.
    out
        Folder for ``scores.csv``, ``scores.json`` and the calibration plot.

    Raises
    ------
    InputError
        If the ledger cannot be read.
    """
    held = read_ledger(Path(ledger))
    done = LedgerScores(*scored(held, today=now().date()))
    if out is not None:
        _save(Path(out), done)
    return done


def scored(ledger: Ledger, *, today: date) -> tuple[dict[str, Any], list[Row]]:
    """Return the summary of a ledger, and a row for each forecast that has a score."""
    rows = [score_row(one) for one in ledger.held if _outcome(one) is not None and not one.late]
    states = [one.state(today) for one in ledger.held]
    summary = {
        "schema": 1,
        "ledger": ledger.path.name,
        "forecasts": len(states),
        **{name: states.count(name) for name in ("open", "due", "resolved", "void")},
        "late": sum(one.late for one in ledger.held if one.resolution is not None),
        "damaged": list(ledger.damaged),
        "probabilities": brier_parts([r for r in rows if r["kind"] == "probability"]),
        "quantiles": by_unit([r for r in rows if r["kind"] == "quantiles"]),
    }
    return summary, rows


def _outcome(held: Held) -> float | None:
    return None if held.resolution is None else held.resolution.outcome


def score_row(held: Held) -> Row:
    """Return one resolved forecast with its scores."""
    import scoringrules as sr

    said, y = held.forecast, _outcome(held)
    row: Row = {"id": held.id, "key": said.key, "by": said.by, "quantity": said.quantity}
    row |= {"unit": said.unit, "made_on": str(said.made_on), "resolves_on": str(said.resolves_on)}
    row |= {"run": said.run.hash if said.run else None, "outcome": y}
    if said.probability is not None:
        with np.errstate(divide="ignore"):
            log = -float(sr.log_score(y, said.probability, backend="numpy"))
        brier = float(sr.brier_score(y, said.probability, backend="numpy"))
        return (
            row
            | {"kind": "probability", "probability": said.probability}
            | _blank_quantiles(brier=brier, log_score=log)
        )
    p, q = np.array(said.quantiles).T
    found = {"quantiles": [list(pair) for pair in said.quantiles or ()]}
    crps = float(sr.crps_quantile(y, q, p, backend="numpy"))
    row |= {"kind": "quantiles", "probability": None, "brier": None, "log_score": None}
    return row | found | {"crps": crps, "inside": inside(said, float(y or 0.0))}


def _blank_quantiles(**scores: float) -> Row:
    return scores | {"quantiles": None, "crps": None, "inside": None}


def inside(said: Forecast, y: float) -> bool | None:
    """Return whether y lies between the outermost quantiles; None where there is but one."""
    pairs = said.quantiles or []
    return pairs[0][1] <= y <= pairs[-1][1] if len(pairs) > 1 else None


def brier_parts(rows: Sequence[Row]) -> dict[str, Any]:
    """Return mean scores of probabilities, and the parts of the Brier score.

    ``miscalibration`` is what recalibration by isotonic regression would have taken off,
    ``discrimination`` what the recalibrated ones are better than their base rate, ``uncertainty``
    the score of that rate; brier = miscalibration - discrimination + uncertainty.
    """
    if not rows:
        return {"n": 0}
    p, y = (np.array([r[key] for r in rows], dtype=float) for key in ("probability", "outcome"))
    brier, recalibrated = float(np.mean((p - y) ** 2)), float(np.mean((isotonic(p, y) - y) ** 2))
    uncertainty = float(np.mean((y.mean() - y) ** 2))
    return {
        "n": len(rows),
        "mean_probability": float(p.mean()),
        "share_yes": float(y.mean()),
        "brier": brier,
        "coin": COIN,
        "log_score": float(np.mean([r["log_score"] for r in rows])),
        "miscalibration": brier - recalibrated,
        "discrimination": uncertainty - recalibrated,
        "uncertainty": uncertainty,
    }


def isotonic(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the recalibrated probability of each forecast; equal ones share theirs."""
    from scipy.optimize import isotonic_regression

    values, place, count = np.unique(p, return_inverse=True, return_counts=True)
    mean = np.bincount(place, weights=y, minlength=len(values)) / count
    fitted: np.ndarray = isotonic_regression(mean, weights=count).x
    return fitted[place]


def by_unit(rows: Sequence[Row]) -> list[Row]:
    """Return mean scores of quantiles by unit, and how many outcomes lay inside."""
    out = []
    for unit in sorted({r["unit"] or "" for r in rows}):
        some = [r for r in rows if (r["unit"] or "") == unit]
        spans = [r for r in some if r["inside"] is not None]
        mass = [r["quantiles"][-1][0] - r["quantiles"][0][0] for r in spans]
        out.append(
            {
                "unit": unit or None,
                "n": len(some),
                "crps": float(np.mean([r["crps"] for r in some])),
                "intervals": len(spans),
                "inside": sum(r["inside"] for r in spans),
                "inside_expected": float(sum(mass)),
            }
        )
    return out


def _save(folder: Path, done: LedgerScores) -> None:
    from forecast.files import write_csv, write_json
    from reports.figures.drawing import style
    from reports.figures.scores import plot_ledger

    try:
        folder.mkdir(parents=True, exist_ok=True)
        columns = [{k: v for k, v in r.items() if k != "quantiles"} for r in done.rows]
        write_csv(folder / "scores.csv", columns)
        with style():
            figure = plot_ledger(done.rows, folder / "calibration").described("calibration")
        write_json(folder / "scores.json", done.summary | {"figure": figure})
    except OSError as error:
        raise InputError(f"--out {folder}: cannot be written ({error.strerror})") from None


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


def __getattr__(name: str) -> Any:
    """Return :func:`listed` as ``list``: ``fc.ledger.list``."""
    if name == "list":
        return listed
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
