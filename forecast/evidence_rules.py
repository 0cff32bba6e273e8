"""What must hold between rows and between tables: unique ids, references, dates, sums."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches

from forecast.csv_files import CellFault, Sheet
from forecast.faults import MOST_SHOWN
from forecast.tables import KEYS, ROWS

Sheets = Mapping[str, Sheet]

REFERENCES = (
    ("works", "agenda", "agendas"),
    ("agenda_fte", "agenda", "agendas"),
    ("ratings", "work", "works"),
    ("uses", "work", "works"),
    ("spillovers", "mi_work", "works"),
    ("alignment_uses", "mi_work", "works"),
    ("milestones", "work", "works"),
    *((name, "source", "sources") for name in ROWS if "source" in ROWS[name].model_fields),
)
"""Table, column, and the table whose key the column holds."""


def rule_faults(sheets: Sheets) -> Iterator[CellFault]:
    """Yield every fault that shows only when rows are seen together."""
    for rule in RULES:
        yield from rule(sheets)


def _unique_keys(sheets: Sheets) -> Iterator[CellFault]:
    """Yield rows whose key stood before; ids in ``row`` are unique over all tables."""
    ids: dict[str, str] = {}
    for name, sheet in sheets.items():
        seen = ids if name not in KEYS else {}
        columns = KEYS.get(name, ("row",))
        for at, cells in enumerate(sheet.cells):
            parts = [cells.get(column) for column in columns]
            if not all(parts):
                continue
            key = "/".join(map(str, parts))
            place = f"{name}.csv row {sheet.lines[at]}"
            if key in seen:
                remedy = f"give it another id, or delete one: {seen[key]} has it too"
                yield sheet.fault(at, columns[-1], remedy=remedy)
            seen.setdefault(key, place)


def _references(sheets: Sheets) -> Iterator[CellFault]:
    """Yield keys that their home table does not hold; ``use`` none frees a row's agenda."""
    homes = {
        name: {cells.get(KEYS[name][0]) or "" for cells in sheets[name].cells}
        for name in ("agendas", "works", "sources")
    }
    hints = MOST_SHOWN  # a search for near misses is slow
    for name, column, home in REFERENCES:
        if name == home:
            continue
        for at, cells in enumerate(sheets[name].cells):
            free = name == "agenda_fte" and column == "agenda" and cells.get("use") == "none"
            if (given := cells.get(column)) and not free and given not in homes[home]:
                near = get_close_matches(given, homes[home], 1, 0.8) if hints > 0 else []
                hints -= 1
                hint = f"did you mean {near[0]!r}? Else " if near else ""
                yield sheets[name].fault(
                    at, column, remedy=f"{hint}add it to {home}.csv, or correct it"
                )


def _joined_words(sheets: Sheets) -> Iterator[CellFault]:
    """Yield lists joined by '+' that hold an unknown word."""
    worlds = {"no-learning", "wrong-code", "learned-representation"}
    known = {"sources": ("tables", set(ROWS))}
    known |= dict.fromkeys(("faults", "fault_counts"), ("observable", worlds))
    for name, (column, words) in known.items():
        for at, cells in enumerate(sheets[name].cells):
            given = cells.get(column)
            if given and not set(given.split("+")) <= words:
                yield sheets[name].fault(
                    at, column, remedy=f"join with '+': {', '.join(sorted(words))}"
                )


def _some_agenda(sheets: Sheets) -> Iterator[CellFault]:
    """Yield a fault if there is no agenda: every forecast is made of agendas."""
    if not sheets["agendas"].cells:
        yield CellFault("agendas.csv", 0, "", "", "no agenda", "give at least one")


def _years(sheets: Sheets) -> Iterator[CellFault]:
    """Yield uses before their work, and copies of a work's year that differ from it."""
    years = {row.work: row.year for _, row in sheets["works"].good()}
    for at, row in sheets["uses"].good():
        year = years.get(row.work)
        if year and row.first_year and row.first_year < year:
            yield sheets["uses"].fault(
                at, "first_year", remedy=f"the work is of {year}: not before"
            )
    for name in ("spillovers", "alignment_uses"):
        for at, row in sheets[name].good():
            year = years.get(row.mi_work)
            if year and row.mi_year != year:
                remedy = f"works.csv has {year}: make them equal"
                yield sheets[name].fault(at, "mi_year", remedy=remedy)


def _fit_once(sheets: Sheets) -> Iterator[CellFault]:
    """Yield second fit rows for the same event: a use of one work, a tool at one task."""
    events = {
        "spillovers": ("mi_work",),
        "alignment_uses": ("mi_work",),
        "diagnosis": ("tool_id", "world", "task"),
    }
    for name, columns in events.items():
        first: dict[tuple[str, ...], int] = {}
        for at, row in sheets[name].good():
            if row.use != "fit":
                continue
            event = tuple(getattr(row, column) for column in columns)
            line = first.setdefault(event, sheets[name].lines[at])
            if line != sheets[name].lines[at]:
                remedy = f"row {line} is the fit row of {', '.join(event)}: use compare"
                yield sheets[name].fault(at, "use", remedy=remedy)


def _sums(sheets: Sheets) -> Iterator[CellFault]:
    """Yield fault counts that are not the sums of the fit rows of their study."""
    faults, counts = sheets["faults"], sheets["fault_counts"]
    if faults.faults or not faults.cells or not counts.cells:
        return
    sums: dict[str, Counter[str]] = {}
    studies = {cells.get("study") for cells in counts.cells}
    for at, row in faults.good():
        if row.use == "fit":
            sums.setdefault(row.study, Counter())[row.cell] += row.count
            if row.study not in studies:
                yield faults.fault(
                    at, "study", remedy="sum its fit rows in a line of fault_counts.csv"
                )
    for at, row in counts.good():
        for column in ("no_learning", "wrong_code", "learned_representation", "mixed", "other"):
            total = sums.get(row.study, Counter())[column.replace("_", "-")]
            if row.study in sums and (getattr(row, column) or 0) != total:
                remedy = f"the fit rows of faults.csv sum to {total}: make them equal"
                yield counts.fault(at, column, remedy=remedy)


RULES: tuple[Callable[[Sheets], Iterator[CellFault]], ...] = (
    _unique_keys,
    _references,
    _joined_words,
    _some_agenda,
    _years,
    _fit_once,
    _sums,
)
