"""Read what a user gives: a priors file and its evidence."""

from pathlib import Path

from forecast.config import Config, load_config
from forecast.evidence import Tables, find_evidence, load_tables


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
