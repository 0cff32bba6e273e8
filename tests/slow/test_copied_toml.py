"""A real run's page: sliders moved in a browser, *Copy as TOML*, and a run of the copy agree."""

import numpy as np
import pytest

import forecast as fc

OPTIONS = {"draws": 500, "tune": 500, "chains": 4, "quiet": True}
MOVES = {
    "leak_untracked": (120, 40),
    "value_constancy": (60, 0),
    "stop_6": (-20, 0),
    "bottleneck": (40, 10),
    "step_6": (10, 0),
}
"""How far each slider and its width is moved, of 1000 and 300 steps: exact ones, a ceiling that
forecasts by others read, and beliefs by weights."""
SHOWN = ("alignment_relevant", "alignment_used", "capabilities_relevant", "capabilities_first")


def copied(browser, page_file):
    """Move the sliders of a page; return its answer and what its button copies."""
    context = browser.new_context(offline=True, permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(page_file.as_uri())
    for name, values in MOVES.items():
        sliders = page.locator(f"[data-belief={name}] input").all()
        for slider, by in zip(sliders, values, strict=True):
            slider.fill(str(int(slider.input_value()) + by))
    page.wait_for_url("**#beliefs=*step_6:*")
    answer = page.evaluate("(({curves, ...rest}) => rest)(miForecast.desk.answer)")
    page.locator("#copy-toml").click()
    page.locator("#copy-toml", has_text="Copied").wait_for()
    text = page.evaluate("navigator.clipboard.readText()")
    assert text == page.locator("#toml").input_value()
    context.close()
    return answer, text


@pytest.mark.slow
def test_a_run_of_the_copied_file_gives_the_pages_answer(browser, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = fc.run("default", **OPTIONS)
    answer, text = copied(browser, (made.folder / "report.html").resolve())
    assert answer["good"]
    assert answer["how"] == "reweighted"
    (made.folder / "moved.toml").write_text(text, encoding="utf-8")
    moved = fc.run(made.folder / "moved.toml", report=False, **OPTIONS)
    stated, found = made.headline["quantities"], moved.headline["quantities"]
    for name in SHOWN:
        told, own = answer["found"][name], found[name]
        # Three combined errors: one in 90 of four independent pairs would be further apart.
        error = np.hypot(told["mcse"], own["mcse"])
        assert abs(told["mean"] - own["mean"]) < 3.0 * error, name
    strict = SHOWN[0]
    error = np.hypot(answer["found"][strict]["mcse"], found[strict]["mcse"])
    assert abs(stated[strict]["mean"] - found[strict]["mean"]) > 5.0 * error  # it did move
