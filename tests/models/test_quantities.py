"""The registry names exactly what is predicted, and the words have cases in the evidence."""

import csv
import re
from pathlib import Path

import pytest

from models.dims import GROUPS, LEVELS, STEPS, TASKS, WORLDS
from models.outcomes.paths import forecast_years
from models.outcomes.relevance import cohorts
from models.quantities import CLAIMS, GLOSSARY, HEADLINE, OUTCOMES, QUANTITIES

EVIDENCE = Path(__file__).parents[2] / "evidence"


@pytest.fixture(scope="module")
def titles():
    out = set()
    for table, column in (("works", "title"), ("milestones", "name")):
        with (EVIDENCE / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            out |= {row[column] for row in csv.DictReader(file)}
    return out


def test_registry_names_all_that_is_predicted(usual):
    assert set(QUANTITIES) == set(usual)


def test_shapes_follow_the_registered_dims(usual, structure, question):
    length = {
        "agenda": len(structure.agendas),
        "cohort": len(cohorts(question)),
        "forecast_year": len(forecast_years(question.horizon)),
        "group": len(GROUPS),
        "level": len(LEVELS),
        "step": len(STEPS),
        "task": len(TASKS),
        "world": len(WORLDS),
    }
    n = len(usual["alignment_relevant"])
    for name, quantity in QUANTITIES.items():
        assert usual[name].shape == (n, *(length[dim] for dim in quantity.dims)), name


def test_every_quantity_says_what_it_is():
    for quantity in QUANTITIES.values():
        assert quantity.unit
        assert len(quantity.label) <= 80
        assert quantity.question.endswith("?")
    labels = [quantity.label for quantity in QUANTITIES.values()]
    assert len(set(labels)) == len(labels)


def test_headline_holds_the_fourteen_names():
    assert len(HEADLINE) == 14
    assert set(HEADLINE) < set(OUTCOMES)
    assert HEADLINE[0] == "alignment_relevant"
    assert HEADLINE[-1] == "strict_neither"


def test_every_claim_has_quantities_that_name_it():
    assert list(CLAIMS) == [f"C{i}" for i in range(1, 15)]
    for key, claim in CLAIMS.items():
        assert claim.who in {"doubter", "questioner"}
        assert claim.quantities
        for name in claim.quantities:
            assert key in QUANTITIES[name].claims


def test_words_have_cases_in_the_evidence(titles):
    assert len(GLOSSARY) == 13
    for word in GLOSSARY.values():
        quoted = re.findall(r'"([^"]+)"', f"{word.example} {word.counter_example}")
        assert quoted or word is GLOSSARY["cohort"]
        assert set(quoted) <= titles
