r"""Scores of the resolved forecasts of a ledger: proper ones, and calibration.

A probability p of an outcome y (1 yes, 0 no) has the Brier score :math:`(p - y)^2` and the log
score :math:`\ln |p + y - 1|`; quantiles :math:`q_\alpha` of a number y have twice their mean
pinball loss,

.. math:: \frac{2}{n} \sum_\alpha (\mathbf{1}\{y \le q_\alpha\} - \alpha)(q_\alpha - y),

an approximation of the CRPS in the unit of y (Gneiting & Raftery 2007,
doi:10.1198/016214506000001437). The Brier score splits into miscalibration less discrimination plus
uncertainty (CORP; Dimitriadis, Gneiting & Jordan 2021, doi:10.1073/pnas.2016191118). Means over
quantities of different units say nothing, so quantiles are summed up by unit. Forecasts of one run
share their errors: a mean over them has no standard error here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from forecast.ledger_entries import Forecast
from forecast.ledger_file import Held, Ledger, now, read_ledger
from models.errors import InputError

Row = dict[str, Any]
COIN = 0.25
"""Brier score of always saying 50%."""


@dataclass(frozen=True)
class LedgerScores:
    """Scores in sum and by forecast."""

    summary: dict[str, Any]
    rows: list[Row]

    def text(self) -> str:
        """Return the tables that the terminal shows."""
        from reports.ledgers import scores_text

        return scores_text(self.summary)


def score(ledger: str | Path = "ledger.jsonl", *, out: str | Path | None = None) -> LedgerScores:
    """Score the resolved forecasts of a ledger.

    Parameters
    ----------
    ledger
        Its file. Void and open forecasts have no score; nor have those entered after the day on
        which they resolved, which are counted as late.
    out
        Folder for ``scores.csv``, ``scores.json`` and the calibration plot.

    Raises
    ------
    InputError
        If the ledger cannot be read.
    """
    held = read_ledger(Path(ledger))
    done = LedgerScores(*scored(held, today=now().date()))
    if out is not None:
        _save(Path(out), done)
    return done


def scored(ledger: Ledger, *, today: date) -> tuple[dict[str, Any], list[Row]]:
    """Return the summary of a ledger, and a row for each forecast that has a score."""
    rows = [score_row(one) for one in ledger.held if _outcome(one) is not None and not one.late]
    states = [one.state(today) for one in ledger.held]
    summary = {
        "schema": 1,
        "ledger": ledger.path.name,
        "forecasts": len(states),
        **{name: states.count(name) for name in ("open", "due", "resolved", "void")},
        "late": sum(one.late for one in ledger.held if one.resolution is not None),
        "damaged": list(ledger.damaged),
        "probabilities": brier_parts([r for r in rows if r["kind"] == "probability"]),
        "quantiles": by_unit([r for r in rows if r["kind"] == "quantiles"]),
    }
    return summary, rows


def _outcome(held: Held) -> float | None:
    return None if held.resolution is None else held.resolution.outcome


def score_row(held: Held) -> Row:
    """Return one resolved forecast with its scores."""
    import scoringrules as sr

    said, y = held.forecast, _outcome(held)
    row: Row = {"id": held.id, "key": said.key, "by": said.by, "quantity": said.quantity}
    row |= {"unit": said.unit, "made_on": str(said.made_on), "resolves_on": str(said.resolves_on)}
    row |= {"run": said.run.hash if said.run else None, "outcome": y}
    if said.probability is not None:
        with np.errstate(divide="ignore"):
            log = -float(sr.log_score(y, said.probability, backend="numpy"))
        brier = float(sr.brier_score(y, said.probability, backend="numpy"))
        return (
            row
            | {"kind": "probability", "probability": said.probability}
            | _blank_quantiles(brier=brier, log_score=log)
        )
    p, q = np.array(said.quantiles).T
    found = {"quantiles": [list(pair) for pair in said.quantiles or ()]}
    crps = float(sr.crps_quantile(y, q, p, backend="numpy"))
    row |= {"kind": "quantiles", "probability": None, "brier": None, "log_score": None}
    return row | found | {"crps": crps, "inside": inside(said, float(y or 0.0))}


def _blank_quantiles(**scores: float) -> Row:
    return scores | {"quantiles": None, "crps": None, "inside": None}


def inside(said: Forecast, y: float) -> bool | None:
    """Return whether y lies between the outermost quantiles; None where there is but one."""
    pairs = said.quantiles or []
    return pairs[0][1] <= y <= pairs[-1][1] if len(pairs) > 1 else None


def brier_parts(rows: Sequence[Row]) -> dict[str, Any]:
    """Return mean scores of probabilities, and the parts of the Brier score.

    ``miscalibration`` is what recalibration by isotonic regression would have taken off,
    ``discrimination`` what the recalibrated ones are better than their base rate, ``uncertainty``
    the score of that rate; brier = miscalibration - discrimination + uncertainty.
    """
    if not rows:
        return {"n": 0}
    p, y = (np.array([r[key] for r in rows], dtype=float) for key in ("probability", "outcome"))
    brier, recalibrated = float(np.mean((p - y) ** 2)), float(np.mean((isotonic(p, y) - y) ** 2))
    uncertainty = float(np.mean((y.mean() - y) ** 2))
    return {
        "n": len(rows),
        "mean_probability": float(p.mean()),
        "share_yes": float(y.mean()),
        "brier": brier,
        "coin": COIN,
        "log_score": float(np.mean([r["log_score"] for r in rows])),
        "miscalibration": brier - recalibrated,
        "discrimination": uncertainty - recalibrated,
        "uncertainty": uncertainty,
    }


def isotonic(p: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the recalibrated probability of each forecast; equal ones share theirs."""
    from scipy.optimize import isotonic_regression

    values, place, count = np.unique(p, return_inverse=True, return_counts=True)
    mean = np.bincount(place, weights=y, minlength=len(values)) / count
    fitted: np.ndarray = isotonic_regression(mean, weights=count).x
    return fitted[place]


def by_unit(rows: Sequence[Row]) -> list[Row]:
    """Return mean scores of quantiles by unit, and how many outcomes lay inside."""
    out = []
    for unit in sorted({r["unit"] or "" for r in rows}):
        some = [r for r in rows if (r["unit"] or "") == unit]
        spans = [r for r in some if r["inside"] is not None]
        mass = [r["quantiles"][-1][0] - r["quantiles"][0][0] for r in spans]
        out.append(
            {
                "unit": unit or None,
                "n": len(some),
                "crps": float(np.mean([r["crps"] for r in some])),
                "intervals": len(spans),
                "inside": sum(r["inside"] for r in spans),
                "inside_expected": float(sum(mass)),
            }
        )
    return out


def _save(folder: Path, done: LedgerScores) -> None:
    from forecast.folder import write_csv, write_json
    from reports.drawing import style
    from reports.figures.ledger import plot_ledger

    try:
        folder.mkdir(parents=True, exist_ok=True)
        columns = [{k: v for k, v in r.items() if k != "quantiles"} for r in done.rows]
        write_csv(folder / "scores.csv", columns)
        with style():
            figure = plot_ledger(done.rows, folder / "calibration").described("calibration")
        write_json(folder / "scores.json", done.summary | {"figure": figure})
    except OSError as error:
        raise InputError(f"--out {folder}: cannot be written ({error.strerror})") from None


__all__ = ["LedgerScores", "brier_parts", "isotonic", "score", "scored"]
