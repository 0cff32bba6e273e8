"""Scenarios and decisions: what is done, from which year on, and what an outcome is worth.

On the command line ``KEY=VALUE``, ``KEY=FACTORx`` or either with ``@YEAR`` is one act. A TOML file
holds a table for each scenario, ``[scenarios.NAME]`` with ``since``, ``summary`` and the table
``do``. [decision] has options, which are scenarios with a cost, and payoffs of the four outcomes of
a split, strict or on the same bar. ``payoffs`` holds for all options; an option may state its own
for some outcomes.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from forecast.config.schema import NAME_PATTERN, Number, Table, Text, check_free, show, validate
from forecast.config.toml import Fault, Place, TomlFile, near_miss, raise_faults, read_toml
from models.dims import FIRST_YEAR
from models.errors import InputError
from models.outcomes.interventions import KEYS, Do, check_agendas
from models.quantities import OUTCOMES

VALUE = re.compile(r"^\s*([0-9.eE+-]+?)(x?)(?:@(\d{4}))?\s*$")
"""A number, x if it multiplies, and a year."""
BASE = "as forecast"
"""The forecast itself, with nothing done."""
NAME_REMEDY = "use a-z, 0-9 and '-', at most 41"


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
    do: dict[str, object]


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
    if len({(act.key, act.since) for act in acts}) < len(acts):
        raise InputError("--do: a key stands twice with the same year; give each its @YEAR")
    scenarios = [Scenario(text, (act,)) for text, act in zip(texts, acts, strict=True)]
    return scenarios if len(acts) < 2 else [*scenarios, Scenario("all together", tuple(acts))]


def load_scenarios(path: str | Path, since: int) -> list[Scenario]:
    """Read a file of scenarios; ``since`` is the year of one that states none.

    Raises
    ------
    InputError
        If the file is at fault anywhere; it lists all faults at once.
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
    scenarios = []
    for name, table in tables.items():
        place = top.at("scenarios", name)
        wrong = _check_scenario(name, table, place)
        faults += wrong
        if not wrong:
            acts, bad = read_acts(table["do"], place.at("do"), since=table.get("since") or since)
            faults += bad
            scenarios.append(Scenario(name, acts, table.get("summary") or ""))
    raise_faults(sorted(faults))
    return scenarios


def _check_scenario(name: str, table: object, place: Place) -> list[Fault]:
    if not isinstance(table, Mapping):
        return [place.fault(show(table), "write a table")]
    faults = validate(ScenarioTable, table, place=place)
    if not re.match(NAME_PATTERN, name) or name == BASE:
        faults.append(place.fault(f"the name {name!r}", NAME_REMEDY))
    return faults


def read_acts(
    table: Mapping[str, Any], place: Place, *, since: int
) -> tuple[tuple[Do, ...], list[Fault]]:
    """Return the acts of a table ``do``, and the faults of those that cannot be read.

    ``share.AGENDA`` may be nested or quoted.
    """
    acts, faults = [], []
    for key, value, here in _flat(table, place):
        try:
            acts.append(act_of(key, value, since=since))
        except InputError as error:
            finding, _, remedy = str(error).removeprefix("do: ").partition("; ")
            faults.append(here.fault(finding.removeprefix(f"{key} found "), remedy))
    return tuple(acts), faults


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


SPLITS = {"same-bar": OUTCOMES[6:10], "strict": OUTCOMES[10:14]}
"""Outcomes of each split; they add up to one. Those in the same place answer to each other."""
FEWEST = 2
"""Options of a choice."""


class OptionTable(Table):
    """[decision.options.NAME]."""

    since: Annotated[int, Field(ge=FIRST_YEAR, le=2100)] | None = None
    summary: Text | None = None
    cost: Number = 0.0
    do: dict[str, object] = Field(default_factory=dict)
    payoffs: dict[str, object] = Field(default_factory=dict)


class DecisionTable(Table):
    """[decision]."""

    split: Literal["same-bar", "strict"] = "strict"
    per: Literal["work", "field"] = "work"
    unit: Text | None = None
    why: Text | None = None
    payoffs: dict[str, object] = Field(default_factory=dict)
    options: dict[str, object] = Field(default_factory=dict)


@dataclass(frozen=True)
class Option:
    """A scenario, its cost, its payoff of each outcome, and the outcomes it states by itself."""

    scenario: Scenario
    cost: float
    payoffs: tuple[float, ...]
    own: tuple[str, ...]


@dataclass(frozen=True)
class Decision:
    """Options over the outcomes of a split; payoffs are for a work, or for the cohort's works."""

    outcomes: tuple[str, ...]
    per: str
    unit: str
    payoffs: tuple[float, ...]
    options: tuple[Option, ...]

    @property
    def split(self) -> str:
        """Return the name of the split whose outcomes these are."""
        return next(name for name, outcomes in SPLITS.items() if outcomes == self.outcomes)


def other_split(decision: Decision) -> Decision:
    """Return the decision with each payoff, an option's own too, at the other split's outcome.

    ``alignment_only`` answers to ``strict_alignment_only``, ``both`` to ``strict_both``, and so on.
    """
    (outcomes,) = (names for split, names in SPLITS.items() if split != decision.split)
    new = dict(zip(decision.outcomes, outcomes, strict=True))
    options = (replace(one, own=tuple(new[name] for name in one.own)) for one in decision.options)
    return replace(decision, outcomes=outcomes, options=tuple(options))


def check_decision(file: TomlFile) -> list[Fault]:
    """Return the faults of the table [decision] of one file, if it has one."""
    table = file.data.get("decision")
    if not isinstance(table, Mapping):
        return []
    place = Place(file, ("decision",))
    faults = validate(DecisionTable, table, place=place)
    split = str(table.get("split", ""))  # a file that extends another may leave it to that one
    known = SPLITS.get(split, (*SPLITS["same-bar"], *SPLITS["strict"]))
    faults += _check_payoffs(table.get("payoffs"), place.at("payoffs"), known=known)
    options = table.get("options")
    for name, option in options.items() if isinstance(options, Mapping) else ():
        here = place.at("options", name)
        if not isinstance(option, Mapping):
            faults.append(here.fault(show(option), "write a table"))
            continue
        if not re.match(NAME_PATTERN, name):
            faults.append(here.fault(f"the name {name!r}", NAME_REMEDY))
        faults += validate(OptionTable, option, place=here)
        faults += _check_payoffs(option.get("payoffs"), here.at("payoffs"), known=known)
        if isinstance(acts := option.get("do"), Mapping):
            faults += read_acts(acts, here.at("do"), since=FIRST_YEAR)[1]
    return faults


def _check_payoffs(table: object, place: Place, *, known: tuple[str, ...]) -> list[Fault]:
    faults = []
    for name, value in table.items() if isinstance(table, Mapping) else ():
        here = place.at(name)
        if name not in known:
            faults.append(here.fault("no outcome of the split", near_miss(name, known)))
        if not isinstance(value, int | float) or isinstance(value, bool):
            faults.append(here.fault(show(value), "give a number"))
    return faults


def load_decision(path: str | Path) -> str:
    """Return the table [decision] of a TOML file as JSON text.

    Raises
    ------
    InputError
        If the file is at fault, or has no such table.
    """
    file = read_toml(Path(path))
    raise_faults(sorted([*check_free(file), *check_decision(file)]))
    if not isinstance(file.data.get("decision"), Mapping):
        raise InputError(f"{path}: found no table [decision]; add its payoffs and options")
    return json.dumps(file.data["decision"], sort_keys=True)


def decision_of(text: str | None, *, since: int, where: str) -> Decision:
    """Return the decision that the JSON text of a checked table holds.

    Parameters
    ----------
    text
        Of :class:`forecast.config.load.Config`, or from :func:`load_decision`.
    since
        Year of an option that states none.
    where
        The table's place, as messages name it.

    Raises
    ------
    InputError
        If there is none, or it lacks a payoff, the unit, or a second option.
    """
    if text is None:
        raise InputError(
            f"{where}: found no table [decision]; give one by --decision FILE "
            "(docs/decisions.md holds an example)"
        )
    table = json.loads(text)
    outcomes = SPLITS[table.get("split", "strict")]
    stated, options = table.get("payoffs", {}), table.get("options", {})
    missing = [name for name in outcomes if name not in stated]
    if missing:
        raise InputError(f"{where}: [decision.payoffs] found no {', '.join(missing)}; add it")
    if len(options) < FEWEST:
        raise InputError(
            f"{where}: [decision.options] found {len(options)}; give two or more, of which one may "
            "do nothing"
        )
    if not table.get("unit"):
        raise InputError(f"{where}: [decision] found no unit; say what payoffs and costs count")
    payoffs = tuple(float(stated[name]) for name in outcomes)
    choices = tuple(
        _option(name, option, stated=stated, outcomes=outcomes, since=since)
        for name, option in options.items()
    )
    return Decision(outcomes, table.get("per", "work"), table["unit"], payoffs, choices)


def _option(
    name: str,
    table: Mapping[str, Any],
    *,
    stated: Mapping[str, float],
    outcomes: tuple[str, ...],
    since: int,
) -> Option:
    own = table.get("payoffs", {})
    nowhere = Place(TomlFile("[decision]", Path(), {}, {}))
    acts, _ = read_acts(table.get("do", {}), nowhere, since=table.get("since") or since)
    payoffs = tuple(float({**stated, **own}[one]) for one in outcomes)
    scenario = Scenario(name, acts, table.get("summary") or "")
    return Option(scenario, float(table.get("cost", 0.0)), payoffs, tuple(own))
