"""Row types of the tables of figures: people, papers, faults, diagnoses, forecasts, surveys."""

from typing import Literal, Self

from pydantic import model_validator

from forecast.columns.cells import (
    Count,
    Date,
    Key,
    Level,
    People,
    Probability,
    Size,
    SoftUse,
    Text,
    Use,
    Verified,
    World,
    Year,
)
from forecast.columns.row import Cited, Row, misfit


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
        found = sum(x or 0 for x in worlds) + self.mixed + self.other
        if found != self.total:
            raise misfit("total", f"the cells sum to {found}: give that, or mend a cell")
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
