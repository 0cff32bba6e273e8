"""The row type of each evidence table, and what a cell may hold.

Field names are column names; a field with a default is a column that a file may lack. A cell type
is a parser behind a type name that mypy understands. Cells come as text without surrounding blanks;
an empty cell comes as None and is refused unless the type is ``X | None``. A row type judges its
own row; what takes several rows or tables is in :mod:`forecast.evidence.checks`. The meaning, unit
and source of every column: ``evidence/README.md``.
"""

import math
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator
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


def misfit(column: str, remedy: str) -> PydanticCustomError:
    """Return the error of a row whose cells contradict each other, placed at ``column``."""
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


class Source(Row):
    """sources.csv: where figures come from."""

    source: Key
    title: Text
    authors: Text | None
    year: Year | None
    where: Text | None
    note: Text | None
    tables: Text | None


class Agenda(Row):
    """agendas.csv: lines of research, each in one family."""

    agenda: Key
    family: Key
    name: Text
    description: Text | None


class Work(Row):
    """works.csv: works of interpretability, described for the raters."""

    work: Key
    title: Text
    year: Year
    month: Month | None
    venue_or_id: Text | None
    agenda: Key
    selection: Literal["sampled", "purposive"]
    gist: Text | None
    verified: Verified


class Rater(Row):
    """raters.csv: who rated; raters of one kind share part of their error."""

    rater: Key
    kind: Literal["language-model", "human"]
    note: Text | None


class Rating(Row):
    """ratings.csv: one work as one rater sees it; an empty cell is a missing answer."""

    work: Key
    rater: Key
    level: Level | None
    tracks: Binary | None
    cap_use: Binary | None
    ali_use: Binary | None
    confidence: Confidence | None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if all(x is None for x in (self.level, self.tracks, self.cap_use, self.ali_use)):
            raise misfit("level", "rate at least one of level, tracks, cap_use, ali_use")
        return self


class UseDate(Row):
    """uses.csv: own use and first separate use of a work on one side, as one rater dates them."""

    work: Key
    rater: Key
    side: Literal["cap", "ali"]
    own: Binary
    other: Binary
    first_year: Year | None
    confidence: Confidence | None
    by: Text | None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.other:
            self.needs("first_year", why="other is 1, so name the year of that use")
        elif self.first_year is not None:
            raise misfit("first_year", "other is 0: leave it empty, or set other to 1")
        return self


class Milestone(Row):
    """milestones.csv: feats on the ladder, and the work that reached each."""

    milestone: Key
    level: Level
    name: Text
    definition: Text
    reached: Year | None
    work: Key | None
    note: Text | None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.work is not None:
            self.needs("reached", why="a work is named")
        return self


class _DatedUse(Judged):
    """A documented use of one work by another, ``lag`` whole years later."""

    mi_work: Key
    mi_year: Year
    kind: Key
    how: Text | None
    same_work: YesNo
    lag: Lag
    use: Use

    def _check_lag(self, used: int) -> None:
        if used - self.mi_year != self.lag:
            raise misfit("lag", f"the years are {used - self.mi_year} apart: mend one of the three")
        if self.same_work and self.use == "fit":
            raise misfit("use", "same_work is yes: only a separate use may be fit; use compare")


class Spillover(_DatedUse):
    """spillovers.csv: a documented use by capabilities work."""

    capability_work: Text
    capability_year: Year

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._check_lag(self.capability_year)
        return self


class AlignmentUse(_DatedUse):
    """alignment_uses.csv: a documented use by alignment work."""

    alignment_work: Text
    alignment_year: Year

    @model_validator(mode="after")
    def _check(self) -> Self:
        self._check_lag(self.alignment_year)
        return self


class Workers(Cited):
    """workers.csv: people in a group in a year, in numbers of people."""

    year: Year
    group: Literal["alignment", "capabilities", "interpretability"]
    low: People | None
    central: People | None
    high: People | None
    unit: Literal["fte", "headcount"]
    scope: Text | None
    definition: Key
    kind: Literal["interval", "point", "upper", "lower"]
    use: Use

    @model_validator(mode="after")
    def _check(self) -> Self:
        read = {
            "interval": ("low", "high"),
            "point": ("central",),
            "upper": ("high",),
            "lower": ("low",),
        }[self.kind]
        self.needs(*read, why=f"kind is {self.kind}")
        self.rising("low", "central", "high")
        return self


class AgendaFte(Cited):
    """agenda_fte.csv: full-time equivalents on an agenda; no ``high`` means open-ended."""

    year: Year
    agenda: Key
    low: People
    high: People | None
    use: Use

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.rising("low", "high")
        return self


class PaperCount(Cited):
    """paper_counts.csv: papers or other outputs of a field."""

    year: Year
    series: Literal["all-ai", "ai-safety", "interpretability", "mechanistic-interpretability"]
    count: Count
    scope: Text | None
    definition: Key
    use: Use


class FaultCount(Row):
    """fault_counts.csv: faults of a study by world; an empty cell cannot be told apart there."""

    study: Key
    domain: Literal["dl", "rl"]
    no_learning: Count | None
    wrong_code: Count | None
    learned_representation: Count | None
    mixed: Count
    other: Count
    observable: Text
    total: Count
    source: Key

    @model_validator(mode="after")
    def _check(self) -> Self:
        for column in ("no_learning", "wrong_code", "learned_representation"):
            seen = column.replace("_", "-") in self.observable.split("+")
            if seen:
                self.needs(column, why="observable names this world")
            elif getattr(self, column) is not None:
                raise misfit(column, "observable does not name this world: leave it empty")
        worlds = (self.no_learning, self.wrong_code, self.learned_representation)
        cells = sum(x or 0 for x in worlds) + self.mixed + self.other
        if cells != self.total:
            raise misfit("total", f"the cells sum to {cells}: give that, or mend a cell")
        return self


class Fault(Cited):
    """faults.csv: one category of faults in one study."""

    study: Key
    year: Year | None
    domain: Literal["dl", "rl"]
    category: Text
    world: Literal[World, "other"]
    count: Count | None
    total: Count | None
    mapping_note: Text | None
    observable: Text | None
    cell: Literal[World, "mixed", "other"] | None
    use: Use

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.rising("count", "total")
        if self.use == "fit":
            self.needs("count", "total", "cell", why="use is fit")
        return self


class Diagnosis(Cited):
    """diagnosis.csv: faults that a tool found, of those it was given."""

    study: Key
    year: Year | None
    tool: Text
    world: World
    found: Count | None
    total: Count | None
    task: Literal["detect", "locate", "explain", "repair"]
    tool_id: Key
    setting: Literal["benchmark", "production"] = "benchmark"
    use: Use

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.rising("found", "total")
        if self.use == "fit":
            self.needs("found", "total", why="use is fit")
        return self


class Forecast(Cited):
    """forecasts.csv: what others said about a level by a date."""

    forecast: Key
    forecaster: Text
    date: Date | None
    quantity: Text
    level: Level | None
    by_year: Year | None
    probability: Probability | None
    low: Probability | None
    high: Probability | None
    kind: Literal["survey", "market", "organisation", "individual"]
    n: Count | None
    stance: Literal["sceptical", "neutral", "hopeful"] | None
    cluster: Key
    relation: Literal["stricter", "proxy", "other"]
    use: SoftUse

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.rising("low", "probability", "high")
        if self.use == "soft":
            self.needs("level", "by_year", why="use is soft")
            if self.probability is None:
                self.needs("low", "high", why="use is soft and probability is empty")
        return self


class ImpactStudy(Row):
    """impact_studies.csv: published figures on motives and reach; shown, never fitted."""

    study: Key
    year: Year | None
    quantity: Text
    count: Size | None
    total: Size | None
    note: Text | None
    source: Key
    verified: Verified

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.rising("count", "total")
        return self


ROWS: dict[str, type[Row]] = {
    "sources": Source,
    "agendas": Agenda,
    "works": Work,
    "raters": Rater,
    "ratings": Rating,
    "uses": UseDate,
    "workers": Workers,
    "agenda_fte": AgendaFte,
    "paper_counts": PaperCount,
    "fault_counts": FaultCount,
    "faults": Fault,
    "diagnosis": Diagnosis,
    "forecasts": Forecast,
    "impact_studies": ImpactStudy,
    "milestones": Milestone,
    "spillovers": Spillover,
    "alignment_uses": AlignmentUse,
}
"""Each table's row type, by the name of its file."""

KEYS: dict[str, tuple[str, ...]] = {
    "sources": ("source",),
    "agendas": ("agenda",),
    "works": ("work",),
    "raters": ("rater",),
    "ratings": ("work", "rater"),
    "uses": ("work", "side", "rater"),
    "fault_counts": ("study",),
    "impact_studies": ("study", "quantity"),
    "milestones": ("milestone",),
}
"""The columns that name a row; ``row`` for every other table."""
