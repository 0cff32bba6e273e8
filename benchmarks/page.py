"""README.md of this folder, from the results."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.figures import LABELS, REFITS, TARGETS, present, ratio, records, row
from forecast.inference.evaluate import WARM

ABOUT = """\
# Benchmarks

The same density in several programs, each run as a whole process, one at a time, on one machine.
The numbers and charts of this page are written by

```sh
python -m benchmarks.compare
```

(install the extra `benchmarks` first; `--page` writes the page anew from
[results.json](results.json)). A test holds the densities equal: differences of log density are
constant to 1e-8 at 20 random points (`tests/benchmarks/`).
"""
ENTRANTS = {
    "command": "`forecast run priors/default.toml --no-report --force`: the fit, and also all that "
    "a run adds: forecast, claims, replicated evidence, pointwise scores, figures' numbers, files.",
    "project": "The fit through the library, with the convergence rule and `az.summary`: the same "
    "work as the others'.",
    "plain": "The model in ordinary PyMC, `pm.sample` by its defaults with 4 chains (nutpie where "
    "it is installed, as here), `az.summary`. The priors' numbers are constants of its graph, as "
    "in an ordinary script, so that a changed prior compiles anew.",
    "numpyro": "Priors, gradients and NUTS are NumPyro's, by its defaults, in double precision, 4 "
    "host devices; the formulas those of `models/` on JAX; `az.summary`. Warm runs find JAX's "
    "compilation cache filled. Chains start at medians of prior draws: from NumPyro's own starting "
    "points, uniform within 2 of 0, no seed of five converged (least ESS 5, R-hat 2.3).",
    "stan": "A Stan program (`stan_model.stan`) through PyStan, by its defaults with 4 chains; "
    "`az.summary`. What raters answer is tabulated by distinct pattern. Chains start at medians of "
    "prior draws too: from Stan's own starting points, uniform within 2 of 0, the one seed that "
    "was run did not converge (least ESS 6, R-hat 1.74, after 20 minutes of sampling).",
}
METHOD = """\
## How it is measured

- Each of 4 chains has 1000 tuning steps and 1000 draws. ESS is ArviZ's bulk ESS, the least over all
  elements of the sampled parameters, the same list for every entrant.
- Seconds run from the start of the process to its end, imports included. *Warm*: caches of compiled
  code filled by an earlier run. *Cold*: every such cache empty (compiled models, numba,
  PyTensor, JAX, Stan); packages' own bytecode and matplotlib's list of fonts stay.
- Every seed runs all entrants in turn, each seed beginning with another. Figures are medians over
  seeds; ratios are taken seed by seed, the range in brackets.
- Gradients per effective draw: gradient evaluations after warm-up over least bulk ESS; *with
  warm-up* counts all evaluations of one more run, untimed, that keeps its warm-up.
- A refit moves one prior by half of its scale, another prior each time. {refits}
  This project's start from one fit of the stated priors, which is counted, and have at most {tune}
  tuning steps and {draws} draws a chain. The others' are whole fits; NumPyro's reuse compiled code.
- A fit that did not converge keeps its figures: see R-hat and divergences.
"""


def write_page(results: Mapping[str, Any], folder: Path) -> None:
    """Write README.md beside the charts."""
    (folder / "README.md").write_text(page(results), encoding="utf-8")


def page(results: Mapping[str, Any]) -> str:
    """Return the page."""
    names = present(results)
    entrants = [f"- **{LABELS[name]}.** {ENTRANTS[name]}" for name in names]
    if results["missing"]:
        missing = ", ".join(LABELS[name] for name in results["missing"])
        entrants.append(f"- Not installed, so left out: {missing}.")
    unasked = [LABELS[name] for name in LABELS if name not in (*names, *results["missing"])]
    if unasked:
        entrants.append(f"- Not asked for (`--only`), so left out: {', '.join(unasked)}.")
    parts = [
        ABOUT,
        "## Entrants\n\n" + "\n".join(entrants) + "\n",
        "## Result\n\n" + "\n".join([*_machine(results), "", *_table(results)]) + "\n",
        "![Least bulk ESS per second of the whole process, by entrant](speed.svg)\n",
        *_refit_chart(results),
        "## Against what was aimed at\n\n" + "\n".join(_targets(results)) + "\n",
        METHOD.format(refits=_refits(results), **WARM),
    ]
    return "\n".join(parts)


def _refit_chart(results: Mapping[str, Any]) -> list[str]:
    known = any(row(results, name)["refit"] for name in present(results))
    return ["![Seconds per refit with changed priors, by entrant](refit.svg)\n"] if known else []


def _machine(results: Mapping[str, Any]) -> list[str]:
    m = results["machine"]
    versions = ", ".join(f"{name} {v}" for name, v in m["versions"].items())
    timed = [r["load"] for r in results["records"]]
    seeds = len({r["seed"] for r in results["records"] if r["kind"] == "warm"})
    return [
        f"{m['date']}, code {m['source']}; {m['processor']}, {m['cores']} cores, "
        f"{m['memory_gb']} GB, {m['system']}; Python {m['python']}, {versions}. "
        f"Seeds: {seeds}. Load before a run: {min(timed):.1f} to {max(timed):.1f}. "
        f"{results.get('note', '')}".strip()
    ]


COLUMNS = (
    ("seeds", "seeds"),
    ("warm_seconds", "warm, s"),
    ("cold_seconds", "cold, s"),
    ("min_ess", "least bulk ESS"),
    ("warm_speed", "ESS/s warm"),
    ("cold_speed", "ESS/s cold"),
    ("gradients", "gradients per effective draw"),
    ("all_gradients", "with warm-up"),
    ("refit", "s per refit"),
    ("refit_ess", "a refit's least ESS"),
    ("peak_gb", "peak GB"),
    ("max_rhat", "R-hat at most"),
    ("divergences", "divergences at most"),
)
"""Figures of :func:`benchmarks.figures.row`, and their heads."""


def _table(results: Mapping[str, Any]) -> list[str]:
    lines = [
        "| | " + " | ".join(head for _, head in COLUMNS) + " |",
        "| --- |" + " ---: |" * len(COLUMNS),
    ]
    for name in present(results):
        found = row(results, name)
        cells = [_number(found[key], key) for key, _ in COLUMNS]
        lines.append(f"| {LABELS[name]} | " + " | ".join(cells) + " |")
    return lines


def _number(value: float | None, key: str) -> str:
    if value is None:
        return "–"
    if key == "max_rhat":
        return f"{value:.3f}"
    if key in ("divergences", "seeds"):
        return f"{value:.0f}"
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def _targets(results: Mapping[str, Any]) -> list[str]:
    lines = [
        "Times as many effective draws per second (or, of refits, times as fast) as the other:",
        "",
        "| this project | other | caches | ratio | aim | |",
        "| --- | --- | --- | ---: | ---: | --- |",
    ]
    for (kind, other), aim in TARGETS.items():
        for ours in ("command", "project"):
            found = ratio(results, ours, other=other, kind=kind)
            if found is None:
                continue
            middle, low, high = found
            span = "" if kind == "refits" else f" ({low:.1f}–{high:.1f})"
            verdict = "hit" if middle >= aim else "missed"
            words = [LABELS[ours].partition(", ")[2], LABELS[other], kind]
            lines.append(f"| {' | '.join(words)} | {middle:.1f}{span} | {aim:g} | {verdict} |")
    return lines


def _refits(results: Mapping[str, Any]) -> str:
    counts = {
        LABELS[name]: len(found[0]["fit_seconds"])
        for name in present(results)
        if (found := records(results, "refits", entrant=name))
    }
    ran = ", ".join(f"{label} {n}" for label, n in counts.items())
    return (
        f"Refits run in one process: {ran}. Where fewer than {REFITS} were run, each missing one "
        "is counted at the median of those after the first."
    )
