"""What must hold between rows and between tables: unique ids, references, dates, sums."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from forecast.config.toml import MOST_SHOWN
from forecast.evidence.frame import TEXT, places
from forecast.evidence.sheet import CellFault, Sheet, indices, line_name
from forecast.evidence.tables import KEYS, ROWS

Sheets = Mapping[str, Sheet]
MANY = 5000
"""Keys among which a near miss is looked for without more ado."""
SLASH = pa.scalar("/", TEXT)
LATE = 9999
"""A year after any use, where none is given."""

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
    ids: dict[str, tuple[Sheet, int]] = {}
    for name, sheet in sheets.items():
        columns = KEYS.get(name, ("row",))
        keys = pc.binary_join_element_wise(*(sheet.text(column) for column in columns), SLASH)
        if name in KEYS and pc.count_distinct(keys).as_py() == len(keys) - keys.null_count:
            continue
        seen = ids if name not in KEYS else {}
        for i, key in enumerate(keys.to_pylist()):
            if key is None:
                continue
            if key in seen:
                remedy = f"give it another id, or delete one: {_place(*seen[key])} has it too"
                yield sheet.fault(i, columns[-1], remedy=remedy)
            seen.setdefault(key, (sheet, i))


def _place(sheet: Sheet, i: int) -> str:
    return line_name(sheet.file, sheet.lines[i])


def _references(sheets: Sheets) -> Iterator[CellFault]:
    """Yield keys that their home table does not hold; ``use`` none frees a row's agenda."""
    hints = MOST_SHOWN  # a search for near misses is slow
    for name, column, home in REFERENCES:
        if name == home:
            continue
        sheet, keys = sheets[name], sheets[home].text(KEYS[home][0])
        known = pc.or_kleene(pc.is_in(sheet.text(column), value_set=keys), _empty(sheet, column))
        if name == "agenda_fte" and column == "agenda":
            known = pc.or_(known, pc.fill_null(pc.equal(sheet.text("use"), "none"), False))
        for i in indices(pc.invert(known)):
            near = _near(sheet.text(column)[i].as_py(), keys) if hints > 0 else []
            hints -= 1
            hint = f"did you mean {near[0]!r}? Else " if near else ""
            remedy = f"{hint}add it to {sheets[home].file}, or correct it"
            yield sheet.fault(i, column, remedy=remedy)


def _empty(sheet: Sheet, column: str) -> Any:
    return sheet.text(column).is_null()


def _near(given: str, keys: Any) -> list[str]:
    """Return the near miss; of very many keys only those of the same beginning are tried."""
    if len(keys) > MANY:
        keys = keys.filter(pc.fill_null(pc.starts_with(keys, given[:4]), False)).slice(0, MANY)
    return get_close_matches(given, [key for key in keys.to_pylist() if key], 1, 0.8)


def _joined_words(sheets: Sheets) -> Iterator[CellFault]:
    """Yield lists joined by '+' that hold an unknown word."""
    worlds = {"no-learning", "wrong-code", "learned-representation"}
    known = {"sources": ("tables", set(ROWS))}
    known |= dict.fromkeys(("faults", "fault_counts"), ("observable", worlds))
    for name, (column, words) in known.items():
        for i, given in enumerate(sheets[name].text(column).to_pylist()):
            if given and not set(given.split("+")) <= words:
                yield sheets[name].fault(
                    i, column, remedy=f"join with '+': {', '.join(sorted(words))}"
                )


def _some_agenda(sheets: Sheets) -> Iterator[CellFault]:
    """Yield a fault if there is no agenda: every forecast is made of agendas."""
    if not len(sheets["agendas"]):
        file = sheets["agendas"].file
        yield CellFault(file, 0, "", "", "no agenda", "give at least one")


def _years(sheets: Sheets) -> Iterator[CellFault]:
    """Yield uses before their work, and copies of a work's year that differ from it."""
    works, uses = sheets["works"], sheets["uses"]
    if not works.columns or not uses.columns:  # their header is at fault: no row is typed
        return
    sound = works.rows.take(np.flatnonzero(works.valid))
    year_of = sound.whole("year")
    year = _years_of(uses.rows.text("work"), sound, year_of=year_of)
    first = uses.rows.whole("first_year", missing=LATE)
    for early in np.flatnonzero(uses.valid & (year > 0) & (first < year)):
        remedy = f"the work is of {year[early]}: not before"
        yield uses.fault(int(early), "first_year", remedy=remedy)
    for name in ("spillovers", "alignment_uses"):
        rows = sheets[name].valid_rows()
        years = _years_of(pa.array([row.mi_work for _, row in rows], TEXT), sound, year_of=year_of)
        for (i, row), stated in zip(rows, years, strict=True):
            if stated > 0 and row.mi_year != stated:
                remedy = f"{works.file} has {stated}: make them equal"
                yield sheets[name].fault(i, "mi_year", remedy=remedy)


def _years_of(keys: Any, works: Any, *, year_of: np.ndarray) -> np.ndarray:
    """Return the year of each work named, 0 if it is unknown."""
    return np.append(year_of, 0)[places(keys, works.text("work"))]


def _fit_once(sheets: Sheets) -> Iterator[CellFault]:
    """Yield second fit rows for the same event: a use of one work, a tool at one task."""
    events = {
        "spillovers": ("mi_work",),
        "alignment_uses": ("mi_work",),
        "diagnosis": ("tool_id", "world", "task"),
    }
    for name, columns in events.items():
        first: dict[tuple[str, ...], int] = {}
        for i, row in sheets[name].valid_rows():
            if row.use != "fit":
                continue
            event = tuple(getattr(row, column) for column in columns)
            earlier = first.setdefault(event, i)
            if earlier != i:
                where = _place(sheets[name], earlier)
                remedy = f"{where} is the fit row of {', '.join(event)}: use compare"
                yield sheets[name].fault(i, "use", remedy=remedy)


def _sums(sheets: Sheets) -> Iterator[CellFault]:
    """Yield fault counts that are not the sums of the fit rows of their study."""
    faults, counts = sheets["faults"], sheets["fault_counts"]
    if faults.count or not len(faults) or not len(counts):
        return
    sums: dict[str, Counter[str]] = {}
    studies = set(counts.text("study").to_pylist())
    for i, row in faults.valid_rows():
        if row.use == "fit":
            sums.setdefault(row.study, Counter())[row.cell] += row.count
            if row.study not in studies:
                yield faults.fault(
                    i, "study", remedy="sum its fit rows in a line of fault_counts.csv"
                )
    for i, row in counts.valid_rows():
        for column in ("no_learning", "wrong_code", "learned_representation", "mixed", "other"):
            total = sums.get(row.study, Counter())[column.replace("_", "-")]
            if row.study in sums and (getattr(row, column) or 0) != total:
                remedy = f"the fit rows of faults.csv sum to {total}: make them equal"
                yield counts.fault(i, column, remedy=remedy)


RULES: tuple[Callable[[Sheets], Iterator[CellFault]], ...] = (
    _unique_keys,
    _references,
    _joined_words,
    _some_agenda,
    _years,
    _fit_once,
    _sums,
)
