"""A table of texts for the terminal."""

from collections.abc import Sequence

from rich.table import Table

from reports.text import told

Cells = list[tuple[str, ...]]


def grid(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Return a table of texts; the first column is that of names."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for i, head in enumerate(heads):
        table.add_column(
            told(head), overflow="fold", justify="left", max_width=44 if i == 0 else 30
        )
    for row in rows:
        table.add_row(*(told(cell) if cell.strip() == cell else told(f"- {cell}") for cell in row))
    return table


__all__ = ["Cells", "grid"]
