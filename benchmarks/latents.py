"""What is sampled, as a table that the ports read: each unknown, its distribution and its shape.

The list follows from ``models/``: beliefs from the slots, effects from the sub-models' own tables
(:mod:`models.components.effects`, :mod:`models.prior_draws`), and which beliefs a likelihood needs
from what
:func:`models.terms.terms_from_draws` asks for. So a port spells no list of names by hand.
"""

from dataclasses import dataclass

import numpy as np

from forecast.inference.case import Case, structure_of
from models.components.effects import CENTRING, DIM, SAMPLED
from models.components.spillover import conditional_elasticity
from models.parameters import SLOTS
from models.prior_draws import DIMS, EASE, NORMALS, prior_draws
from models.terms import terms_from_draws


@dataclass(frozen=True)
class Latent:
    """One unknown.

    ``kind`` is ``belief`` (independent copies of the stated prior of that name), ``normal`` or
    ``zero_sum``. ``centre`` and ``scale`` of these two are numbers, or names of beliefs; the
    standard deviation is the scale to the ``power``.
    """

    name: str
    kind: str
    shape: tuple[int, ...] = ()
    centre: str | float = 0.0
    scale: str | float = 1.0
    power: float = 1.0


class Asked(dict):
    """A dict that remembers which of its keys were read."""

    def __init__(self, content: dict) -> None:
        super().__init__(content)
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> np.ndarray:
        self.read.add(key)
        return super().__getitem__(key)


def latents(case: Case) -> tuple[Latent, ...]:
    """Return every sampled unknown of a Case, beliefs first."""
    if (case.model.link, case.model.tails) != ("logit", "normal"):
        raise ValueError("the ports state the default model: logit link, normal tails")
    structure = structure_of(case)
    length = {dim: len(labels) for dim, labels in structure.coords().items()}
    effects = _effects(case, length)
    draws = prior_draws(case.by_name, structure, n=1, rng=np.random.default_rng(0))
    draws = Asked(draws)
    terms_from_draws(draws)
    needed = draws.read | {e for x in effects for e in (x.centre, x.scale) if isinstance(e, str)}
    beliefs = [
        Latent(name, "belief", tuple(length[d] for d in DIMS.get(name, ())))
        for name in SLOTS
        if name in needed and name not in EASE
    ]
    return (*beliefs, *effects)


def _effects(case: Case, length: dict[str, int]) -> list[Latent]:
    """Return what is sampled beside the stated beliefs."""
    out = [Latent(n, "normal", tuple(length[d] for d in dims)) for n, dims in NORMALS.items()]
    out += [
        Latent(SAMPLED[name], "zero_sum", (length[DIM[name]],), scale=f"{name}_sd", power=w)
        for name, w in CENTRING.items()
    ]
    e, b = (case.by_name[name].values for name in EASE)
    (mean, variance), *_ = conditional_elasticity((e["mu"], e["sigma"]), (b["mu"], b["sigma"]))
    return [
        *out,
        Latent("tracking_agenda_z", "zero_sum", (length["agenda"],)),
        Latent("maturity_agenda_own", "zero_sum", (length["agenda"],), scale="maturity_agenda_sd"),
        Latent("definition_offset", "normal", (length["definition"],), scale="definition_sd"),
        Latent(
            "worker_growth", "normal", (length["group"],), "worker_growth_mean", "worker_growth_sd"
        ),
        Latent("use_ratio", "normal", (), float(mean), float(variance**0.5)),
        Latent("worker_ratio_elasticity_z", "normal"),
    ]
