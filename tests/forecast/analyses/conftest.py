"""A decision with three options, for the tests of decisions."""

import pytest

from forecast.config.scenarios import decision_of, load_decision
from forecast.inference.evaluate import posterior

DECISION = """
[decision]
split = "same-bar"
unit = "points"
[decision.payoffs]
alignment_only = 10
both = 4
capabilities_only = -5
neither = 0
[decision.options.publish]
[decision.options.withhold]
cost = 0.01
do = { withhold = 1.0 }
[decision.options.track]
cost = 0.2
do = { tracking = 0.9 }
"""


@pytest.fixture
def fit(default_case, fake_fits):
    return posterior(default_case)


@pytest.fixture
def decision_file(tmp_path):
    path = tmp_path / "decision.toml"
    path.write_text(DECISION, encoding="utf-8")
    return path


def stated(path):
    return decision_of(load_decision(path), since=2026, where="x")
