"""What a finished run looks like: figures, one offline page, and text for the terminal.

The four functions load on first use, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import Any

EXPORTS = {
    "write_figures": "reports.figures",
    "write_page": "reports.page",
    "terminal_table": "reports.run",
    "work_text": "reports.run",
}
"""Public names, and the module of each."""


def __getattr__(name: str) -> Any:
    if name not in EXPORTS:
        raise AttributeError(f"module 'reports' has no attribute {name!r}")
    return getattr(import_module(EXPORTS[name]), name)


def __dir__() -> list[str]:
    return sorted(EXPORTS)
