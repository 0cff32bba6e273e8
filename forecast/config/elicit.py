"""Elicit a belief: fit distributions to its quantiles and write one into a priors file.

Comments and all else in the file stay, and the file is replaced in one step.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from forecast.config import load
from forecast.config import quantiles as fitting
from forecast.config.schema import families_within
from forecast.config.toml import near_miss
from forecast.files import replace_file
from models.errors import InputError
from models.parameters import SLOTS
from models.priors import FAMILIES, Prior

Pairs = Sequence[tuple[float, float]]


SHOWN = (0.05, 0.5, 0.95)
"""Probabilities at which a fit is shown."""


@dataclass(frozen=True)
class FamilyFit:
    """How a family fits the quantiles; without ``params`` ``reason`` says why it does not.

    ``values`` are its quantiles at :data:`SHOWN`.
    """

    dist: str
    reason: str
    params: dict[str, float] | None = None
    misfit: float | None = None
    values: tuple[float, ...] = ()

    def json(self) -> dict[str, object]:
        """Return the fit as plain data."""
        row: dict[str, object] = {"dist": self.dist, "params": self.params}
        row |= {"misfit": self.misfit, "said": self.reason}
        return row | ({"at": list(self.values)} if self.values else {})


@dataclass(frozen=True)
class Elicited:
    """A belief as elicited: the distribution chosen, and how each family fits that it may have.

    ``before`` is the family and the numbers of the belief as it stood.
    """

    name: str
    dist: str
    params: dict[str, float]
    quantiles: tuple[tuple[float, float], ...]
    fits: tuple[FamilyFit, ...]
    before: tuple[str, dict[str, float]]
    written: Path | None = None

    def json(self) -> dict[str, object]:
        """Return everything as plain data."""
        return {
            "schema": 1,
            "name": self.name,
            "dist": self.dist,
            "params": self.params,
            "quantiles": [list(pair) for pair in self.quantiles],
            "fits": [one.json() for one in self.fits],
            "before": {"dist": self.before[0], "params": self.before[1]},
            "written": None if self.written is None else str(self.written),
        }

    def text(self) -> str:
        """Return the table that the terminal shows."""
        from reports.elicit import elicited_text

        return elicited_text(self.json(), question=SLOTS[self.name].question)


def elicit(
    priors: str | Path,
    name: str,
    *,
    quantiles: Pairs,
    dist: str | None = None,
    shape: Mapping[str, float] | None = None,
    why: str | None = None,
    source: str = "my own judgement",
    picture: str | Path | None = None,
    write: bool = True,
) -> Elicited:
    """Fit distributions to quantiles of one belief, and write the one chosen into a priors file.

    Parameters
    ----------
    priors
        The file; it may extend another, and need not state the belief yet.
    name
        The belief, a key of docs/beliefs.md.
    quantiles
        (probability, value), both rising.
    dist
        Family. If missing, the one that the belief has now, where it fits: another family compiles
        the model anew; else the one that fits best.
    shape
        Numbers that quantiles do not determine, by name: ``nu`` of a StudentT, ``lower`` and
        ``upper`` of a TruncatedNormal.
    why, source
        The reason, needed to write; and where it comes from.
    picture
        Where to draw the fitted densities, without an ending: SVG, PNG and CSV.
    write
        Whether to write into the file. Its comments stay.

    Raises
    ------
    InputError
        If the belief or a quantile is at fault, no family fits, or the file cannot be written.
    """
    path = Path(priors)
    old = _prior(path, name, write=write)
    if write and not (why or "").strip():
        raise InputError("--why: found none; say in a sentence why you believe so")
    pairs = _checked(quantiles)
    fits = tuple(_fits(name, pairs, dist=dist, shape=dict(shape or {})))
    chosen = _choose(fits, dist or old.dist, stated=dist is not None)
    before = (old.dist, old.values)
    elicited = Elicited(name, chosen.dist, dict(chosen.params or {}), pairs, fits, before)
    if picture is not None:
        _draw(elicited, Path(picture))
    if not write:
        return elicited
    shapes = {key: float((shape or {})[key]) for key in fitting.SHAPES.get(elicited.dist, ())}
    table = {"dist": elicited.dist, **shapes, "quantiles": [list(pair) for pair in pairs]}
    table |= {"unit": old.unit, "block": old.block, "claims": list(old.claims)}
    table |= {"source": source, "why": str(why)}
    write_prior(path, name, table=table)
    return replace(elicited, written=path)


def _prior(path: Path, name: str, *, write: bool) -> Prior:
    """Return the belief as it stands, with its unit and claims."""
    if name not in SLOTS:
        raise InputError(f"{name}: no such belief; {near_miss(name, SLOTS)}")
    if write and not path.is_file():
        raise InputError(
            f"{path}: found no such file to write into; make one by 'forecast init DIR'"
        )
    return next(prior for prior in load.load_config(path).priors if prior.name == name)


def _checked(pairs: Pairs) -> tuple[tuple[float, float], ...]:
    rising = tuple(sorted((float(p), float(v)) for p, v in pairs))
    for p, v in rising:
        if not (0.0 < p < 1.0 and abs(v) < 1e300):
            raise InputError(f"quantile {p:g}={v:g}: give a probability inside 0 to 1 and a number")
    for (p, v), (q, w) in pairwise(rising):
        if not (p < q and v < w):
            raise InputError(f"quantiles {p:g}={v:g} and {q:g}={w:g}: make both strictly rising")
    return rising


def _fits(
    name: str, pairs: Pairs, *, dist: str | None, shape: dict[str, float]
) -> Sequence[FamilyFit]:
    """Return how each family that the belief may have fits."""
    slot = SLOTS[name]
    allowed = slot.families or families_within(slot.support)
    if dist is not None and dist not in allowed:
        raise InputError(f"--dist {dist}: {near_miss(dist, allowed)}")
    unknown = set(shape) - {key for one in fitting.SHAPES.values() for key in one}
    if unknown:
        raise InputError(f"--shape {min(unknown)}: no such number; give nu, lower or upper")
    able = [one for one in allowed if set(fitting.SHAPES.get(one, ())) <= set(shape)]
    if dist is not None and dist not in able:
        raise InputError(f"--dist {dist}: needs --shape {', '.join(fitting.SHAPES[dist])}")
    return [_fit(one, pairs, support=slot.support, shape=shape) for one in able]


def _fit(dist: str, pairs: Pairs, *, support: str, shape: dict[str, float]) -> FamilyFit:
    needed, kind = len(fitting.free_params(dist)), FAMILIES[dist].support
    if len(pairs) < needed:
        return FamilyFit(dist, f"needs {needed} quantiles")
    low, high = pairs[0][1], pairs[-1][1]
    if (kind == "positive" and low <= 0) or (kind == "unit" and not 0 < low < high < 1):
        return FamilyFit(dist, "does not reach these values")
    shapes = {key: shape[key] for key in fitting.SHAPES.get(dist, ())}
    try:
        params = fitting.fit(dist, pairs, shape=shapes)
    except fitting.MisfitError as error:
        return FamilyFit(dist, str(error))
    if support == "unit" and not 0 <= params.get("lower", 0.0) < params.get("upper", 1.0) <= 1:
        return FamilyFit(dist, "reaches beyond 0 to 1")
    if support == "positive" and params.get("lower", 0.0) < 0:
        return FamilyFit(dist, "reaches below 0")
    misfit = fitting.misfit(dist, pairs, params=params)
    values = FAMILIES[dist].frozen(**params).ppf(SHOWN)
    return FamilyFit(dist, "", params, misfit, tuple(float(x) for x in values))


def _choose(fits: Sequence[FamilyFit], wanted: str, *, stated: bool) -> FamilyFit:
    for one in fits:
        if stated and one.dist == wanted and one.params is None:
            raise InputError(f"--dist {wanted}: {one.reason}")
    if all(one.params is None for one in fits):
        reasons = "; ".join(f"{one.dist} {one.reason}" for one in fits)
        raise InputError(f"no family fits these quantiles: {reasons}")
    fitting_ones = [one for one in fits if one.params is not None]
    return min(fitting_ones, key=lambda one: (one.dist != wanted, one.misfit))


def _draw(elicited: Elicited, path: Path) -> None:
    from reports.figures.choices import plot_elicited
    from reports.figures.drawing import style

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with style():
            plot_elicited(elicited.json(), path.with_suffix(""), unit=SLOTS[elicited.name].unit)
    except OSError as error:
        raise InputError(f"--picture {path}: cannot be written ({error.strerror})") from None


BOM = b"\xef\xbb\xbf"
NUMBERS = {"quantiles", "fitted_to", *(name for one in FAMILIES.values() for name in one.params)}
"""Keys that say a distribution's numbers, of whatever family."""


def write_prior(path: Path, name: str, *, table: Mapping[str, Any]) -> None:
    """Put ``[priors.NAME]`` into a file in place of what it says there, or at its end.

    Keys of the old numbers go; others stay where they stand, with their comments. The new text is
    written beside the file, must load without a fault, and then takes its place in one step.

    Raises
    ------
    InputError
        If the new file would be at fault, cannot be written, or the old one changed meanwhile.
    """
    before = path.read_bytes()
    mark = BOM if before.startswith(BOM) else b""
    text = edited(before.removeprefix(BOM).decode("utf-8"), name, table=table)

    def check(new: Path) -> None:
        try:
            load.load_config(new)
        except InputError as error:
            raise InputError(str(error).replace(str(new), str(path))) from None
        if path.read_bytes() != before:
            raise InputError(f"{path}: was changed by somebody else meanwhile; try again")

    try:
        replace_file(path, mark + text.encode("utf-8"), check=check)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({os.strerror(error.errno or 0)})") from None


def edited(text: str, name: str, *, table: Mapping[str, Any]) -> str:
    """Return a TOML text with the table of one prior changed or added."""
    import tomlkit

    document = tomlkit.parse(text)
    priors = document.get("priors")
    if priors is None:
        document.append("priors", tomlkit.table(is_super_table=True))
        priors = document["priors"]
    if name in priors:
        old = priors[name]
        for key in [key for key in old if key in NUMBERS - set(table)]:
            del old[key]
    else:
        priors[name] = old = tomlkit.table()
    for key, value in table.items():
        old[key] = value
    return tomlkit.dumps(document)
