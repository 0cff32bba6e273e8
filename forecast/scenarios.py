"""Scenarios: what is done, from which year on, as text of a command line or a TOML file.

``KEY=VALUE``, ``KEY=FACTORx`` or either with ``@YEAR`` is one act; a file holds a table for each
scenario, ``[scenarios.NAME]`` with ``since``, ``summary`` and the table ``do``.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from forecast.faults import Fault, Place, near_miss, raise_faults, read_toml
from forecast.schema import NAME_PATTERN, Table, Text, show, validate
from models.errors import InputError
from models.interventions import KEYS, Do, check_agendas
from models.structure import FIRST_YEAR

VALUE = re.compile(r"^\s*([0-9.eE+-]+?)(x?)(?:@(\d{4}))?\s*$")
"""A number, x if it multiplies, and a year."""
BASE = "as forecast"
"""The forecast itself, with nothing done."""


@dataclass(frozen=True)
class Scenario:
    """A name and what is done, all at once."""

    name: str
    do: tuple[Do, ...]
    summary: str = ""


class ScenarioTable(Table):
    """[scenarios.NAME]."""

    since: Annotated[int, Field(ge=FIRST_YEAR, le=2100)] | None = None
    summary: Text | None = None
    do: dict[str, Any]


def read_act(text: str, since: int) -> Do:
    """Return the act that ``KEY=VALUE``, ``KEY=FACTORx`` or either with ``@YEAR`` says.

    Raises
    ------
    InputError
        If it cannot be read, or cannot be done.
    """
    key, mark, value = text.partition("=")
    if not mark:
        raise InputError(f"--do {text}: found no '='; write KEY=VALUE, as tracking=0.8")
    try:
        return act_of(key.strip(), value, since=since)
    except InputError as error:
        raise InputError(f"--do {text}: {str(error).removeprefix('do: ')}") from None


def act_of(key: str, value: object, *, since: int) -> Do:
    """Return the act of a key and its value, a number or a text.

    Raises
    ------
    InputError
        If it cannot be read, or cannot be done.
    """
    if key not in KEYS and not key.startswith("share."):
        raise InputError(f"do: unknown key {key!r}; {near_miss(key, (*KEYS, 'share.AGENDA'))}")
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise InputError(f"do: {key} found {show(value)}; give a number, or a text as '2x@2030'")
    parts = VALUE.match(str(value))
    try:
        number = float(parts.group(1)) if parts else None
    except ValueError:
        number = None
    if parts is None or number is None:
        raise InputError(f"do: {key} found {show(value)}; write a number as 0.8, or 2x, or 2x@2030")
    year = int(parts.group(3)) if parts.group(3) else since
    if year < FIRST_YEAR:
        raise InputError(f"do: {key} found the year {year}; name one from {FIRST_YEAR} on")
    return Do(key, number, year, times=bool(parts.group(2)))


def scenarios_of(texts: Sequence[str], since: int) -> list[Scenario]:
    """Return each act of the command line as a scenario, and all together where there are many."""
    acts = [read_act(text, since) for text in texts]
    found = [Scenario(text, (act,)) for text, act in zip(texts, acts, strict=True)]
    if len({(act.key, act.since) for act in acts}) < len(acts):
        raise InputError("--do: a key stands twice with the same year; give each its @YEAR")
    return found if len(found) < 2 else [*found, Scenario("all together", tuple(acts))]


def load_scenarios(path: str | Path, since: int) -> list[Scenario]:
    """Read a file of scenarios; ``since`` is the year of one that states none.

    Raises
    ------
    InputError
        If the file is at fault anywhere; all faults are told at once.
    """
    file = read_toml(Path(path))
    tables, top = file.data.get("scenarios"), Place(file)
    faults = [
        top.at(key).fault("an unknown key", "keep [scenarios.NAME] alone")
        for key in file.data
        if key not in ("scenarios", "schema")
    ]
    if not isinstance(tables, Mapping) or not tables:
        faults.append(top.at("scenarios").fault("no scenario", "add a table [scenarios.NAME]"))
        tables = {}
    found = []
    for name, table in tables.items():
        place = Place(file, ("scenarios", name))
        made = read_scenario(name, table, place=place, since=since)
        found += made if made and isinstance(made[0], Scenario) else []
        faults += [one for one in made if isinstance(one, Fault)]
    raise_faults(sorted(faults))
    return [one for one in found if isinstance(one, Scenario)]


def read_scenario(
    name: str, table: object, *, place: Place, since: int
) -> list[Scenario] | list[Fault]:
    """Return the scenario of a table, or its faults."""
    if not isinstance(table, Mapping):
        return [place.fault(show(table), "write a table")]
    faults = validate(ScenarioTable, table, place=place)
    if not re.match(NAME_PATTERN, name) or name == BASE:
        faults.append(place.fault(f"the name {name!r}", "use a-z, 0-9 and '-', at most 41"))
    if faults:
        return faults
    acts = read_acts(table["do"], place.at("do"), since=table.get("since") or since)
    wrong = [one for one in acts if isinstance(one, Fault)]
    if wrong:
        return wrong
    done = tuple(one for one in acts if isinstance(one, Do))
    return [Scenario(name, done, table.get("summary") or "")]


def read_acts(table: Mapping[str, Any], place: Place, *, since: int) -> list[Do | Fault]:
    """Return each act of a table ``do``, or its fault; ``share.AGENDA`` may be nested or quoted."""
    out: list[Do | Fault] = []
    for key, value, at in _flat(table, place):
        try:
            out.append(act_of(key, value, since=since))
        except InputError as error:
            found, _, remedy = str(error).removeprefix("do: ").partition("; ")
            out.append(at.fault(found.removeprefix(f"{key} found "), remedy))
    return out


def _flat(table: Mapping[str, Any], place: Place) -> Iterable[tuple[str, Any, Place]]:
    for key, value in table.items():
        if key == "share" and isinstance(value, Mapping):
            for agenda, inner in value.items():
                yield f"share.{agenda}", inner, place.at(key, agenda)
        else:
            yield key, value, place.at(key)


def check_scenarios(
    scenarios: Sequence[Scenario], agendas: Sequence[str], *, horizon: int
) -> list[Scenario]:
    """Return scenarios that the run can answer.

    Raises
    ------
    InputError
        If a name is there twice, an agenda is unknown, or a year lies after the horizon.
    """
    names = [one.name for one in scenarios]
    for one in scenarios:
        if names.count(one.name) > 1:
            raise InputError(f"scenario {one.name!r}: found twice; name each its own")
        try:
            check_agendas(one.do, agendas)
        except InputError as error:
            raise InputError(f"scenario {one.name!r}: {error}") from None
        late = [act for act in one.do if act.since > horizon]
        if late:
            raise InputError(
                f"scenario {one.name!r}: {late[0].key} from {late[0].since}, after the horizon "
                f"{horizon}; name a year up to it"
            )
    return list(scenarios)


__all__ = ["BASE", "Scenario", "check_scenarios", "load_scenarios", "scenarios_of"]
