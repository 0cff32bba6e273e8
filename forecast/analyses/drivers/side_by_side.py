"""What each method says of each block, side by side, and which to trust where they disagree."""

from typing import Any

Row = dict[str, Any]
MATTERS, LITTLE = 0.10, 0.02
"""Shares of variance from which a block matters, and below which it hardly does."""
WEIGHT = 0.10
"""Move of the tornado from which a block matters, as a part of the target's mean."""
READ = {
    "place": "power scaling asks how sharply its priors are held, the tornado where they stand: "
    "trust the tornado on whether the result is these priors",
    "shape": "the distribution changes, its mean hardly: trust power scaling for the interval, the "
    "tornado for the mean",
    "learn": "its uncertainty matters, where its priors stand does not: trust the variance "
    "explained on what to find out",
    "prior": "where its priors stand matters, what is left uncertain about it does not: trust the "
    "tornado on the priors, the variance explained on what to find out",
}
"""What to trust, by the kind of disagreement."""
WITHHELD = "moves of its priors withheld: {n}, so that the largest may be larger"
PAIR = "it holds a pair that evidence cannot tell apart: read the pair, not its two beliefs"


def disagreement(found: dict[str, Any]) -> list[Row]:
    """Return one row for each block: the verdict of each method, and a warning if they differ.

    ``tornado`` is the largest known move of one of its priors as a part of the target's mean;
    ``explained`` the share of variance on posterior draws; ``shapley`` that of the factor;
    ``sensitivity`` of power scaling; ``reading`` says which to trust, and is empty if they agree;
    ``notes`` what else to bear in mind.
    """
    mean = _mean(found)
    power = {r["component"]: r for r in found["power"] if r["group"] == "prior"}
    factors = {r["block"]: r["shapley"] for r in found["factors"]}
    pairs = {
        found_block
        for pair in found["pairs"]
        for found_block in (_block(found, pair["first"]), _block(found, pair["second"]))
    }
    rows = []
    for block in found["blocks"]:
        name = block["block"]
        own = [r for r in found["largest"] if r["block"] == name]
        most = max((abs(r["most"]) for r in own), default=0.0) / mean
        row: Row = {"block": name, "sensitivity": power[name]["sensitivity"]}
        row |= {"flagged": power[name]["flagged"], "tornado": most, "explained": block["share"]}
        row |= {"shapley": factors.get(name), "withheld": sum(r["withheld"] for r in own)}
        row["reading"] = reading(row)
        rows.append(row | {"notes": notes(row, paired=name in pairs)})
    return rows


def reading(row: Row) -> str:
    """Return which method to trust where they say different things of a block."""
    stands = row["tornado"] >= WEIGHT or (row["shapley"] or 0.0) >= MATTERS
    out = []
    if stands and not row["flagged"]:
        out.append(READ["place"])
    if row["flagged"] and not stands:
        out.append(READ["shape"])
    if row["explained"] >= MATTERS and not stands:
        out.append(READ["learn"])
    if row["explained"] < LITTLE and stands:
        out.append(READ["prior"])
    return "; ".join(out)


def notes(row: Row, *, paired: bool) -> str:
    """Return what a reader must bear in mind of a block, whether methods agree or not."""
    out = [WITHHELD.format(n=row["withheld"])] if row["withheld"] else []
    return "; ".join([*out, PAIR] if paired else out)


def _mean(found: dict[str, Any]) -> float:
    return float(found["thresholds"]["double"] / 2.0) or 1.0


def _block(found: dict[str, Any], name: str) -> str:
    return str(next(r["block"] for r in found["largest"] if r["parameter"] == name))
