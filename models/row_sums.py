"""Log probability of each row of ratings, by draw, at speed.

What a row's answers say is computed once for each pattern on the level and each pattern of the rest
(:mod:`models.ratings.formula`), and the states of its cell are summed by compiled code.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.components.states import cell_states
from models.dims import Structure
from models.ops import NumPy
from models.priors import Array
from models.ratings.formula import FLOOR, TERMS, answer_terms, columns_of, patterns


def row_logs(
    parts: Mapping[str, Any],
    cells: Mapping[str, Any],
    *,
    rows: Mapping[str, Array],
    structure: Structure,
) -> Array:
    """Return the log probability of each row, dims (draw, row).

    Parameters
    ----------
    parts
        Terms of the sub-models, with a leading draw axis.
    cells, rows
        Columns of the cells and of the distinct rows of answers.
    structure
        Raters, their kinds, and the link.
    """
    from models.row_kernel import Answers, Cells, Places, chances

    n = len(structure.raters)
    codes = np.asarray(rows["value"], dtype=np.int64)
    level_first, level = patterns(codes[:, :n])
    rest_first, rest = patterns(codes[:, n:])
    terms = {name: parts["raters"][name] for name in TERMS}
    on_level = _answers(terms, codes[level_first], structure=structure)["level"]
    others = _answers(terms, codes[rest_first], structure=structure)
    of_rest = (others[name] for name in ("tracking", "capabilities", "alignment"))
    state, unused = cell_states(NumPy, parts, cells, link=structure.link)
    at = Places(*(np.asarray(x, dtype=np.int64) for x in (rows["cell"], level, rest)))
    p = chances(Cells(*_plain(state, *unused)), Answers(*_plain(on_level, *of_rest)), at)
    return np.asarray(np.log(p + FLOOR))


def _answers(terms: Mapping[str, Array], codes: Any, *, structure: Structure) -> dict[str, Array]:
    """Return what :func:`models.ratings.formula.answer_terms` says of some rows."""
    columns = columns_of(codes, len(structure.raters))
    return answer_terms(NumPy, terms, columns, kind_of=structure.kind_of)


def _plain(*arrays: Array) -> tuple[Array, ...]:
    return tuple(np.ascontiguousarray(x, dtype=float) for x in arrays)
