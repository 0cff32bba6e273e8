"""Fill the tables of docs/sensitivity.md from the finished analysis of the default run.

Example: ``.venv/bin/python scripts/refresh_sensitivity.py runs/default-1a2b3c4d``, after ``forecast
sensitivity runs/default-1a2b3c4d``. It samples nothing, and refuses a run of anything but what
ships.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forecast.inference.identity import sources_hash
from models.errors import InputError
from reports.docs import filled
from reports.sensitivity import page_block
from scripts import refresh_docs

ROOT = Path(__file__).parents[1]
PAGE, BLOCK = "docs/sensitivity.md", "sensitivity"
COMMAND = "forecast sensitivity runs/default-HASH8"
HOW = f"`{COMMAND}`, then `.venv/bin/python scripts/refresh_sensitivity.py runs/default-HASH8`"
SOURCES = ("forecast/analyses/sensitivity.py", "forecast/analyses/statistics.py")
"""What makes the tables' numbers beside the engine."""


def drivers_hash() -> str:
    """Return the SHA-256 of the sources of the analysis."""
    return sources_hash(*SOURCES)


def shipped_identity() -> str:
    """Return the hashes of the default forecast and of the analysis, as they ship."""
    return f"{refresh_docs.shipped_identity('headline')} {drivers_hash()}"


def refresh(run: Path, *, root: Path = ROOT) -> bool:
    """Rewrite the block of the page from the analysis beside a run; return whether it changed.

    Raises
    ------
    InputError
        If the run is not the default as it ships, or its analysis is not there.
    """
    if "default" not in refresh_docs.by_name([run], anyway=False):
        raise InputError(f"{run}: not a run of the default priors")
    path = run.resolve().parent / f"sensitivity-{run.name}" / "sensitivity.json"
    if not path.is_file():
        raise InputError(f"{path}: not there; make it by `forecast sensitivity {run}`")
    told: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    identity = f"{refresh_docs.run_identity(run)} {drivers_hash()}"
    page = root / PAGE
    old = page.read_text(encoding="utf-8")
    new = filled(old, BLOCK, lines=page_block(told, command=COMMAND), identity=identity)
    page.write_text(new, encoding="utf-8", newline="\n")
    return new != old


def main() -> None:
    """Parse, refresh, and say whether the page changed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").replace("``", ""))
    parser.add_argument("run", type=Path, help="folder of the default's finished run")
    try:
        changed = refresh(parser.parse_args().run)
    except InputError as error:
        sys.exit(f"refresh_sensitivity: {error}")
    print(f"changed: {PAGE}" if changed else "nothing to change")


if __name__ == "__main__":
    main()
