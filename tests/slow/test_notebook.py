"""The example notebook runs as it stands, with few draws."""

import json
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[2] / "docs" / "example.ipynb"
SMALL = 'OPTIONS = {"draws": 200, "tune": 300, "chains": 2, "report": False}'


@pytest.mark.slow
def test_the_notebook_runs(tmp_path):
    nbformat = pytest.importorskip("nbformat")
    client = pytest.importorskip("nbclient").NotebookClient
    book = nbformat.read(NOTEBOOK, as_version=4)
    first = next(cell for cell in book.cells if cell.cell_type == "code")
    assert first.source.startswith("OPTIONS = {}")
    first.source = SMALL
    where = {"metadata": {"path": str(tmp_path)}}
    client(book, timeout=500, kernel_name="python3", resources=where).execute()
    texts = [o.get("text", "") for cell in book.cells for o in cell.get("outputs", [])]
    assert any("Pareto k" in text for text in texts)
    assert list(tmp_path.glob("runs/default-*/headline.json"))


def test_the_notebook_names_no_place_of_a_machine():
    book = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    assert all(cell.get("outputs") for cell in book["cells"][3::2] if cell["cell_type"] == "code")
    text = json.dumps(book)
    assert not [place for place in ("/home/", "/root/", "/tmp/", "/work/") if place in text]
