r"""The tables of a priors file, checked by pydantic; its errors become faults with a line.

Each table has its own strict model: no unknown key, no text for a number, no boolean for a number,
no NaN, no infinity. A [priors.NAME] table is checked against its family, its slot and itself, and
becomes a :class:`models.priors.Prior`. All faults of a file are collected before one is raised, so
that a key of a wrong type hides no other.
"""

import datetime
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, Literal, get_type_hints

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
)
from pydantic_core import ErrorDetails

from forecast.config import quantiles
from forecast.config.toml import Fault, Place, TomlFile, near_miss
from forecast.evidence.load import TABLE_NAMES
from models.parameters import SLOTS
from models.priors import FAMILIES, Prior

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


@dataclass(frozen=True)
class Question:
    """[question]: works of the year ``cohort``, asked about at the end of the year ``horizon``.

    Years outside 2020-2100 have no evidence near them.
    """

    cohort: Annotated[int, Field(ge=2020, le=2100)] = 2026
    horizon: Annotated[int, Field(ge=2020, le=2100)] = 2040


@dataclass(frozen=True)
class ModelOptions:
    """[model]: structure, not numbers: link, tails, and what makes a level established."""

    link: Literal["logit", "probit"] = "logit"
    tails: Literal["normal", "student-t"] = "normal"
    established_at: Annotated[int, Field(ge=1, le=100)] = 3
    established_in: Literal["field", "family", "agenda"] = "field"


@dataclass(frozen=True)
class SamplerOptions:
    """[sampler]: draws and tuning steps per chain, chains, and the target acceptance of NUTS.

    ``retry`` lets a fit that does not converge be made once more, with longer tuning. ``backend``
    compiles the model: ``native``, ``stock``, or ``auto``, the first if it can be. The upper ends
    of numbers only catch slips of the finger.
    """

    draws: Annotated[int, Field(ge=10, le=100_000)] = 1000
    tune: Annotated[int, Field(ge=10, le=100_000)] = 1000
    chains: Annotated[int, Field(ge=1, le=64)] = 4
    target_accept: Annotated[float, Field(gt=0.5, lt=1.0)] = 0.8
    retry: bool = False
    backend: Literal["auto", "native", "stock"] = "auto"

    def __repr__(self) -> str:
        """Return what makes the draws: auto and native give the same, so neither is named."""
        named = {n: x for n, x in vars(self).items() if n != "backend" or x == "stock"}
        return f"SamplerOptions({', '.join(f'{n}={x!r}' for n, x in named.items())})"


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@dataclass(frozen=True)
class EvidenceOptions:
    """[evidence]: folder of tables (None: the shipped ones), tables off, weight of experts.

    Where a folder lies does not identify a forecast; its parsed rows do.
    """

    path: Text | None = None
    off: Annotated[tuple[Text, ...], BeforeValidator(_as_tuple)] = ()
    expert_weight: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0


def _table_of(options: type[Any]) -> type[Table]:
    """Return the strict table that states a dataclass of options."""
    types = get_type_hints(options, include_extras=True)
    keys: dict[str, Any] = {one.name: (types[one.name], one.default) for one in fields(options)}
    return create_model(options.__name__, __base__=Table, **keys)


SamplerTable = _table_of(SamplerOptions)
OPTION_TABLES: dict[str, type[Table]] = {
    "question": _table_of(Question),
    "model": _table_of(ModelOptions),
    "sampler": SamplerTable,
    "evidence": _table_of(EvidenceOptions),
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
    for i, name in enumerate(off):
        here = place.at(str(i))
        if name == "agendas":
            faults.append(here.fault("'agendas'", "remove it: forecasts are per agenda"))
        elif name not in TABLE_NAMES:
            faults.append(here.fault(f"an unknown table {name!r}", near_miss(name, TABLE_NAMES)))
        elif name in off[:i]:
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
    if isinstance(value, Mapping | list):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        return [one for key, item in items for one in _check_json(item, place.at(str(key)))]
    if isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return []
    return [place.fault(show(value), "give text, a finite number, true or false")]


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
    remedy = remedy.replace("should", "must", 1).replace("valid tuple", "valid list")
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


CLAIMS = tuple(f"C{i}" for i in range(1, 15))
"""The claims of the forecast; ``["none"]`` marks a nuisance prior."""

SUPPORTS_WITHIN = {
    "real": ("real", "positive", "unit", "bounds"),
    "positive": ("positive", "unit", "bounds"),
    "unit": ("unit", "bounds"),
}
"""Which supports of a family fit in which support of a slot (bounds are compared as numbers)."""
RANGE_WORDS = {"positive": "the positive numbers", "unit": "0 to 1"}
NARROWEST = 1e-9
"""Least sigma of a prior, of 1 or of its mu if that is larger."""


def families_within(support: str) -> tuple[str, ...]:
    """Return the families that may lie in a support."""
    within = SUPPORTS_WITHIN[support]
    return tuple(name for name, family in FAMILIES.items() if family.support in within)


class DistributionTable(Table):
    """A family of distributions, given by its numbers or by quantiles to fit it to."""

    dist: Text
    why: Text
    quantiles: list[Any] | None = None


class PriorTable(DistributionTable):
    """What every prior states, whatever its family."""

    unit: Text
    block: Text
    claims: list[Text]
    source: Text
    fitted_to: list[Any] | None = None


@cache
def family_table(base: type[DistributionTable], dist: str | None) -> type[DistributionTable]:
    """Return the model of a table with a family's numbers; None takes those of all families."""
    families = [FAMILIES[dist]] if dist else FAMILIES.values()
    names = [name for family in families for name in family.params]
    keys: dict[str, Any] = dict.fromkeys(names, (Number | None, None))
    return create_model(f"{dist or 'Any'}{base.__name__}", __base__=base, **keys)


def check_distribution(
    base: type[DistributionTable], table: Mapping[str, Any], place: Place, *, support: str
) -> list[Fault]:
    """Return the faults of a distribution that must lie in ``support``: types, numbers, bounds.

    An unknown family, or one beyond the support, is for the caller to judge.
    """
    dist = table.get("dist")
    known = dist if isinstance(dist, str) and dist in FAMILIES else None
    faults = validate(family_table(base, known), table, place=place)
    if known is None:
        return faults
    numeric = {*FAMILIES[known].params, "quantiles", "fitted_to"}
    wrong = numeric & {_key(one) for one in faults}
    sound = {key: value for key, value in table.items() if key not in wrong}
    faults += _check_values(table, place, wrong=wrong) + _check_width(sound, place)
    return faults + _check_bounds(sound, place, support=support)


def _key(fault: Fault) -> str:
    return fault.where.split()[-1] if fault.where else ""


def check_prior(table: Any, place: Place) -> list[Fault]:
    """Return the faults of one prior table as it stands in one file."""
    name = place.path[-1]
    if not isinstance(table, Mapping):
        return [place.fault(show(table), f"write a table, [priors.{name}]")]
    if name not in SLOTS:
        return [place.fault("a prior that the model does not have", near_miss(name, SLOTS))]
    slot, dist, block = SLOTS[name], table.get("dist"), table.get("block")
    faults = []
    for one in check_distribution(PriorTable, table, place, support=slot.support):
        missing = _key(one) if one.finding == MISSING else ""
        if missing in ("block", "unit"):
            one = replace(one, remedy=f'add {missing} = "{getattr(slot, missing)}"')
        faults.append(one)
    if isinstance(block, str) and block != slot.block:
        faults.append(place.at("block").fault(show(block), f'write block = "{slot.block}"'))
    faults += _check_claims(table.get("claims"), place.at("claims"))
    here = place.at("dist")
    if not isinstance(dist, str) or not dist.strip():
        return faults
    if dist not in FAMILIES:
        faults.append(here.fault(show(dist), near_miss(dist, FAMILIES)))
    elif slot.families and dist not in slot.families:
        remedy = f"use {' or '.join(slot.families)} for this prior"
        faults.append(here.fault(show(dist), remedy))
    elif dist not in (within := families_within(slot.support)):
        finding = f"{dist!r}, which reaches beyond {RANGE_WORDS[slot.support]}"
        faults.append(here.fault(finding, f"use one of: {', '.join(within)}"))
    return faults


def _check_claims(claims: Any, place: Place) -> list[Fault]:
    """Return the faults of a list of claims: C1 to C14, each once, or "none" alone."""
    if not isinstance(claims, list):
        return []
    if not claims:
        return [place.fault("no claim", 'list C1 to C14, or ["none"] for a nuisance')]
    faults = []
    for i, claim in enumerate(claims):
        here = place.at(str(i))
        if not isinstance(claim, str):  # a fault of its type already
            continue
        if claim == "none" and len(claims) > 1:
            faults.append(here.fault("'none' beside a claim", 'write ["none"] alone'))
        elif claim != "none" and claim not in CLAIMS:
            faults.append(here.fault(show(claim), 'use C1 to C14, or ["none"]'))
        elif claim in claims[:i]:
            faults.append(here.fault(f"{claim!r} a second time", "list it once"))
    return faults


def _check_values(table: Mapping[str, Any], place: Place, *, wrong: Collection[str]) -> list[Fault]:
    """Return the faults of numbers and quantiles: one of the two, complete and in order.

    The values of the keys ``wrong`` are not looked at: their types are faults already.
    """
    dist = table["dist"]
    family = FAMILIES[dist]
    stated = [name for name in family.params if name in table]
    needed, faults = family.params, []
    if "quantiles" in table:
        needed = quantiles.SHAPES.get(dist, ())
        extra = [name for name in (*stated, "fitted_to") if name in table and name not in needed]
        if extra:
            finding = f"quantiles beside {', '.join(extra)}"
            faults.append(place.at("quantiles").fault(finding, "keep one of the two"))
    elif not stated:
        remedy = f"give {', '.join(needed)}, or quantiles"
        return [place.fault("neither numbers nor quantiles", remedy)]
    for key in ("quantiles", "fitted_to"):
        if key in table and key not in wrong:
            faults += _check_pairs(table[key], place.at(key), dist=dist)
    for name in needed:
        if name in wrong:
            continue
        if name not in table:
            faults.append(place.at(name).fault(MISSING, f"add it: {dist} needs it"))
        elif name in family.positive and not table[name] > 0:
            faults.append(place.at(name).fault(show(table[name]), "must be greater than 0"))
    return faults


def _check_width(table: Mapping[str, Any], place: Place) -> list[Fault]:
    """Refuse a spread that floating-point numbers cannot tell from none."""
    mu, sigma = table.get("mu"), table.get("sigma")
    if mu is None or sigma is None:
        return []
    least = NARROWEST * max(1.0, abs(mu))
    if not 0 < sigma < least:
        return []
    finding = f"{show(sigma)}, too narrow beside mu = {show(mu)} to be told from a single value"
    return [place.at("sigma").fault(finding, f"make it {least:g} or more")]


def _check_bounds(table: Mapping[str, Any], place: Place, *, support: str) -> list[Fault]:
    """Return the faults of lower and upper: in order, and inside the support."""
    lower, upper = table.get("lower"), table.get("upper")
    faults = []
    if lower is not None and upper is not None and not lower < upper:
        finding = f"{show(upper)}, not above lower = {show(lower)}"
        faults.append(place.at("upper").fault(finding, "make upper greater than lower"))
    beyond = {"lower": support != "real" and lower is not None and lower < 0}
    beyond["upper"] = support == "unit" and upper is not None and upper > 1
    for key in (key for key, wrong in beyond.items() if wrong):
        finding = f"{show(table[key])}, beyond {RANGE_WORDS[support]}"
        faults.append(place.at(key).fault(finding, f"keep this {support} quantity inside"))
    return faults


def _check_pairs(pairs: list[Any], place: Place, *, dist: str) -> list[Fault]:
    """Return the faults of [[probability, value], ...]."""
    faults = [
        one
        for i, pair in enumerate(pairs)
        for one in _check_pair(pair, place.at(str(i)), dist=dist)
    ]
    if faults:
        return faults
    for i, (before, now) in enumerate(pairwise(pairs), start=1):
        for word, old, new in zip(("probability", "value"), before, now, strict=True):
            if not old < new:
                finding = f"{word} {show(new)} after {show(old)}"
                faults.append(place.at(str(i)).fault(finding, "make both strictly rising"))
    free = quantiles.free_params(dist)
    if len(pairs) < len(free):
        remedy = f"give at least {len(free)}, one for each of {', '.join(free)}"
        faults.append(place.fault(f"{len(pairs)} quantile(s)", remedy))
    return faults


def _check_pair(pair: Any, place: Place, *, dist: str) -> list[Fault]:
    """Return the faults of one [probability, value]."""
    if not isinstance(pair, list) or len(pair) != 2 or not all(map(_is_number, pair)):
        return [place.fault(show(pair), "write [probability, value], two finite numbers")]
    p, value = pair
    faults = []
    if not 0 < p < 1:
        remedy = "give a probability between 0 and 1, both excluded"
        faults.append(place.fault(f"probability {show(p)}", remedy))
    support = FAMILIES[dist].support
    if support in RANGE_WORDS and not 0 < value < (1 if support == "unit" else math.inf):
        remedy = f"a {dist} lies strictly inside {RANGE_WORDS[support]}"
        faults.append(place.fault(f"value {show(value)}", remedy))
    return faults


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300


def fitted_params(table: Mapping[str, Any]) -> tuple[tuple[str, float], ...]:
    """Return name and number of each parameter of a distribution without faults.

    Raises
    ------
    MisfitError
        If it states quantiles that its family cannot have.
    """
    dist = table["dist"]
    params = {key: float(table[key]) for key in FAMILIES[dist].params if key in table}
    if "quantiles" in table:
        params = quantiles.fit(dist, _pairs(table["quantiles"]), shape=params)
    return tuple(params.items())


def _pairs(stated: Any) -> tuple[tuple[float, float], ...]:
    return tuple((float(p), float(value)) for p, value in stated)


def build_prior(table: Mapping[str, Any], place: Place) -> Prior | Fault:
    """Return the prior of a table without faults, fitted if it states quantiles.

    ``fitted_to`` beside numbers, as a resolved file has it, keeps the quantiles on record; they
    must still agree with the numbers.
    """
    dist, record = table["dist"], _pairs(table.get("fitted_to", ()))
    try:
        params = fitted_params(table)
    except quantiles.MisfitError as error:
        remedy = "state other quantiles or another dist"
        return place.at("quantiles").fault(str(error), remedy)
    misfit = quantiles.misfit(dist, record, params=dict(params)) if record else 0.0
    if misfit > quantiles.TOLERANCE:
        finding = "quantiles that the numbers do not have"
        return place.at("fitted_to").fault(finding, "remove it")
    text = {name: table[name] for name in ("dist", "unit", "block", "source", "why")}
    return Prior(
        name=place.path[-1],
        params=params,
        claims=tuple(table["claims"]),
        quantiles=_pairs(table.get("quantiles", ())) or record or None,
        **text,
    )
