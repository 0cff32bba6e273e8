"""Fixtures for the tests of reports: a small tree with hostile names, and a context from it."""

import copy

import numpy as np
import pytest
import xarray as xr

from forecast.config.load import load_config
from forecast.files import write_csv
from forecast.inference.outcomes import predict
from forecast.runs.summarise import pair_rows
from models.dims import Structure
from models.outcomes.milestones import milestone_dates
from models.outcomes.paths import NEW_AGENDA, Asked, forecast_years
from models.outcomes.relevance import cohorts
from models.prior_draws import DIMS, NORMALS, ZERO_SUMS, prior_draws
from models.priors import families
from models.quantities import CLAIMS, HEADLINE, QUANTITIES
from reports.figures import write_figures
from reports.figures.draws import summary
from reports.figures.fit import RATER_TERMS
from reports.view import FILE

CHAINS, DRAWS = 2, 40
SCRIPT = "<script>alert(1)</script>"
STYLE = "</style></svg>$x^{2$ & \"quoted' \x1b[31mred\x07"
AGENDAS = ("circuits", "probing", SCRIPT, STYLE)
QUESTION = Asked(2026, 2040, 3, "field")
VARIABLE_DIMS = DIMS | NORMALS | {name: (dim,) for name, dim in ZERO_SUMS.items()}
VARIABLE_DIMS |= {"definition_offset": ("definition",)}


@pytest.fixture(scope="session")
def structure():
    return Structure(
        families=families({p.name: p for p in load_config("default").priors}),
        link="logit",
        tails="normal",
        agendas=AGENDAS,
        family_of=(0, 0, 1, 1),
        agenda_families=("first", "second"),
        definitions=("alignment/other",),
        lists=("hand",),
        studies=("one",),
        raters=("R1", SCRIPT),
        kind_of=(0, 0),
        kinds=("language-model",),
        capacities=(),
    )


def parameter(name, *, posterior_sd, learned, shift=0.0):
    """A row of summary.csv, of a prior with mean 0.5 and sd 1."""
    checks = {"r_hat": 1.001, "ess_bulk": 900.0, "ess_tail": 800.0}
    if learned == "untouched":
        checks = dict.fromkeys(checks, float("nan"))
    numbers = {"median": 0.5, "lower": 0.1, "upper": 0.9}
    spread = {f"{g}_{key}": x for g in ("prior", "posterior") for key, x in numbers.items()}
    sds = {"prior_sd": 1.0, "posterior_sd": posterior_sd, "sd_ratio": posterior_sd}
    return {"parameter": name, **checks, **spread, **sds, "shift": shift, "learned": learned}


def dataset(arrays, dims, *, coords):
    shaped = {
        name: (("chain", "draw", *dims(name)), x.reshape(CHAINS, DRAWS, *x.shape[1:]))
        for name, x in arrays.items()
    }
    used = {dim for names, _ in shaped.values() for dim in names}
    return xr.Dataset(shaped, {dim: x for dim, x in coords.items() if dim in used})


@pytest.fixture(scope="session")
def tree(structure):
    """Prior draws of two seeds as prior and posterior, with their predictions."""
    priors = {p.name: p for p in load_config("default").priors}
    coords = {name: list(x) for name, x in structure.coords().items()}
    coords |= {"forecast_year": list(forecast_years(2040)), "cohort": list(cohorts(QUESTION))}
    coords |= {"chain": range(CHAINS), "draw": range(DRAWS)}
    groups, n = {}, CHAINS * DRAWS
    for seed, (sampled, predicted) in enumerate(
        [("prior", "prior_predictions"), ("posterior", "predictions")]
    ):
        rng = np.random.default_rng(seed)
        draws = prior_draws(priors, structure, n=n, rng=rng)
        future = {"worker_shocks": rng.normal(size=(n, 3, 14))}
        future["new_agenda"] = rng.normal(size=(n, len(NEW_AGENDA)))
        found = predict(draws, future, structure=structure, question=QUESTION)
        shown = {name: draws[name] for name in RATER_TERMS}
        shown["definition_offset"] = np.full((n, 1), np.log(2.5))
        groups[sampled] = dataset(shown, lambda name: VARIABLE_DIMS.get(name, ()), coords=coords)
        groups[predicted] = dataset(found, lambda name: QUANTITIES[name].dims, coords=coords)
    energy = rng.normal(600, 12, size=n)
    groups["sample_stats"] = dataset({"energy": energy}, lambda name: (), coords=coords)
    return xr.DataTree.from_dict(groups | statistics(rng))


STATISTICS = {
    "capabilities use by age": ("age 0", "age 1"),
    "alignment use by age": ("age 0", "age 1"),
    "kappa of two raters": ("level, R1 and R2", f"level, R1 and {SCRIPT}"),
    "levels by agenda": tuple(f"{a}, level {band}" for band in ("0", "1-2") for a in AGENDAS),
    "figure (log people; of a bound: whether it holds)": ("a", "b", "bound"),
    "faults found": ("x", "y"),
}


def statistics(rng):
    """Test quantities, observed at 0.5 and replicated from 0 to 1, and answers on levels."""
    seen, new, coords = {}, {}, {}
    for name, labels in STATISTICS.items():
        dim = f"{name}: element"
        coords[dim] = list(labels)
        values = rng.uniform(size=(1, 20, len(labels)))
        if "bound" in labels:
            values[..., -1] = 1.0
        seen[name] = ((dim,), np.full(len(labels), 0.5))
        new[name] = (("chain", "draw", dim), values)
    seen["level answers"] = (("answer of a rater",), np.arange(40, dtype=np.int8) % 5)
    answers = rng.integers(0, 5, size=(1, 20, 40)).astype(np.int8)
    new["level answers"] = (("chain", "draw", "answer of a rater"), answers)
    return {
        "observed_statistics": xr.Dataset(seen, coords),
        "replicated_statistics": xr.Dataset(new, coords),
    }


@pytest.fixture(scope="session")
def frames():
    worker = {"group": "alignment", "definition": "other", "reference": False, "source": SCRIPT}
    point = {"year": 2022, "low": None, "high": None, "kind": "point", "use": "fit"}
    return {
        "workers": [
            worker | point | {"definition": "technical", "reference": True, "central": 300},
            worker | point | {"central": 700},
            worker
            | {"year": 2023, "low": 200, "central": None, "high": 1000}
            | {"kind": "interval", "use": "compare"},
            worker
            | {"year": 2024, "low": None, "central": 1, "high": None}
            | {"kind": "point", "use": "none"},
        ],
        "agendas": [{"agenda": a, "family": "first", "name": a} for a in AGENDAS],
        "milestones": [
            {"level": 5, "name": SCRIPT, "reached": 2024, "work": "w"},
            {"level": 5, "name": STYLE, "reached": 2024, "work": "w"},
            {"level": 1, "name": "early", "reached": 1999, "work": "w"},
            {"level": 6, "name": "open", "reached": None, "work": None},
        ],
        "backcast": [
            {"level": 5, "lower": 2021, "median": 2025, "upper": 2030},
            {"level": 7, "lower": 2026, "median": None, "upper": None},
        ],
        "diagnostics": [
            parameter("use_rate", posterior_sd=0.4, learned="learned", shift=-1.2),
            parameter("stop_6", posterior_sd=1.0, learned="untouched"),
            parameter("step_5", posterior_sd=0.04, learned="conflict", shift=-4.1),
            parameter("reporting_delay", posterior_sd=3.9, learned="conflict", shift=2.6),
        ],
    }


@pytest.fixture(scope="session")
def run_folder(tree, frames, tmp_path_factory):
    """A folder with every figure and the agendas in pairs, and what was said of each figure."""
    folder = tmp_path_factory.mktemp("run")
    group = tree["predictions"]
    found = {name: x.values.reshape(CHAINS * DRAWS, -1) for name, x in group.data_vars.items()}
    write_csv(folder / FILE, pair_rows(found, AGENDAS, chains=CHAINS))
    return folder, write_figures(tree, frames, folder=folder / "figures")


def plain(x):
    return {key: float(value) for key, value in summary(x.reshape(-1)).items()}


@pytest.fixture(scope="session")
def full_context(tree, frames, run_folder):
    found, prior = tree["predictions"], tree["prior_predictions"]
    dates = milestone_dates(found["established"].values.reshape(-1, 7, 28))
    headline = {
        "cohort": 2026,
        "horizon": 2040,
        "converged": True,
        "quantities": {n: plain(found[n].values) for n in HEADLINE},
        "prior": {n: plain(prior[n].values) for n in HEADLINE},
        "by_agenda": {
            a: {n: plain(found[f"agenda_{n}"].values[..., i]) for n in HEADLINE}
            for i, a in enumerate(AGENDAS)
        },
        "milestones": {str(k): date for k, date in dates.items()},
    }
    claims = [
        {"id": key, "who": c.who, "text": c.text}
        | {
            "quantities": [
                {"name": n, "label": QUANTITIES[n].label, "unit": QUANTITIES[n].unit}
                | {"prior": plain(prior[n].values), "posterior": plain(found[n].values)}
                for n in c.quantities
            ]
        }
        for key, c in CLAIMS.items()
    ]
    return {
        "name": "test",
        "author": SCRIPT,
        "date": "2026-11-22",
        "summary": STYLE,
        "question": {"cohort": 2026, "horizon": 2040},
        "headline": headline,
        "claims": claims,
        "figures": run_folder[1],
        "parameters": frames["diagnostics"],
    } | other_parts(headline)


def other_parts(headline):
    posterior = headline["quantities"]
    setting = {"setting": STYLE, "pareto_k": 0.3, "alignment_used": posterior["alignment_used"]}
    return {
        "worldviews": [
            {"name": "doubter", "summary": SCRIPT, "prior_only": posterior, "posterior": None},
            {"name": "other", "summary": "", "prior_only": posterior, "posterior": posterior},
        ],
        "diagnostics": {"converged": True, "max_rhat": 1.004, "min_ess_bulk": 812.0}
        | {"min_ess_tail": 640.0, "divergences": 0, "bfmi": 0.9, "failures": [SCRIPT], "rule": "x"},
        "evidence": {"folder": STYLE, "tables": [{"name": "works", "rows": 0}], "empty": ["works"]},
        "variance_share": {"touched": 0.4, "untouched": 0.6, "text": ""},
        "not_observed": ["no work is rated at level 7."],
        "unit_headlines": {"field": posterior["alignment_relevant"], "agenda": 0.1},
        "halo": [setting, setting | {"setting": "off", "alignment_used": None}],
        "works_by_2026": [{"level": 5, "rated": 2, **posterior["neither"]}],
        "manifest": {"seed": 7, "hashes": {"evidence": SCRIPT}},
        "milestones": [{"level": 5, "name": SCRIPT, "reached": 2024, "work": "w"}],
        "agendas": [{"agenda": a, "name": a} for a in AGENDAS],
        "ratings_agreement": [{"a": "R1", "b": SCRIPT, "level": 0.9, "works": 4}],
        "works": [
            {"work": "w", "title": SCRIPT, "year": 2020, "agenda": STYLE, "selection": "sampled"}
            | {"gist": STYLE, "p_tracks": 0.5, "p_level_0": 0.99, "p_level_1": 0.01}
            | {"ratings": [{"rater": STYLE, "level": 0, "tracks": None, "cap_use": 1}]},
            {"work": "bare", "title": "t", "year": 2021, "agenda": "circuits"},
        ],
    }


@pytest.fixture
def context(full_context):
    """A context that a test may change."""
    return copy.deepcopy(full_context)
