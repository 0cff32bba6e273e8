"""How long a slider of a run's page takes from move to repaint, in headless Chromium.

Run from the root of the repository, with a finished run that has its page::

    python -m benchmarks.moves runs/default-HASH8

A hundred moves over all sliders, from the input event to the first message after the frame that
shows it; so it includes the wait for that frame, up to 17 ms. The page is opened twice: moved at
once, and after it had three seconds to itself. The machine's load is said with each.
"""

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

MOVES = 100
SCRIPT = """async (moves) => {
  const desk = miForecast.desk, out = [], pause = (ms) => new Promise((ok) => setTimeout(ok, ms));
  const inputs = [...document.querySelectorAll("fieldset[data-belief] input")];
  const shown = () => new Promise((ok) => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = ok;
    channel.port2.postMessage(0);
  }));
  for (let i = 0; i < moves; i++) {
    const input = inputs[i % inputs.length], step = 0.02 * (input.max - input.min);
    input.value = Number(input.value) + (Math.floor(i / inputs.length) % 2 ? -step : 1.2 * step);
    const start = performance.now();
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await shown();
    out.push([performance.now() - start, desk.ms]);
    await pause(60);
  }
  return out;
}"""


def main(arguments: Sequence[str]) -> int:
    """Print first, median, 95% point and greatest time of the moves; return the exit code."""
    from playwright.sync_api import sync_playwright

    page_file = (Path(arguments[0]) / "report.html").resolve()
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium") or shutil.which("chromium-browser"),
            args=["--no-sandbox"] if root else [],
        )
        for wait in (0, 3000):
            page = browser.new_page(viewport={"width": 1200, "height": 900})
            page.goto(page_file.as_uri())
            ready = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
            page.wait_for_timeout(wait)
            times = np.array(page.evaluate(SCRIPT, MOVES))
            print(f"ready after {ready:.0f} ms; moved {wait / 1000:g} s later; load {_load()}")
            for name, ms in zip(("move to repaint", "the page's own work"), times.T, strict=True):
                middle, high = np.quantile(ms, (0.5, 0.95))
                told = (
                    f"first {ms[0]:.0f}, median {middle:.0f}, 95% {high:.0f}, most {ms.max():.0f}"
                )
                print(f"  {name}, ms: {told}")
        browser.close()
    return 0


def _load() -> str:
    return f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
