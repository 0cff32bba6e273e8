"""Fill the numbers of README and docs/ from finished runs, and make docs/beliefs.md anew.

Example: ``.venv/bin/python scripts/refresh_docs.py runs/default-1a2b3c4d``. The doubter's and the
questioner's runs are found beside it, or named too; without a run, docs/beliefs.md alone is made.
It samples nothing, and refuses a run that is not of the priors, evidence, options and code that
ship now.
"""

import argparse
import csv
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from forecast import __version__
from forecast.config.load import Config, load_config
from forecast.evidence.load import Tables, hash_tables
from forecast.inference.case import make_case
from forecast.inference.identity import code_hash, forecast_hash, priors_hash
from forecast.runs.folder import check_unchanged, is_complete, read_manifest
from forecast.runs.inputs import load_inputs
from forecast.runs.open import show
from models.errors import InputError
from reports.check import heavy_of
from scripts.docs_pages import (
    answer_block,
    beliefs_page,
    filled,
    headline_block,
    learned_block,
    worldviews_block,
)

ROOT = Path(__file__).parents[1]
COMMAND = "forecast run priors/default.toml"
BELIEFS = "docs/beliefs.md"
"""The page that needs no run."""
WORLDVIEWS = ("default", "doubter", "questioner")
BLOCKS = {
    "answer": ("README.md", ("default",)),
    "headline": ("docs/forecast.md", ("default",)),
    "worldviews": ("docs/forecast.md", WORLDVIEWS),
    "learned": ("docs/model.md", ("default",)),
}
"""Each block: its page, and the forecasts that it is filled from."""
HOW = (
    f"`forecast run` of {', '.join(WORLDVIEWS)}, then `.venv/bin/python scripts/refresh_docs.py "
    "RUN` with the folder of the first"
)


def shipped_identity(block: str) -> str:
    """Return the version, and for each forecast of a block the hash of its inputs as they ship."""
    forecasts = (load_inputs(name) for name in BLOCKS[block][1])
    hashes = (inputs_hash(config, tables, seed=0) for config, tables in forecasts)
    return " ".join((__version__, *hashes))


def run_identity(runs: Iterable[Path]) -> str:
    """Return the same, of what runs were made from."""
    hashes = []
    for run in runs:
        config, tables = load_inputs(run / "priors.toml", evidence=run / "evidence")
        seed = (read_manifest(run) or {})["seed"]
        hashes.append(inputs_hash(config, tables, seed=seed))
    return " ".join((__version__, *hashes))


def inputs_hash(config: Config, tables: Tables, *, seed: int) -> str:
    """Return the SHA-256 of priors, evidence, options, seed and version of a forecast."""
    case = replace(make_case(config, tables), seed=seed)
    return forecast_hash(config, tables, case=case, code=__version__)


def differences(run: Path) -> list[str]:
    """Return in words where a run is not of what ships under its name."""
    made = read_manifest(run) or {}
    config, tables = load_inputs(run / "priors.toml", evidence=run / "evidence")
    shipped, evidence = load_inputs(config.name)
    same = {
        "priors": priors_hash(config) == priors_hash(shipped),
        "evidence": hash_tables(tables) == hash_tables(evidence),
        "code": made.get("code_hash") == code_hash(),
        "seed": made.get("seed") == 0,
        "options": (config.question, config.model, config.sampler)
        == (shipped.question, shipped.model, shipped.sampler),
    }
    return [name for name, alike in same.items() if not alike]


def is_finished(run: Path) -> bool:
    """Return whether a run is whole and converged."""
    made = read_manifest(run) or {}
    return is_complete(run) and bool(made.get("checks", {}).get("converged"))


def by_name(runs: Sequence[Path], *, anyway: bool) -> dict[str, Path]:
    """Return the runs by the forecast's name, with those of other worldviews that lie beside them.

    Raises
    ------
    InputError
        If a run is not whole, did not converge, was changed since it was written or, unless
        ``anyway``, is not of what ships.
    """
    found: dict[str, Path] = {}
    for run in runs:
        if not is_finished(run):
            raise InputError(f"{run}: no finished run that converged; make one by `{COMMAND}`")
        check_unchanged(run)
        name = str((read_manifest(run) or {})["name"])
        if name not in WORLDVIEWS:
            raise InputError(f"{run}: a run of {name}; name runs of {', '.join(WORLDVIEWS)}")
        other = differences(run)
        if other and not anyway:
            raise InputError(
                f"{run}: not the forecast that ships (differs in {', '.join(other)}); "
                f"make it by `forecast run priors/{name}.toml`, or write it --anyway"
            )
        found[name] = run
    for name in [name for name in WORLDVIEWS if runs and name not in found]:
        beside = sorted(runs[0].resolve().parent.glob(f"{name}-????????"))
        alike = (run for run in beside if is_finished(run) and not differences(run))
        found.update((name, run) for run in alike)
    return found


def lines_of(block: str, runs: Mapping[str, Path]) -> list[str]:
    """Return the lines of a block."""
    heads = {name: show(run).headline for name, run in runs.items()}
    if block == "worldviews":
        return worldviews_block({name: heads[name] for name in WORLDVIEWS})
    run, made = runs["default"], read_manifest(runs["default"]) or {}
    if block == "answer":
        return answer_block(heads["default"])
    if block == "learned":
        with (run / "summary.csv").open(encoding="utf-8", newline="") as file:
            return learned_block(list(csv.DictReader(file)), seed=made["seed"])
    context = show(run).context  # with what `forecast check RUN --structure` left there
    variance = {"parts": []} | context["variance_share"]
    heavy = heavy_of(context.get("structure", ()))
    return headline_block(
        heads["default"],
        variance=variance,
        seed=made["seed"],
        command=COMMAND,
        heavy=heavy,
        leads=context.get("leads"),
    )


def refresh(runs: Sequence[Path], *, root: Path = ROOT, anyway: bool = False) -> list[str]:
    """Rewrite what is stale of the pages under ``root``; return the pages that changed.

    A block whose forecasts are not all at hand stays as it is.
    """
    found = by_name(runs, anyway=anyway)
    texts = {BELIEFS: beliefs_page(load_config("default").priors)}
    for block, (page, names) in BLOCKS.items():
        if set(names) <= set(found):
            old = texts.get(page) or (root / page).read_text(encoding="utf-8")
            identity = run_identity(found[name] for name in names)
            texts[page] = filled(old, block, lines=lines_of(block, found), identity=identity)
    return [page for page, text in texts.items() if _written(root / page, text)]


def _written(path: Path, text: str) -> bool:
    """Write a page unless it says so already; return whether it changed."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    path.write_text(text, encoding="utf-8", newline="\n")
    return True


def missing(runs: Iterable[str]) -> list[str]:
    """Return the worldviews without a run."""
    return [name for name in WORLDVIEWS if name not in set(runs)]


def main() -> None:
    """Parse, refresh, and say which pages changed and which forecasts are missing."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").replace("``", ""))
    parser.add_argument("runs", type=Path, nargs="*", help="folders of finished runs")
    parser.add_argument("--anyway", action="store_true", help="also from a run of other code")
    given = parser.parse_args()
    try:
        changed = refresh(given.runs, anyway=given.anyway)
        absent = missing(by_name(given.runs, anyway=given.anyway))
    except InputError as error:
        sys.exit(f"refresh_docs: {error}")
    print("changed: " + ", ".join(changed) if changed else "nothing to change")
    if absent:
        print(f"left as they are, for want of a run beside: blocks of {', '.join(absent)}")


if __name__ == "__main__":
    main()
