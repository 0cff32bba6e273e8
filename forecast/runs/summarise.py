"""From draws to the numbers that are shown: headline.json, claims, what was learned, each work.

Plain data that text, page and figures read: no run object goes down to ``reports``. All works go
to works.csv, block by block; the page and the terminal hold rows of at most :data:`MOST_SHOWN`,
evenly spaced, and those of any other work are read from that file.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from forecast.analyses.verdicts import in_words, side, status, verdicts
from forecast.evidence.arrays import REFERENCE, Evidence
from forecast.evidence.frame import ROW_BLOCK
from forecast.evidence.load import LONG, TABLE_NAMES, Tables, find_evidence, rater_kinds
from forecast.inference.diagnostics import RULE, Diagnosis
from forecast.inference.evaluate import answer
from forecast.inference.forward import all_draws, future_normals, taken
from forecast.inference.reweighting import asked_of, reached, reached_from
from forecast.inference.sampling import Fit
from models.dims import LEVELS, SIDES
from models.outcomes.milestones import milestone_dates
from models.parameters import SLOTS
from models.quantities import CLAIMS, HEADLINE, QUANTITIES
from reports.view import BY_AGENDA, EVERY
from reports.words import CHANCES, NO_TABLE, chance

PROB = 0.89
"""Mass of every interval: ArviZ's default, equal-tailed."""
TAILS = ((1 - PROB) / 2, 0.5, (1 + PROB) / 2)
TINY = 1e-12
"""Distance from an end of its support at which a draw's logarithm is taken."""
BINS, SHARE = 25, 0.01
"""Bins of a belief's draws, and the least share of variance that is told: three times its error."""
Quantities = dict[str, np.ndarray]


def spread(x: np.ndarray) -> dict[str, float]:
    """Return mean, median, sd and the equal-tailed interval of draws."""
    lower, median, upper = np.quantile(x, TAILS)
    return {
        "mean": float(x.mean()),
        "median": float(median),
        "sd": float(x.std()),
        "lower": float(lower),
        "upper": float(upper),
    }


def with_mcse(x: np.ndarray, chains: int) -> dict[str, float]:
    """Return :func:`spread` and the Monte Carlo standard error of the mean."""
    from arviz_stats.base import array_stats

    error = array_stats.mcse(x.reshape(chains, -1), method="mean") if np.ptp(x) else 0.0
    return spread(x) | {"mcse": float(error)}


def headline(fit: Fit, posterior: Quantities, *, prior: Quantities, converged: bool) -> dict:
    """Return the content of headline.json (schema 1)."""
    from models.outcomes.relevance import cohorts

    chains, question = fit.case.sampler.chains, fit.case.question
    agendas, years = fit.compiled.structure.agendas, cohorts(fit.case.asked)
    return {
        "schema": 1,
        "cohort": question.cohort,
        "horizon": question.horizon,
        "interval": {"kind": "eti", "prob": PROB},
        "converged": converged,
        "quantities": {name: with_mcse(posterior[name], chains) for name in HEADLINE},
        "prior": {name: with_mcse(prior[name], 1) for name in HEADLINE},
        "by_agenda": {
            a: {n: with_mcse(posterior[f"agenda_{n}"][:, i], chains) for n in HEADLINE}
            for i, a in enumerate(agendas)
        },
        "by_cohort": {
            str(t): {n: with_mcse(posterior[f"cohort_{n}"][:, i], chains) for n in HEADLINE}
            for i, t in enumerate(years)
        },
        "milestones": {str(k): v for k, v in milestone_dates(posterior["established"]).items()},
    }


def leads(posterior: Quantities, chains: int) -> dict[str, dict[str, float]]:
    """Return how probable it is that alignment is ahead, with Monte Carlo errors.

    ``documented`` and ``used`` compare use with use, ``strict`` relevance with capabilities use:
    the share of draws in which the first is the likelier. Use on both sides counts for each.
    """
    pairs = {
        "documented": ("alignment_only", "capabilities_only"),
        "used": ("alignment_used", "capabilities_relevant"),
        "strict": ("alignment_relevant", "capabilities_relevant"),
    }
    rows = {}
    for name, (a, b) in pairs.items():
        ahead = with_mcse((posterior[a] > posterior[b]).astype(float), chains)
        rows[name] = {"mean": ahead["mean"], "mcse": ahead["mcse"]}
    return rows


def claim_rows(
    posterior: Quantities,
    prior: Quantities,
    *,
    coords: dict[str, Any],
    learned: list[dict[str, Any]],
) -> list[dict[str, Any]]:
    """Return one row per claim and quantity (and element), prior beside posterior.

    ``sd_ratio`` and ``shift`` are those of :func:`moved`; ``evidence`` is the claim's verdict of
    :mod:`forecast.analyses.verdicts`.
    """
    rows = []
    for claim, stated in CLAIMS.items():
        for name in stated.quantities:
            for label, index in _elements(name, coords):
                row: dict[str, Any] = {"claim": claim, "who": stated.who, "quantity": name}
                row |= {"element": label, "unit": QUANTITIES[name].unit}
                draws = [values[name][(slice(None), *index)] for values in (prior, posterior)]
                for group, x in zip(("prior", "posterior"), draws, strict=True):
                    row |= {f"{group}_{key}": value for key, value in spread(x).items()}
                rows.append(row | moved(*draws, unit=row["unit"]))
    words = verdicts(rows, learned)
    return [row | {"evidence": words[row["claim"]][0]} for row in rows]


def moved(before: np.ndarray, after: np.ndarray, *, unit: str) -> dict[str, float]:
    """Return ``sd_ratio`` and ``shift`` of a quantity.

    The sds are of chances as they are and of the logarithm of anything else that is positive, whose
    own sd its longest tail would set; the shift is that of :func:`shift`.
    """
    support = "unit" if unit in CHANCES else "real" if unit == "log ratio" else "positive"
    x, y = (unbounded(v, support=support) if support == "positive" else v for v in (before, after))
    if not np.ptp(x):
        return {"sd_ratio": 1.0, "shift": 0.0}
    ratio = float(y.std() / x.std())
    return {"sd_ratio": ratio, "shift": shift(before, after, support=support)}


def _elements(name: str, coords: dict[str, Any]) -> list[tuple[str, tuple]]:
    """Return label and index of each element; of years the last observed and the horizon."""
    choices = []
    for dim in QUANTITIES[name].dims:
        labels = list(coords[dim])
        keep = list(range(len(labels)))
        if dim == "forecast_year":
            keep = sorted({labels.index(2026), len(labels) - 1} if 2026 in labels else {0})
        choices.append([(f"{labels[i]}", i) for i in keep])
    elements: list[tuple[str, tuple]] = [("", ())]
    for choice in choices:
        elements = [(f"{a} {b}".strip(), (*x, i)) for a, x in elements for b, i in choice]
    return elements


def learned_rows(fit: Fit, prior: Quantities) -> list[dict[str, Any]]:
    """Return for each scalar prior: diagnostics, prior and posterior, and what was learned.

    ``sd_ratio``, ``shift`` and ``learned`` are those of :mod:`forecast.analyses.verdicts`.
    """
    diagnostics = {name: rest for name, *rest in fit.diagnosis.rows}
    rows = []
    for belief in fit.case.priors:
        name, alone = belief.name, belief.name in fit.compiled.alone
        if fit.draws.get(name, prior[name]).ndim > 1:
            continue
        before = prior[name]
        after = before if alone else fit.draws[name]
        r_hat, bulk, tail = diagnostics.get(name, [np.nan] * 3)
        ratio = 1.0 if alone else float(after.std() / before.std())
        moved_by = 0.0 if alone else shift(before, after, support=SLOTS[name].support)
        rows.append(
            {"parameter": name, "block": belief.block, "claims": " ".join(belief.claims)}
            | {"forecast_only": alone, "r_hat": r_hat, "ess_bulk": bulk, "ess_tail": tail}
            | {f"prior_{key}": value for key, value in spread(before).items()}
            | {f"posterior_{key}": value for key, value in spread(after).items()}
            | {"sd_ratio": ratio, "contraction": 1.0 - ratio**2, "shift": moved_by}
            | {"learned": status(ratio, moved_by, untouched=alone)}
        )
    return rows


def shift(before: np.ndarray, after: np.ndarray, *, support: str) -> float:
    """Return how far the posterior mean lies from the prior's, in prior sds, where unbounded."""
    x, y = (unbounded(draws, support=support) for draws in (before, after))
    return float((y.mean() - x.mean()) / x.std())


def unbounded(x: np.ndarray, *, support: str) -> np.ndarray:
    """Return draws on the scale of the real line: as they are, their log or their logit."""
    x = np.asarray(x, dtype=np.float64)  # a single one has nothing between 1 - TINY and 1
    if support == "positive":
        return np.log(np.maximum(x, TINY))
    if support == "unit":
        inside = np.clip(x, TINY, 1.0 - TINY)
        return np.log(inside) - np.log1p(-inside)
    return x


def untouched_share(fit: Fit, posterior: Quantities, *, most: int = 2000) -> float:
    """Return the share of the headline's variance that rests on priors no evidence touches.

    Pick-freeze: the forecast is made again with the same forecast-only priors and permuted sampled
    draws; the correlation of the two is the share explained by the former alone (Sobol's closed
    first-order index of that group). ``most`` draws are used, evenly spread over all.
    """
    at = np.linspace(0, fit.n - 1, min(fit.n, most)).astype(int)
    thin, order = taken(fit, at), np.roll(at, len(at) // 2)
    sampled = {name: values[order] for name, values in fit.draws.items()}
    again = answer(replace(thin, draws=sampled), fit.case, names=HEADLINE)
    pair = (posterior["alignment_relevant"][at], again["alignment_relevant"])
    return float(np.clip(np.corrcoef(*pair)[0, 1], 0.0, 1.0))


def variance_parts(fit: Fit, posterior: Quantities) -> list[dict[str, Any]]:
    """Return the beliefs that no evidence touches and that move the headline, largest first.

    ``share`` is what knowing that one belief would take off the headline's variance (Sobol's
    first-order index), from its draws sorted into bins, less what bins explain by chance; below
    :data:`SHARE` it is that chance, and the belief is left out.
    """
    y, shares, draws = posterior["alignment_relevant"], {}, all_draws(fit, fit.case)
    for name in fit.compiled.alone:
        parts = np.array_split(y[np.argsort(draws[name])], BINS)
        within = sum(float(((part - part.mean()) ** 2).sum()) for part in parts)
        shares[name] = float(1.0 - within / (len(y) - BINS) / y.var())
    largest = sorted(shares.items(), key=lambda item: -item[1])
    return [{"parameter": name, "share": share} for name, share in largest if share >= SHARE]


def prior_quantities(fit: Fit, prior: Quantities) -> Quantities:
    """Return the quantities under the prior alone, but for those by cohort, which nothing reads."""
    from forecast.inference.outcomes import predict

    return predict(
        prior,
        future_normals(fit.case, len(prior["use_rate"])),
        structure=fit.compiled.structure,
        question=fit.case.asked,
        names=[name for name in QUANTITIES if not name.startswith("cohort_")],
    )


def expert_rows(fit: Fit, prior: Quantities, *, tables: Any) -> list[dict[str, Any]]:
    """Return each forecast by others that may weigh, and the model's own of the same."""
    case = fit.case
    if not case.experts:
        return []
    n = len(prior["use_rate"])
    before = reached_from(prior, future_normals(asked_of(case), n), fit=fit, case=case)
    after, forecasts = reached(fit, case), {row.row: row for row in tables.forecasts}
    rows = []
    for i, expert in enumerate(case.experts):
        stated = forecasts[expert.row]
        row: dict[str, Any] = {"row": expert.row, "forecaster": stated.forecaster}
        row |= {"level": expert.level, "by_year": expert.year, "relation": stated.relation}
        row |= {"low": stated.low, "probability": stated.probability, "high": stated.high}
        row |= {"prior": spread(before[:, i]), "posterior": spread(after[:, i])}
        row |= {"weight": expert.weight, "error": expert.scale}
        rows.append(row | dict(zip(("pareto_k", "ess"), fit.soft or (None, None), strict=True)))
    return rows


DIGITS = 6
"""Decimals of a probability in the table."""
STRETCHES, LEAST = 10, 4
"""Stretches of each chain; draws of a stretch below which an error has no meaning."""


Compared = list[tuple[int, int | None, float, float]]


def pair_rows(
    posterior: Quantities, agendas: Sequence[str], *, chains: int
) -> list[dict[str, Any]]:
    """Return for each quantity how probable it is that an agenda is larger than another.

    What is uncertain for all agendas alike drops out of a comparison within a draw, so two
    intervals may overlap where nearly every draw has one above the other.

    Parameters
    ----------
    posterior
        ``agenda_NAME`` by draw, dims (draw, agenda), of each NAME of the table by agenda.
    agendas
        Their keys.
    chains
        Into how many chains of equal length the draws fall, one after the other.

    Returns
    -------
    list of dict
        ``quantity``, ``agenda``, ``other``, ``probability`` that the agenda is strictly larger, and
        its ``mcse``; where ``other`` is :data:`EVERY`, that it is larger than every other one.
        None where there is one agenda alone.
    """
    if len(agendas) < 2:
        return []
    rows = []
    for name in BY_AGENDA:
        x = posterior[f"agenda_{name}"]
        for i, j, p, error in [*_pairs(x, chains), *_largest(x, chains)]:
            other = EVERY if j is None else agendas[j]
            row = {"quantity": name, "agenda": agendas[i], "other": other}
            rows.append(row | {"probability": round(p, DIGITS), "mcse": float(f"{error:.3g}")})
    return rows


def _pairs(x: np.ndarray, chains: int) -> Compared:
    """Return (agenda, other, probability, error) of each ordered pair."""
    i, j = np.triu_indices(x.shape[1], 1)
    above, below = x[:, i] > x[:, j], x[:, i] < x[:, j]
    error = batch_mcse(above, chains)
    other = batch_mcse(below, chains) if (above == below).any() else error  # the same without ties
    rows = [*zip(i, j, above.mean(axis=0), error, strict=True)]
    rows += [*zip(j, i, below.mean(axis=0), other, strict=True)]
    return [(int(a), int(b), float(p), float(e)) for a, b, p, e in sorted(rows)]


def _largest(x: np.ndarray, chains: int) -> Compared:
    """Return (agenda, None, probability, error) of being larger than every other one."""
    top = x == x.max(axis=1, keepdims=True)
    alone = top & (top.sum(axis=1, keepdims=True) == 1)
    rows = zip(alone.mean(axis=0), batch_mcse(alone, chains), strict=True)
    return [(a, None, float(p), float(e)) for a, (p, e) in enumerate(rows)]


def batch_mcse(x: np.ndarray, chains: int) -> np.ndarray:
    """Return the Monte Carlo standard error of the mean of each series, by batch means.

    Each chain falls into stretches, far longer than draws hang together, whose means are as good
    as independent (Geyer 1992, doi:10.1214/ss/1177011137). ArviZ's errors, one series at a time,
    would take seconds for the hundreds of pairs.

    Parameters
    ----------
    x
        Series of truth values, dims (draw, series).
    chains
        Into how many chains the draws fall.

    Returns
    -------
    ndarray, dims (series,)
        0 of what never changes; NaN of chains too short to tell.
    """
    by_chain = x.reshape(chains, -1, x.shape[1])
    size = by_chain.shape[1] // STRETCHES
    if size < LEAST:
        return np.full(x.shape[1], np.nan)
    parts = by_chain[:, : size * STRETCHES].reshape(chains * STRETCHES, size, -1).mean(axis=1)
    return np.asarray(parts.std(axis=0, ddof=1) / len(parts) ** 0.5)


MOST_SHOWN = 5000
"""Works that are rows of the report's data."""
WORK_COLUMNS = ("work", "title", "year", "agenda", "selection", "gist")
"""Columns of a work that are shown as they are."""
WORK_CHANCES = (
    *(f"p_level_{k}" for k in LEVELS),
    "p_tracks",
    *(f"p_{side}_used" for side in SIDES),
)
"""Columns of chances, in their order."""


def chances(states: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the columns :data:`WORK_CHANCES` of every work; dims (work, column)."""
    single = [states[name] for name in ("tracking", *SIDES)]
    return np.column_stack([states["level"], *single])


def save_works(path: Path, tables: Tables, *, states: Mapping[str, np.ndarray]) -> None:
    """Write works.csv, a block of works at a time."""
    numbers = chances(states)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow((*WORK_COLUMNS, *WORK_CHANCES))
        for start in range(0, len(tables.works), ROW_BLOCK):
            texts = [tables.works.columns[name] for name in WORK_COLUMNS]
            columns = [x.slice(start, ROW_BLOCK).to_pylist() for x in texts]
            columns += numbers[start : start + ROW_BLOCK].T.tolist()
            writer.writerows(zip(*columns, strict=True))


def work_rows(tables: Tables, states: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """Return works with their chances and ratings: all, or evenly spaced ones if there are many."""
    n = len(tables.works)
    places = np.linspace(0, n - 1, min(n, MOST_SHOWN)).astype(int)
    works, numbers = tables.works.take(places), chances(states)[places].tolist()
    answers = ratings_of(tables, works.text("work"))
    rows = []
    for work, p in zip(works, numbers, strict=True):
        row: dict[str, Any] = {name: getattr(work, name) for name in WORK_COLUMNS}
        row |= dict(zip(WORK_CHANCES, p, strict=True))
        rows.append(row | {"ratings": answers.get(work.work, [])})
    return rows


def ratings_of(tables: Tables, works: Any) -> dict[str, list[dict[str, Any]]]:
    """Return the ratings of some works, in the order of the table, by work."""
    places = np.flatnonzero(tables.ratings.places("work", works) >= 0)
    answers: dict[str, list[dict[str, Any]]] = {}
    for r in tables.ratings.take(places):
        answers.setdefault(r.work, []).append(
            {"rater": r.rater, "level": r.level, "tracks": r.tracks}
            | {"cap_use": r.cap_use, "ali_use": r.ali_use, "confidence": r.confidence}
        )
    return answers


def read_work(path: Path, key: str) -> dict[str, Any] | None:
    """Return one work of a works.csv, without its ratings; None if it is not there."""
    with path.open(encoding="utf-8", newline="") as file:
        row = next((row for row in csv.DictReader(file) if row["work"] == key), None)
    if row is None:
        return None
    numbers: dict[str, Any] = {name: float(row[name]) for name in WORK_CHANCES}
    return {**row, "year": int(row["year"]), "ratings_kept": False, **numbers}


MODEL_TABLES = {
    "workers": ("workers",),
    "paper_counts": ("lists",),
    "agenda_fte": ("fte",),
    "fault_counts": ("studies",),
    "diagnosis": ("diagnosis",),
    "uses": ("lags", "ratings"),
    "ratings": ("ratings",),
    "works": ("ratings",),
}
"""Evidence tables that enter a likelihood, and the arrays that they fill."""


def frames_of(
    tables: Tables, works: list[dict[str, Any]], *, learned: list[dict[str, Any]]
) -> dict:
    """Return the frames that figures draw from: evidence rows and per-work posteriors."""
    figures = ("row", "group", "year", "low", "central", "high", "kind", "definition", "use")
    return {
        "works": works,
        "workers": [
            _pick(row, (*figures, "source")) | {"reference": row.definition == REFERENCE[row.group]}
            for row in tables.workers
        ],
        "milestones": [
            _pick(row, ("milestone", "level", "name", "reached", "work"))
            for row in tables.milestones
        ],
        "forecasts": [row.model_dump() for row in tables.forecasts],
        "sources": [_pick(row, ("source", "title", "year", "where")) for row in tables.sources],
        "agendas": [_pick(row, ("agenda", "family", "name")) for row in tables.agendas],
        "diagnostics": learned,
        "ratings_agreement": agreement(tables),
    }


def _pick(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def agreement(tables: Tables) -> list[dict[str, Any]]:
    """Return, by pair of raters, the share of works on which they agree exactly, by column."""
    rows, names = tables.ratings, tables.ratings.distinct("rater")
    work, rater = rows.places("work", tables.works.text("work")), rows.places("rater", names)
    place = np.full((len(names), len(tables.works)), -1)
    place[rater, work] = np.arange(len(rows))
    lines = []
    for i, a in enumerate(names):
        for j, b in enumerate(names[i + 1 :], i + 1):
            both = (place[i] >= 0) & (place[j] >= 0)
            line: dict[str, Any] = {"a": a, "b": b, "works": int(both.sum())}
            for column in ("level", "tracks", "cap_use", "ali_use"):
                answers = rows.whole(column)
                x, y = answers[place[i, both]], answers[place[j, both]]
                known = (x >= 0) & (y >= 0)
                line[column] = float(np.mean(x[known] == y[known])) if known.any() else None
            lines.append(line)
    return lines


def rated_works(tables: Tables, chosen: np.ndarray) -> int:
    """Return how many works have one of the ratings ``chosen``, truth values (rating,)."""
    return len(pc.unique(tables.ratings.text("work").filter(pa.array(chosen))))


def evidence_summary(tables: Tables, evidence: Evidence) -> dict[str, Any]:
    """Return which tables were read, how many rows enter the fit, and which are empty."""
    rows = []
    for name in TABLE_NAMES:
        table = getattr(tables, name)
        arrays = MODEL_TABLES.get(name, ())
        weight = sum(float(evidence.arrays[a]["weight"].sum()) for a in arrays)
        short = () if name in LONG else table  # all rows of long tables enter
        n = len(table) - sum(getattr(row, "use", "fit") != "fit" for row in short) if arrays else 0
        rows.append({"name": name, "rows": len(table), "fit": n, "weight": weight})
    empty = [r["name"] for r in rows if r["name"] in MODEL_TABLES and not r["fit"]]
    return {"folder": folder_name(tables), "tables": rows, "empty": empty}


def folder_name(tables: Tables) -> str:
    """Return what a reader is told of the tables' folder: never where it lies on a machine."""
    folder = tables.folder.resolve()
    return "shipped tables" if folder == find_evidence(None).resolve() else folder.name


def diagnostics_dict(diagnosis: Diagnosis) -> dict[str, Any]:
    """Return the content of diagnostics.json, the worst parameters first."""
    rows = sorted(diagnosis.rows, key=lambda row: row[2])
    names = ("parameter", "r_hat", "ess_bulk", "ess_tail")
    return {
        "converged": diagnosis.converged,
        "rule": RULE,
        "failures": list(diagnosis.failures),
        "retried": diagnosis.retried,
        "max_rhat": diagnosis.max_rhat,
        "min_ess_bulk": diagnosis.min_ess_bulk,
        "min_ess_tail": diagnosis.min_ess_tail,
        "divergences": diagnosis.divergences,
        "bfmi": diagnosis.min_bfmi,
        "leapfrog_steps": diagnosis.leapfrog,
        "n_parameters": len(rows),
        "parameters": [dict(zip(names, row, strict=True)) for row in rows],
    }


def claims_context(
    rows: list[dict[str, Any]], *, learned: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the claims in order, with the verdict and the quantities' prior and posterior."""
    claims, words = [], verdicts(rows, learned)
    for key, claim in CLAIMS.items():
        quantities = []
        for row in rows:
            if row["claim"] == key:
                q = QUANTITIES[row["quantity"]]
                label = f"{q.label} ({in_words(row)})" if row["element"] else q.label
                quantities.append(
                    {"name": q.name, "label": label, "unit": q.unit, "question": q.question}
                    | {g: _part(row, g) for g in ("prior", "posterior")}
                )
        word, sentence = words[key]
        way = side(row for row in rows if row["claim"] == key)
        claims.append(
            {"id": key, "who": claim.who, "text": claim.text, "quantities": quantities}
            | {"evidence": word, "verdict": sentence, "side": way}
        )
    return claims


def _part(row: dict[str, Any], group: str) -> dict[str, float]:
    return {key: row[f"{group}_{key}"] for key in ("mean", "lower", "median", "upper")}


def levels_2026(posterior: dict[str, np.ndarray], tables: Tables) -> list[dict[str, Any]]:
    """Return how many works at levels 5-7 the model thinks exist, beside how many were rated so."""
    rows, level = [], tables.ratings.whole("level")
    for k in (5, 6, 7):
        milestones = [m.name for m in tables.milestones if m.level == k and m.reached]
        row: dict[str, Any] = {"level": k, "rated": rated_works(tables, level >= k)}
        row |= {"milestones": milestones}
        rows.append(row | spread(posterior["works_at_level"][:, k - 1]))
    return rows


def not_observed(tables: Tables) -> list[str]:
    """Return, in sentences, what the headline needs and no rating shows."""
    words = {0: "no work", 1: "one work", 2: "two works", 3: "three works"}
    level = tables.ratings.whole("level")
    count = {k: rated_works(tables, level == k) for k in (7, 6, 5)}
    rated = [f"{words.get(n, f'{n} works')} at level {k}" for k, n in count.items()]
    return [
        f"Raters put {rated[0]} (the highest), {rated[1]} and {rated[2]}: what lies above is "
        "extrapolation by priors.",
        "No rating says how likely a used work then contributes, whether values stay, how far "
        "the field gets, or which share of uses is documented.",
    ]


def raters_of(tables: Tables) -> dict[str, str]:
    """Return the kind of each rater that rated any work."""
    rated = set(tables.ratings.distinct("rater"))
    return {name: kind for name, kind in rater_kinds(tables).items() if name in rated}


def has_evidence(evidence: Evidence) -> bool:
    """Return whether any row of any table has weight."""
    return any(np.any(columns.get("weight", 0.0)) for columns in evidence.arrays.values())


def untouched_text(share: float, parts: list[dict[str, Any]]) -> str:
    """Return the sentence on the share of variance that no evidence touches."""
    if share == 1.0:
        return NO_TABLE
    sentence = (
        f"{chance(share)} of the strict headline's variance lies in beliefs that no evidence "
    )
    if not parts:
        return sentence + "touches, none of which alone makes up 1% of it."
    rest = share - sum(part["share"] for part in parts)
    more = f"; together they add {chance(rest)} more" if rest >= 0.01 else ""
    return (
        f"{sentence}touches. Knowing one of them for sure would take off: "
        + ", ".join(f"{part['parameter']} {chance(part['share'])}" for part in parts)
        + f" (any other below 1%{more})."
    )
