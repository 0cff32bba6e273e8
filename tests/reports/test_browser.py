"""The page in a browser: nothing loaded, nothing foreign run, nothing wider than a phone.

Needs Chromium (the Debian package ``chromium``); skipped where there is none. What a browser
knows is asked by a probe, a script put into a copy of the page: the page's content policy allows
its own script alone.
"""

import json
import os
import re
import shutil
import subprocess
from html import unescape

import pytest

from reports.page import write_page
from reports.view import FILE
from reports.words import same_bar

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no chromium on the PATH (Debian: apt-get install chromium)"
)
POLICY = re.compile(r'(<meta http-equiv="Content-Security-Policy" content=")([^"]*)(">)')
START = """
window.ran = []; window.refused = []; window.faults = [];
for (const name of ["alert", "confirm", "prompt"]) window[name] = (x) => window.ran.push(x);
addEventListener("securitypolicyviolation", (e) => window.refused.push(e.violatedDirective));
addEventListener("error", (e) => window.faults.push(String(e.message || e.target)), true);
"""
END = """
addEventListener("load", () => {
const all = (css) => [...document.querySelectorAll(css)];
const told = (one) => (one.closest("[role=img]")?.getAttribute("aria-label") || "").trim();
const probe = {
  title: document.title, heading: document.querySelector("h1").innerText,
  answer: document.querySelector(".answer").innerText, text: document.body.innerText,
  figures: all("figure:has(.scroll)").map((f) => told(f.querySelector("svg"))),
  captions: all("figure:has(.scroll) figcaption").map((c) => c.textContent.trim()),
  images: all("img").map((i) => i.alt),
  bare: all("svg").filter((s) => !told(s) && s.getAttribute("aria-hidden") !== "true").length,
  scripts: all("script:not([nonce=probe])").length,
  handlers: all("*").filter((e) => [...e.attributes].some((a) => a.name.startsWith("on"))).length,
  ran, refused, faults,
};
const out = document.createElement("pre");
out.id = "probe"; out.textContent = JSON.stringify(probe); document.body.append(out);
});
"""
FRAME = """<!doctype html><iframe style="width: 390px; height: 844px; border: 0"></iframe><script>
const frame = document.querySelector("iframe"), out = document.createElement("pre");
frame.addEventListener("load", () => {
  const root = frame.contentDocument.documentElement;
  out.id = "probe"; document.body.append(out);
  out.textContent = JSON.stringify(
    {inner: frame.contentWindow.innerWidth, width: root.scrollWidth, shown: root.clientWidth});
});
frame.srcdoc = PAGE;
</script>"""
"""The page as a phone shows it: a window of Chromium itself is never narrower than 500."""


def browse(page):
    """Open a page; return its DOM and what the console said."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    command = [BROWSER, "--headless", "--disable-gpu", "--disable-component-update"]
    command += ["--enable-logging=stderr", f"--user-data-dir={page.parent / 'profile'}"]
    command += ["--no-first-run", "--disable-background-networking", "--dump-dom"]
    command += ["--no-sandbox"] if root else []  # Chromium's sandbox refuses to run as root
    done = subprocess.run(
        [*command, page.as_uri()],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    return done.stdout, [line for line in done.stderr.splitlines() if ":CONSOLE" in line]


def probed(page, *, policy=True):
    """Open a copy of the page with the probe, under its policy or none; return what it says."""
    html = page.read_text(encoding="utf-8")
    assert len(POLICY.findall(html)) == 1
    assert html.count("script-src 'sha256-") == 1
    if policy:
        html = html.replace("script-src '", "script-src 'nonce-probe' '")
    else:
        html = POLICY.sub("", html)
    start, end = (f'<script nonce="probe">{code}</script>' for code in (START, END))
    html = html.replace("<title>", f"{start}<title>", 1)
    html = html.replace("</body>", f"{end}</body>")
    return answer(page.with_name(f"copy-{policy}.html"), html)


def framed(page):
    """Return the widths of the page, as it is, in a frame as wide as a phone."""
    html = json.dumps(page.read_text(encoding="utf-8")).replace("<", r"\u003c")
    return answer(page.with_name("frame.html"), FRAME.replace("PAGE", html))


def answer(copy, html):
    """Write a page with a probe, open it, and return what the probe says."""
    copy.write_text(html, encoding="utf-8", newline="\n")
    found = re.search(r'<pre id="probe">(.*?)</pre>', browse(copy)[0], re.DOTALL)
    return json.loads(unescape(found[1]))


@pytest.fixture(scope="module")
def page(run_folder, full_context, tmp_path_factory):
    """The page of the fixtures, hostile names and all figures, in a folder of its own."""
    folder = tmp_path_factory.mktemp("browser")
    shutil.copytree(run_folder[0] / "figures", folder / "figures")
    shutil.copy(run_folder[0] / FILE, folder / FILE)
    return write_page(folder, context=full_context)


@pytest.fixture(scope="module")
def guarded(page):
    """What the probe says of the page under its content policy."""
    return probed(page)


@pytest.fixture(scope="module")
def unguarded(page):
    """The page without its content policy: what escaping alone is worth."""
    return probed(page, policy=False)


def test_the_probe_sees_a_script_a_load_and_a_wide_page(page):
    """Of a page that does all that is forbidden; so silence elsewhere means something."""
    bad = "<script>alert(7)</script><img src='figures/energy.png'><div style='width:3000px'>x</div>"
    html = page.read_text(encoding="utf-8").replace("</main>", f"{bad}</main>")
    other = page.with_name("bad.html")
    other.write_text(html, encoding="utf-8", newline="\n")
    free, held = probed(other, policy=False), probed(other)
    assert free["ran"] == [7]
    assert free["images"] == [""]
    assert held["ran"] == []
    assert {"script-src-elem", "img-src"} <= set(held["refused"])
    assert framed(other)["width"] >= 3000
    assert len(browse(other)[1]) >= 2  # the console tells of each refusal


def test_the_console_is_silent(page):
    html, console = browse(page)
    assert "</html>" in html
    assert console == []


def test_title_heading_and_answer(guarded, full_context):
    found = full_context["headline"]["quantities"]
    assert guarded["title"].startswith("test: how likely is interpretability work")
    assert "by the end of 2040" in guarded["heading"]
    assert guarded["answer"] == same_bar(found, {"cohort": 2026, "horizon": 2040})


def test_the_page_asks_for_nothing_that_its_policy_has_to_refuse(guarded, unguarded):
    """The policy allows no load at all, so a page that asks for none is one it refuses nothing."""
    assert guarded["refused"] == []
    assert guarded["faults"] == unguarded["faults"] == []


def test_hostile_names_run_nothing_even_without_the_policy(unguarded):
    assert unguarded["ran"] == []
    assert unguarded["scripts"] == 1  # the page's own
    assert unguarded["handlers"] == 0
    assert "<script>alert(1)</script>" in unguarded["text"]


def test_every_figure_has_a_text_in_its_place(guarded, full_context):
    assert guarded["figures"] == [figure["alt"] for figure in ordered(guarded, full_context)]
    assert len(guarded["figures"]) == len(full_context["figures"])
    assert all(guarded["images"])
    assert guarded["bare"] == 0


def ordered(found, context):
    """Return the figures in the order of the page, by their captions."""
    by_title = {f"{figure['title']}.": figure for figure in context["figures"]}
    return [next(f for t, f in by_title.items() if c.startswith(t)) for c in found["captions"]]


def test_a_phone_needs_no_scrolling_sideways(page):
    found = framed(page)
    assert found["inner"] == 390
    assert found["width"] <= found["shown"]
