"""Fill the README's first forecast and docs/model.md's list of what was learned from a run.

Example: ``.venv/bin/python scripts/refresh_docs.py runs/default-1a2b3c4d``. It samples nothing, and
refuses a run that is not of the priors, evidence, options and code that ship now.
"""

import argparse
import csv
import json
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from forecast.case import make_case
from forecast.checks import load_inputs
from forecast.evidence import hash_tables
from forecast.folder import is_complete, read_manifest
from forecast.identity import code_hash, forecast_hash, priors_hash
from models.errors import InputError
from reports.blocks import filled, headline_block, learned_block

ROOT = Path(__file__).parents[1]
COMMAND = "forecast run priors/default.toml"
BLOCKS = {"README.md": "headline", "docs/model.md": "learned"}
"""Pages, and the block of each."""
HOW = f"`{COMMAND}`, then `.venv/bin/python scripts/refresh_docs.py RUN` with the folder it names"


def shipped_identity() -> str:
    """Return the hash of the forecast that ships: default priors, evidence, options and code."""
    config, tables = load_inputs("default")
    return forecast_hash(config, tables, case=make_case(config, tables), code=code_hash())


def run_identity(run: Path) -> str:
    """Return the same hash, of what a run was made from."""
    config, tables = load_inputs(run / "priors.toml", evidence=run / "evidence")
    made = read_manifest(run) or {}
    case = replace(make_case(config, tables), seed=made["seed"])
    return forecast_hash(config, tables, case=case, code=made["code_hash"])


def differences(run: Path) -> list[str]:
    """Return in words where a run is not of what ships."""
    made = read_manifest(run) or {}
    config, tables = load_inputs(run / "priors.toml", evidence=run / "evidence")
    shipped, evidence = load_inputs("default")
    same = {
        "priors": priors_hash(config) == priors_hash(shipped),
        "evidence": hash_tables(tables) == hash_tables(evidence),
        "code": made.get("code_hash") == code_hash(),
        "seed": made.get("seed") == 0,
        "options": (config.question, config.model, config.sampler)
        == (shipped.question, shipped.model, shipped.sampler),
    }
    return [name for name, alike in same.items() if not alike]


def blocks_of(run: Path, made: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the lines of each block."""
    head, context = (
        json.loads((run / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("headline", "context")
    )
    with (run / "summary.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    untouched = float(context["variance_share"]["untouched"])
    headline = headline_block(head, untouched=untouched, seed=made["seed"], command=COMMAND)
    return {"headline": headline, "learned": learned_block(rows, seed=made["seed"])}


def refresh(run: Path, *, root: Path = ROOT, anyway: bool = False) -> list[str]:
    """Rewrite the blocks of the pages under ``root``; return the pages that changed.

    Raises
    ------
    InputError
        If the run is not whole, did not converge or, unless ``anyway``, is not of what ships.
    """
    made = read_manifest(run) or {}
    if not is_complete(run) or not made.get("checks", {}).get("converged"):
        raise InputError(f"{run}: no finished run that converged; make one by `{COMMAND}`")
    other = differences(run)
    if other and not anyway:
        raise InputError(
            f"{run}: not the forecast that ships (differs in {', '.join(other)}); "
            f"make it by `{COMMAND}`, or write it --anyway"
        )
    blocks, identity, changed = blocks_of(run, made), run_identity(run), []
    for page, name in BLOCKS.items():
        path = root / page
        text = path.read_text(encoding="utf-8")
        new = filled(text, name, lines=blocks[name], identity=identity)
        if new != text:
            path.write_text(new, encoding="utf-8", newline="\n")
            changed.append(page)
    return changed


def main() -> None:
    """Parse, refresh, and say which pages changed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").replace("``", ""))
    parser.add_argument("run", type=Path, help="folder of a finished default run")
    parser.add_argument("--anyway", action="store_true", help="also from a run of other code")
    given = parser.parse_args()
    try:
        changed = refresh(given.run, anyway=given.anyway)
    except InputError as error:
        sys.exit(f"refresh_docs: {error}")
    print("changed: " + ", ".join(changed) if changed else "nothing to change")


if __name__ == "__main__":
    main()
