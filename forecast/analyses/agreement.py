r"""How far raters agree, and how a fitted model reads each of them.

Krippendorff's alpha is one less observed over expected disagreement over all raters of a work at
once, ordinal for levels and nominal for yes or no (Krippendorff 2011,
repository.upenn.edu/asc_papers/43); missing answers are allowed. Cohen's kappa is by pair, with
linear weights for levels. Both take agreement for quality; the model does not, since raters of one
kind share a misreading. Its own table gives the probability that rater r answers y about a work
that truly is k,

.. math:: P(y \mid k) = \sum_{k'} S[k, k']\, C_r[k', y],

the mean over draws of :mod:`models.ratings.formula`, with the halo off.
"""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, Literal

import numpy as np

from forecast.evidence.load import Tables, rater_kinds
from models.dims import COLUMNS, LEVELS
from models.errors import InputError

ANSWERS = ("level", "tracks", "cap_use", "ali_use")
Row = dict[str, Any]


def agreement_of(tables: Tables, *, run: Any = None) -> dict[str, Any]:
    """Return alpha, kappa and, of a finished run, how its model reads each rater.

    Raises
    ------
    InputError
        If fewer than two raters rated anything.
    """
    kappa = kappa_rows(tables)
    if not kappa:
        raise InputError(f"{tables.folder}: fewer than two raters rated anything")
    result = {"schema": 1, "alpha": alpha_rows(tables), "kappa": kappa}
    return result if run is None else result | {"confusion": confusion_of(run)}


def answers_of(tables: Tables) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
    """Return the raters, and their answers by column; dims (rater, work), NaN where missing."""
    ratings = tables.ratings
    raters = tuple(ratings.distinct("rater"))
    cells = ratings.places("rater", raters), ratings.places("work", tables.works.text("work"))
    answers = {}
    for name in ANSWERS:
        codes = ratings.whole(name)
        answers[name] = np.full((len(raters), len(tables.works)), np.nan)
        answers[name][cells] = np.where(codes < 0, np.nan, codes)
    return raters, answers


def alpha(answers: np.ndarray, *, column: str) -> float:
    """Return Krippendorff's alpha of answers with dims (rater, work); NaN where there is none.

    It has none without a work that two rated, or where all answers are the same.
    """
    import krippendorff

    twice = answers[:, (~np.isnan(answers)).sum(axis=0) > 1]
    if len(np.unique(twice[~np.isnan(twice)])) < 2:
        return float("nan")
    level: Literal["ordinal", "nominal"] = "ordinal" if column == "level" else "nominal"
    return float(krippendorff.alpha(reliability_data=twice, level_of_measurement=level))


def alpha_rows(tables: Tables) -> list[Row]:
    """Return alpha by column, of all raters and of each kind that has two."""
    raters, answers = answers_of(tables)
    kinds = rater_kinds(tables)
    groups = {"all": list(range(len(raters)))}
    for kind in sorted({kinds[name] for name in raters}):
        groups[kind] = [i for i, name in enumerate(raters) if kinds[name] == kind]
    if len(groups) == 2:
        groups.pop("all")  # the same raters as those of the one kind
    return [
        {"raters": kind, "n": len(members)}
        | {name: alpha(answers[name][members], column=name) for name in ANSWERS}
        for kind, members in groups.items()
        if len(members) > 1
    ]


def kappa_rows(tables: Tables) -> list[Row]:
    """Return kappa of each pair of raters by column, and the number of works that both rated."""
    from forecast.analyses.predictive import kappa

    raters, answers = answers_of(tables)
    rows = []
    for i, j in combinations(range(len(raters)), 2):
        both = ~np.isnan(answers["level"][[i, j]]).any(axis=0)
        row: Row = {"a": raters[i], "b": raters[j], "works": int(both.sum())}
        for name in ANSWERS:
            n = len(LEVELS) if name == "level" else 2
            a, b = (np.nan_to_num(answers[name][k], nan=n).astype(int)[None] for k in (i, j))
            row[name] = float(kappa(a, b, n=n)[0])
        rows.append(row)
    return rows


def confusion_rows(terms: Mapping[str, np.ndarray], *, kind_of: Sequence[int]) -> Row:
    """Return how the model reads each rater, the mean over draws.

    Parameters
    ----------
    terms
        As of :func:`models.ratings.formula.terms`.
    kind_of
        Index of each rater's kind.

    Returns
    -------
    dict
        ``level``, dims (rater, true level, answer); and by column of :data:`models.dims.COLUMNS`,
        dims (rater, 2): the chance of a yes where the thing is absent, and where it is there.
    """
    from models.ops import NumPy
    from models.ratings.formula import level_kernel

    scale, kinds = terms["shared_scale"], list(kind_of)
    shared = level_kernel(NumPy, lean=scale * 0.0, scale=scale, slip=terms["shared_slip"])
    own = level_kernel(NumPy, **{name: terms[name] for name in ("lean", "scale", "slip")})
    rows: Row = {"level": (shared[:, kinds] @ own).mean(axis=0)}
    for c, name in enumerate(COLUMNS):
        sensitivity, specificity = (terms[key][..., c] for key in ("sensitivity", "specificity"))
        yes = []
        for reads in (1.0 - terms["shared_specificity"], terms["shared_sensitivity"]):
            seen = reads[:, kinds, c]
            yes.append((seen * sensitivity + (1.0 - seen) * (1.0 - specificity)).mean(axis=0))
        rows[name] = np.stack(yes, axis=-1)
    return rows


def confusion_of(run: Any) -> Row:
    """Return the raters of a finished run, and how its model reads each of them."""
    from forecast.inference.forward import all_draws
    from forecast.runs.open import fit_of
    from models.ops import NumPy
    from models.ratings.formula import terms

    fit = fit_of(run)
    structure = fit.compiled.structure
    rows = confusion_rows(terms(NumPy, all_draws(fit, fit.case)), kind_of=structure.kind_of)
    return {"raters": list(structure.raters)} | {name: x.tolist() for name, x in rows.items()}
