"""The blocks of the pages that a finished run fills: their text, and which run may fill them."""

import json
import re
import shutil
from dataclasses import replace

import pytest

from forecast.config.load import resolved_toml
from forecast.files import write_csv, write_json
from forecast.inference.case import make_case
from forecast.inference.identity import code_hash
from forecast.runs.folder import copy_evidence, digests
from forecast.runs.inputs import load_inputs
from models.errors import InputError
from models.quantities import HEADLINE, QUANTITIES
from reports.view import MAIN, MAIN_TITLE, SAME_BAR_SPLIT, SAME_BAR_TITLE
from scripts import build_docs
from scripts.docs_pages import (
    filled,
    headline_block,
    identity_in,
    learned_block,
    worldviews_block,
)
from scripts.refresh_docs import BELIEFS as BELIEFS_PAGE
from scripts.refresh_docs import BLOCKS, COMMAND, ROOT, refresh, shipped_identity

HASH = "0" * 64
STRICT = QUANTITIES["alignment_relevant"].label
PAGES = (*dict.fromkeys(page for page, _ in BLOCKS.values()), BELIEFS_PAGE)
VARIANCE = {"untouched": 0.88, "parts": [{"parameter": "stop_6", "share": 0.22}]}
FOUND = {"mean": 0.0127, "lower": 0.003, "upper": 0.0295}
PRIOR = {"mean": 0.5, "lower": 0.1, "upper": 0.9}
HEAD = {
    "cohort": 2026,
    "horizon": 2040,
    "quantities": dict.fromkeys(HEADLINE, FOUND),
    "prior": dict.fromkeys(HEADLINE, PRIOR),
}


def belief(name, learned, *, ratio, shift=0.0):
    numbers = {"prior_median": 0.0447, "posterior_median": 0.00075}
    return {"parameter": name, "sd_ratio": ratio, "shift": shift, "learned": learned, **numbers}


BELIEFS = [
    belief("step_1", "learned", ratio=0.3),
    belief("step_2", "learned", ratio=0.2),
    belief("halo", "somewhat", ratio=0.8),
    belief("step_6", "hardly", ratio=1.02),
    belief("step_5", "conflict", ratio=0.04, shift=-4.15),
    belief("paths", "untouched", ratio=1.0),
]


def write_run(run, name):
    """Write the parts of a finished run that the pages are filled from."""
    config, tables = load_inputs(name)
    run.mkdir(parents=True)
    where = replace(config.evidence, path="evidence")
    text = resolved_toml(replace(config, evidence=where, sampler=make_case(config, tables).sampler))
    (run / "priors.toml").write_text(text, encoding="utf-8")
    copy_evidence(tables.folder, run / "evidence")
    write_json(run / "headline.json", HEAD)
    write_json(run / "context.json", {"variance_share": VARIANCE})
    write_csv(run / "summary.csv", BELIEFS)
    made = {"name": name, "complete": True, "seed": 0, "code_hash": code_hash()}
    checks = {"checks": {"converged": True}, "written": digests(run)}
    write_json(run / "manifest.json", made | checks)
    return run


@pytest.fixture
def folder(tmp_path):
    """A finished default run."""
    return write_run(tmp_path / "runs" / "default-0000aaaa", "default")


@pytest.fixture
def pages(tmp_path):
    """A copy of the pages."""
    for page in PAGES:
        (tmp_path / page).parent.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / page, tmp_path / page)
    return tmp_path


def text_of(pages, page):
    return (pages / page).read_text(encoding="utf-8")


def block_of(pages, block):
    return identity_in(text_of(pages, BLOCKS[block][0]), block)


def change_manifest(folder, **more):
    made = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    write_json(folder / "manifest.json", made | more)


def test_a_run_of_what_ships_fills_its_blocks_with_its_hash(folder, pages):
    text = "a\n<!-- headline -->old<!-- /headline -->\nb\n"
    (pages / "docs" / "forecast.md").write_text(text, encoding="utf-8")
    assert "docs/forecast.md" in refresh([folder], root=pages)
    for block in ("answer", "headline", "learned"):
        assert block_of(pages, block) == shipped_identity(block)
    page = text_of(pages, "docs/forecast.md")
    assert page.startswith("a\n<!-- headline -->\n<!-- forecast ")
    assert page.endswith("\n<!-- /headline -->\nb\n")
    assert refresh([folder], root=pages) == []


def test_worldviews_are_filled_once_all_three_runs_lie_beside_each_other(folder, pages):
    old = block_of(pages, "worldviews")
    write_run(folder.parent / "doubter-0000bbbb", "doubter")
    refresh([folder], root=pages)
    assert block_of(pages, "worldviews") == old
    write_run(folder.parent / "questioner-0000cccc", "questioner")
    refresh([folder], root=pages)
    assert block_of(pages, "worldviews") == shipped_identity("worldviews")
    assert len(set(shipped_identity("worldviews").split()[1:])) == 3


def test_a_run_beside_of_other_code_fills_nothing_and_one_by_name_is_refused(folder, pages):
    old = block_of(pages, "worldviews")
    for name in ("doubter", "questioner"):
        write_run(folder.parent / f"{name}-0000bbbb", name)
    change_manifest(folder.parent / "doubter-0000bbbb", code_hash=HASH)
    refresh([folder], root=pages)
    assert block_of(pages, "worldviews") == old
    with pytest.raises(InputError, match=r"differs in code\); make it by `forecast run priors/d"):
        refresh([folder, folder.parent / "doubter-0000bbbb"], root=pages)


def test_the_page_of_beliefs_needs_no_run(pages):
    (pages / BELIEFS_PAGE).write_text("old", encoding="utf-8")
    assert refresh([], root=pages) == [BELIEFS_PAGE]
    assert "| `stop_6` | How likely is it that the field's ceiling" in text_of(pages, BELIEFS_PAGE)
    assert refresh([], root=pages) == []


def test_only_the_blocks_change(folder, pages):
    before = {page: text_of(pages, page) for page in PAGES}
    refresh([folder], root=pages)
    for page in PAGES:
        block = re.compile(r"<!-- (\w+) -->.*?<!-- /\1 -->", re.DOTALL)
        assert block.sub("", text_of(pages, page)) == block.sub("", before[page])


def test_a_run_of_other_code_is_refused_unless_asked(folder, pages):
    change_manifest(folder, code_hash=HASH)
    with pytest.raises(InputError, match=r"differs in code\); make it by `forecast run"):
        refresh([folder], root=pages)
    assert "README.md" in refresh([folder], root=pages, anyway=True)


def test_a_run_on_other_evidence_is_refused(folder, pages):
    rows = (folder / "evidence" / "diagnosis.csv").read_text(encoding="utf-8").splitlines()
    (folder / "evidence" / "diagnosis.csv").write_text("\n".join(rows[:-1]) + "\n", "utf-8")
    with pytest.raises(InputError, match="differs in evidence"):
        refresh([folder], root=pages)


def test_a_run_of_priors_that_do_not_ship_is_refused(folder, pages):
    change_manifest(folder, name="mine")
    with pytest.raises(InputError, match="a run of mine; name runs of default, doubter"):
        refresh([folder], root=pages)


@pytest.mark.parametrize("more", [{"complete": False}, {"checks": {"converged": False}}])
def test_a_run_that_is_not_whole_or_did_not_converge_is_refused(folder, pages, more):
    change_manifest(folder, **more)
    with pytest.raises(InputError, match="no finished run that converged"):
        refresh([folder], root=pages)


@pytest.mark.parametrize("name", ["headline", "context"])
def test_a_run_whose_numbers_were_edited_fills_nothing(name, folder, pages, monkeypatch):
    change_manifest(folder, written=digests(folder))
    refresh([folder], root=pages)
    path = folder / f"{name}.json"
    path.write_text(path.read_text(encoding="utf-8").replace("0", "1", 1), encoding="utf-8")
    with pytest.raises(InputError, match=rf"{name}\.json: found other content than the run wrote"):
        refresh([folder], root=pages)
    monkeypatch.setattr(build_docs, "SOURCE", pages)
    with pytest.raises(InputError, match="found other content than the run wrote"):
        build_docs.run_page(folder)


def test_headline_block_opens_with_the_same_bar_and_gives_every_row():
    lines = headline_block(HEAD, variance=VARIANCE, seed=0, command=COMMAND)
    row = "| alignment-relevant (strict) | 1.3% | 0.30% to 2.9% | 50% (10% to 90%) |"
    assert row in lines
    names = [line.split("|")[1].strip() for line in lines if line.startswith("| ")]
    same = [QUANTITIES[name].label for name in SAME_BAR_SPLIT]
    main = [QUANTITIES[name].label for name in MAIN if "others" not in name]
    assert names == [SAME_BAR_TITLE, *same, MAIN_TITLE, *main]
    text = " ".join(lines)
    assert text.startswith("Of 100 interpretability works of 2026, by the end of 2040, 1.3 have a")
    assert "strict) 88% lies in beliefs that no evidence touches, most in `stop_6` 22% (" in text


def test_small_chances_keep_two_digits():
    head = HEAD | {"quantities": dict.fromkeys(HEADLINE, FOUND | {"mean": 0.0021, "lower": 1e-5})}
    lines = headline_block(head, variance=VARIANCE, seed=0, command=COMMAND)
    assert any("| 0.21% | <0.1% to 2.9% |" in line for line in lines)


def test_worldviews_block_has_a_column_for_each():
    lines = worldviews_block({"default": HEAD, "doubter": HEAD})
    assert lines[0] == "| mean (89% equal-tailed interval) | default | doubter |"
    assert lines[8] == f"| {STRICT}, prior alone | 50% (10% to 90%) | 50% (10% to 90%) |"
    assert len(lines) == 11


def test_learned_block_lists_beliefs_by_status_least_ratio_first():
    text = " ".join(" ".join(learned_block(BELIEFS, seed=0)).split())
    for part in (
        "- **Learned (`sd_ratio` below 0.5):** `step_2` 0.20, `step_1` 0.30.",
        "- **Somewhat learned (below 0.9):** `halo` 0.80.",
        "- **Hardly learned (up to 1.2):** `step_6` 1.02.",
        "`step_5` (share), prior 0.0447, posterior 0.00075, `shift` -4.2, `sd_ratio` 0.04.",
        "- **Untouched, prior alone by the graph:** `paths`.",
    ):
        assert part in text


def test_a_page_without_its_block_is_refused():
    with pytest.raises(InputError, match="block learned: found 0 in the page"):
        filled("text", "learned", lines=[], identity=HASH)


def test_a_block_without_a_hash_is_of_no_forecast():
    assert identity_in("<!-- headline -->\ntext\n<!-- /headline -->", "headline") is None


def test_a_block_of_several_forecasts_has_the_hash_of_each():
    two = f"0.1.0 {HASH} {'1' * 64}"
    page = filled("<!-- a --><!-- /a -->", "a", lines=["x"], identity=two)
    assert identity_in(page, "a") == two
