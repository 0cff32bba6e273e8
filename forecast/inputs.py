"""What a user gives: a priors file and its evidence, and the run that they make."""

from dataclasses import dataclass
from pathlib import Path

from forecast.case import Case
from forecast.config import Config, load_config
from forecast.evidence import Tables, find_evidence, load_tables


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
