"""What the evidence did to each belief and to each claim: one word each, and a sentence.

Two numbers judge a belief. ``sd_ratio`` is the posterior's sd over the prior's, in the belief's own
unit. ``shift`` is how far the posterior mean lies from the prior's, in prior sds, on the scale
where the belief is unbounded (the log of what is positive, the logit of a share): on its own scale
a share near 0 can never lie many sds below its prior. The two are the axes of Betancourt's plot of
contraction and z-score ("Towards a principled Bayesian workflow", 2020), with the prior in place of
a known truth. The limits stand with the words for them in :mod:`reports.words`.

A claim is judged by its quantities and by its home beliefs, those that name it first under
``claims``. What its quantities share with other claims (how often works are used at all) may narrow
them while the claim's own beliefs stay where the prior put them; then the claim did not move. Where
it did, the same quantities say for it or against it, by the sign that each has here.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import log
from typing import Any

from models.quantities import CLAIMS, QUANTITIES
from reports.words import (
    AGAINST,
    AGAINST_IT,
    ALONE,
    BOTH_WAYS,
    CHANCES,
    CONFLICT,
    FAR,
    FOR,
    GREW,
    HARDLY,
    LEARNED,
    LEAST,
    MOVED,
    NO_SIDE,
    SOMEWHAT,
    UNTOUCHED,
    value,
)


def status(sd_ratio: float, shift: float, *, untouched: bool = False) -> str:
    """Return what the evidence did to a belief: a key of :data:`reports.words.STATUSES`."""
    if untouched:
        return UNTOUCHED
    if abs(shift) >= FAR or sd_ratio >= GREW:
        return CONFLICT
    if sd_ratio < LEARNED:
        return "learned"
    return "somewhat" if sd_ratio < SOMEWHAT else "hardly"


SHIFTED = 1.0
"""Prior sds from which a quantity counts as moved even where it did not narrow."""
DEBUGGING = ("1", "2", "3")
TURNS_ON = {
    "fault_shares": ("learned-representation",),
    "plateau": DEBUGGING,
    "level_share": DEBUGGING,
}
"""Elements that a claim speaks of, where it does not speak of all."""
SIGNS = {
    "level5_established": -1,
    "established": -1,
    "works_at_level": -1,
    "plateau": 1,
    "bottleneck_gain": 1,
    "tracks_end_goal": -1,
    "tracking_field": -1,
    "tracking_effect_capabilities": -1,
    "untracked_leak": -1,
    "fault_shares": -1,
    "diagnosed": 1,
    "diagnosis_rate_practice": 1,
    "path_count": 1,
    "path_caught": 1,
    "no_path_caught": -1,
    "ease_documented": 1,
    "ease_actual": 1,
    "worker_ratio": 1,
    "value_constancy": -1,
    "relevant_untracked": -1,
    "capabilities_first_untracked": 1,
    "capabilities_only_untracked": 1,
}
"""Whether more of a quantity speaks for the claim (1) or against it (-1); without a sign, neither.

None have: shares of one year's works by level, which say little of where the field ends; chances
that take a claim as given; and works that track, in a claim on those that do not.
"""
HIGH = ("5", "6", "7")
"""Steps that the claim on structure nobody looked for speaks of."""
BOUNDARY = {
    "worker_ratio": 1.0,
    "tracking_effect_capabilities": 1.0,
    "ease_documented": 0.0,
    "ease_actual": 0.0,
}
"""Where a claim of more, or of less, begins to hold: the distance from here is what counts."""
ASIDE = 0.1
"""Prior sds, or widths of the interval of a distance, below which a move is to no side."""
Row = Mapping[str, Any]


def in_words(row: Row) -> str:
    """Return which element of a quantity a row is of: 'level 1, by 2026'."""
    name, parts = row["quantity"], row["element"].split()
    dims = QUANTITIES[name].dims
    if len(parts) != len(dims):
        return str(row["element"])
    year = "by" if name == "established" else "in"
    words = {"step": "level ", "level": "level ", "forecast_year": f"{year} "}
    return ", ".join(words.get(dim, "") + part for dim, part in zip(dims, parts, strict=True))


def is_moved(row: Row) -> bool:
    """Return whether a quantity is narrower than its prior, or lies elsewhere."""
    return float(row["sd_ratio"]) < SOMEWHAT or abs(float(row["shift"])) >= SHIFTED


def is_judged(row: Row) -> bool:
    """Return whether a row of claims.csv bears on the verdict.

    Agendas one by one do not, nor does a chance that is negligible or sure before and after.
    """
    q = QUANTITIES[row["quantity"]]
    if "agenda" in q.dims or row["element"] not in TURNS_ON.get(q.name, (row["element"],)):
        return False
    groups = ("prior", "posterior")
    negligible = all(row[f"{g}_upper"] < LEAST for g in groups)
    sure = all(min(row[f"{g}_lower"], row[f"{g}_mean"]) > 1 - LEAST for g in groups)
    return q.unit not in CHANCES or not (negligible or sure)


def verdicts(rows: Sequence[Row], learned: Sequence[Row]) -> dict[str, tuple[str, str]]:
    """Return each claim's verdict (a key of :data:`reports.words.VERDICTS`) and its sentence.

    Parameters
    ----------
    rows
        Rows of claims.csv, with ``sd_ratio`` and ``shift``.
    learned
        Rows of summary.csv.
    """
    out = {}
    for claim in CLAIMS:
        judged = [r for r in rows if r["claim"] == claim and is_judged(r)]
        home = [r for r in learned if str(r["claims"]).split()[:1] == [claim]]
        word = _verdict(judged, home)
        out[claim] = word, _sentence(word, judged, home=home)
    return out


def side(rows: Iterable[Row]) -> str:
    """Return to which side a claim's rows of claims.csv moved: a key of :data:`reports.words.SAID`.

    Counted are the quantities that the verdict rests on, that moved, and that have a sign.
    """
    moves = [toward(row) for row in rows if is_judged(row) and is_moved(row)]
    found = {move > 0 for move in moves if abs(move) >= ASIDE}
    return {(True,): FOR, (False,): AGAINST_IT, (False, True): BOTH_WAYS}.get(
        tuple(sorted(found)), NO_SIDE
    )


def toward(row: Row) -> float:
    """Return how far a quantity moved toward its claim (negative: away), 0 without a sign.

    In prior sds; where a claim of more or less has a boundary, by how far the median lies on its
    side, in widths of the interval, since a number that falls and narrows may be the surer beyond.
    """
    name = row["quantity"]
    steps = QUANTITIES[name].dims[:1] == ("step",)
    if name not in SIGNS or (steps and str(row["element"]).split()[0] not in HIGH):
        return 0.0
    if name not in BOUNDARY:
        return SIGNS[name] * float(row["shift"])
    before, after = (_beyond(row, group) for group in ("prior", "posterior"))
    return SIGNS[name] * (after - before)


def _beyond(row: Row, group: str) -> float:
    """Return how far the median lies above the boundary, in widths of the interval."""
    lower, mid, upper = (float(row[f"{group}_{key}"]) for key in ("lower", "median", "upper"))
    edge = BOUNDARY[row["quantity"]]
    if QUANTITIES[row["quantity"]].unit == "ratio":
        lower, mid, upper, edge = log(lower), log(mid), log(upper), log(edge)
    return (mid - edge) / (upper - lower) if upper > lower else 0.0


def _verdict(judged: Sequence[Row], home: Sequence[Row]) -> str:
    far = any(abs(float(r["shift"])) >= FAR for r in judged)
    found = {r["learned"] for r in home}
    if far or CONFLICT in found:
        return AGAINST
    if found <= {UNTOUCHED}:
        return ALONE
    own = found & {"learned", "somewhat"}
    return MOVED if own and any(map(is_moved, judged)) else HARDLY


def _sentence(word: str, judged: Sequence[Row], *, home: Sequence[Row]) -> str:
    odd = [r for r in home if r["learned"] == CONFLICT]
    still = [r for r in home if r["learned"] == "hardly"]
    alone = [r for r in home if r["learned"] == UNTOUCHED]
    moved = [r for r in judged if is_moved(r)]
    parts = []
    if odd:
        parts.append("the prior did not expect what the evidence says of " + _names(odd))
    if word == HARDLY and still:
        parts.append(f"the evidence says little on {_names(still)}")
    if word in {HARDLY, ALONE}:
        parts.append("its quantities narrowed only by beliefs of other claims" if moved else "")
    elif moved:
        parts.append(_before_and_after(next(filter(_reads_differently, moved), moved[0])))
    if alone:
        parts.append(f"no evidence touches {_names(alone)}")
    told = (
        "; ".join(part for part in parts if part) or "its quantities stand about where they stood"
    )
    return f"{word.capitalize()}: {told}."


def _medians(row: Row) -> list[str]:
    unit = QUANTITIES[row["quantity"]].unit
    return [value(row[f"{group}_median"], unit) for group in ("prior", "posterior")]


def _reads_differently(row: Row) -> bool:
    return len(set(_medians(row))) == 2


def _before_and_after(row: Row) -> str:
    q, (before, after) = QUANTITIES[row["quantity"]], _medians(row)
    where = f" ({in_words(row)})" if row["element"] else ""
    rose = float(row["posterior_median"]) > float(row["prior_median"])
    way = ("up" if rose else "down") if _reads_differently(row) else "narrowed in its place"
    return (
        f"{q.label}{where}: {way}, median {before} before the evidence and {after} after it, "
        f"spread {float(row['sd_ratio']):.2f} times the prior's"
    )


def _names(rows: Sequence[Row]) -> str:
    return ", ".join(str(r["parameter"]) for r in rows)
