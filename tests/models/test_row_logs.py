"""Log probabilities of rows, pattern by pattern, against the formula of each row."""

from dataclasses import replace

import numpy as np
import pytest

from models.components.states import cell_states
from models.ops import NumPy
from models.ratings.formula import TERMS, row_logp, row_logs
from models.terms import terms_from_draws

ROWS, CELLS = 40, 5


def evidence(structure, seed):
    """Cells and rows of answers, some missing, with patterns that rows and cells share."""
    rng, r = np.random.default_rng(seed), len(structure.raters)
    cells = {
        "agenda": rng.integers(0, len(structure.agendas), CELLS),
        "year": rng.integers(0, 12, CELLS),
        "purposive": np.arange(CELLS) % 2 / 1.0,
        "age": rng.uniform(0.5, 10.0, CELLS),
    }
    codes = [rng.integers(0, 9, (ROWS, r)), rng.integers(0, 3, (ROWS, 3 * r))]
    codes = np.concatenate([*codes, rng.integers(0, 4, (ROWS, 2 * r))], axis=1)
    codes[10:14], codes[14:20, r:] = codes[2], codes[2, r:]
    return cells, {"value": codes, "cell": rng.integers(0, CELLS, ROWS)}


@pytest.mark.parametrize("link", ["logit", "probit"])
@pytest.mark.parametrize("seed", range(3))
def test_rows_are_those_of_the_formulas(draws, structure, link, seed):
    linked = replace(structure, link=link)
    cells, rows = evidence(linked, seed)
    parts = terms_from_draws(draws)
    state, unused = cell_states(NumPy, parts, cells, link=link)
    terms = (parts["raters"][name] for name in TERMS)
    expected = row_logp(
        NumPy, rows["value"], state, *unused, *terms, rows["cell"], kind_of=linked.kind_of
    )
    logs = row_logs(parts["raters"], state, unused, rows=rows, kind_of=linked.kind_of)
    np.testing.assert_allclose(logs, expected, rtol=1e-12, atol=1e-12)
    assert np.ptp(logs) > 1.0


def test_no_rows_give_none(draws, structure):
    cells, rows = evidence(structure, 0)
    none = {name: x[:0] for name, x in rows.items()}
    parts = terms_from_draws(draws)
    state, unused = cell_states(NumPy, parts, cells, link=structure.link)
    logs = row_logs(parts["raters"], state, unused, rows=none, kind_of=structure.kind_of)
    assert logs.shape == (len(draws["use_rate"]), 0)
