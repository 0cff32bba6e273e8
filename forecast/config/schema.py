r"""The tables of a priors file, checked by pydantic; its errors become faults with a line.

Each table has its own strict model (no unknown key, no text for a number, no boolean for a
number, no NaN, no infinity). Priors have theirs in :mod:`forecast.config.schema`.

The [priors.NAME] tables: each checked against its family, its slot and itself.

The outside view: the model's probability mixed with one from outside, all things considered.

The model gives draws :math:`p_1, \dots, p_n` of the probability of a headline quantity, the user a
distribution :math:`q` of the same probability and its weight :math:`w`. The mixture is the linear
opinion pool (Stone 1961, doi:10.1214/aoms/1177704873),

.. math:: F(x) = (1 - w) \frac{1}{n} \sum_i \mathbf{1}\{p_i \le x\} + w\, Q(x),

with Q the distribution function of q: with chance w the outside view is right, else the model. The
chance that a work ends up so is the mean, :math:`(1 - w)\bar p + w\,\mathrm{E}_q[p]`; median and
interval are quantiles of F, not averages of two quantiles. Q enters as :data:`POINTS` of its
quantiles, at equal steps of probability, each with weight w / POINTS: no random number. The Monte
Carlo error of the mean is (1 - w) times the model's.

Nothing else changes: no draw, no weight of evidence, no other quantity. A part of a split is not
mixed, since the parts of a split add up to one and a single mixed part would break that.
"""

import datetime
import json
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic_core import ErrorDetails

from forecast.config import quantiles
from forecast.config.toml import Fault, Place, TomlFile, near_miss
from forecast.evidence.load import TABLE_NAMES
from models.parameters import SLOTS, Slot
from models.priors import FAMILIES, Prior
from models.quantities import HEADLINE

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
    backend: Literal["auto", "native", "stock"] = "auto"


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


CLAIMS = tuple(f"C{i}" for i in range(1, 15))
"""The claims of the forecast; ``["none"]`` marks a nuisance prior."""

PRIOR_TABLES_WITHIN = {
    "real": ("real", "positive", "unit", "bounds"),
    "positive": ("positive", "unit", "bounds"),
    "unit": ("unit", "bounds"),
}
"""Which supports of a family fit in which support of a slot (bounds are compared as numbers)."""


class PriorTable(Table):
    """What every prior states, whatever its family."""

    dist: Text
    unit: Text
    block: Text
    claims: list[Text]
    source: Text
    why: Text
    quantiles: list[Any] | None = None
    fitted_to: list[Any] | None = None


NARROWEST = 1e-9
"""Least sigma of a prior, of 1 or of its mu if that is larger."""


@cache
def _prior_tables_model(dist: str | None) -> type[PriorTable]:
    """Return the table's model for a family; None takes the parameters of all families."""
    families = [FAMILIES[dist]] if dist else FAMILIES.values()
    names = [name for family in families for name in family.params]
    fields: dict[str, Any] = dict.fromkeys(names, (Number | None, None))
    return create_model(f"{dist or 'Any'}Table", __base__=PriorTable, **fields)


def check_prior(table: Any, place: Place) -> list[Fault]:
    """Return the faults of one prior table as it stands in one file."""
    name = place.path[-1]
    if not isinstance(table, Mapping):
        return [place.fault(show(table), f"write a table, [priors.{name}]")]
    if name not in SLOTS:
        return [place.fault("a prior that the model does not have", near_miss(name, SLOTS))]
    dist = table.get("dist")
    known = dist if isinstance(dist, str) and dist in FAMILIES else None
    faults = _with_lines(validate(_prior_tables_model(known), table, place=place), SLOTS[name])
    faults += _check_block(table.get("block"), place.at("block"))
    faults += _check_claims(table.get("claims"), place.at("claims"))
    if known is None:
        if isinstance(dist, str) and dist.strip():
            faults.append(place.at("dist").fault(show(dist), near_miss(dist, FAMILIES)))
        return faults
    numeric = {*FAMILIES[known].params, "quantiles", "fitted_to"}
    wrong = numeric & {one.where.split()[-1] for one in faults}
    sound = {key: value for key, value in table.items() if key not in wrong}
    faults += check_values(table, place, wrong=wrong) + _prior_tables_check_bounds(sound, place)
    return faults + _check_family(known, place.at("dist"))


def _with_lines(faults: list[Fault], slot: Slot) -> list[Fault]:
    """Return the faults, with the exact line to add for a missing key that the slot settles."""
    lines = {key: f'add {key} = "{getattr(slot, key)}"' for key in ("block", "unit")}
    keys = [one.where.split()[-1] if one.found == MISSING else "" for one in faults]
    return [
        replace(one, remedy=lines.get(key, one.remedy))
        for one, key in zip(faults, keys, strict=True)
    ]


def _check_block(block: Any, place: Place) -> list[Fault]:
    """Return the fault of a prior that stands in another block than its slot."""
    slot = SLOTS[place.path[-2]]
    if not isinstance(block, str) or block == slot.block:
        return []
    return [place.fault(show(block), f'write block = "{slot.block}"')]


def _check_claims(claims: Any, place: Place) -> list[Fault]:
    """Return the faults of a list of claims: C1 to C14, each once, or "none" alone."""
    if not isinstance(claims, list):
        return []
    if not claims:
        return [place.fault("no claim", 'list C1 to C14, or ["none"] for a nuisance')]
    faults = []
    for at, one in enumerate(claims):
        here = place.at(str(at))
        if not isinstance(one, str):  # told by the table's model
            continue
        if one == "none" and len(claims) > 1:
            faults.append(here.fault("'none' beside a claim", 'write ["none"] alone'))
        elif one != "none" and one not in CLAIMS:
            faults.append(here.fault(show(one), 'use C1 to C14, or ["none"]'))
        elif one in claims[:at]:
            faults.append(here.fault(f"{one!r} a second time", "list it once"))
    return faults


def _check_family(dist: str, place: Place) -> list[Fault]:
    """Return the fault of a family that the slot rules out or that reaches beyond it."""
    slot = SLOTS[place.path[-2]]
    if slot.families and dist not in slot.families:
        return [place.fault(show(dist), f"use {' or '.join(slot.families)} for this prior")]
    if FAMILIES[dist].support in PRIOR_TABLES_WITHIN[slot.support]:
        return []
    fitting = [one for one, f in FAMILIES.items() if f.support in PRIOR_TABLES_WITHIN[slot.support]]
    found = f"{dist!r}, which reaches beyond {_words(slot.support)}"
    return [place.fault(found, f"use one of: {', '.join(fitting)}")]


def _words(support: str) -> str:
    return {"positive": "the positive numbers", "unit": "0 to 1"}[support]


def check_values(
    table: Mapping[str, Any], place: Place, *, wrong: Collection[str] = ()
) -> list[Fault]:
    """Return the faults of numbers and quantiles: one of the two, whole and in order.

    What stands under the keys ``wrong`` is not looked at: its type is told already.
    """
    dist = table["dist"]
    stated = [name for name in FAMILIES[dist].params if name in table]
    faults = []
    if "quantiles" in table:
        wanted = quantiles.SHAPES.get(dist, ())
        extra = [name for name in (*stated, "fitted_to") if name in table and name not in wanted]
        if extra:
            found = f"quantiles beside {', '.join(extra)}"
            faults.append(place.at("quantiles").fault(found, "keep one of the two"))
    else:
        wanted = FAMILIES[dist].params
        if not stated:
            remedy = f"give {', '.join(wanted)}, or quantiles"
            return [place.fault("neither numbers nor quantiles", remedy)]
    for key in ("quantiles", "fitted_to"):
        if key in table and key not in wrong:
            faults += _check_pairs(table[key], place.at(key), dist=dist)
    for name in wanted:
        if name in wrong:
            continue
        if name not in table:
            faults.append(place.at(name).fault("no such key", f"add it: {dist} needs it"))
        elif name in FAMILIES[dist].positive and not table[name] > 0:
            faults.append(place.at(name).fault(show(table[name]), "must be greater than 0"))
    sound = {key: value for key, value in table.items() if key not in wrong}
    return faults + _check_width(sound, place)


def _check_width(table: Mapping[str, Any], place: Place) -> list[Fault]:
    """Refuse a spread that the numbers of a computer cannot tell from none."""
    mu, sigma = table.get("mu"), table.get("sigma")
    if mu is None or sigma is None:  # numbers, as the table's model has checked
        return []
    least = NARROWEST * max(1.0, abs(mu))
    if not 0 < sigma < least:
        return []
    found = f"{show(sigma)}, too narrow beside mu = {show(mu)} to be told from a single value"
    return [place.at("sigma").fault(found, f"make it {least:g} or more")]


def _prior_tables_check_bounds(table: Mapping[str, Any], place: Place) -> list[Fault]:
    """Return the faults of lower and upper: in order, and inside the support of the slot."""
    kind = SLOTS[place.path[-1]].support
    lower, upper = table.get("lower"), table.get("upper")
    faults = []
    if lower is not None and upper is not None and not lower < upper:
        found = f"{show(upper)}, not above lower = {show(lower)}"
        faults.append(place.at("upper").fault(found, "make upper greater than lower"))
    beyond = [("lower", lower, kind != "real" and lower is not None and lower < 0)]
    beyond += [("upper", upper, kind == "unit" and upper is not None and upper > 1)]
    for key, value, wrong in beyond:
        if wrong:
            found = f"{show(value)}, beyond {_words(kind)}"
            faults.append(place.at(key).fault(found, f"keep this {kind} quantity inside"))
    return faults


def _check_pairs(pairs: list[Any], place: Place, *, dist: str) -> list[Fault]:
    """Return the faults of [[probability, value], ...]."""
    faults = [
        one
        for at, pair in enumerate(pairs)
        for one in _check_pair(pair, place.at(str(at)), dist=dist)
    ]
    if faults:
        return faults
    for at, (before, now) in enumerate(pairwise(pairs), start=1):
        for word, old, new in zip(("probability", "value"), before, now, strict=True):
            if not old < new:
                found = f"{word} {show(new)} after {show(old)}"
                faults.append(place.at(str(at)).fault(found, "make both strictly rising"))
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
    kind = FAMILIES[dist].support
    if kind in ("positive", "unit") and not 0 < value < (1 if kind == "unit" else math.inf):
        remedy = f"a {dist} lies strictly inside {_words(kind)}"
        faults.append(place.fault(f"value {show(value)}", remedy))
    return faults


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < 1e300


def build_prior(table: Mapping[str, Any], place: Place) -> Prior | list[Fault]:
    """Return the prior of a table without faults, fitted if it states quantiles.

    ``fitted_to`` beside numbers, as a resolved file has it, keeps the quantiles on record; they
    must still agree with the numbers.
    """
    dist = table["dist"]
    params = {key: float(table[key]) for key in FAMILIES[dist].params if key in table}
    key = "quantiles" if "quantiles" in table else "fitted_to"
    pairs = tuple((float(p), float(v)) for p, v in table.get(key, ()))
    try:
        if key == "quantiles":
            params = quantiles.fit(dist, pairs, shape=params)
        elif pairs and quantiles.misfit(dist, pairs, params=params) > quantiles.TOLERANCE:
            raise quantiles.MisfitError("quantiles that the numbers do not have")
    except quantiles.MisfitError as error:
        remedy = "state other quantiles or another dist" if key == "quantiles" else "remove it"
        return [place.at(key).fault(str(error), remedy)]
    text = {name: table[name] for name in ("dist", "unit", "block", "source", "why")}
    return Prior(
        name=place.path[-1],
        params=tuple(params.items()),
        claims=tuple(table["claims"]),
        quantiles=pairs or None,
        **text,
    )


POINTS = 10_000
"""Quantiles of the outside view that stand for it."""
DRAWN = 400
"""Those that a figure draws."""
OUTSIDE_WITHIN = tuple(
    name for name, family in FAMILIES.items() if family.support in {"unit", "bounds"}
)
"""Families that can lie between 0 and 1."""
QUANTITIES = HEADLINE[:6]
"""What can be mixed: the headline without the parts of splits."""


class _Stated(Table):
    """What every outside view states, whatever its family."""

    weight: Annotated[float, Field(ge=0.0, le=1.0)]
    quantity: Text = "alignment_relevant"
    dist: Text
    why: Text
    source: Text | None = None
    quantiles: list[Any] | None = None


@dataclass(frozen=True)
class OutsideView:
    """A distribution of a headline quantity's probability, from outside, and its weight."""

    quantity: str
    weight: float
    dist: str
    params: tuple[tuple[str, float], ...]
    why: str
    source: str | None

    def points(self, n: int = POINTS) -> np.ndarray:
        """Return n quantiles at equal steps of probability."""
        family = FAMILIES[self.dist].frozen(**dict(self.params))
        return np.asarray(family.ppf((np.arange(n) + 0.5) / n), dtype=float)


def check_outside(table: Mapping[str, Any], place: Place) -> list[Fault]:
    """Return the faults of an [outside_view] table, as merged over ``extends``."""
    if not table:
        return []
    dist = table.get("dist")
    known = dist if isinstance(dist, str) and dist in OUTSIDE_WITHIN else None
    faults = validate(_outside_model(known), table, place=place)
    if isinstance(dist, str) and known is None:
        faults.append(
            place.at("dist").fault(show(dist), f"use one of: {', '.join(OUTSIDE_WITHIN)}")
        )
    quantity = table.get("quantity", QUANTITIES[0])
    if isinstance(quantity, str) and quantity not in QUANTITIES:
        faults.append(place.at("quantity").fault(show(quantity), near_miss(quantity, QUANTITIES)))
    if faults or known is None:
        return faults
    return (
        check_values(table, place)
        or _outside_check_bounds(table, place)
        or _check_fit(table, place)
    )


def _outside_model(dist: str | None) -> type[_Stated]:
    names = [name for one in ([dist] if dist else OUTSIDE_WITHIN) for name in FAMILIES[one].params]
    fields: dict[str, Any] = dict.fromkeys(names, (Number | None, None))
    return create_model(f"Outside{dist or 'Any'}", __base__=_Stated, **fields)


def _outside_check_bounds(table: Mapping[str, Any], place: Place) -> list[Fault]:
    lower, upper = table.get("lower", 0.0), table.get("upper", 1.0)
    if not lower < upper:
        remedy = "make upper greater than lower"
        return [place.at("upper").fault(f"{show(upper)}, not above lower = {show(lower)}", remedy)]
    wrong = {"lower": lower < 0, "upper": upper > 1}
    return [
        place.at(key).fault(f"{show(table[key])}, beyond 0 to 1", "a probability lies inside")
        for key in wrong
        if wrong[key]
    ]


def _check_fit(table: Mapping[str, Any], place: Place) -> list[Fault]:
    try:
        _params(table)
    except quantiles.MisfitError as error:
        return [place.at("quantiles").fault(str(error), "state other quantiles or another dist")]
    return []


def _params(table: Mapping[str, Any]) -> dict[str, float]:
    dist = table["dist"]
    params = {key: float(table[key]) for key in FAMILIES[dist].params if key in table}
    if "quantiles" not in table:
        return params
    pairs = [(float(p), float(v)) for p, v in table["quantiles"]]
    return quantiles.fit(dist, pairs, shape=params)


def outside_view(stated: str | None) -> OutsideView | None:
    """Return the outside view of a configuration's JSON; None without one, or of no weight."""
    table = json.loads(stated) if stated else {}
    if not table or table["weight"] == 0:
        return None
    return OutsideView(
        quantity=table.get("quantity", QUANTITIES[0]),
        weight=float(table["weight"]),
        dist=table["dist"],
        params=tuple(_params(table).items()),
        why=table["why"],
        source=table.get("source"),
    )


def mixed(view: OutsideView, draws: np.ndarray, *, tails: tuple[float, ...]) -> dict[str, Any]:
    """Return mean, sd and quantiles of the outside view, and of the mixture with the model's draws.

    Parameters
    ----------
    view
        The outside view.
    draws
        The model's, of the same quantity; dims (draw,).
    tails
        Probabilities of lower, median and upper.

    Returns
    -------
    dict
        ``outside`` and ``mixed``, each with ``mean``, ``median``, ``sd``, ``lower``, ``upper``.
    """
    points = view.points()
    each = (1.0 - view.weight) / len(draws), view.weight / len(points)
    values = np.concatenate([draws, points])
    weights = np.repeat(each, (len(draws), len(points)))
    even = np.full(len(points), 1.0 / len(points))
    return {
        "outside": _spread(points, even, tails=tails),
        "mixed": _spread(values, weights, tails=tails),
    }


def _spread(x: np.ndarray, weights: np.ndarray, *, tails: tuple[float, ...]) -> dict[str, float]:
    order = np.argsort(x, kind="stable")
    below = np.cumsum(weights[order])
    at = np.minimum(np.searchsorted(below, tails), len(x) - 1)
    lower, median, upper = (float(v) for v in x[order][at])
    mean = float(weights @ x)
    sd = float(np.sqrt(weights @ (x - mean) ** 2))
    return {"mean": mean, "median": median, "sd": sd, "lower": lower, "upper": upper}


def add_outside(
    head: dict[str, Any],
    stated: str | None,
    *,
    found: Mapping[str, np.ndarray],
    tails: tuple[float, ...],
) -> dict[str, Any]:
    """Return headline.json with the outside view beside the model; as it is without one.

    Parameters
    ----------
    head
        The content of headline.json.
    stated
        The outside view as a configuration keeps it.
    found
        Draws of the headline's quantities.
    tails
        Probabilities of lower, median and upper.
    """
    view = outside_view(stated)
    if view is None:
        return head
    both = mixed(view, found[view.quantity], tails=tails)
    both["mixed"]["mcse"] = (1.0 - view.weight) * head["quantities"][view.quantity]["mcse"]
    told = {"quantity": view.quantity, "weight": view.weight, "dist": view.dist}
    told |= {"params": dict(view.params), "why": view.why, "source": view.source}
    return head | {"outside_view": told | both}


def outside_frames(head: Mapping[str, Any], stated: str | None) -> dict[str, Any]:
    """Return what figures draw of the outside view of a headline.json; nothing without one.

    ``outside_view`` holds its weight with each of :data:`DRAWN` of its quantiles, ``considered``
    the summary of the mixture.
    """
    view = outside_view(stated)
    if view is None:
        return {}
    told = {"quantity": view.quantity, "weight": view.weight}
    rows = [told | {"value": float(x)} for x in view.points(DRAWN)]
    return {"outside_view": rows, "considered": [head["outside_view"]["mixed"]]}
