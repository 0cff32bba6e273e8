"""The [priors.NAME] tables: each checked against its family, its slot and itself."""

import math
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cache
from itertools import pairwise
from typing import Any

from pydantic import create_model

from forecast import quantiles
from forecast.faults import Fault, Place, near_miss
from forecast.schema import MISSING, Number, Table, Text, show, validate
from models.prior import FAMILIES, Prior
from models.slots import SLOTS, Slot

CLAIMS = tuple(f"C{i}" for i in range(1, 15))
"""The claims of the forecast; ``["none"]`` marks a nuisance prior."""

WITHIN = {
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
def _model(dist: str | None) -> type[PriorTable]:
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
    faults = _with_lines(validate(_model(known), table, place=place), SLOTS[name])
    faults += _check_block(table.get("block"), place.at("block"))
    faults += _check_claims(table.get("claims"), place.at("claims"))
    if known is None:
        if isinstance(dist, str) and dist.strip():
            faults.append(place.at("dist").fault(show(dist), near_miss(dist, FAMILIES)))
        return faults
    numeric = {*FAMILIES[known].params, "quantiles", "fitted_to"}
    wrong = numeric & {one.where.split()[-1] for one in faults}
    sound = {key: value for key, value in table.items() if key not in wrong}
    faults += check_values(table, place, wrong=wrong) + _check_bounds(sound, place)
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
    if FAMILIES[dist].support in WITHIN[slot.support]:
        return []
    fitting = [one for one, f in FAMILIES.items() if f.support in WITHIN[slot.support]]
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


def _check_bounds(table: Mapping[str, Any], place: Place) -> list[Fault]:
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
