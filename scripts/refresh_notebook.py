"""Execute docs/example.ipynb once, in this checkout, and store what it shows.

Example: ``.venv/bin/python scripts/refresh_notebook.py``, after `forecast run default`: the run in
``runs/`` is found again, so nothing is sampled. The notebook keeps the hash of its forecast, by
which a test tells whether it is of the one that ships.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from scripts.refresh_docs import shipped_identity  # noqa: E402 (this checkout)

NOTEBOOK = ROOT / "docs" / "example.ipynb"
KEY = "forecast"
"""Entry of the notebook's metadata that holds the hash."""


def main() -> None:
    """Execute the notebook where ``runs/`` lies, and write it without what differs by machine."""
    import nbformat
    from nbclient import NotebookClient

    book = nbformat.read(NOTEBOOK, as_version=4)
    resources = {"metadata": {"path": str(ROOT)}}
    NotebookClient(book, timeout=900, kernel_name="python3", resources=resources).execute()
    for cell in book.cells:
        cell.metadata.clear()
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("text/plain", None)
    book.metadata.pop("language_info", None)
    book.metadata[KEY] = shipped_identity("headline")
    NOTEBOOK.write_text(nbformat.writes(book) + "\n", encoding="utf-8", newline="\n")
    print(f"executed: {NOTEBOOK.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
