"""A priors file, with the files it extends, as frozen plain data.

A priors file is found as given, by a shipped name, or along ``extends``, which names another file
relative to the one that states it, else a shipped one. A ``[priors.NAME]`` table replaces the table
of that name below it, never single keys of it. Every other table ([question], [model], [sampler],
[evidence], [decision], [outside_view]) is merged key by key, except that an [outside_view] with a
``dist`` stands alone. ``schema``, ``name``, ``author``, ``date`` and ``summary`` describe one file
and are never inherited.
"""

import datetime
import importlib.resources
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from forecast.config.outside import check_outside
from forecast.config.scenarios import check_decision
from forecast.config.schema import (
    CLAIMS,
    FREE_TABLES,
    OPTION_TABLES,
    EvidenceOptions,
    ModelOptions,
    Question,
    SamplerOptions,
    build_prior,
    check_free,
    check_head,
    check_options,
    check_prior,
    show,
)
from forecast.config.toml import Fault, Place, TomlFile, TomlTable, raise_faults, read_toml
from models.errors import InputError
from models.parameters import SLOTS
from models.priors import Prior

__all__ = [
    "Config",
    "EvidenceOptions",
    "ModelOptions",
    "Question",
    "SamplerOptions",
    "find_priors",
    "load_config",
    "resolved_toml",
]

MOST_EXTENDS = 8
"""Longest chain of ``extends``: beyond it nobody can say where a number comes from."""


def shipped_priors() -> Path:
    """Return the folder of shipped priors: that of the checkout, else that of the wheel."""
    root = Path(__file__).resolve().parents[2]
    if (root / "pyproject.toml").is_file() and (root / "priors").is_dir():
        return root / "priors"
    return Path(str(importlib.resources.files("forecast"))) / "data" / "priors"


def find_priors(priors: str | Path) -> Path:
    """Return the path of a priors file: as given, else the shipped file of that name.

    Raises
    ------
    InputError
        If there is neither.
    """
    path = Path(priors)
    if path.is_file():
        return path
    shipped = _shipped(priors)
    if shipped:
        return shipped
    if path.is_dir():
        raise InputError(f"{priors}: found a folder; give the TOML file in it")
    names = sorted(one.stem for one in shipped_priors().glob("*.toml"))
    near = get_close_matches(path.stem, names, n=1)
    remedy = f"did you mean {near[0]!r}?" if near else f"shipped names: {', '.join(names)}"
    raise InputError(f"{priors}: found no such file and no shipped name; {remedy}")


def _shipped(name: str | Path) -> Path | None:
    """Return the shipped file of a name such as ``default`` or ``priors/default.toml``."""
    stem = Path(name).as_posix().removeprefix("priors/").removesuffix(".toml")
    path = shipped_priors() / f"{stem}.toml"
    return path if "/" not in stem and path.is_file() else None


def read_chain(
    path: Path, *, check: Callable[[TomlFile], list[Fault]] = lambda _: []
) -> list[TomlFile]:
    """Read a file and all that it extends, nearest first.

    Where the chain breaks, the faults that ``check`` returns for the files read so far are added.

    Raises
    ------
    InputError
        If one of them cannot be read, is not there, or extends in a circle or too long a chain.
    """
    files = [read_toml(path)]
    while isinstance(name := files[-1].data.get("extends"), str) and name.strip():
        place = Place(files[-1], ("extends",))
        following = files[-1].path.parent / name
        target = following if following.is_file() else _shipped(name)
        if target is None:
            remedy = "no such file, nor a shipped name: give one relative to this file"
            raise_faults([place.fault(show(name), remedy), *(x for f in files for x in check(f))])
            break
        if target.resolve() in [one.path.resolve() for one in files]:
            remedy = "break the circle (a shipped name needs no .toml)"
            raise_faults([place.fault(f"{name!r}, which extends this file in turn", remedy)])
        if len(files) > MOST_EXTENDS:
            finding = f"more than {MOST_EXTENDS} files, each extending the next"
            raise_faults([place.fault(finding, "shorten the chain")])
        files.append(read_toml(target))
    return files


@dataclass(frozen=True)
class Config:
    """Everything a priors file says, ``extends`` resolved and quantiles fitted.

    ``priors`` is sorted by name. ``decision`` and ``outside_view`` are canonical JSON text of
    the table (sorted keys), or None: frozen, comparable, and one ``json.loads`` from use.
    ``path`` is where the file was read and takes no part in equality.
    """

    name: str
    author: str
    date: datetime.date
    summary: str
    question: Question
    model: ModelOptions
    sampler: SamplerOptions
    evidence: EvidenceOptions
    priors: tuple[Prior, ...]
    decision: str | None
    outside_view: str | None
    path: Path = field(compare=False)


def load_config(priors: str | Path) -> Config:
    """Read a priors file.

    Parameters
    ----------
    priors
        A path; if no such file exists, a shipped name (``default``, ``priors/default.toml``).

    Raises
    ------
    InputError
        If the file, or one that it extends, is at fault anywhere; it lists all faults at once.
    """
    path = find_priors(priors)
    chain = read_chain(path, check=_check_file)
    raise_faults([one for file in chain for one in _check_file(file)] + _check_chain(chain))
    built = [
        build_prior(table, Place(file, ("priors", name)))
        for name, (table, file) in sorted(_prior_tables(chain).items())
    ]
    raise_faults(one for one in built if isinstance(one, Fault))
    head = {key: chain[0].data[key] for key in ("name", "author", "date", "summary")}
    options = _merged(chain, "evidence") | {"path": _evidence_path(chain)}
    evidence = EvidenceOptions(**options | {"off": tuple(options.get("off", ()))})
    return Config(
        **head,
        question=Question(**_merged(chain, "question")),
        model=ModelOptions(**_merged(chain, "model")),
        sampler=SamplerOptions(**_merged(chain, "sampler")),
        evidence=evidence,
        priors=tuple(one for one in built if isinstance(one, Prior)),
        decision=_canonical(_merged(chain, "decision")),
        outside_view=_canonical(_outside(chain)),
        path=path,
    )


def resolved_toml(config: Config) -> str:
    """Return the complete configuration as one TOML text that loads back to an equal Config.

    Nothing is left to ``extends`` or to a default, and fitted numbers stand beside the
    quantiles that they were fitted to (``fitted_to``).
    """
    import tomlkit

    content: TomlTable = {"schema": 1, "name": config.name, "author": config.author}
    content |= {"date": config.date, "summary": config.summary}
    for name in OPTION_TABLES:
        table = asdict(getattr(config, name))
        content[name] = {key: value for key, value in table.items() if value is not None}
    content["evidence"]["off"] = list(config.evidence.off)
    for name in FREE_TABLES:
        if getattr(config, name) is not None:
            content[name] = json.loads(getattr(config, name))
    content["priors"] = {prior.name: _prior_table(prior) for prior in config.priors}
    return tomlkit.dumps(content)


def _prior_table(prior: Prior) -> TomlTable:
    table: TomlTable = {"dist": prior.dist, **prior.values}
    if prior.quantiles:
        table["fitted_to"] = [list(pair) for pair in prior.quantiles]
    table |= {"unit": prior.unit, "block": prior.block, "claims": list(prior.claims)}
    return table | {"source": prior.source, "why": prior.why}


def _check_file(file: TomlFile) -> list[Fault]:
    """Return the faults that one file has by itself, in the order of its lines."""
    faults = check_head(file) + check_options(file) + check_free(file) + check_decision(file)
    for name, table in _mapping(file, "priors").items():
        faults += check_prior(table, Place(file, ("priors", name)))
    return sorted(faults)


def _check_chain(chain: list[TomlFile]) -> list[Fault]:
    """Return the faults of the resolved file: years, outside view, slots and claims."""
    top = Place(chain[0])
    faults = _check_years(chain, top.at("question"))
    views = [file for file in chain if file.data.get("outside_view")]
    if views:
        faults += check_outside(_outside(chain), Place(views[0], ("outside_view",)))
    tables = _prior_tables(chain)
    for name, slot in SLOTS.items():
        if name not in tables:
            finding = f"no table for this {slot.support} prior of block {slot.block}"
            faults.append(top.at("priors", name).fault(finding, f"answer: {slot.question}"))
    lists = [
        claims for table, _ in tables.values() if isinstance(claims := table.get("claims"), list)
    ]
    missing = [claim for claim in CLAIMS if not any(claim in claims for claims in lists)]
    if missing and len(tables) >= len(SLOTS):
        finding = f"no prior for {', '.join(missing)}"
        faults.append(top.at("priors").fault(finding, "name each in some prior's claims"))
    return faults


def _check_years(chain: list[TomlFile], place: Place) -> list[Fault]:
    stated = {**asdict(Question()), **_merged(chain, "question")}
    cohort, horizon = stated["cohort"], stated["horizon"]
    if not (isinstance(cohort, int) and isinstance(horizon, int) and horizon < cohort):
        return []
    key = "horizon" if (*place.path, "horizon") in place.file.lines else "cohort"
    finding = f"horizon {horizon} before cohort {cohort}"
    return [place.at(key).fault(finding, "make horizon the cohort's year or later")]


def _outside(chain: list[TomlFile]) -> TomlTable:
    """Return [outside_view] merged key by key; a file that names a dist starts anew."""
    merged: TomlTable = {}
    for file in reversed(chain):
        table = dict(_mapping(file, "outside_view"))
        merged = table if "dist" in table else merged | table
    return merged


def _prior_tables(chain: list[TomlFile]) -> dict[str, tuple[Mapping[str, Any], TomlFile]]:
    """Return each prior's table with its file, the nearest file winning."""
    return {
        name: (table, file)
        for file in reversed(chain)
        for name, table in _mapping(file, "priors").items()
        if isinstance(table, Mapping)
    }


def _mapping(file: TomlFile, name: str) -> Mapping[str, Any]:
    """Return a table of one file, empty where it is absent or no table."""
    table = file.data.get(name)
    return table if isinstance(table, Mapping) else {}


def _merged(chain: list[TomlFile], name: str) -> TomlTable:
    """Return a table merged key by key, the nearest file winning."""
    merged: TomlTable = {}
    for file in reversed(chain):
        merged.update(_mapping(file, name))
    return merged


def _evidence_path(chain: list[TomlFile]) -> str | None:
    """Return the stated evidence folder, absolute: relative to the file that states it."""
    for file in chain:
        if folder := _mapping(file, "evidence").get("path"):
            return str((file.path.parent / folder).resolve())
    return None


def _canonical(table: TomlTable) -> str | None:
    return json.dumps(table, sort_keys=True, ensure_ascii=False) if table else None
