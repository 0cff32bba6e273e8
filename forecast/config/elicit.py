"""Quantiles to a distribution, with a picture, written into a priors file.

Write one prior into a TOML file: comments and all else stay, and it is never half there.
"""

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from forecast.config import quantiles as fitting
from forecast.config.load import load_config
from forecast.config.schema import families_within
from forecast.config.toml import near_miss
from models.errors import InputError
from models.parameters import SLOTS
from models.priors import FAMILIES, Prior

Pairs = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Elicited:
    """A belief as elicited: the family chosen, its numbers, and how well each family fits.

    ``fits`` has a row for each family that the belief may have: ``dist``, ``params`` (None where
    it misses the quantiles), ``misfit`` in words, and its quantiles at 5, 50 and 95%. ``before`` is
    the belief as it stood: ``dist`` and ``params``.
    """

    name: str
    dist: str
    params: dict[str, float]
    quantiles: tuple[tuple[float, float], ...]
    fits: tuple[dict[str, Any], ...]
    before: dict[str, Any]
    written: Path | None = None

    def json(self) -> dict[str, Any]:
        """Return everything as plain data."""
        told: dict[str, Any] = {"schema": 1, "name": self.name, "dist": self.dist}
        told |= {"params": self.params, "quantiles": [list(pair) for pair in self.quantiles]}
        told |= {"fits": list(self.fits), "before": self.before}
        return told | {"written": None if self.written is None else str(self.written)}

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
    before = {"dist": old.dist, "params": dict(old.params)}
    made = Elicited(name, chosen["dist"], chosen["params"], pairs, fits, before)
    if picture is not None:
        _draw(made, Path(picture))
    if not write:
        return made

    table = _table(old, made, words={"why": str(why), "source": source}, shape=dict(shape or {}))
    write_prior(path, name, table=table)
    return replace(made, written=path)


def _prior(path: Path, name: str, *, write: bool) -> Prior:
    """Return the belief as it stands, with its unit and claims."""
    if name not in SLOTS:
        raise InputError(f"{name}: no such belief; {near_miss(name, SLOTS)}")
    if write and not path.is_file():
        raise InputError(
            f"{path}: found no such file to write into; make one by 'forecast init DIR'"
        )
    return next(prior for prior in load_config(path).priors if prior.name == name)


def _checked(pairs: Pairs) -> tuple[tuple[float, float], ...]:
    made = tuple(sorted((float(p), float(v)) for p, v in pairs))
    for p, v in made:
        if not (0.0 < p < 1.0 and abs(v) < 1e300):
            raise InputError(f"quantile {p:g}={v:g}: give a probability inside 0 to 1 and a number")
    for (p, v), (q, w) in pairwise(made):
        if not (p < q and v < w):
            raise InputError(f"quantiles {p:g}={v:g} and {q:g}={w:g}: make both strictly rising")
    return made


def _fits(
    name: str, pairs: Pairs, *, dist: str | None, shape: dict[str, float]
) -> Sequence[dict[str, Any]]:
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


def _fit(dist: str, pairs: Pairs, *, support: str, shape: dict[str, float]) -> dict[str, Any]:
    row: dict[str, Any] = {"dist": dist, "params": None, "misfit": None}
    if len(pairs) < len(fitting.free_params(dist)):
        return row | {"said": f"needs {len(fitting.free_params(dist))} quantiles"}
    low, high = pairs[0][1], pairs[-1][1]
    kind = FAMILIES[dist].support
    beyond = low <= 0 if kind == "positive" else kind == "unit" and not 0 < low < high < 1
    if beyond:
        return row | {"said": "does not reach these values"}
    given = {key: shape[key] for key in fitting.SHAPES.get(dist, ())}
    try:
        params = fitting.fit(dist, pairs, shape=given)
    except fitting.MisfitError as error:
        return row | {"said": str(error)}
    if support == "unit" and not 0 <= params.get("lower", 0.0) < params.get("upper", 1.0) <= 1:
        return row | {"said": "reaches beyond 0 to 1"}
    if support == "positive" and params.get("lower", 0.0) < 0:
        return row | {"said": "reaches below 0"}
    worst = fitting.misfit(dist, pairs, params=params)
    found = [float(x) for x in FAMILIES[dist].frozen(**params).ppf([0.05, 0.5, 0.95])]
    return row | {"params": params, "misfit": worst, "said": "", "at": found}


def _choose(fits: Sequence[dict[str, Any]], wanted: str, *, stated: bool) -> dict[str, Any]:
    good = [row for row in fits if row["params"] is not None]
    same = [row for row in fits if row["dist"] == wanted]
    if stated and same[0]["params"] is None:
        raise InputError(f"--dist {wanted}: {same[0]['said']}")
    if not good:
        said = "; ".join(f"{row['dist']} {row['said']}" for row in fits)
        raise InputError(f"no family fits these quantiles: {said}")
    kept = [row for row in good if row["dist"] == wanted]
    return (kept or sorted(good, key=lambda row: float(row["misfit"])))[0]


def _table(
    old: Prior, made: Elicited, *, words: Mapping[str, str], shape: Mapping[str, float]
) -> dict[str, Any]:
    """Return the table to write: quantiles stay on record, numbers are fitted anew at each run."""
    numbers = {key: float(shape[key]) for key in fitting.SHAPES.get(made.dist, ())}
    told: dict[str, Any] = {"dist": made.dist, **numbers}
    told["quantiles"] = [list(pair) for pair in made.quantiles]
    told |= {"unit": old.unit, "block": old.block, "claims": list(old.claims)}
    return told | {"source": words["source"], "why": words["why"]}


def _draw(made: Elicited, path: Path) -> None:
    from reports.figures.choices import plot_elicited
    from reports.figures.drawing import style

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with style():
            plot_elicited(made.json(), path.with_suffix(""), unit=SLOTS[made.name].unit)
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
    text = before.removeprefix(BOM).decode("utf-8")
    after = before[: len(before) - len(before.removeprefix(BOM))] + edited(
        text, name, table=table
    ).encode("utf-8")
    _replace(path, after, before=before)


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


def _replace(path: Path, data: bytes, *, before: bytes) -> None:
    from forecast.config.load import load_config

    try:
        number, made = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=".toml", dir=path.parent)
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({os.strerror(error.errno or 0)})") from None
    new = Path(made)
    try:
        shutil.copymode(path, new)
        load_config(new)
        if path.read_bytes() != before:
            raise InputError(f"{path}: was changed by somebody else meanwhile; try again")
        new.replace(path)
    except InputError as error:
        raise InputError(str(error).replace(str(new), str(path))) from None
    finally:
        new.unlink(missing_ok=True)
