"""Analyses of a run that lie beside it, for its page."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from forecast.folder import read_json, read_manifest
from models.errors import InputError
from models.quantities import HEADLINE

TIGHT = 1e-9
"""Relative difference of two means of the same draws, as JSON holds them."""


def sensitivity_of(beside: Path, name: str, *, context: Mapping[str, Any]) -> Path | None:
    """Return the folder of a finished sensitivity analysis of the strict headline, if there is one.

    Parameters
    ----------
    beside
        Folder of runs.
    name
        That of the run's folder.
    context
        What the run found. The analysis has to be of the same draws: of its code, with its mean. A
        damaged one, or one of other draws, is as good as none.
    """
    folder, target = beside / f"sensitivity-{name}", HEADLINE[0]
    try:
        made, told = read_manifest(folder) or {}, read_json(folder / "sensitivity.json")
        own, found = context["headline"]["quantities"][target]["mean"], told["headline"]["mean"]
        same = (told["run"], told["target"]) == (name, target)
        same = same and made["code_hash"] == context["manifest"]["code_hash"]
        return folder if same and abs(found - own) <= TIGHT * abs(own) else None
    except (OSError, InputError, LookupError, TypeError):
        return None
