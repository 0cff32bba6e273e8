"""What each method says of each block, side by side, and which to trust where they disagree."""

from typing import Any

Row = dict[str, Any]
MATTERS, LITTLE = 0.10, 0.02
"""Shares of variance from which a block matters, and below which it hardly does."""
WEIGHT, HARDLY = 0.10, 0.02
"""The same for moves of the tornado, as parts of the target's mean."""
READ = {
    "learn": "matters by its uncertainty, not by where its priors stand: trust the variance "
    "explained for what to find out, the tornado for how far the result is this prior",
    "prior": "matters by where its priors stand, though evidence pins it well enough that its "
    "remaining uncertainty explains little: trust the tornado",
    "weights": "moves of single priors were withheld: trust neither the tornado nor the factors "
    "until they are fitted anew (leave out --quick)",
    "pair": "holds a pair that evidence cannot tell apart: read the pair, not its two beliefs",
}


def disagreement(found: dict[str, Any]) -> list[Row]:
    """Return one row for each block: the verdict of each method, and a warning if they differ.

    ``tornado`` is the largest known move of one of its priors as a part of the target's mean;
    ``explained`` the share of variance on posterior draws; ``shapley`` that of the factor;
    ``sensitivity`` of power scaling; ``reading`` the sentence on which to trust, empty if they
    agree.
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
        rows.append(row | {"reading": reading(row, paired=name in pairs)})
    return rows


def reading(row: Row, *, paired: bool) -> str:
    """Return what to trust where methods say different things of a block."""
    shares = [x for x in (row["explained"], row["shapley"]) if x is not None]
    out = []
    if row["explained"] >= MATTERS and not row["flagged"]:
        out.append(READ["learn"])
    if row["explained"] < LITTLE and (row["flagged"] or row["tornado"] >= WEIGHT):
        out.append(READ["prior"])
    if row["withheld"] and max(shares, default=0.0) >= LITTLE:
        out.append(READ["weights"])
    if paired:
        out.append(READ["pair"])
    return "; ".join(out)


def _mean(found: dict[str, Any]) -> float:
    return float(found["thresholds"]["double"] / 2.0) or 1.0


def _block(found: dict[str, Any], name: str) -> str:
    return str(next(r["block"] for r in found["largest"] if r["parameter"] == name))
