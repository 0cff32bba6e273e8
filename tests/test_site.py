"""The docs site: made from code, registry and priors, so that it cannot drift from them."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from forecast.cli.main import COMMANDS
from forecast.config.load import load_config
from models.parameters import SLOTS
from models.quantities import CLAIMS, HEADLINE
from scripts import build_docs
from scripts import docs_pages as writeup

ROOT = Path(__file__).parents[1]


def plain(latex, display):
    return f"[{display}: {latex}]"


def page_of(**changed):
    """Return the write-up, with the numbers of some priors replaced."""
    priors = {p.name: p for p in load_config("default").priors}
    for name, params in changed.items():
        priors[name] = replace(priors[name], params=params)
    docstrings = {name: "Say." for part in writeup.PARTS.values() for name in part}
    return writeup.model_page(docstrings, priors, formula=plain)


def test_a_changed_prior_changes_the_page_and_nothing_else():
    before = page_of().splitlines()
    after = page_of(gate_tracked=(("alpha", 2.0), ("beta", 18.0))).splitlines()
    changed = [new for old, new in zip(before, after, strict=True) if old != new]
    assert len(changed) == 1
    assert "`Beta(alpha = 2, beta = 18)`" in changed[0]


def test_every_belief_and_every_block_is_in_the_write_up():
    page = page_of()
    assert not [name for name in SLOTS if f"| `{name}` |" not in page]
    assert set(writeup.PARTS) == {slot.block for slot in SLOTS.values()}


def test_a_docstring_becomes_markdown():
    text = "Mean :math:`x` of :func:`models.a.b`, ``y``.\n\n"
    text += ".. math::\n\n    a &= b \\\\\n    c\n\nEnd."
    found = writeup.markdown(text, plain)
    assert "Mean [inline: x] of `models.a.b`, `y`." in found
    assert "[block: a &= b \\\\ c]" in found
    assert found.rstrip().endswith("End.")
    assert "[block: T = 1]" in writeup.markdown("A\n\n.. math:: T = 1\n\nB", plain)


def test_every_formula_of_the_model_is_drawn():
    pytest.importorskip("latex2mathml", reason="comes with the extra docs")
    page = build_docs.model_text()
    assert page.count("<math") > 50
    assert ":math:" not in page
    assert ".. math" not in page


def test_the_registry_is_on_the_page_of_quantities():
    page = writeup.quantities_page()
    assert not [name for name in HEADLINE if f"| `{name}` |" not in page]
    assert not [key for key in CLAIMS if f"**{key}**" not in page]


def test_every_command_has_its_help_on_the_page():
    page = writeup.command_page(build_docs.helps())
    assert not [name for name in COMMANDS if f"## `forecast {name}`" not in page]
    assert "## `forecast evidence agreement`" in page
    assert page.count("Example:") > len(COMMANDS)


def test_links_lead_to_pages_of_the_site_or_become_text():
    text = "[a](../README.md#set-up) [b](model.md) [c](../pyproject.toml) [d](#here) ![e](x.png)"
    found = build_docs.relinked(text, "docs/index.md")
    assert found == "[a](readme.md#set-up) [b](model.md) c [d](#here) ![e](x.png)"


def test_every_page_has_a_place_in_the_navigation():
    text = str(build_docs.NAV)
    own = {*build_docs.pages().values(), "write-up.md", "quantities.md", "cli.md", "python.md"}
    assert not [name for name in own if f"'{name}'" not in text]


@pytest.mark.slow
def test_the_site_builds_without_a_warning():
    """In strict mode a warning, such as of a link that leads nowhere, ends with code 1."""
    pytest.importorskip("mkdocs", reason="comes with the extra docs")
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "build_docs.py"],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "<math" in (ROOT / "site" / "write-up.html").read_text(encoding="utf-8")
