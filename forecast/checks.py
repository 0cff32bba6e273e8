"""Check a priors file and its evidence before a run."""

from dataclasses import dataclass
from pathlib import Path

from forecast.config import Config, load_config
from forecast.evidence import Tables, find_evidence, load_tables


@dataclass(frozen=True)
class Check:
    """The result of a check."""

    config: Config
    tables: Tables
    ok: bool = True

    def text(self) -> str:
        """Return what the terminal shows."""
        return f"{self.config.name}: {len(self.config.priors)} priors and the evidence are valid"


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


def check(
    priors: str | Path,
    *,
    evidence: str | Path | None = None,
    seed: int = 0,
    draws: int = 1000,
    quiet: bool = False,
    out: str | Path | None = None,
) -> Check:
    """Check a priors file and its evidence.

    Raises
    ------
    InputError
        If either is at fault.
    """
    config, tables = load_inputs(priors, evidence=evidence)
    return Check(config, tables)
