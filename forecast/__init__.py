"""Forecast whether mechanistic-interpretability work ends up alignment-relevant.

Everything public is here and loads on first use: ``import forecast as fc; fc.run("default")``.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

EXPORTS = {
    "run": "forecast.runs.run",
    "show": "forecast.runs.open",
    "report": "forecast.runs.run",
    "check": "forecast.analyses.check",
    "reweight": "forecast.runs.open",
    "load_case": "forecast.runs.inputs",
    "with_belief": "forecast.runs.inputs",
    "fit_of": "forecast.runs.open",
    "evaluate": "forecast.inference.evaluate",
    "refit": "forecast.inference.evaluate",
    "fit_many": "forecast.inference.parallel",
    "sensitivity": "forecast.analyses.sensitivity",
    "whatif": "forecast.analyses.whatif",
    "decide": "forecast.analyses.decide",
    "value": "forecast.analyses.value",
    "crux": "forecast.analyses.crux",
    "diff": "forecast.analyses.diff",
    "backtest": "forecast.analyses.backtest",
    "score": "forecast.analyses.score",
    "calibrate": "forecast.analyses.calibrate",
    "init": "forecast.runs.scaffold",
    "elicit": "forecast.config.elicit",
    "load_config": "forecast.config.load",
    "load_tables": "forecast.evidence.load",
    "InputError": "models.errors",
}
"""Public names and the module of each; no module may bear the name of an export, or importing
it would put the module in the function's place."""
GROUPS = {"ledger": "forecast.analyses.ledger", "desk": "forecast.evidence.desk"}
"""Modules whose functions are the commands of a group: ``fc.ledger.add``."""


def _check_sibling(name: str) -> None:
    """Refuse to run with another package called ``models`` or ``reports`` in place of ours."""
    ours = Path(__file__).resolve().parent.parent / name
    try:
        spec = find_spec(name)
    except ValueError:  # a module put into sys.modules by hand, without a spec
        spec = None
    places = [Path(place).resolve() for place in (spec and spec.submodule_search_locations) or ()]
    if ours not in places[:1]:
        other = places[0] if places else spec.origin if spec and spec.origin else "nothing"
        raise ImportError(
            f"forecast needs its own package {name!r} at {ours}, but Python finds {other}. "
            "Run from another folder, or take that one off PYTHONPATH.",
            name=name,
        )


def _is_command() -> bool:
    """Return whether this process is the command, and not a program that imports the library."""
    if sys.argv[:1] == ["-m"]:
        return "forecast" in sys.orig_argv
    return Path(sys.argv[0] if sys.argv else "").stem == "forecast"


for _name in ("models", "reports"):
    try:
        _check_sibling(_name)
    except ImportError as _error:
        if not _is_command():
            raise
        sys.stderr.write(f"Error: {_error}\n")
        raise SystemExit(2) from None


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import PackageNotFoundError, version

        try:
            return version("mi-forecast")
        except PackageNotFoundError:
            return "0+unknown"
    if name in GROUPS:
        return import_module(GROUPS[name])
    if name not in EXPORTS:
        raise AttributeError(f"module 'forecast' has no attribute {name!r}")
    return getattr(import_module(EXPORTS[name]), name)


def __dir__() -> list[str]:
    return sorted([*EXPORTS, *GROUPS, "__version__"])
