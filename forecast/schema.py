"""The tables of a priors file, checked by pydantic; its errors become faults with a line.

Each table has its own strict model (no unknown key, no text for a number, no boolean for a
number, no NaN, no infinity). Priors have theirs in :mod:`forecast.prior_tables`.
"""

import datetime
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails

from forecast.evidence import TABLE_NAMES
from forecast.faults import Fault, Place, TomlFile, near_miss

NAME_PATTERN = r"^[a-z0-9][a-z0-9-]{0,40}$"
"""A name becomes part of a path, on every system."""


def _filled(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    if "\0" in text:
        raise ValueError("must not hold the character U+0000")
    return text


def _first(version: int) -> int:
    if version != 1:
        raise ValueError("must be 1")
    return version


def _no_time(value: datetime.date) -> datetime.date:
    if isinstance(value, datetime.datetime):
        raise ValueError("must be a date without a time")
    return value


MISSING = "no such key"
"""What is found where a key is not there."""
Text = Annotated[str, AfterValidator(_filled)]
Number = Annotated[float, Field(allow_inf_nan=False)]


class Table(BaseModel):
    """What all tables share: every key known, every value of the stated type."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class HeadTable(Table):
    """The keys above the first table; every file states its own, also one that extends."""

    schema_version: Annotated[int, AfterValidator(_first)] = Field(alias="schema")
    name: Annotated[str, Field(pattern=NAME_PATTERN)]
    author: Text
    date: Annotated[datetime.date, AfterValidator(_no_time)]
    summary: Text
    extends: Text | None = None


class QuestionTable(Table):
    """[question]; years outside 2020..2100 have no evidence near them."""

    cohort: Annotated[int, Field(ge=2020, le=2100)] = 2026
    horizon: Annotated[int, Field(ge=2020, le=2100)] = 2040


class ModelTable(Table):
    """[model]: structure, not numbers."""

    link: Literal["logit", "probit"] = "logit"
    tails: Literal["normal", "student-t"] = "normal"
    established_at: Annotated[int, Field(ge=1, le=100)] = 3
    established_in: Literal["field", "family", "agenda"] = "field"


class SamplerTable(Table):
    """[sampler]; the upper ends only catch slips of the finger."""

    draws: Annotated[int, Field(ge=10, le=100_000)] = 1000
    tune: Annotated[int, Field(ge=10, le=100_000)] = 1000
    chains: Annotated[int, Field(ge=1, le=64)] = 4
    target_accept: Annotated[float, Field(gt=0.5, lt=1.0)] = 0.8
    retry: bool = False


class EvidenceTable(Table):
    """[evidence]: which tables enter, and how heavily expert forecasts weigh."""

    path: Text | None = None
    off: list[Text] = []
    expert_weight: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0


OPTION_TABLES: dict[str, type[Table]] = {
    "question": QuestionTable,
    "model": ModelTable,
    "sampler": SamplerTable,
    "evidence": EvidenceTable,
}
"""Tables of options, merged key by key over ``extends``."""

FREE_TABLES = ("decision", "outside_view")
"""Tables whose content is checked where it is read; kept as they stand."""

TABLES = (*OPTION_TABLES, *FREE_TABLES, "priors")


def check_head(file: TomlFile) -> list[Fault]:
    """Return the faults of the keys above the first table, and of unknown tables."""
    head = {key: value for key, value in file.data.items() if key not in TABLES}
    faults = validate(HeadTable, head, place=Place(file), also=TABLES)
    for name in TABLES:
        value = file.data.get(name, {})
        if not isinstance(value, Mapping):
            faults.append(Place(file, (name,)).fault(show(value), f"write a table, [{name}]"))
    return faults


def check_options(file: TomlFile) -> list[Fault]:
    """Return the faults of the tables of options of one file."""
    faults = []
    for name, model in OPTION_TABLES.items():
        table = file.data.get(name, {})
        if isinstance(table, Mapping):
            wrong = validate(model, table, place=Place(file, (name,)))
            if name == "evidence" and not any("off" in one.where for one in wrong):
                wrong += _check_off(table.get("off", []), Place(file, ("evidence", "off")))
            faults += wrong
    return faults


def _check_off(off: list[str], place: Place) -> list[Fault]:
    """Return the faults of the tables switched off: unknown, repeated, or never off."""
    faults = []
    for at, name in enumerate(off):
        here = place.at(str(at))
        if name == "agendas":
            faults.append(here.fault("'agendas'", "remove it: forecasts are per agenda"))
        elif name not in TABLE_NAMES:
            faults.append(here.fault(f"an unknown table {name!r}", near_miss(name, TABLE_NAMES)))
        elif name in off[:at]:
            faults.append(here.fault(f"{name!r} a second time", "list it once"))
    return faults


def check_free(file: TomlFile) -> list[Fault]:
    """Return the faults of the free tables: values that JSON has no form for."""
    faults: list[Fault] = []
    for name in FREE_TABLES:
        if isinstance(file.data.get(name), Mapping):
            faults += _check_json(file.data[name], Place(file, (name,)))
    return faults


def _check_json(value: Any, place: Place) -> list[Fault]:
    if isinstance(value, Mapping):
        inner = [(str(key), one) for key, one in value.items()]
    elif isinstance(value, list):
        inner = [(str(at), one) for at, one in enumerate(value)]
    else:
        finite = not isinstance(value, float) or value - value == 0
        if isinstance(value, str | int | float) and finite:
            return []
        return [place.fault(show(value), "give text, a finite number, true or false")]
    return [one for key, item in inner for one in _check_json(item, place.at(key))]


def validate(
    model: type[Table], table: Mapping[str, Any], *, place: Place, also: tuple[str, ...] = ()
) -> list[Fault]:
    """Return the faults of ``table``, which stands at ``place``, against ``model``.

    ``also`` names further keys that would be right there, for the near miss.
    """
    try:
        model.model_validate(dict(table))
    except ValidationError as error:
        known = [field.alias or key for key, field in model.model_fields.items()] + list(also)
        return [_explain(one, place, known=known) for one in error.errors()]
    return []


def _explain(error: ErrorDetails, place: Place, *, known: list[str]) -> Fault:
    """Turn one pydantic error into a fault: what was found, and the remedy."""
    here = place.at(*(str(part) for part in error["loc"]))
    if error["type"] == "missing":
        return here.fault(MISSING, "add it")
    if error["type"] == "extra_forbidden":
        kind = "table" if isinstance(error["input"], Mapping) else "key"
        return here.fault(f"an unknown {kind}", near_miss(str(error["loc"][-1]), known))
    remedy = error["msg"].removeprefix("Value error, ").removeprefix("Input ")
    remedy = remedy.replace("should", "must", 1)
    if error["type"] == "string_pattern_mismatch":
        remedy = "use 1 to 41 of a-z, 0-9 and '-', not '-' first: it becomes a path"
    return here.fault(show(error["input"]), remedy)


def show(value: Any) -> str:
    """Return a value as the user would know it from the file, shortened."""
    if isinstance(value, bool):
        text = str(value).lower()
    elif isinstance(value, datetime.date | datetime.time):
        text = value.isoformat()
    elif isinstance(value, Mapping):
        text = "a table"
    elif isinstance(value, int) and abs(value) >= 10**30:
        text = "a number of more than 30 digits"
    else:
        text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
