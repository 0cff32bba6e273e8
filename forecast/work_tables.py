"""Row types of the tables about works: what they are, how they were rated, who used them."""

from typing import Literal, Self

from pydantic import model_validator

from forecast.columns.cells import (
    Binary,
    Confidence,
    Key,
    Lag,
    Level,
    Month,
    Text,
    Use,
    Verified,
    Year,
    YesNo,
)
from forecast.columns.row import Judged, Row, misfit


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
