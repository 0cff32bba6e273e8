"""The first screen: sides of the claims, plain words, and the way to the checks."""

import re

import pytest

from reports.page import write_page
from reports.run import terminal_table


@pytest.fixture
def folder(run_folder):
    return run_folder[0]


def text_of(page):
    """Return the words of a page, without its tags."""
    return " ".join(re.sub(r"<[^>]*>", "", page.read_text(encoding="utf-8")).split())


def test_first_screen_says_to_which_side_the_evidence_moves_a_claim(folder, context):
    context["claims"][2] |= {"evidence": "moved", "verdict": "Moved: up.", "side": "for"}
    context["claims"][9] |= {"evidence": "moved", "verdict": "Moved: down.", "side": "against"}
    page = text_of(write_page(folder, context=context))
    assert "the evidence speaks for C3; it speaks against C10" in page
    assert "Moved: up. Speaks for it." in page
    terminal = " ".join(terminal_table(context).split())
    assert "Claims: the evidence speaks for C3; it speaks against C10." in terminal


def test_first_screen_is_plain_and_links_to_the_checks(folder, context):
    """The interval is named once; what was not tried, and the misfit, lead to the checks."""
    context["headline"]["quantities"]["alignment_relevant"] |= {"mean": 0.012}
    seven = {"statistic": "share of answers by level", "element": "level 7", "table": "ratings"}
    seven |= {"observed": 0.0, "lower": 0.001, "median": 0.005, "upper": 0.01, "p": 0.005}
    context["checks"] = {"flagged": [seven]}
    page = write_page(folder, context=context).read_text(encoding="utf-8")
    first = page[page.index('<section id="answer"') : page.index("</section>")]
    assert first.count("equal-tailed") == 1
    assert "heavy" not in first
    link = r' <a href="#trust">The checks</a>.</li>'
    assert f"more answers at level 7 than raters gave.{link}" in first
    assert f"was not tried for this run.{link}" in first
    terminal = " ".join(terminal_table(context).split())
    assert terminal.count("equal-tailed") == 1
    assert "it expects more answers at level 7 than raters gave. A strict number" in terminal
