r"""The ledger of dated forecasts: add, list, resolve, score.

``import forecast as fc``, then ``fc.ledger.add``, ``fc.ledger.near``, ``fc.ledger.list``,
``fc.ledger.resolve`` and ``fc.ledger.score``.

**The file** holds JSON lines and is only ever appended to, by one writer at a time. A line is a
forecast or a resolution. ``id`` names what a forecast says, whenever it was entered, so that the
same forecast cannot enter twice; ``check`` covers the whole line, so that a line changed afterwards
by a slip is noticed. Neither is proof against somebody who computes it anew. A writer holds the
lock beside the file, reads what is there, and appends all its lines in one write. One that was
killed half-way leaves a torn last line: the next writer begins a new line, and readers report the
torn one.

**Scores.** A probability p of an outcome y (1 yes, 0 no) has the Brier score :math:`(p - y)^2` and
the log score :math:`\ln |p + y - 1|`; quantiles :math:`q_\alpha` of a number y have twice their
mean pinball loss,

.. math:: \frac{2}{n} \sum_\alpha (\mathbf{1}\{y \le q_\alpha\} - \alpha)(q_\alpha - y),

an approximation of the CRPS in the unit of y (Gneiting & Raftery 2007,
doi:10.1198/016214506000001437). The Brier score splits into miscalibration less discrimination plus
uncertainty (CORP; Dimitriadis, Gneiting & Jordan 2021, doi:10.1073/pnas.2016191118). Quantiles are
summed up by unit, since a mean over different units has no meaning. Forecasts of one run share
their errors: a mean over them has no standard error here.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
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

PATH = "ledger.jsonl"
"""The ledger where none is named: in the working folder."""
SCHEMA = 1
COIN = 0.25
"""Brier score of always saying 50%."""
YES = {"yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
Key = Annotated[str, Field(pattern=f"^{KEY_PATTERN}$")]
Row = dict[str, Any]


def now() -> datetime:
    """Return the time in UTC."""
    return datetime.now(UTC)


def _check_quantiles(pairs: list[tuple[float, float]]) -> list[tuple[float, float]]:
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

    def plain(self) -> dict[str, Any]:
        """Return what the entry states, as JSON has it."""
        return self.model_dump(mode="json", exclude_none=True)


class Origin(Entry):
    """The run that made a forecast, and the hash of everything that its numbers follow from."""

    name: Text
    hash: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Forecast(Entry):
    """One dated forecast: a probability of yes, or quantiles of a number."""

    quantity: Text
    probability: Annotated[float, Field(ge=0.0, le=1.0)] | None = None
    quantiles: Annotated[list[tuple[Number, Number]], AfterValidator(_check_quantiles)] | None = (
        None
    )
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

    @property
    def id(self) -> str:
        """What the forecast says, in 12 digits of the SHA-256 of its content."""
        return _digest(self.plain())[:12]


class Resolution(Entry):
    """How one forecast resolved; void: no outcome. ``corrects`` replaces an earlier one."""

    forecast: Text
    on: date
    source: Text
    outcome: Number | None = None
    corrects: bool = False


TYPES: dict[str, type[Entry]] = {"forecast": Forecast, "resolution": Resolution}


def _digest(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _first_fault(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    field = ".".join(map(str, first["loc"])) or "forecast"
    return f"{field}: {first['msg'].removeprefix('Value error, ')}"


def _validated[T: Entry](entry_type: type[T], fields: Mapping[str, Any]) -> T:
    """Return the entry of fields in which dates may be text; refuse the first fault."""
    try:
        text = json.dumps(dict(fields), default=str, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"forecast: {error}; give text, finite numbers and dates") from None
    try:
        return entry_type.model_validate_json(text)
    except ValidationError as error:
        raise InputError(_first_fault(error)) from None


def format_line(entry: Entry, *, added: str) -> bytes:
    """Return the line of an entry, with its line end; ``added`` is the time in UTC."""
    name = next(name for name, entry_type in TYPES.items() if isinstance(entry, entry_type))
    line: dict[str, Any] = {"schema": SCHEMA, "type": name}
    line |= {"id": entry.id} if isinstance(entry, Forecast) else {}
    line |= {"added": added} | entry.plain()
    line["check"] = _digest(line)[:16]
    return (json.dumps(line, ensure_ascii=False) + "\n").encode("utf-8")


def parse_line(raw: bytes) -> tuple[Any, str]:
    """Return the entry of a line and when it was added.

    Raises
    ------
    ValueError
        With what is wrong with the line.
    """
    try:
        line = json.loads(raw.decode("utf-8"))
    except ValueError:
        raise ValueError("not whole JSON in UTF-8") from None
    if not isinstance(line, dict) or line.get("type") not in TYPES:
        raise ValueError("no forecast and no resolution")
    if line.pop("schema", None) != SCHEMA:
        raise ValueError(f"of another schema than {SCHEMA}")
    check = line.pop("check", None)
    if check != _digest({"schema": SCHEMA} | line)[:16]:
        raise ValueError("changed after it was written (its check does not fit)")
    name, added, key = line.pop("type"), str(line.pop("added", "")), line.pop("id", None)
    try:
        entry = TYPES[name].model_validate_json(json.dumps(line))
    except ValidationError as error:
        raise ValueError(_first_fault(error)) from None
    if isinstance(entry, Forecast) and key != entry.id:
        raise ValueError("an id that does not fit its content")
    return entry, added


@dataclass(frozen=True)
class Record:
    """A forecast in the ledger: its id, when it was entered, and how it resolved, if it has."""

    id: str
    forecast: Forecast
    added: str
    resolution: Resolution | None = None

    @property
    def outcome(self) -> float | None:
        """The outcome; None where the forecast is open or void."""
        return None if self.resolution is None else self.resolution.outcome

    @property
    def late(self) -> bool:
        """Whether it was entered after it could be known: such a forecast proves nothing."""
        last = self.forecast.resolves_on
        if self.resolution is not None:
            last = min(last, self.resolution.on)
        return self.added[:10] > last.isoformat()

    def state(self, today: date) -> str:
        """Return ``open``, ``due``, ``void`` or ``resolved``."""
        if self.resolution is not None:
            return "void" if self.resolution.outcome is None else "resolved"
        return "due" if self.forecast.resolves_on <= today else "open"

    def row(self, today: date) -> Row:
        """Return everything that is known of it as plain data."""
        row = {"id": self.id, "state": self.state(today), "late": self.late, "added": self.added}
        row |= self.forecast.model_dump(mode="json")
        if self.resolution is not None:
            row |= {"outcome": self.resolution.outcome, "resolved_on": str(self.resolution.on)}
            row |= {"resolved_by": self.resolution.source}
        return row


@dataclass(frozen=True)
class Ledger:
    """What a ledger holds, in the order of its lines, and which lines cannot be read."""

    path: Path
    records: tuple[Record, ...]
    damaged: tuple[str, ...]


def lock_of(path: Path) -> Path:
    """Return the file whose lock a writer holds."""
    return path.with_name(f"{path.name}.lock")


def read_ledger(path: str | Path) -> Ledger:
    """Read a ledger; a damaged line is named by its number and the rest is read.

    Raises
    ------
    InputError
        If there is no such file, or it cannot be read.
    """
    path = Path(path)
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


def append(path: Path, make: Callable[[Ledger], Sequence[Entry]]) -> None:
    """Append the entries that ``make`` returns for the ledger as it stands.

    The lock is held from reading to writing, so that two writers see each other's lines.
    """
    if not path.parent.is_dir():
        raise InputError(f"{path}: found no folder {path.parent}; make it first")
    with locked(lock_of(path)):
        raw = _bytes(path) if path.exists() else b""
        if raw.strip() and raw.lstrip()[:1] != b"{":
            raise InputError(f"{path}: found no ledger in it; give another file by --ledger")
        added = now().strftime("%Y-%m-%dT%H:%M:%SZ")
        lines = b"".join(format_line(one, added=added) for one in make(_parsed(path, raw)))
        if lines:
            torn = raw[-1:] not in {b"", b"\n"}
            _write(path, (b"\n" if torn else b"") + lines)


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
        reason = os.strerror(error.errno or 0)
        raise InputError(f"{path}: found {reason}; give a readable file by --ledger") from None


def _parsed(path: Path, raw: bytes) -> Ledger:
    records: dict[str, Record] = {}
    damaged: list[str] = []
    for number, line in enumerate(raw.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            entry, added = parse_line(line)
            if isinstance(entry, Forecast):
                records.setdefault(entry.id, Record(entry.id, entry, added))
            else:
                records[entry.forecast] = _resolved(records.get(entry.forecast), entry)
        except ValueError as error:
            damaged.append(f"{path}:{number}: {error}")
    return Ledger(path, tuple(records.values()), tuple(damaged))


def _resolved(record: Record | None, entry: Resolution) -> Record:
    if record is None:
        raise ValueError(f"resolves {entry.forecast}, which no line above holds")
    if record.resolution is not None and not entry.corrects:
        raise ValueError(
            f"a second resolution of {record.id} that corrects nothing; the first stands"
        )
    return replace(record, resolution=entry)


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
    entries: dict[str, Forecast] = {}
    for fields in forecasts:
        entry = _validated(Forecast, {"made_on": today} | dict(fields))
        if entry.made_on > today:
            raise InputError(f"made_on: found {entry.made_on}, after today ({today}); correct it")
        entries.setdefault(entry.id, entry)
    present: set[str] = set()

    def new_entries(before: Ledger) -> list[Forecast]:
        present.update(record.id for record in before.records)
        return [entry for key, entry in entries.items() if key not in present]

    append(Path(ledger), new_entries)
    return tuple(k for k in entries if k not in present), tuple(k for k in entries if k in present)


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
    if not _read_json(folder / "headline.json").get("converged"):
        raise InputError(f"{folder}: did not converge, so its numbers are no forecast")
    return {"name": folder.resolve().name, "hash": str(manifest["hash"])}


def near(run: Any) -> tuple[Row, ...]:
    """Return the near predictions of a run, or of the one in a folder, for :func:`add`.

    Each keeps its rule and dates, and its id (``near-tracking``) as key.
    """
    made_by, folder = origin(run), find_run(Path(getattr(run, "folder", run)))
    fields = ("quantity", "unit", "rule", "made_on", "resolves_on")
    forecasts = []
    for row in _read_json(folder / "near.json")["predictions"]:
        forecast = {"key": row["id"], "by": made_by["name"], "run": made_by}
        forecast |= {name: row[name] for name in fields}
        if row["kind"] == "probability":
            forecast["probability"] = row["probability"]
        else:
            pairs = [(0.05, "q05"), (0.5, "q50"), (0.95, "q95")]
            forecast["quantiles"] = [[p, row[name]] for p, name in pairs]
        forecasts.append(forecast)
    return tuple(forecasts)


def _read_json(path: Path) -> Row:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as error:
        remedy = "draw the run anew with --force"
        raise InputError(f"{path}: not readable ({error}); {remedy}") from None


def listed(ledger: str | Path = PATH, *, state: str | None = None) -> tuple[Record, ...]:
    """Return the forecasts of a ledger in the order in which they were entered.

    Parameters
    ----------
    ledger
        Its file.
    state
        Only those that are ``open``, ``due`` (their date has passed), ``resolved`` or ``void``.
    """
    today = now().date()
    return tuple(
        one for one in read_ledger(ledger).records if state is None or one.state(today) == state
    )


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
    ids: list[str] = []

    def resolutions(before: Ledger) -> list[Resolution]:
        entries = []
        for record in _select(before, which, correct=correct):
            fields = {"forecast": record.id, "corrects": record.resolution is not None}
            fields |= {"source": source, "on": on or today, "outcome": _number(record, outcome)}
            entry = _validated(Resolution, fields)
            made_on = record.forecast.made_on
            if not made_on <= entry.on <= today:
                raise InputError(
                    f"on: found {entry.on}; give a day from {made_on}, when the forecast was "
                    f"made, to today ({today})"
                )
            entries.append(entry)
            ids.append(record.id)
        return entries

    if not Path(ledger).exists():
        read_ledger(ledger)  # which refuses it: a resolution begins no ledger
    append(Path(ledger), resolutions)
    return tuple(ids)


def _select(ledger: Ledger, which: str, *, correct: bool) -> list[Record]:
    """Return the forecasts of an id, of the beginning of one, or of a key."""
    records = [one for one in ledger.records if one.forecast.key == which]
    if len({one.forecast.rule for one in records}) > 1:
        names = ", ".join(one.id for one in records)
        raise InputError(f"{which}: found forecasts under several rules; give one of: {names}")
    if not records:
        records = [one for one in ledger.records if one.id.startswith(which)]
        if not records:
            raise InputError(
                f"{which}: no such id or key in {ledger.path}; see 'forecast ledger list'"
            )
        if len(records) > 1:
            names = ", ".join(one.id for one in records)
            raise InputError(f"{which}: begins several ids; give more of one of: {names}")
    selected = [one for one in records if correct == (one.resolution is not None)]
    if not selected:
        remedy = "is not resolved yet; leave out --correct"
        if not correct:
            remedy = "is resolved already; --correct adds a correction, and both stay in the file"
        raise InputError(f"{which}: {remedy}")
    return selected


def _number(record: Record, outcome: str | float | None) -> float | None:
    """Return an outcome as a number: 1 for yes, 0 for no, None for void."""
    text = str(outcome).strip().lower()
    if outcome is None or text == "void":
        return None
    if record.forecast.probability is not None:
        if text not in YES:
            raise InputError(
                f"{record.id}: found {outcome}; a probability resolves yes, no or void"
            )
        return YES[text]
    try:
        return float(text)
    except ValueError:
        raise InputError(f"{record.id}: found {outcome}; give a number, or void") from None


@dataclass(frozen=True)
class LedgerScores:
    """Scores in sum and by forecast."""

    summary: dict[str, Any]
    rows: list[Row]

    def text(self) -> str:
        """Return the tables that the terminal shows."""
        from reports.ledger import scores_text

        return scores_text(self.summary)


def score(ledger: str | Path = PATH, *, out: str | Path | None = None) -> LedgerScores:
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
    book, today = read_ledger(ledger), now().date()
    rows = [score_row(one) for one in book.records if one.outcome is not None and not one.late]
    states = [one.state(today) for one in book.records]
    summary = {
        "schema": 1,
        "ledger": book.path.name,
        "forecasts": len(states),
        **{name: states.count(name) for name in ("open", "due", "resolved", "void")},
        "late": sum(one.late for one in book.records if one.resolution is not None),
        "damaged": list(book.damaged),
        "probabilities": brier_parts([r for r in rows if r["kind"] == "probability"]),
        "quantiles": by_unit([r for r in rows if r["kind"] == "quantiles"]),
    }
    scores = LedgerScores(summary, rows)
    if out is not None:
        _save(Path(out), scores)
    return scores


def score_row(record: Record) -> Row:
    """Return one resolved forecast with its scores."""
    import scoringrules as sr

    forecast, y = record.forecast, float(record.outcome or 0.0)
    row: Row = {"id": record.id, "key": forecast.key, "by": forecast.by}
    row |= {"quantity": forecast.quantity, "unit": forecast.unit, "made_on": str(forecast.made_on)}
    row |= {"resolves_on": str(forecast.resolves_on), "outcome": record.outcome}
    row["run"] = forecast.run.hash if forecast.run else None
    scores: Row = dict.fromkeys(
        ("probability", "brier", "log_score", "quantiles", "crps", "inside")
    )
    if forecast.probability is not None:
        p = forecast.probability
        with np.errstate(divide="ignore"):
            scores["log_score"] = -float(sr.log_score(y, p, backend="numpy"))
        scores |= {"probability": p, "brier": float(sr.brier_score(y, p, backend="numpy"))}
        return row | {"kind": "probability"} | scores
    pairs = forecast.quantiles or []
    p, q = np.array(pairs).T
    scores["quantiles"] = [list(pair) for pair in pairs]
    scores["crps"] = float(sr.crps_quantile(y, q, p, backend="numpy"))
    scores["inside"] = bool(q[0] <= y <= q[-1]) if len(pairs) > 1 else None
    return row | {"kind": "quantiles"} | scores


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
    summary = []
    for unit in sorted({r["unit"] or "" for r in rows}):
        members = [r for r in rows if (r["unit"] or "") == unit]
        intervals = [r for r in members if r["inside"] is not None]
        mass = [r["quantiles"][-1][0] - r["quantiles"][0][0] for r in intervals]
        summary.append(
            {
                "unit": unit or None,
                "n": len(members),
                "crps": float(np.mean([r["crps"] for r in members])),
                "intervals": len(intervals),
                "inside": sum(r["inside"] for r in intervals),
                "inside_expected": float(sum(mass)),
            }
        )
    return summary


def _save(folder: Path, scores: LedgerScores) -> None:
    from forecast.files import write_csv, write_json
    from reports.figures.drawing import style
    from reports.figures.scores import plot_ledger

    try:
        folder.mkdir(parents=True, exist_ok=True)
        columns = [{k: v for k, v in r.items() if k != "quantiles"} for r in scores.rows]
        write_csv(folder / "scores.csv", columns)
        with style():
            figure = plot_ledger(scores.rows, folder / "calibration").described("calibration")
        write_json(folder / "scores.json", scores.summary | {"figure": figure})
    except OSError as error:
        raise InputError(f"--out {folder}: cannot be written ({error.strerror})") from None


def __getattr__(name: str) -> Any:
    """Return :func:`listed` as ``list``: ``fc.ledger.list``."""
    if name == "list":
        return listed
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
