"""What one line of a ledger says: a dated forecast, or how one resolved.

A line is one JSON object. ``id`` names what a forecast says, whenever it was entered, so that the
same forecast cannot enter twice; ``check`` covers the whole line, so that a line changed afterwards
by a slip is found out. Neither is proof against somebody who computes it anew.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from forecast.columns.cells import KEY_PATTERN
from forecast.schema import Number, Text
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


__all__ = ["Entry", "Forecast", "Resolution", "checked", "id_of", "line_of", "read_line"]
