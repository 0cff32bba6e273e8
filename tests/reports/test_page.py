"""The page: offline, escaped, marked when not converged, and whole without evidence."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest

from models.parameters import SLOTS
from models.quantities import CLAIMS, GLOSSARY
from reports.page import write_page
from reports.run import terminal_table
from reports.view import claim_row, interval_plot, plain_table, setting_table
from reports.words import INTERVAL_OF_CHANCE, NO_EVIDENCE, NOT_CONVERGED, how, of_hundred

VOID = {"meta", "br", "hr", "img", "link", "input"}
SECTIONS = 20


class Reader(HTMLParser):
    """Collects tags, attributes, ids and text, and refuses tags that do not nest."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.attributes, self.ids, self.text = [], [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self.ids += [value for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(page):
    reader = Reader()
    reader.feed(page.read_text(encoding="utf-8"))
    reader.close()
    assert reader.open == []
    return reader


def digest_of(page):
    """Return the hash of the page's script, as a content policy names it."""
    code = re.findall(r"<script>(.*?)</script>", page.read_text(encoding="utf-8"), re.DOTALL)[-1]
    digest = hashlib.sha256(code.encode("utf-8")).digest()
    return f"sha256-{base64.b64encode(digest).decode('ascii')}"


@pytest.fixture
def folder(run_folder):
    return run_folder[0]


def words_of(reader):
    return " ".join(" ".join(reader.text).split())


def test_page_answers_in_words(folder, context):
    found = context["headline"]["quantities"]
    found["alignment_relevant"] |= {"mean": 0.012, "lower": 0.001}
    text = words_of(read(write_page(folder, context=context)))
    told = "few (1.2) end up alignment-relevant (interval 0.10% to "
    strict = text.index(f"In the strict sense {told}")
    alone = of_hundred(found["alignment_only"]["mean"])
    bar = f"by the end of 2040, {alone} have a documented use in alignment work alone"
    assert text.index(bar) < strict  # both sides on one bar come first
    used = of_hundred(found["alignment_used"]["mean"])
    assert f"fewer than the {used} that alignment work uses at all" in text
    assert INTERVAL_OF_CHANCE in text
    for sentence in (
        "Use, not benefit",
        "Same bar for both sides",
        "What rests on no obs",
        "Rated",
    ):
        assert sentence in text
    for key in (*CLAIMS, *GLOSSARY):
        assert key in text
    assert NOT_CONVERGED not in text


def asked_before(folder, *, line):
    """Return a folder of a sensitivity analysis that says ``line``."""
    (folder / "figures").mkdir(parents=True)
    row = {"group": "prior", "component": line, "sensitivity": 0.1, "error": 0.01}
    row |= {"flagged": True, "direction": 0.01, "mcse": 0.001}
    told = {"quick": True, "converged": True, "lines": ["the headline", line], "power": [row]}
    (folder / "sensitivity.json").write_text(json.dumps(told), encoding="utf-8")
    caption = {"name": "tornado", "title": line, "caption": line, "alt": line}
    (folder / "figures" / "captions.json").write_text(json.dumps([caption]), encoding="utf-8")
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path id="a"/></svg>'
    (folder / "figures" / "tornado.svg").write_text(svg, encoding="utf-8")
    (folder / "figures" / "tornado.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    return folder


def test_a_sensitivity_analysis_of_the_run_is_summarised(folder, context, tmp_path):
    bare = words_of(read(write_page(folder, context=context)))
    assert "forecast sensitivity RUN , RUN being this run's folder" in bare
    line = "<script>alert(1)</script> & leak_untracked"
    asked = asked_before(tmp_path / "sensitivity-test-1", line=line)
    reader = read(write_page(folder, context=context, sensitivity=asked))
    assert "tornado-a" in reader.ids
    assert line in words_of(reader)
    assert "0.100 ± 0.01" in words_of(reader)
    assert "sensitivity-test-1" in words_of(reader)
    assert reader.tags.count("script") == read(write_page(folder, context=context)).tags.count(
        "script"
    )


def test_page_is_one_offline_file_whose_policy_allows_its_own_script_alone(folder, context):
    path = write_page(folder, context=context)
    reader = read(path)
    assert path == folder / "report.html"
    assert path.stat().st_size < 6_000_000
    attributes = dict(reader.attributes)
    policy = next(v for v in dict.fromkeys(v for _, v in reader.attributes) if v and "default" in v)
    assert policy.startswith(f"default-src 'none'; script-src '{digest_of(path)}'; style-src")
    assert reader.tags.count("script") == 1
    assert not {"link", "iframe", "object", "img", "base", "form"} & set(reader.tags)
    targets = [v for name, v in reader.attributes if name in {"src", "href", "xlink:href", "data"}]
    assert targets
    assert all(target.startswith(("#", "data:text/csv;base64,")) for target in targets)
    assert not re.search(r"url\((?!#)|@import", path.read_text(encoding="utf-8"))
    assert not [name for name in attributes if name.startswith("on")]


def test_hostile_names_stay_text(folder, context):
    reader = read(write_page(folder, context=context))
    text = words_of(reader)
    assert "alert(1)" in text
    assert not [c for c in text if c in "\x1b\x07"]
    assert reader.tags.count("script") == 1  # the page's own
    titles = {value for name, value in reader.attributes if name == "title"}
    assert "<script>alert(1)</script>" in titles  # heads a column of the agendas in pairs
    assert re.search(r"\d <script>alert\(1\)</script> (<1|>99|\d+) ", text)  # and a row


def test_page_shows_what_is_in_conflict_with_its_prior(folder, context):
    text = words_of(read(write_page(folder, context=context)))
    part = text.split("Beliefs in conflict with their prior")[1]
    row = "0.5 (0.1 to 0.9) 0.5 (0.1 to 0.9) -4.1 0.04 reporting_delay"
    assert f"step_5 (share) {SLOTS['step_5'].question} {row}" in part
    context["parameters"] = context["parameters"][:2]
    text = words_of(read(write_page(folder, context=context)))
    assert "No belief is in conflict with its prior." in text


def test_links_within_the_page_lead_somewhere_and_ids_are_unique(folder, context):
    reader = read(write_page(folder, context=context))
    links = [v for name, v in reader.attributes if name == "href"]
    targets = {v[1:] for v in links if v.startswith("#")}
    assert targets <= set(reader.ids)
    assert len(reader.ids) == len(set(reader.ids))


@pytest.mark.parametrize("place", ["headline", "diagnostics"])
def test_not_converged_is_said_on_top_of_every_section(folder, context, place):
    context[place]["converged"] = False
    path = write_page(folder, context=context)
    html = path.read_text(encoding="utf-8")
    parts = html.split("<section")[1:]
    assert len(parts) == SECTIONS
    for part in parts:
        assert part.split("<h", 1)[0].count(NOT_CONVERGED) == 1
    assert f"<title>{NOT_CONVERGED}" in html


def test_a_run_that_does_not_say_so_is_not_converged(tmp_path):
    assert NOT_CONVERGED in write_page(tmp_path, context={}).read_text(encoding="utf-8")


def test_page_without_anything_is_whole(tmp_path):
    text = words_of(read(write_page(tmp_path, context={"name": "bare"})))
    assert "This run holds no headline" in text
    assert "This run holds no claims" in text
    assert NO_EVIDENCE in text


def test_empty_tables_are_named(folder, context):
    context["evidence"]["empty"] = ["workers", "ratings"]
    text = words_of(read(write_page(folder, context=context)))
    for table in ("Workers", "Ratings"):
        assert f"{table}: {NO_EVIDENCE}" in text


def test_figures_of_the_run_stand_in_the_page_with_their_texts(folder, context):
    reader = read(write_page(folder, context=context))
    labels = [v for name, v in reader.attributes if name == "aria-label"]
    assert {figure["alt"] for figure in context["figures"]} <= set(labels)
    assert reader.tags.count("figure") == len(context["figures"]) + 2  # and those of frequencies


def test_every_worldview_stands_beside_the_forecast(folder, context):
    text = words_of(read(write_page(folder, context=context)))
    assert "doubter, prior alone" in text
    assert "its prior alone" in text
    assert "forecast run doubter" in text


def test_interval_plots_place_chances_from_0_to_1_and_others_on_a_log_scale():
    chances = {"unit": "probability", "prior": {"lower": 0.1, "median": 0.2, "upper": 0.5}}
    assert interval_plot(chances)["prior"] == {"lower": 10.0, "median": 20.0, "upper": 50.0}
    ratios = {
        "unit": "ratio",
        "prior": {"lower": 1.0, "median": 10.0, "upper": 100.0},
        "posterior": {"lower": 10.0, "median": 10.0, "upper": 10.0},
    }
    plot = interval_plot(ratios)
    assert plot["posterior"] == {"lower": 50.0, "median": 50.0, "upper": 50.0}
    assert (plot["low"], plot["high"], plot["log"]) == ("1", "100", True)
    assert interval_plot({"unit": "ratio"}) == {}


def test_chances_that_are_sure_before_and_after_are_counted_and_not_shown():
    sure = {"lower": 0.9995, "median": 1.0, "upper": 1.0, "mean": 0.9999}
    moved = {"lower": 0.2, "median": 0.4, "upper": 0.6, "mean": 0.4}
    q = {"name": "x", "unit": "probability", "prior": sure}
    made = claim_row({"quantities": [q | {"posterior": sure}, q | {"posterior": moved}]})
    assert (len(made["quantities"]), made["sure"]) == (1, 1)


def test_tables_of_any_columns():
    table = plain_table([{"a_b": 1, "c": None}, {"d": 0.1234}])
    assert table.columns == ("a b", "c", "d")
    assert table.rows == (("1", "none", "none"), ("none", "none", "0.123"))
    spread = {"median": 0.5, "lower": 0.25, "upper": 0.75, "mean": 0.5}
    table = setting_table([{"setting": "off", "both": spread}, {"setting": "on", "both": None}])
    assert table.columns == ("", "off", "on")
    assert table.rows == (("use on both sides", "50% (25% to 75%)", "-"),)
    assert table.note == "off: this run's draws, reweighted; on: withheld"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"how": "exact", "pareto_k": 0.0, "both": 1}, "this run itself"),
        ({"how": "reweighted", "pareto_k": 0.31, "both": 1}, "reweighted (Pareto k 0.31)"),
        (
            {"how": "moment-matched", "pareto_k": 0.6, "ess": 139.2, "both": 1},
            "moved and reweighted (Pareto k 0.6, effective draws 139)",
        ),
        ({"how": "refit", "r_hat": 1.004, "ess": 812.3, "both": 1}, "(R-hat 1, effective draws"),
        ({"how": "refit", "r_hat": 1.1, "converged": False, "both": 1}, "(R-hat 1.1, NOT CONV"),
        ({"pareto_k": 1.2, "both": None}, "withheld (Pareto k 1.2)"),
        ({"pareto_k": float("nan"), "both": None}, "withheld"),
    ],
)
def test_a_variation_says_how_it_was_answered(row, told):
    assert told in how(row, ["both"])


def test_a_worldview_stands_with_its_error_on_page_and_terminal(folder, context):
    (other,) = (w for w in context["worldviews"] if w["name"] == "other")
    other |= {"summary": "A view.", "how": "moment-matched", "pareto_k": 0.6, "ess": 139.2}
    strict = other["posterior"]["alignment_relevant"] | {"mcse": 0.00123}
    other["posterior"] = other["posterior"] | {"alignment_relevant": strict}
    says = (
        "this run's draws, moved and reweighted (Pareto k 0.6, effective draws 139); "
        "Monte Carlo error of its strict mean 0.1 points of a hundred."
    )
    assert says in words_of(read(write_page(folder, context=context)))
    assert f"other: {says}" in " ".join(terminal_table(context).split())


def test_page_names_the_verdict_on_each_claim(folder, context):
    context["claims"][12] |= {"evidence": "prior alone", "verdict": "Prior alone: nothing <b>."}
    text = words_of(read(write_page(folder, context=context)))
    assert "Prior alone : nothing <b>." in text
    assert text.count("Prior alone :") == 2  # its meaning stands once above the claims


def test_page_lists_the_beliefs_that_move_the_headline_with_their_questions(folder, context):
    context["variance_share"]["parts"] = [{"parameter": "stop_6", "share": 0.22}]
    text = words_of(read(write_page(folder, context=context)))
    assert f"stop_6 {SLOTS['stop_6'].question} 22%" in text
    assert "60% lies in beliefs that no evidence touches" in text
