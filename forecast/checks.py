"""Check a priors file and its evidence before a run."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from forecast.config import Config, load_config
from forecast.evidence import Tables, find_evidence, load_tables
from models.errors import InputError

if TYPE_CHECKING:
    import numpy as np

FELT = (
    ("field_works", 2030),
    ("worker_ratio", 2026),
    ("worker_ratio", -1),
    ("tracking_field", 2026),
    ("alignment_used", None),
    ("capabilities_relevant", None),
    ("alignment_relevant", None),
)
"""Quantities that a user can have a feeling for, and the year shown (-1: the horizon)."""
LEAST_P = 1e-4
"""Least p-value of a prior's Kolmogorov-Smirnov test, after Bonferroni over all of them."""


@dataclass(frozen=True)
class Check:
    """The result of a check: lines on the implied prior, and every fault that was found."""

    config: Config
    tables: Tables
    lines: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return not self.faults

    def text(self) -> str:
        """Return what the terminal shows."""
        head = f"{self.config.name}: {len(self.config.priors)} priors and the evidence are valid"
        return "\n".join((head, *self.lines, *self.faults))


def load_inputs(priors: str | Path, *, evidence: str | Path | None = None) -> tuple[Config, Tables]:
    """Read the priors file and the evidence tables, before anything that costs time.

    Parameters
    ----------
    priors
        Path or shipped name.
    evidence
        Folder of tables; else the one the priors file names, else the shipped one.
    """
    config = load_config(priors)
    folder = evidence if evidence is not None else config.evidence.path
    found = find_evidence(Path(folder) if folder is not None else None)
    return config, load_tables(found, off=config.evidence.off)


def check(
    priors: str | Path,
    *,
    evidence: str | Path | None = None,
    seed: int = 0,
    draws: int = 1000,
    quiet: bool = False,
    out: str | Path | None = None,
) -> Check:
    """Check a priors file and its evidence.

    Validates both; draws from the prior and says what it implies for quantities that one can have
    a feeling for; applies the gates of :mod:`forecast.gates`; and holds PyMC's own draws of each
    sampled prior against the stated distribution.

    Parameters
    ----------
    priors, evidence
        As for :func:`forecast.runs.run`.
    seed
        Seed of the prior draws.
    draws
        Number of prior draws.
    quiet
        Show no progress.
    out
        Folder to write ``check.csv`` into: one row per prior, stated and drawn quantiles.

    Raises
    ------
    InputError
        If either file is at fault.
    """
    config, tables = load_inputs(priors, evidence=evidence)
    from forecast.case import make_case
    from forecast.gates import gate_faults, prior_predictions
    from forecast.progress import Stages

    case = make_case(config, tables, seed=seed)
    with Stages(quiet=quiet) as stages:
        with stages("prior draws"):
            _, found = prior_predictions(case, draws)
        with stages("sampled against stated prior"):
            rows = stated_rows(case, draws)
    if out is not None:
        _save(Path(out), rows)
    odd = [row for row in rows if row["p"] < LEAST_P / len(rows)]
    faults = gate_faults(found) + [
        f"[priors.{row['prior']}]: the drawn prior is not the stated one (p = {row['p']:.1e})"
        for row in odd
    ]
    lines = [*felt_lines(found, config.question.horizon)]
    lines.append(f"{len(rows) - len(odd)} of {len(rows)} priors are drawn as they are stated")
    return Check(config, tables, tuple(lines), tuple(faults))


def felt_lines(found: "dict[str, np.ndarray]", horizon: int) -> list[str]:
    """Return one line per quantity: its 5, 50 and 95% under the prior, and its question."""
    import numpy as np

    from models.quantities import QUANTITIES
    from models.structure import FIRST_YEAR

    lines = ["the priors alone imply (5%, 50%, 95%):"]
    for name, year in FELT:
        q, x = QUANTITIES[name], found[name]
        label = q.label
        if year is not None:
            shown = horizon if year == -1 else year
            x, label = x[:, shown - FIRST_YEAR], f"{label}, {shown}"
        low, mid, high = np.quantile(x, (0.05, 0.5, 0.95))
        lines.append(f"  {label:44s} {low:9.3g} {mid:9.3g} {high:9.3g}  {q.unit}: {q.question}")
    reached = found["established"][..., -1]
    for k in (5, 6, 7):
        low, mid, high = np.quantile(reached[:, k - 1], (0.05, 0.5, 0.95))
        label = f"level {k} established by {horizon}"
        lines.append(f"  {label:44s} {low:9.3g} {mid:9.3g} {high:9.3g}  probability")
    return lines


def stated_rows(case: Any, n: int) -> list[dict[str, Any]]:
    """Return, for each prior, a Kolmogorov-Smirnov test of PyMC's draws against the stated one."""
    import numpy as np
    from scipy import stats

    from models.prior import frozen

    rows = []
    for name, x in drawn_by_pymc(case, n).items():
        law = frozen(case.by_name[name])
        test = stats.kstest(x, law.cdf)
        row: dict[str, Any] = {"prior": name, "p": float(test.pvalue)}
        for q in (0.05, 0.5, 0.95):
            row[f"stated_{q}"] = float(law.ppf(q))
            row[f"drawn_{q}"] = float(np.quantile(x, q))
        rows.append(row)
    return rows


def drawn_by_pymc(case: Any, n: int) -> "dict[str, np.ndarray]":
    """Return ``n`` draws of every scalar prior, made by PyMC's own random variables."""
    import numpy as np
    import pymc as pm

    from forecast.seeds import integer
    from models.prior import add_grouped, hyper_names, hyper_values

    priors = case.by_name
    with pm.Model(coords={"hyperparameter": hyper_names(priors)}) as model:
        pm.Data("hyper", hyper_values(priors), dims="hyperparameter")
        add_grouped(tuple(priors), priors)
    vectors = model.free_RVs
    drawn = pm.draw(vectors, draws=n, random_seed=integer(case.seed, "check"), mode="FAST_COMPILE")
    out: dict[str, np.ndarray] = {}
    for vector, values in zip(vectors, drawn, strict=True):
        members = model.coords[f"{vector.name.removeprefix('beliefs_')} belief"]
        out |= {name: np.asarray(values)[:, i] for i, name in enumerate(members or ())}
    return dict(sorted(out.items()))


def _save(folder: Path, rows: list[dict[str, Any]]) -> None:
    from forecast.folder import write_csv

    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_csv(folder / "check.csv", rows)
    except OSError as error:
        raise InputError(f"--out {folder}: cannot be written ({error.strerror})") from None
