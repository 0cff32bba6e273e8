"""Predictive checks: replicates by work, tail probabilities, and what a wrong truth does."""

from dataclasses import replace

import numpy as np
import pytest

from forecast.analyses import predictive
from forecast.analyses.predictive import by_row, check_rows, pairs, replicate, summary_rows
from forecast.inference.case import structure_of
from forecast.inference.seeds import stream
from models.prior_draws import prior_draws


@pytest.fixture(scope="module")
def prior(default_case):
    rng = stream(0, "prior")
    structure = structure_of(default_case)
    return prior_draws(default_case.by_name, structure, n=60, rng=rng)


@pytest.fixture(scope="module")
def again(default_case, prior):
    return replicate(default_case, prior, stage="test", most=60)


def test_every_table_of_the_fit_is_checked(default_case, again):
    found = pairs(default_case, again)
    assert {pair.table for pair in found} == set(predictive.TABLES.values())
    for pair in found:
        assert pair.replicated.shape == (60, len(pair.elements)), pair.name


def test_works_of_one_distinct_row_are_replicated_apart(default_case, again):
    at = default_case.evidence.row_of_work
    rows, count = np.unique(at[at >= 0], return_counts=True)
    most = rows[count.argmax()]
    works = again["ratings"][:, at == most]
    assert count.max() > 3
    assert (works != works[:, :1]).any()
    shown = by_row(default_case, again)["ratings"][:, most]
    np.testing.assert_array_equal(shown, works[:, 0])


def test_padded_rows_hold_no_answer(default_case, again):
    rows = default_case.evidence.arrays["ratings"]
    blank = np.flatnonzero(rows["weight"] == 0)
    shown = by_row(default_case, again)["ratings"]
    np.testing.assert_array_equal(
        shown[:, blank], np.broadcast_to(rows["value"][blank], shown[:, blank].shape)
    )


def test_replicates_checked_as_evidence_are_flagged_no_more_than_chance_would(default_case, again):
    found = pairs(default_case, again)
    own = [replace(pair, observed=pair.replicated[0]) for pair in found]
    rows = check_rows(own)
    # 60 replicates, of which one is the evidence: p is a rank, below 0.01 for no more than the
    # lowest and the highest of 60, by chance 2/60 of about 250
    assert sum(row["flag"] for row in rows) < 30


def test_evidence_from_another_truth_is_flagged(default_case, prior):
    """Raters who never mark a capabilities use contradict the evidence in that column alone."""
    blind = dict(prior)
    for name in ("shared_sensitivity", "shared_specificity"):
        x = blind[name].copy()
        x[..., 1] = 1e-6 if name.endswith("sensitivity") else 1.0 - 1e-6
        blind[name] = x
    blind["rater_specificity"] = prior["rater_specificity"].copy()
    blind["rater_specificity"][..., 1] = 1.0 - 1e-6
    again = replicate(default_case, blind, stage="test", most=60)
    rows = check_rows(pairs(default_case, again))
    flagged = {row["statistic"] for row in rows if row["flag"]}
    assert "capabilities use by age" in flagged
    assert "alignment use by age" not in flagged


def test_summary_counts_what_chance_would_flag():
    row = {"table": "t", "p": 0.5, "flag": False, "p_prior": 0.001}
    rows = [row] * 98 + [row | {"p": 0.001, "flag": True}] * 2 + [row | {"p": float("nan")}]
    assert summary_rows(rows) == [
        {"table": "t", "quantities": 100, "flagged": 2, "by_chance": 1.0, "flagged_prior": 100}
    ]
