"""What a user gives: a priors file and its evidence, and the run that they make."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from forecast.config.load import Config, SamplerOptions, load_config
from forecast.evidence.load import Tables, find_evidence, load_tables
from forecast.inference.case import Case
from models.errors import InputError


@dataclass(frozen=True)
class Job:
    """One run: its inputs, the hash that names it, and whether a report is wanted."""

    config: Config
    tables: Tables
    case: Case
    hash: str
    report: bool


def load_inputs(priors: str | Path, *, evidence: str | Path | None = None) -> tuple[Config, Tables]:
    """Read the priors file and the evidence tables, before anything that costs time.

    Parameters
    ----------
    priors
        Path or shipped name.
    evidence
        Folder of tables; else the one the priors file names, else the shipped one.
    """
    config = load_config(priors)
    folder = evidence if evidence is not None else config.evidence.path
    found = find_evidence(Path(folder) if folder is not None else None)
    return config, load_tables(found, off=config.evidence.off)


def with_options(sampler: SamplerOptions, **given: Any) -> SamplerOptions:
    """Return sampler options with those that are given (None is not), as a priors file may state.

    Raises
    ------
    InputError
        If one is out of its range; the native sampler would crash on some.
    """
    from pydantic import ValidationError

    from forecast.config.schema import SamplerTable

    made = replace(sampler, **{name: x for name, x in given.items() if x is not None})
    try:
        SamplerTable(**vars(made))
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        name, remedy = str(fault["loc"][0]), fault["msg"][:1].lower() + fault["msg"][1:]
        raise InputError(f"{name}: found {getattr(made, name)!r}; {remedy}") from None
    return made
