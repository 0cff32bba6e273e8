"""Numbers, names and sentences in the words that every surface uses, and limits of the verdicts."""

import math
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from models.parameters import SLOTS
from models.quantities import QUANTITIES

INTERVAL = "89% equal-tailed interval"
"""Kind and probability of every interval shown."""
LOWER, UPPER = 0.055, 0.945
"""Its ends, as quantiles."""
INTERVAL_OF_CHANCE = f"{INTERVAL} of the probability itself"
CLOSED = "22 November 2026"
"""The day on which the evidence closes."""
LEVEL_NAMES = (
    "nothing about its working",
    "that something is off",
    "where it is",
    "what causes it",
    "structure looked for",
    "structure nobody looked for",
    "values read",
    "reflection predicted",
)
"""What a work at each level shows, in few words (evidence/RUBRIC.md)."""
NOT_CONVERGED = "NOT CONVERGED"
NOT_CONVERGED_TEXT = (
    "The sampler did not meet its own rule, so no number here is a result. "
    "Look at the diagnostics, then run again with more draws or tuning."
)
NO_EVIDENCE = "no evidence in this table: the prior speaks"
NO_TABLE = "No table holds evidence for the fit: the whole forecast is that of the priors."
USE_NOT_BENEFIT = "Use, not benefit: a use counts the same however much it helps."
SAME_BAR = (
    "Same bar for both sides: documented use against documented use; the strict sense asks more."
)
ANY_USE = (
    "alignment_used",
    "capabilities_relevant",
    "alignment_used_by_others",
    "capabilities_used_by_others",
)
"""Documented or not: use on each side, and without a work's use of its own finding."""
SAME_BAR_NAMES = ("alignment_only", "both", "capabilities_only", "neither")
"""The split on the same bar; it sums to 1."""
RATED = "Rated by language models from short gists: measurements with error, shared in part."
KINDS = {"language-model": "language models", "human": "people"}
"""Kinds of rater, in words."""
ONE_RATER = " One rater: with no second reading of a work, its errors rest on priors."
UNRATED = (
    "No work is rated: what is said of levels, tracking and uses rests on priors, figures and "
    "counts alone."
)
MODEL_ALONE = "Every other number here is the model's alone."
"""What is said wherever an outside view is mixed in."""
CHANCES = ("probability", "share")
"""Units that are printed as chances."""
ROUNDING = 5e-6
"""Difference of chances below which it is printed as 0."""
LEAST = 0.001
"""Probability below which (and within which of 1) no more digits are printed."""
FEW = 0.02
"""Chance below which (and within which of 1) a rerun with heavy tails stands beside, if any."""
AGREEMENT = {
    "a": "rater",
    "b": "other rater",
    "works": "works both rated",
    "level": "same level",
    "tracks": "same on tracking",
    "cap_use": "same on capabilities use",
    "ali_use": "same on alignment use",
}
"""Heads of the table of the raters' agreement."""
LEARNED, SOMEWHAT = 0.5, 0.9
"""Ratios of sds below which a belief counts as learned, and as somewhat learned."""
GREW = 1.2
"""Ratio from which the sd grew: five standard errors above 1 at 400 effective draws."""
FAR = 2.0
"""Prior sds from which the posterior mean lies outside what the prior expected."""
CONFLICT, UNTOUCHED = "conflict", "untouched"
STATUSES = {
    "learned": f"learned (posterior sd below {LEARNED} of the prior's)",
    "somewhat": f"somewhat learned (below {SOMEWHAT})",
    "hardly": f"hardly learned ({SOMEWHAT} or more)",
    CONFLICT: (
        f"in conflict with the prior (posterior mean {FAR:.0f} or more prior sds away, or sd "
        f"{GREW} times the prior's or more)"
    ),
    UNTOUCHED: "untouched (no evidence bears on it)",
}
"""Every status, in words."""


MOVED, HARDLY, ALONE, AGAINST = "moved", "hardly moved", "prior alone", "in conflict"
VERDICTS = {
    MOVED: "the evidence moved or narrowed the claim's quantities",
    HARDLY: "the claim's own beliefs stand about where the prior put them",
    ALONE: "no evidence touches the claim's own beliefs",
    AGAINST: "the evidence says what the prior did not expect",
}
"""Every verdict on a claim, and what it means."""
FOR, AGAINST_IT, BOTH_WAYS, NO_SIDE = "for", "against", "both ways", "no side"
SAID = {
    FOR: ("Speaks for it", "every quantity that moved to a side makes the claim likelier"),
    AGAINST_IT: ("Speaks against it", "every such quantity makes it less likely"),
    BOTH_WAYS: ("Speaks both ways", "some make it likelier and some less likely"),
    NO_SIDE: ("Takes no side", "its quantities narrowed about where they stood"),
}
"""What the quantities of a claim that moved say of it, in words, and what that means."""
SIDED = (MOVED, AGAINST)
"""Verdicts on which evidence bears, so that it may take a side."""
FORBIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn")
"""Kinds of character that never reach a terminal: controls, direction marks, no characters."""


def rated_by(raters: Mapping[str, str] | None) -> str:
    """Return by whom works were rated, as {rater: kind}; None where a run did not keep it."""
    if raters is None:
        return RATED
    if not raters:
        return UNRATED
    kinds = " and ".join(dict.fromkeys(KINDS[kind] for kind in sorted(raters.values())[::-1]))
    return RATED.replace("language models", kinds) + (ONE_RATER if len(raters) == 1 else "")


def chance(p: float | None) -> str:
    """Return a probability as a percentage: '<0.1%', '0.27%', '24%', '98.6%', '>99.9%'."""
    if p is None or p != p:
        return "none"
    if p < LEAST:
        return f"<{100 * LEAST:.1f}%"
    return f">{100 - 100 * LEAST:.1f}%" if p > 1 - LEAST else f"{_percent(p)}%"


def of_hundred(p: float) -> str:
    """Return a probability as a number of works of a hundred."""
    if p < LEAST:
        return f"fewer than {100 * LEAST:.1f}"
    return f"more than {100 - 100 * LEAST:.1f}" if p > 1 - LEAST else _percent(p)


def _percent(p: float) -> str:
    """Return 100 p to two digits, and to one decimal near 100."""
    return f"{100 * p:.1f}" if p > 0.98 else f"{100 * p:#.2g}".rstrip(".")


def same_bar(quantities: Mapping[str, Any], question: Mapping[str, Any]) -> str:
    """Return the sentence on the split on the same bar."""
    alone, both, other, neither = (of_hundred(quantities[n]["mean"]) for n in SAME_BAR_NAMES)
    ali, cap, ali_others, cap_others = (of_hundred(quantities[n]["mean"]) for n in ANY_USE)
    return (
        f"Of 100 interpretability works of {question['cohort']}, by the end of "
        f"{question['horizon']}, {alone} have a documented use in alignment work alone, {other} in "
        f"capabilities work alone, {both} in both and {neither} in neither. Counting uses that "
        f"nobody writes about as well, {ali} are used for alignment and {cap} for capabilities; "
        f"leaving out what a work does with its own finding, {ali_others} and {cap_others}."
    )


def leading(leads: Mapping[str, Mapping[str, float]]) -> str:
    """Return the sentence on which side is ahead, and how surely.

    ``leads`` holds the probability that alignment is: of documented use, of any use (``used``), and
    of ``strict`` relevance against capabilities use.
    """
    documented, used, strict = (
        chance(leads[name]["mean"])
        + (f" (Monte Carlo error {100 * error:.1g})" if (error := leads[name]["mcse"]) else "")
        for name in ("documented", "used", "strict")
    )
    return (
        "Which side is ahead? Documented use is likelier for alignment than for capabilities with "
        f"probability {documented}, any use with {used}, which hangs on what share of uses is "
        "documented, a belief that no evidence touches; strict alignment relevance is likelier "
        f"than use for capabilities with {strict}."
    )


def few_or_most(p: float, heavy: float | None) -> str:
    """Return works of a hundred, called few below 2, with what wider differences make of it.

    A chance so near an end hangs on the tails of the model. ``heavy`` is the same with heavy-tailed
    agendas (`forecast check RUN --structure`); None where no rerun that converged is there:
    :func:`untried` says that.
    """
    if not near_end(p):
        return of_hundred(p)
    edge = "few" if p < FEW else "nearly all"
    beside = "" if heavy is None else f"; {of_hundred(heavy)} if research agendas may differ more"
    return f"{edge} ({of_hundred(p)}{beside})"


def near_end(p: float) -> bool:
    """Return whether a chance lies so near 0 or 1 that it hangs on the tails of the model."""
    return not FEW <= p <= 1.0 - FEW


def untried(quantities: Mapping[str, Any], heavy: float | None) -> str:
    """Return what is to be said of a strict number near an end that no rerun stands beside."""
    row = quantities.get("alignment_relevant")
    if row is None or heavy is not None or not near_end(row["mean"]):
        return ""
    return (
        f"A strict number so {'small' if row['mean'] < FEW else 'large'} hangs on how far research "
        "agendas may differ; whether wider differences change it was not tried for this run."
    )


def strict(quantities: Mapping[str, Any], heavy: float | None = None) -> str:
    """Return the sentence on the strict sense, and on why so few works meet it.

    Its interval is named by the surface, once.
    """
    row, used = quantities["alignment_relevant"], of_hundred(quantities["alignment_used"]["mean"])
    return (
        f"In the strict sense {few_or_most(row['mean'], heavy)} end up alignment-relevant "
        f"(interval {interval(row)}): fewer than the {used} that alignment work uses at all, "
        "since a work must also help to reach the milestone that alignment requires, in a field "
        "that gets that far. No such conditions are put on capabilities use."
    )


def opening(
    quantities: Mapping[str, Any],
    question: Mapping[str, Any],
    *,
    heavy: float | None = None,
    leads: Mapping[str, Mapping[str, float]] | None = None,
) -> list[str]:
    """Return the sentences that every surface opens with, as far as the run has them."""
    names = {*quantities}
    sentences = [same_bar(quantities, question)] if {*SAME_BAR_NAMES} <= names else []
    sentences += [leading(leads)] if leads else []
    if {"alignment_relevant", "alignment_used"} <= names:
        sentences.append(strict(quantities, heavy))
    return sentences


def number(x: float | None) -> str:
    """Return a number to three figures, with thousands apart."""
    if x is None or x != x:
        return "none"
    if abs(x) >= 100:
        return f"{float(f'{x:.3g}'):,.0f}"
    return f"{x:.3g}"


def value(x: float | None, unit: str) -> str:
    """Return a number as its unit asks: chances as percentages, others to three figures."""
    return chance(x) if unit in CHANCES else number(x)


def interval(row: Mapping[str, Any], unit: str = "probability") -> str:
    """Return 'lower to upper' of a summary; one word where both ends read alike."""
    lower, upper = value(row.get("lower"), unit), value(row.get("upper"), unit)
    return lower if lower == upper else f"{lower} to {upper}"


def mean_and_interval(row: Mapping[str, Any] | None) -> tuple[str, str]:
    """Return mean and interval of a chance, two dashes where there is none."""
    return (chance(row["mean"]), interval(row)) if row else ("-", "-")


def points(x: float | None, error: float | None = None) -> str:
    """Return a difference of chances in points of a hundred, with its Monte Carlo error."""
    if x is None or x != x:
        return "-"
    text = "0" if abs(x) < ROUNDING and not error else f"{100 * x:+.2g}"
    return text if not error or error != error else f"{text} ± {100 * error:.1g}"


def cell(x: object) -> str:
    """Return any value as the text of a cell."""
    if x is None:
        return "none"
    if isinstance(x, bool):
        return "yes" if x else "no"
    if isinstance(x, Mapping) and {"median", "lower", "upper"} <= set(x):
        return f"{number(x['median'])} ({number(x['lower'])} to {number(x['upper'])})"
    if isinstance(x, Mapping):
        return ", ".join(f"{key} {cell(value)}" for key, value in x.items())
    if isinstance(x, list | tuple):
        return ", ".join(map(cell, x))
    return number(x) if isinstance(x, float) else str(x)


def label(name: str) -> str:
    """Return a quantity's label for people."""
    return QUANTITIES[name].label if name in QUANTITIES else name.replace("_", " ")


def question_of(name: object) -> str:
    """Return the question that a belief answers, nothing for a name that is no belief's."""
    slot = SLOTS.get(str(name))
    return slot.question if slot else ""


def clean(text: object) -> str:
    """Return text fit for a terminal: one line, without control characters."""
    spaced = " ".join(str(text).split())
    return "".join(c for c in spaced if unicodedata.category(c) not in FORBIDDEN)


def filled(x: object) -> float | None:
    """Return a cell as a number, None where it is empty."""
    if x is None or x == "":
        return None
    return float(str(x))


HOW = {
    "exact": "this run itself",
    "run": "a finished run beside this one",
    "refit": "a fit of its own",
    "reweighted": "this run's draws, reweighted",
    "moment-matched": "this run's draws, moved and reweighted",
    "withheld": "withheld",
}
"""Ways to answer a variation, in words."""


def known(x: object) -> bool:
    """Return whether a cell holds a number."""
    y = filled(x)
    return y is not None and math.isfinite(y)


def how(row: Mapping[str, Any], names: Iterable[str] = ()) -> str:
    """Return in words how a variation was answered, and how well; ``names`` are its quantities."""
    shown = any(row.get(name) for name in names)
    way = str(row.get("how") or ("reweighted" if shown else "withheld"))
    fitted = way in {"refit", "run"}
    keys = {"r_hat": "R-hat"} if fitted else {"pareto_k": "Pareto k"}
    keys |= {"ess": "effective draws"} if fitted or shown else {}
    notes = [f"{text} {number(float(row[k]))}" for k, text in keys.items() if known(row.get(k))]
    notes += [NOT_CONVERGED] if fitted and row.get("converged") is False else []
    return HOW.get(way, way) + (f" ({', '.join(notes)})" if notes and way != "exact" else "")


METHODS = {
    "exact": "exact",
    "reweighted": "reweighted",
    "moment-matched": "moved, reweighted",
    "refit": "refitted",
    "withheld": "withheld",
}
"""Ways to answer a variation, in the cell of a table."""


def method(row: Mapping[str, Any]) -> str:
    """Return how a variation was answered, for a cell; of a withheld one, why."""
    k = f"{row['pareto_k']:.2f}" if known(row.get("pareto_k")) else ""
    if row["how"] == "withheld":
        return f"withheld: k = {k}" if k else "withheld"
    text = METHODS.get(row["how"], str(row["how"]))
    if k and row["how"] in ("reweighted", "moment-matched"):
        text += f", k {k}"
    return text if row.get("converged", True) else f"{text}, {NOT_CONVERGED}"


def view_error(view: Mapping[str, Any]) -> str:
    """Return the Monte Carlo error of a worldview's strict mean in words, '' where none is kept."""
    strict = (view.get("posterior") or {}).get("alignment_relevant") or {}
    if not known(strict.get("mcse")):
        return ""
    return f"Monte Carlo error of its strict mean {100 * strict['mcse']:.1g} points of a hundred"


def view_notes(views: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return, for each worldview given the evidence, how it was answered and how surely."""
    return [
        f"{v['name']}: {'; '.join(filter(None, (how(v, ['posterior']), view_error(v))))}."
        for v in views
        if v.get("posterior")
    ]


CONSIDERED = "all things considered"


def outside_view(head: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is shown of the outside view of a headline.json; nothing without one.

    Returns
    -------
    dict
        ``label`` of the quantity, and ``rows``: name and summary of the model alone, the outside
        view, and all things considered.
    """
    view = head.get("outside_view")
    if not view:
        return {}
    rows = [
        ("the model alone", head["quantities"][view["quantity"]]),
        (f"outside view, weight {chance(view['weight'])}", view["outside"]),
        (CONSIDERED, view["mixed"]),
    ]
    return {"label": label(view["quantity"]), "rows": rows}


def outside_text(head: Mapping[str, Any]) -> list[str]:
    """Return the sentence that says both numbers, for the opening; nothing without a view."""
    view = head.get("outside_view")
    return [considered(view, head["quantities"][view["quantity"]])] if view else []


def outside_opening(summary: Mapping[str, Any]) -> list[str]:
    """Return the same for an analysis, whose view has the model's number in ``model``."""
    view = summary.get("outside_view")
    return [considered(view, view["model"])] if view else []


def considered(view: Mapping[str, Any], model: Mapping[str, Any]) -> str:
    """Return the sentence on a view and the model's summary of the same quantity."""
    outside, both, why = view["outside"], view["mixed"], clean(view["why"])
    why += "" if why.endswith((".", "!", "?")) else "."
    return (
        f"All things considered, {of_hundred(both['mean'])} of 100 ({interval(both)}, {INTERVAL}) "
        f"are {label(view['quantity'])}: the model alone says "
        f"{of_hundred(model['mean'])}, an outside view {of_hundred(outside['mean'])} "
        f"({interval(outside)}), which weighs {chance(view['weight'])} by the choice of this "
        f"forecast's author: {why} {MODEL_ALONE}"
    )


def considered_of(head: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """Return the summary of a quantity with the outside view mixed in, None where there is none."""
    view = head.get("outside_view") or {}
    return view.get("mixed") if view.get("quantity") == name else None
