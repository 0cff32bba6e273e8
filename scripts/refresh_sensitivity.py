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

from models.errors import InputError
from scripts import refresh_docs
from scripts.docs_pages import filled, sensitivity_block

ROOT = Path(__file__).parents[1]
PAGE, BLOCK = "docs/sensitivity.md", "sensitivity"
COMMAND = "forecast sensitivity runs/default-HASH8"
HOW = f"`{COMMAND}`, then `.venv/bin/python scripts/refresh_sensitivity.py runs/default-HASH8`"


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
    summary: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    page = root / PAGE
    old = page.read_text(encoding="utf-8")
    lines = sensitivity_block(summary, command=COMMAND)
    new = filled(old, BLOCK, lines=lines, identity=refresh_docs.run_identity([run]))
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
