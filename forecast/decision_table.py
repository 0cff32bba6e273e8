"""[decision]: options, and what an outcome is worth, checked and read.

An option is a scenario with a cost; an outcome is one of the four of a split, strict or on the
same bar. ``payoffs`` holds for all options; an option may state its own for some outcomes.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from forecast.faults import Fault, Place, TomlFile, near_miss, raise_faults, read_toml
from forecast.scenarios import Scenario, read_acts
from forecast.schema import NAME_PATTERN, Number, Table, Text, check_free, show, validate
from models.errors import InputError
from models.interventions import Do
from models.quantities import OUTCOMES
from models.structure import FIRST_YEAR

SPLITS = {"same-bar": OUTCOMES[6:10], "strict": OUTCOMES[10:14]}
"""Outcomes of each split; they add up to one. Those in the same place answer to each other."""
FEWEST = 2
"""Options of a choice."""


class OptionTable(Table):
    """[decision.options.NAME]."""

    since: Annotated[int, Field(ge=FIRST_YEAR, le=2100)] | None = None
    summary: Text | None = None
    cost: Number = 0.0
    do: dict[str, Any] = Field(default_factory=dict)
    payoffs: dict[str, Any] = Field(default_factory=dict)


class DecisionTable(Table):
    """[decision]."""

    split: Literal["same-bar", "strict"] = "strict"
    per: Literal["work", "field"] = "work"
    unit: Text | None = None
    why: Text | None = None
    payoffs: dict[str, Any] = Field(default_factory=dict)
    options: dict[str, Any] = Field(default_factory=dict)


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
    (outcomes,) = (found for name, found in SPLITS.items() if name != decision.split)
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
            faults.append(here.fault(f"the name {name!r}", "use a-z, 0-9 and '-', at most 41"))
        faults += validate(OptionTable, option, place=here)
        faults += _check_payoffs(option.get("payoffs"), here.at("payoffs"), known=known)
        acts = option.get("do")
        found = read_acts(acts, here.at("do"), since=2026) if isinstance(acts, Mapping) else []
        faults += [one for one in found if isinstance(one, Fault)]
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
        Of :class:`forecast.config.Config`, or from :func:`load_decision`.
    since
        Year of an option that states none.
    where
        What the user is told of the table's place.

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
    made = tuple(
        _option(name, option, stated=stated, outcomes=outcomes, since=since)
        for name, option in options.items()
    )
    payoffs = tuple(float(stated[name]) for name in outcomes)
    return Decision(outcomes, table.get("per", "work"), table["unit"], payoffs, made)


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
    acts = read_acts(table.get("do", {}), nowhere, since=table.get("since") or since)
    do = tuple(act for act in acts if isinstance(act, Do))
    payoffs = tuple(float({**stated, **own}[one]) for one in outcomes)
    scenario = Scenario(name, do, table.get("summary") or "")
    return Option(scenario, float(table.get("cost", 0.0)), payoffs, tuple(own))


__all__ = [
    "Decision",
    "Option",
    "check_decision",
    "decision_of",
    "load_decision",
    "other_split",
]
