"""The terminal's table and one work's text: plain, named intervals, no control characters."""

import unicodedata

import pytest

from models.errors import InputError
from reports.run import terminal_table, work_text
from reports.table import WIDTH
from reports.words import (
    INTERVAL_OF_CHANCE,
    NO_EVIDENCE,
    NOT_CONVERGED,
    chance,
    clean,
    interval,
    number,
    of_hundred,
)


def assert_plain(text):
    assert all(len(line) <= WIDTH for line in text.splitlines())
    assert not [c for c in text if unicodedata.category(c).startswith("C") and c != "\n"]


def test_table_has_headline_interval_splits_and_agendas(context):
    text = terminal_table(context)
    assert_plain(text)
    found = context["headline"]["quantities"]
    line = next(x for x in text.splitlines() if x.startswith("capabilities-relevant"))
    assert chance(found["capabilities_relevant"]["mean"]) in line
    assert interval(found["capabilities_relevant"]) in line
    assert interval(context["headline"]["prior"]["capabilities_relevant"]) in line
    assert INTERVAL_OF_CHANCE in " ".join(text.split())
    for part in (
        "Same bar",
        "Strict split",
        "agendas",
        "doubter",
        "Use, not benefit",
        "at level 7",
    ):
        assert part in text
    assert f"works: {NO_EVIDENCE}" in text
    assert NOT_CONVERGED not in text


@pytest.mark.parametrize("place", ["headline", "diagnostics"])
def test_table_says_first_that_a_run_did_not_converge(context, place):
    context[place]["converged"] = False
    assert terminal_table(context).startswith(NOT_CONVERGED)


def test_table_names_what_is_in_conflict_with_its_prior_farthest_first(context):
    assert "In conflict with their prior: step_5, reporting_delay.\n" in terminal_table(context)
    context["parameters"] = context["parameters"][:2]
    assert "conflict" not in terminal_table(context)


def test_colour_only_when_asked(context):
    assert "\x1b[" not in terminal_table(context)
    assert "\x1b[1m" in terminal_table(context, colour=True)


def test_table_of_an_empty_context():
    text = terminal_table({})
    assert NOT_CONVERGED in text
    assert "This run holds no headline." in text


def test_work_shows_levels_uses_and_ratings_but_no_rank(context):
    text = work_text(context, "w")
    assert_plain(text)
    assert "nothing about its working" in text
    assert " 99.0% " in text
    assert " 1.0%" in text
    assert "alert(1)" in text
    assert "not a rank" in text
    ends = [line.split()[-5:] for line in text.splitlines()]
    assert ["0", "-", "1", "-", "-"] in ends


def test_work_says_why_it_may_differ_from_all_its_raters(context):
    assert "Every rating" not in work_text(context, "w")
    context["works"][0] |= {"p_level_0": 0.3, "p_level_1": 0.7}
    assert "Every rating says level 0, yet 1 is likeliest" in work_text(context, "w")


def test_table_says_how_to_fill_a_dash(context):
    assert "needs `forecast run doubter`.\n" in terminal_table(context)


def test_work_without_ratings_says_that_the_prior_speaks(context):
    assert "the prior speaks" in work_text(context, "bare")


def test_unknown_work_names_the_nearest(context):
    with pytest.raises(InputError, match="did you mean 'bare'"):
        work_text(context, "bares")


@pytest.mark.parametrize(
    ("p", "text", "works"),
    [
        (0.0, "<0.1%", "fewer than 0.1"),
        (0.0027, "0.27%", "0.27"),
        (0.013, "1.3%", "1.3"),
        (0.03, "3.0%", "3.0"),
        (0.5, "50%", "50"),
        (0.98, "98%", "98"),
        (0.986, "98.6%", "98.6"),
        (0.9995, ">99.9%", "more than 99.9"),
    ],
)
def test_chances_in_words(p, text, works):
    assert chance(p) == text
    assert of_hundred(p) == works


def test_numbers_intervals_and_clean_text():
    assert [number(x) for x in (1234567.0, 12.345, 0.01234, None, float("nan"))] == [
        "1,230,000",
        "12.3",
        "0.0123",
        "none",
        "none",
    ]
    assert interval({"lower": 0.001, "upper": 0.03}) == "0.10% to 3.0%"
    assert interval({"lower": 0.0, "upper": 0.0005}) == "<0.1%"
    assert interval({"lower": 1.0, "upper": 20.0}, "ratio") == "1 to 20"
    assert clean("a\x1b[31m\n\tb\u202ec\x07") == "a[31m bc"


def test_the_opening_says_which_side_is_ahead_and_how_surely(context):
    shares = {"documented": (0.93, 0.004), "used": (0.65, 0.012), "strict": (0.0, 0.0)}
    told = {name: {"mean": x, "mcse": error} for name, (x, error) in shares.items()}
    text = " ".join(terminal_table(context | {"leads": told}).split())
    assert (
        "Documented use is likelier for alignment than for capabilities with probability 93% "
        "(Monte Carlo error 0.4), any use with 65% (Monte Carlo error 1), which hangs on what "
        "share of uses is documented, a belief that no evidence touches; strict alignment "
        "relevance is likelier than use for capabilities with <0.1%."
    ) in text
