"""Proper scores of ratings by work, the same for the model and every baseline.

The log score is the logarithm of the probability given to what was recorded (higher is better); the
ranked probability score (levels, over the ladder) and the Brier score (yes or no) are distances
(lower is better), from ``scoringrules``. A work counts once: its raters' scores are averaged, since
raters of one work err together.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from forecast.analyses.baselines import Works, forecasts, row_forecasts
from forecast.analyses.rated import JOINT, TARGETS, Rated

MODEL = "model"
PRIOR = "prior"
"""The model given no evidence: what its priors, written with hindsight, know by themselves."""
HINDSIGHT = ("capabilities", "alignment", "row_with_use")
"""Targets about use: rated at the close of the evidence, with hindsight, whatever the origin."""
RULE = {"level": "rps", "workers": "crps", "milestones": "crps"}
"""Which distance a target has, where it is not the Brier score; rows have none."""
Row = dict[str, Any]


def distance_name(target: str) -> str:
    """Return the name of a target's distance, or nothing."""
    return "" if target in JOINT else RULE.get(target, "brier")


def answer_scores(
    chance: np.ndarray, answers: np.ndarray, *, target: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the log score and the distance of each work, the mean over its raters.

    Parameters
    ----------
    chance
        Dims (work, rater, category).
    answers
        What was recorded, dims (work, rater), -1 where it is missing; NaN for a work of none.
    target
        Levels are scored by the ranked probability score, the others by Brier's.
    """
    import scoringrules as sr

    at, got = np.maximum(answers, 0), answers >= 0
    logs = np.log(np.take_along_axis(chance, at[..., None], axis=-1)[..., 0])
    if target == "level":
        distance = sr.rps_score(at + 1, chance)
    else:
        distance = sr.brier_score(at, np.clip(chance[..., 1], 0.0, 1.0))
    n = np.where(got.any(axis=1), got.sum(axis=1), np.nan)
    return (logs * got).sum(axis=1) / n, (np.asarray(distance) * got).sum(axis=1) / n


def work_scores(
    found: Mapping[str, Rated],
    train: Works,
    *,
    works: Works,
    names: Mapping[str, Any],
    agendas: tuple[str, ...],
) -> list[Row]:
    """Return the scores of works by target and method.

    Parameters
    ----------
    found
        Forecasts of them by the model, and by its priors alone.
    train
        The works that the baselines may learn from.
    works
        What is scored.
    names
        What each row begins with.
    agendas
        Their names, in the order of the indices.
    """
    rows: list[Row] = []
    for target in TARGETS:
        answers = works.answers(target)
        by = forecasts(train, works, target=target, n_agendas=len(agendas))
        spread = {name: np.repeat(p[:, None], answers.shape[1], axis=1) for name, p in by.items()}
        ours = {name: one.chance[target] for name, one in found.items()}
        for method, chance in (ours | spread).items():
            logs, distance = answer_scores(chance, answers, target=target)
            told = dict(names) | {"target": target, "method": method}
            rows += _rows(works, logs, distance=distance, told=told, agendas=agendas)
    for kind, by in row_forecasts(train, works).items():
        for method, p in ({name: one.joint[kind] for name, one in found.items()} | by).items():
            told = dict(names) | {"target": kind, "method": method}
            nothing = np.full(len(works), np.nan)
            rows += _rows(works, np.log(p), distance=nothing, told=told, agendas=agendas)
    return rows


def _rows(
    works: Works,
    logs: np.ndarray,
    *,
    distance: np.ndarray,
    told: Mapping[str, Any],
    agendas: tuple[str, ...],
) -> Iterator[Row]:
    """Yield a row for each work that has a score."""
    for i in np.flatnonzero(np.isfinite(logs)):
        yield {
            **told,
            "item": works.keys[i],
            "year": int(works.year[i]),
            "agenda": agendas[works.agenda[i]],
            "log_score": float(logs[i]),
            "distance": None if np.isnan(distance[i]) else float(distance[i]),
            "rule": distance_name(str(told["target"])),
            "hindsight": told["target"] in HINDSIGHT,
        }


__all__ = ["HINDSIGHT", "MODEL", "PRIOR", "Row", "answer_scores", "distance_name", "work_scores"]
