"""The section of a run's page on what its answer hangs on, from an analysis beside the run."""

import json
from pathlib import Path
from typing import Any

from reports.sensitivity_tables import power


def section(folder: Path | None) -> dict[str, Any]:
    """Return what the page shows of ``forecast sensitivity``; nothing without its folder.

    Parameters
    ----------
    folder
        Holds ``sensitivity.json`` and ``figures/`` with ``captions.json``.
    """
    if folder is None:
        return {}
    told = json.loads((folder / "sensitivity.json").read_text(encoding="utf-8"))
    captions = json.loads((folder / "figures" / "captions.json").read_text(encoding="utf-8"))
    return {
        "folder": folder,
        "name": folder.name,
        "quick": told["quick"],
        "converged": told["converged"],
        "lines": told["lines"][1:],
        "power": power(told),
        "captions": {one["name"]: one for one in captions},
    }
