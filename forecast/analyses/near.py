"""Near predictions: what this run says of 2027, with rules by which a stranger can resolve it.

Each is a probability or the 5, 50 and 95% quantiles of what the resolver will see, sampling and
rating error included (:mod:`models.near`). Nothing here depends on the question's horizon.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from forecast.case import Case
from forecast.forward import all_draws, future, taken
from forecast.sampling import Fit
from forecast.seeds import stream
from models.near import HORIZON, PER_AGENDA, near_draws

MADE = "2026-11-22"
"""The close of the evidence: the date from which these count."""
MOST = 500
"""Draws used: the standard error of a quantile's probability is then below 0.023."""
TAILS = (0.05, 0.5, 0.95)
SAMPLE = (
    "Sample: on 2028-01-15, for each agenda of agendas.csv, list its works dated 2027 that fit the "
    f"agenda's description (arXiv and the venues of works.csv), order them by the SHA-256 of their "
    f"arXiv or DOI identifier, and take the first {PER_AGENDA}; all, if there are fewer. "
    "Rating: from 2028-05-01 to 2028-06-30 three language models, each alone and in an order of "
    "its own, read title and a gist of at most 30 words and answer level, tracks, cap_use and "
    "ali_use by RUBRIC.md as shipped with this run, uses known by the day of rating. "
)
MAJORITY = "A work counts if at least two of the three say so. "
MEDIAN = "A work's level is the median of the three. "
WORKS = (
    "Works: any public work dated 2027 may be named until 2028-05-31; each is rated as the sample "
    "is, but from its full text. Yes if the median level of one is at least {level}. Not modelled: "
    "a work that raters overrate, or that nobody names. "
)
# id: (quantity, unit, rule, resolves on)
RULES: dict[str, tuple[str, str, str]] = {
    "tracking": ("works of 2027 that track some milestone", "share", SAMPLE + MAJORITY),
    "level-0": ("works of 2027 at level 0", "share", SAMPLE + MEDIAN),
    "level-4": ("works of 2027 at level 4", "share", SAMPLE + MEDIAN),
    "capabilities-use": (
        "works of 2027 with a capabilities use by mid-2028",
        "share",
        SAMPLE + MAJORITY,
    ),
    "alignment-use": (
        "works of 2027 with an alignment use by mid-2028",
        "share",
        SAMPLE + MAJORITY,
    ),
    "no-use": ("works of 2027 with neither use by mid-2028", "share", SAMPLE + MAJORITY),
    "agreement": (
        "agreement of raters on the level of works of 2027",
        "kappa",
        SAMPLE + "Mean over the three pairs of Cohen's kappa with linear weights. ",
    ),
    "level-5-sampled": (
        "a sampled work of 2027 at level 5 or above",
        "probability",
        SAMPLE + MEDIAN + "Yes if any has level 5 or above. ",
    ),
    "more-alignment": (
        "more sampled works of 2027 with an alignment use than with a capabilities use",
        "probability",
        SAMPLE + MAJORITY + "Yes if the first number is strictly larger. ",
    ),
    "alignment-workers": (
        "alignment workers in 2027",
        "people",
        "The first published estimate for 2027 of technical AI safety staff in full-time "
        "equivalents (definition technical-fte of workers.csv: McAleese's series or its "
        "successor), central figure, published by 2028-06-30; void if there is none. ",
    ),
    "interpretability-workers": (
        "mechanistic-interpretability workers in 2027",
        "people",
        "The first published estimate for 2027 of people who work full-time on mechanistic "
        "interpretability in the narrow sense (definition mech-interp of workers.csv), central "
        "figure, published by 2028-06-30; void if there is none. ",
    ),
    "worker-ratio": (
        "capabilities to alignment workers in 2027",
        "ratio",
        "Distinct authors of the papers of 2027 at the 21 conferences of definition author-pool of "
        "workers.csv, over the figure of near-alignment-workers; void without it. ",
    ),
    "list-white-box-outputs": (
        "white-box outputs of 2027 listed by the yearly review of AI safety",
        "works",
        "Distinct links under interpretability (white-box) in the edition of the review "
        "(shallow-review of sources.csv) that covers December 2026 to November 2027; void if there "
        "is no edition by 2028-06-30. ",
    ),
    "level-6-work": (
        "a work of 2027 at level 6 or above",
        "probability",
        WORKS.format(level=6),
    ),
    "level-7-work": ("a work of 2027 at level 7", "probability", WORKS.format(level=7)),
}
"""Quantity, unit and resolution rule of each near prediction, by id."""
RESOLVES = "2028-06-30"


def near_rows(fit: Fit) -> list[dict[str, Any]]:
    """Return one row per near prediction, ready for a ledger.

    ``kind`` is ``probability`` (then ``probability``) or ``quantiles`` (then ``q05``, ``q50`` and
    ``q95``); a list that this run's evidence does not hold is left out.
    """
    at = np.linspace(0, fit.n - 1, min(fit.n, MOST)).astype(int)
    thin, case = taken(fit, at), near_case(fit.case)
    found = near_draws(
        all_draws(thin, case),
        future(thin, case),
        structure=fit.compiled.structure,
        rng=stream(fit.case.seed, "near predictions"),
    )
    rows = []
    for key, (quantity, unit, rule) in RULES.items():
        row: dict[str, Any] = {"id": f"near-{key}", "quantity": quantity, "unit": unit}
        if key in found.chances:
            row |= {"kind": "probability", "probability": float(found.chances[key].mean())}
            row |= dict.fromkeys(("q05", "q50", "q95"))
        elif key in found.values:
            low, mid, high = (float(x) for x in np.nanquantile(found.values[key], TAILS))
            row |= {"kind": "quantiles", "probability": None}
            row |= {"q05": low, "q50": mid, "q95": high}
        else:
            continue
        rows.append(row | {"rule": rule.strip(), "made_on": MADE, "resolves_on": RESOLVES})
    return rows


def near_case(case: Case) -> Case:
    """Return the Case with the horizon of near predictions, nothing done."""
    asked = replace(case.question, horizon=HORIZON, cohort=min(case.question.cohort, HORIZON))
    return replace(case, question=asked, do=())
