"""What all row types of the evidence tables share."""

from itertools import pairwise

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

from forecast.columns.cells import Key, Text, Verified


def misfit(column: str, remedy: str) -> PydanticCustomError:
    """Return the error of a row whose cells contradict each other, told at ``column``."""
    return PydanticCustomError("row", "{remedy}", {"column": column, "remedy": remedy})


class Row(BaseModel):
    """A line of a table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def rising(self, *columns: str) -> None:
        """Refuse values that fall from one of ``columns`` to a later one; empty cells pass."""
        given = [(name, getattr(self, name)) for name in columns if getattr(self, name) is not None]
        for (lower, small), (upper, large) in pairwise(given):
            if small > large:
                raise misfit(upper, f"{lower} is {small:g}: give at least that")

    def needs(self, *columns: str, why: str) -> None:
        """Refuse an empty cell in any of ``columns``."""
        for column in columns:
            if getattr(self, column) is None:
                raise misfit(column, f"fill it in: {why}")


class Judged(Row):
    """A row with an id of its own, and what to think of it."""

    row: Key
    verified: Verified
    reason: Text | None


class Cited(Judged):
    """A judged row that names its source."""

    source: Key
