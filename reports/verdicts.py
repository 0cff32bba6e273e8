"""What the evidence did to each claim: one word and one sentence, from the numbers of a run.

A claim is judged by its quantities and by its home beliefs, those that name it first under
``claims``. What its quantities share with other claims (how often works are used at all) may narrow
them while the claim's own beliefs stay where the prior put them; then the claim did not move.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from models.quantities import CLAIMS, QUANTITIES
from reports.learned import CONFLICT, FAR, SOMEWHAT, UNTOUCHED
from reports.words import CHANCES, LEAST, value

MOVED, HARDLY, ALONE, AGAINST = "moved", "hardly moved", "prior alone", "in conflict"
VERDICTS = {
    MOVED: "the evidence moved or narrowed the claim's quantities, for it or against it",
    HARDLY: "the claim's own beliefs stand about where the prior put them",
    ALONE: "no evidence touches the claim's own beliefs",
    AGAINST: "the evidence says what the prior did not expect",
}
"""Every verdict on a claim, and what it means."""
SHIFTED = 1.0
"""Prior sds from which a quantity counts as moved even where it did not narrow."""
DEBUGGING = ("1", "2", "3")
TURNS_ON = {
    "fault_shares": ("learned-representation",),
    "plateau": DEBUGGING,
    "level_share": DEBUGGING,
}
"""Elements that a claim speaks of, where it does not speak of all."""
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
    """Return each claim's verdict (a key of :data:`VERDICTS`) and its sentence.

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


def by_verdict(found: Iterable[tuple[str, str]]) -> str:
    """Return one line, in few words: the claims (id, verdict) under each verdict."""
    pairs = list(found)
    groups = {word: [claim for claim, given in pairs if given == word] for word in VERDICTS}
    short = {HARDLY: "hardly"}
    told = {short.get(word, word): " ".join(claims) for word, claims in groups.items() if claims}
    return "; ".join(f"{word} {claims}" for word, claims in told.items())


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
