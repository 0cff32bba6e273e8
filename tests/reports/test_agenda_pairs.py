"""The matrices of agendas in pairs on the page, and what agendas share."""

import re
import shutil

import pytest

from reports.page import write_page
from reports.view import EVERY, FILE, pair_tables, shared_facts, whole_points

MEANS = {"a": (0.03, 0.6), "b": (0.02, 0.5), "c": (0.01, 0.1)}


def rows_of(means):
    names = ("alignment_relevant", "alignment_used")
    return [
        {"agenda": a, "name": a.upper()}
        | {"found": {n: {"mean": x} for n, x in zip(names, both, strict=True)}}
        for a, both in means.items()
    ]


def write_pairs(folder, top):
    """Write a table of three agendas, of whose first two the first is larger by ``top``."""
    told = {("a", "b"): top, ("a", "c"): 0.95, ("b", "c"): 0.004}
    told |= {(j, i): 1.0 - p for (i, j), p in told.items()}
    told |= {(one, EVERY): p for one, p in (("a", 0.5), ("b", 0.3), ("c", 0.2))}
    lines = [f"alignment_used,{i},{j},{p},0.012" for (i, j), p in told.items()]
    text = "\n".join(["quantity,agenda,other,probability,mcse", *lines, ""])
    (folder / FILE).write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("top", "verdict", "pairs"),
    [(0.89, "not told apart", 2), (0.11, "not told apart", 2), (0.9, "told", 3), (0.05, "told", 3)],
)
def test_the_two_on_top_are_told_apart_or_not(tmp_path, top, verdict, pairs):
    write_pairs(tmp_path, top)
    (made,) = pair_tables(tmp_path, rows_of(MEANS))
    first, count, largest = made["sentences"]
    assert f"A and B, are {verdict}" in first
    assert ("not told" in first) == (verdict != "told")
    assert f"with probability {100 * top:#.2g}".rstrip(".") in first
    assert "(Monte Carlo error 1)" in first
    assert count.startswith(f"Of 3 pairs {pairs} are told apart")
    assert largest == "Largest of all, with which probability: A 50%, B 30%, C 20%."


def test_a_matrix_has_the_highest_mean_first_and_marks_what_is_told_apart(tmp_path):
    write_pairs(tmp_path, 0.6)
    (made,) = pair_tables(tmp_path, rows_of(dict(reversed(MEANS.items()))))
    assert made["names"] == ["A", "B", "C"]
    assert [r["cells"] for r in made["rows"]] == [
        [("–", False), ("60", False), ("95", True)],
        [("40", False), ("–", False), ("<1", False)],
        [("5", False), (">99", True), ("–", False)],
    ]
    assert [r["largest"] for r in made["rows"]] == ["50", "30", "20"]
    assert [whole_points(p) for p in (0.0, 0.0099, 0.01, 0.99, 0.9901)] == [
        "<1",
        "<1",
        "1",
        "99",
        ">99",
    ]
    assert pair_tables(tmp_path, rows_of({"a": (0.1, 0.2)})) == []
    assert pair_tables(tmp_path / "none", rows_of(MEANS)) == []


def test_the_page_has_a_table_with_heads_for_each_quantity(run_folder, context):
    html = write_page(run_folder[0], context=context).read_text(encoding="utf-8")
    section = html.split('<section id="agendas">')[1].split("</section>")[0]
    tables = re.findall(r'<table class="pairs">(.*?)</table>', section, re.DOTALL)
    assert len(tables) == 4
    assert section.count("<details>") == 3  # the first stands open
    n = len(context["agendas"])
    for table in tables:
        assert table.count("<caption>") == 1
        assert table.count('<th scope="col"') == n + 2
        assert table.count('<th scope="row"') == n
        assert table.count("<td>") == n * (n + 1)
        assert table.count("<td>–</td>") == n
    assert tables[0].startswith("\n<caption>In how many of 100 draws a work of the row's agenda")
    assert 'download="agenda_pairs.csv" href="data:text/csv;base64,' in section


def test_the_page_of_a_run_without_the_table_goes_without(run_folder, context, tmp_path):
    shutil.copytree(run_folder[0] / "figures", tmp_path / "figures")
    html = write_page(tmp_path, context=context).read_text(encoding="utf-8")
    assert "Agendas in pairs" not in html
    assert "What agendas share" in html  # from the means alone


def test_the_page_says_what_agendas_share(run_folder, context):
    html = write_page(run_folder[0], context=context).read_text(encoding="utf-8")
    part = html.split("What agendas share")[1].split("<h3>")[0]
    for name in ("on_target", "gate_tracked", "leak_untracked", "value_constancy", "stop_6"):
        assert f"<code>{name}</code>" in part
    assert "only by the share of the used works that track a milestone." in part
    context["manifest"]["options"] = {"established_in": "family"}
    html = write_page(run_folder[0], context=context).read_text(encoding="utf-8")
    part = html.split("What agendas share")[1].split("<h3>")[0]
    assert "stop_6" not in part
    assert "that track a milestone, and by how far the family gets." in part


def test_facts_on_the_two_orders_are_those_of_the_means():
    made = shared_facts(rows_of(MEANS), "field")
    assert (made["pairs"], made["same"], made["mostly"]) == (3, 3, True)
    assert (made["least"], made["most"]) == (pytest.approx(0.04), pytest.approx(0.1))
    other = shared_facts(rows_of(MEANS | {"c": (0.025, 0.1)}), "field")
    assert (other["same"], other["mostly"]) == (2, False)
    assert shared_facts(rows_of({"a": (0.1, 0.2)}), "field") == {}
