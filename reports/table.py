"""A table of texts: made once, rendered for the terminal, a page and Markdown.

The page renders it by the macro ``table`` of ``templates/macros.html.j2``.
"""

import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from typing import Any, Self

from reports.words import cell, clean

WIDTH = 100
"""Characters of a line of the terminal."""


@dataclass(frozen=True)
class Table:
    """Heads and cells as texts, with a title and a note that may be empty."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    @classmethod
    def of(
        cls, title: str, columns: Iterable[str], rows: Iterable[Iterable[object]], note: str = ""
    ) -> Self:
        """Return a table of any values, each put in words by :func:`reports.words.cell`."""
        return cls(title, tuple(columns), tuple(tuple(map(cell, row)) for row in rows), note)

    @classmethod
    def by_column(
        cls,
        title: str,
        columns: Mapping[str, Callable[[Any], object]],
        rows: Iterable[Any],
        note: str = "",
    ) -> Self:
        """Return a table whose columns are functions of a row, by head.

        A blank at its end tells a head from an equal one, and is not shown.
        """
        cells = ([function(row) for function in columns.values()] for row in rows)
        return cls.of(title, map(str.rstrip, columns), cells, note)

    def first(self, columns: int) -> Self:
        """Return the table with its first columns alone."""
        rows = tuple(row[:columns] for row in self.rows)
        return replace(self, columns=self.columns[:columns], rows=rows)

    def markdown(self) -> list[str]:
        """Return the lines of the table in Markdown, without title and note."""
        lines = [[column or " " for column in self.columns], *self.rows]
        first, *others = (f"| {' | '.join(map(escaped, line))} |" for line in lines)
        return [first, "|---" * len(self.columns) + "|", *others]

    def text(self, *, widths: Sequence[int] = (), colour: bool = False) -> str:
        """Return title, note and table for the terminal, at most 100 wide.

        Parameters
        ----------
        widths
            Of the columns, so that tables below each other stand in line; by their content if
            there are none.
        colour
            Whether to mark heads by the terminal's colours.
        """
        from rich.console import Console
        from rich.table import Table as Grid
        from rich.text import Text

        grid = Grid(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
        for i, column in enumerate(self.columns):
            width = widths[i] if widths else None
            grid.add_column(Text(clean(column)), width=width, max_width=44, overflow="fold")
        for row in self.rows:
            grid.add_row(*(Text(indent(text) + clean(text)) for text in row))
        console = Console(
            file=StringIO(),
            width=WIDTH,
            color_system="standard" if colour else None,
            force_terminal=colour,
            emoji=False,
        )
        with console.capture() as capture:
            for text, look in ((self.title, "bold"), (self.note, "")):
                if text:
                    console.print(Text(clean(text), style=look))
            console.print(grid)
        return "\n".join(line.rstrip() for line in capture.get().splitlines())


def escaped(text: str) -> str:
    """Return text that fits into a cell of Markdown: one line, without a bare bar."""
    return text if text == " " else " ".join(text.split()).replace("|", "\\|")


def indent(text: str) -> str:
    """Return the blanks that a cell begins with."""
    return " " * (len(text) - len(text.lstrip(" ")))


def wrapped(line: str) -> str:
    """Return a line as a paragraph of lines of at most 100 characters."""
    if len(line) <= WIDTH:
        return line.rstrip()
    return textwrap.fill(line, WIDTH, break_on_hyphens=False)
