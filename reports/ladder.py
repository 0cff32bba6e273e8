"""The ladder of levels as the page shows it, and where ratings and milestones disagree."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from models.structure import STEPS
from reports.words import LEVEL_NAMES, chance


def milestone_rows(c: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return per level: when established, works by 2026, works rated, feats reached and open."""
    told = c["headline"].get("milestones", {})
    works = {int(r["level"]): r for r in c["works_by_2026"]}
    out = []
    for level in STEPS:
        feats = [r for r in c["milestones"] if str(r.get("level", "")) == str(level)]
        out.append(
            {
                "level": level,
                "name": LEVEL_NAMES[level],
                "told": told.get(str(level)) or told.get(level),
                "works": works.get(level),
                "reached": [r["name"] for r in feats if r.get("reached")]
                or list((works.get(level) or {}).get("milestones", ())),
                "open": [r["name"] for r in feats if not r.get("reached")],
            }
        )
    return out


def open_levels(milestones: Any) -> list[int]:
    """Return the levels that have milestones, all of them open."""
    reached: dict[int, bool] = {}
    for r in milestones:
        level = int(r["level"])
        reached[level] = reached.get(level, False) or bool(r.get("reached"))
    return sorted(level for level, done in reached.items() if not done)


def disagreement(c: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each work that raters or the model place where no milestone is reached.

    Its place is the level that most of its raters give, or the model's mean level.
    """
    never = open_levels(c["milestones"])
    out = []
    for work in c["works"]:
        levels = [r["level"] for r in work.get("ratings", ()) if r.get("level") is not None]
        rated, votes = Counter(levels).most_common(1)[0] if levels else (None, 0)
        chances = [float(work.get(f"p_level_{k}") or 0.0) for k in (0, *STEPS)]
        mean = sum(k * p for k, p in enumerate(chances))
        by_raters = rated in never and 2 * votes > len(levels)
        level = rated if by_raters else round(mean)
        if level in never:
            out.append(
                f"“{work['title']}”: {votes if by_raters else levels.count(level)} of "
                f"{len(levels)} raters say level {level}; the model gives level {level} or above "
                f"a chance of {chance(sum(chances[level:]))} (mean level {mean:.1f}); "
                f"milestones.csv holds every milestone of level {level} to be open."
            )
    return out
