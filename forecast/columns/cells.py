"""What one cell of an evidence table may hold: its type, its range, and the remedy if it is wrong.

A type here is a parser behind a type name that mypy understands. Cells come as text without
surrounding blanks; an empty cell comes as None and is refused unless the type is ``X | None``.
"""

import math
import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError

KEY_PATTERN = "[A-Za-z0-9][A-Za-z0-9._-]{0,79}"
"""What an id may look like."""
_KEY = re.compile(KEY_PATTERN)
_WHOLE = re.compile(r"-?[0-9]{1,15}(\.0*)?")
_NUMBER = re.compile(r"-?([0-9]{1,15}(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_DATE = re.compile(r"(19[5-9][0-9]|20[0-9]{2})(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?")
# Besides the control characters, those that turn the direction of text on a page.
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
MAX_TEXT = 5000


def refuse(remedy: str) -> PydanticCustomError:
    """Return the error that says how to mend a cell."""
    return PydanticCustomError("cell", "{remedy}", {"remedy": remedy})


@dataclass(frozen=True)
class Whole:
    """Parse a whole number from ``low`` to ``high``; ``7.0``, as pandas writes it, is whole."""

    low: int
    high: int

    def __call__(self, value: object) -> int:
        """Return the number, or raise with the remedy."""
        text = str(value)
        if _WHOLE.fullmatch(text) and self.low <= int(text.split(".")[0]) <= self.high:
            return int(text.split(".")[0])
        if self.high - self.low == 1:
            raise refuse(f"give {self.low} or {self.high}")
        raise refuse(f"give a whole number from {self.low} to {self.high}")


@dataclass(frozen=True)
class Number:
    """Parse a finite number from ``low`` to ``high``; with ``above``, ``low`` itself is refused."""

    low: float
    high: float
    above: bool = False

    def __call__(self, value: object) -> float:
        """Return the number, or raise with the remedy."""
        number = float(str(value)) if _NUMBER.fullmatch(str(value)) else math.nan
        if self.low <= number <= self.high and not (self.above and number == self.low):
            return number
        low = f"above {self.low:.0f}" if self.above else f"of at least {self.low:.0f}"
        raise refuse(f"give a number {low} and at most {self.high:.0f}, in digits and '.' only")


def key(value: object) -> str:
    """Return an id that is safe in a path, a spreadsheet and a terminal."""
    if value is None:
        raise refuse("fill it in")
    if _KEY.fullmatch(str(value)):
        return str(value)
    raise refuse("use 1 to 80 letters, digits, '-', '_' or '.', with a letter or digit first")


def text(value: object) -> str:
    """Return free text without hidden characters."""
    if value is None:
        raise refuse("fill it in")
    if _HIDDEN.search(str(value)):
        raise refuse("remove the control character")
    if len(str(value)) > MAX_TEXT:
        raise refuse(f"shorten it to {MAX_TEXT} characters; is a closing quote missing?")
    return str(value)


def date(value: object) -> str:
    """Return a date to the year, month or day."""
    if _DATE.fullmatch(str(value)):
        return str(value)
    raise refuse("give YYYY, YYYY-MM or YYYY-MM-DD")


def yes_no(value: object) -> bool:
    """Return True for ``yes`` and False for ``no``."""
    if isinstance(value, bool):
        return value
    if value in {"yes", "no"}:
        return value == "yes"
    raise refuse("write yes or no")


Key = Annotated[str, BeforeValidator(key)]
Text = Annotated[str, BeforeValidator(text)]
Date = Annotated[str, BeforeValidator(date)]
YesNo = Annotated[bool, BeforeValidator(yes_no)]
Year = Annotated[int, BeforeValidator(Whole(1950, 2100))]
Month = Annotated[int, BeforeValidator(Whole(1, 12))]
Level = Annotated[int, BeforeValidator(Whole(0, 7))]
Binary = Annotated[int, BeforeValidator(Whole(0, 1))]
Confidence = Annotated[int, BeforeValidator(Whole(1, 3))]
Count = Annotated[int, BeforeValidator(Whole(0, 10**9))]
Lag = Annotated[int, BeforeValidator(Whole(0, 150))]
People = Annotated[float, BeforeValidator(Number(0, 1e10, above=True))]
Size = Annotated[float, BeforeValidator(Number(0, 1e9))]
Probability = Annotated[float, BeforeValidator(Number(0, 1))]

Use = Literal["fit", "compare", "none"]
SoftUse = Literal["soft", "compare", "none"]
Verified = Literal["yes", "secondary", "no"]
World = Literal["no-learning", "wrong-code", "learned-representation"]
