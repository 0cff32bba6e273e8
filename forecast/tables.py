"""One row type per evidence table: field names are column names, an empty cell is None.

A field with a default is a column that a file may lack. What can be judged within one row is
judged by its type; what takes several rows or tables stands in :mod:`forecast.evidence_rules`.
The meaning, unit and source of every column: ``evidence/README.md``.
"""

from forecast.columns.row import Row
from forecast.count_tables import (
    AgendaFte,
    Diagnosis,
    Fault,
    FaultCount,
    Forecast,
    ImpactStudy,
    PaperCount,
    Workers,
)
from forecast.work_tables import (
    Agenda,
    AlignmentUse,
    Milestone,
    Rater,
    Rating,
    Source,
    Spillover,
    UseDate,
    Work,
)

__all__ = [
    "KEYS",
    "ROWS",
    "Agenda",
    "AgendaFte",
    "AlignmentUse",
    "Diagnosis",
    "Fault",
    "FaultCount",
    "Forecast",
    "ImpactStudy",
    "Milestone",
    "PaperCount",
    "Rater",
    "Rating",
    "Row",
    "Source",
    "Spillover",
    "UseDate",
    "Work",
    "Workers",
]

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
