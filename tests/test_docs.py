"""The pages of docs/ speak of what exists: every word, command, public function and claim."""

import json
import re
from pathlib import Path

import pytest

from forecast import EXPORTS, GROUPS
from forecast.cli.main import COMMANDS
from forecast.config.load import load_config
from forecast.evidence.tables import ROWS
from models.parameters import SLOTS
from models.quantities import CLAIMS, GLOSSARY, HEADLINE, QUANTITIES
from scripts import refresh_docs, refresh_notebook, refresh_sensitivity
from scripts.docs_pages import beliefs_page, identity_in

ROOT = Path(__file__).parents[1]
PAGES = sorted(path.name for path in (ROOT / "docs").glob("*.md"))


def flat(name: str) -> str:
    """Return a page with every run of blanks as one."""
    return " ".join((ROOT / "docs" / name).read_text(encoding="utf-8").split())


@pytest.fixture(scope="module")
def docs() -> str:
    return " ".join(map(flat, PAGES))


@pytest.mark.parametrize("word", GLOSSARY)
def test_every_word_stands_with_its_meaning_and_both_cases(word):
    entry, page = GLOSSARY[word], flat("index.md")
    assert f"**{word}** {entry.meaning}" in page
    assert f"- A case: {entry.example}" in page
    assert f"- Not a case: {entry.counter_example}" in page


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_described(docs, command):
    assert f"`forecast {command} " in docs


@pytest.mark.parametrize("name", [*EXPORTS, *GROUPS])
def test_every_public_name_is_described(docs, name):
    assert f"fc.{name}" in docs


@pytest.mark.parametrize("claim", CLAIMS)
def test_every_claim_stands_with_its_side_and_quantities(claim):
    stated = CLAIMS[claim]
    names = ", ".join(f"`{name}`" for name in stated.quantities)
    assert f"| {claim} | {stated.who} | {stated.text} | {names} |" in flat("index.md")


def test_every_headline_name_is_described(docs):
    assert not [name for name in HEADLINE if f"`{name}`" not in docs]


def test_every_table_of_evidence_is_described():
    assert not [name for name in ROWS if f"`{name}.csv`" not in flat("evidence.md")]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#:]+)(?:#[\w-]*)?\)", text)
    assert not [target for target in targets if not (ROOT / "docs" / target).exists()]


@pytest.mark.parametrize("block", refresh_docs.BLOCKS)
def test_numbers_in_the_pages_are_of_the_forecast_that_ships(block):
    page, _ = refresh_docs.BLOCKS[block]
    found = identity_in((ROOT / page).read_text(encoding="utf-8"), block)
    assert found == refresh_docs.shipped_identity(block), f"{page}: stale; {refresh_docs.HOW}"


def test_the_outputs_of_the_notebook_are_of_the_forecast_that_ships():
    book = json.loads(refresh_notebook.NOTEBOOK.read_text(encoding="utf-8"))
    found = book["metadata"].get(refresh_notebook.KEY)
    how = "after `forecast run default`: `.venv/bin/python scripts/refresh_notebook.py`"
    assert found == refresh_docs.shipped_identity("headline"), f"stale; {how}"


def test_the_tables_of_the_sensitivity_page_are_of_what_ships():
    page, block = refresh_sensitivity.PAGE, refresh_sensitivity.BLOCK
    found = identity_in((ROOT / page).read_text(encoding="utf-8"), block)
    assert found == refresh_docs.shipped_identity("headline"), f"stale; {refresh_sensitivity.HOW}"


def test_the_page_of_beliefs_is_of_the_priors_that_ship():
    text = (ROOT / refresh_docs.BELIEFS).read_text(encoding="utf-8")
    made = beliefs_page(load_config("default").priors)
    assert text == made, "docs/beliefs.md: stale; `.venv/bin/python scripts/refresh_docs.py`"


def test_quantities_named_in_the_pages_exist(docs):
    """A name that looks like a headline quantity and is none was renamed in the registry."""
    stems = ("alignment_", "capabilities_", "relevant_", "established")
    pattern = rf"`((?:strict_)?(?:{'|'.join(stems)})\w*)`"
    options = {"established_at", "established_in"}
    known = {*QUANTITIES, *SLOTS, *options}
    assert not sorted(set(re.findall(pattern, docs)) - known - set(ROWS))
